//! Webhooks that say where images come from, beside ours, in each order and with each reinvocation policy: what they make
//! of the agent's image stays, and it is what runs.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        images::{BUSYBOX, mayfly::Target::Agent},
        suite::Case,
    },
};
use serde_json::{Value, json};

use crate::{
    neighbour::{Neighbour, Turn},
    other_webhooks::containers,
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    cases![one_that_resolves_digests_and_ours_agree, one_that_rewrites_to_a_mirror_and_ours_agree]
}

/// A mirror that the lab's operator lists; nobody answers there, so an image comes from the node or not at all.
const MIRROR: &str = "mirror.example";

/// Each image by its name, and what a webhook makes of it.
type Names = BTreeMap<String, String>;

/// `name:tag@sha256:…`, as resolvers of digests write it.
async fn one_that_resolves_digests_and_ours_agree(cluster: &Cluster) -> Result<()> {
    let mut names = Names::new();
    for image in [BUSYBOX.to_owned(), Agent.image()] {
        let listed = cluster.ctr(&["images", "list", &format!("name=={image}")]).await?;
        let digest = listed.split_whitespace().find(|word| word.starts_with("sha256:"));
        let digest = digest.with_context(|| format!("{image} has no digest in {listed:?}"))?;
        let name = image.rsplit_once(':').map_or(&*image, |(name, _)| name);
        lies_there_too(cluster, &image, &format!("{name}@{digest}")).await?;
        names.insert(image.clone(), format!("{image}@{digest}"));
    }
    agree(cluster, &names).await
}

/// `mirror.example/…`, with the registry in the path, as rewriters have it.
async fn one_that_rewrites_to_a_mirror_and_ours_agree(cluster: &Cluster) -> Result<()> {
    let mut names = Names::new();
    for image in [BUSYBOX.to_owned(), Agent.image()] {
        let mirrored = format!("{MIRROR}/{image}");
        lies_there_too(cluster, &image, &mirrored).await?;
        names.insert(image, mirrored);
    }
    agree(cluster, &names).await
}

/// Names are kept between runs of a cluster that stays up.
async fn lies_there_too(cluster: &Cluster, image: &str, name: &str) -> Result<()> {
    cluster.ctr(&["images", "tag", "--force", image, name]).await.map(drop)
}

async fn agree(cluster: &Cluster, names: &Names) -> Result<()> {
    for turn in [Turn::Before, Turn::BeforeAndAgain, Turn::After, Turn::AfterAll] {
        agrees(cluster, turn, names.clone()).await.with_context(|| format!("{turn:?}"))?;
    }
    Ok(())
}

async fn agrees(cluster: &Cluster, turn: Turn, names: Names) -> Result<()> {
    let tenant = Tenant::new(cluster, "images").await?;
    let value = tenant.put("app").await?;
    let changed = names.clone();
    let _neighbour = Neighbour::of(&tenant, turn, move |spec| rename(spec, &changed)).await?;
    let pod = tenant.run(&tenant.vault_pod("web")).await?;
    let seen = pod.file_in("app", "/run/mayfly/value").await?;
    ensure!(seen == value, "the file holds {seen:?}");
    let mut spec = pod.json().await?["spec"].take();
    // Who is asked before us and never again does not see the agent.
    let ours = Agent.image();
    let agents = if matches!(turn, Turn::Before) { &ours } else { &names[&ours] };
    for (container, image) in [("mayfly-agent", agents), ("app", &names[BUSYBOX])] {
        let found = containers(&mut spec).find(|it| it["name"] == container);
        let found = found.with_context(|| format!("there is no {container}"))?;
        ensure!(found["image"] == **image, "{container} is {}, not {image}", found["image"]);
    }
    Ok(())
}

fn rename(spec: &mut Value, names: &Names) {
    for container in containers(spec) {
        if let Some(name) = container["image"].as_str().and_then(|image| names.get(image)) {
            container["image"] = json!(name);
        }
    }
}
