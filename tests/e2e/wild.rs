//! The manifests of the world: each pod of a folder is made to ask for a secret, and a real API server says what
//! becomes of it, by dry runs with our webhook in its way.

mod found;
mod verdict;

use std::path::Path;

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mayfly_tests::{
    cases,
    lab::{
        addresses::API_SERVER,
        cluster::Cluster,
        folders,
        progress::{say, show},
        suite::Case,
    },
};
use reqwest::{Client, header::CONTENT_TYPE};
use serde_json::{Value, json};

use crate::tenant::Tenant;
use found::{Found, find};
use verdict::{Answer, Answers, Verdict, bare};

pub(crate) fn cases() -> Vec<Case> {
    cases![every_kind_of_end_is_told]
}

/// Pods that are asked about at once.
const SIDE_BY_SIDE: usize = 4;

/// Tries every pod of the manifests in `folder`, and prints one line for each that did not simply get its agent, and the
/// sums. Fails if Mayfly is to blame for one.
pub(crate) async fn tell(cluster: &Cluster, folder: &Path) -> Result<()> {
    let tried = try_all(cluster, folder).await?;
    for (label, verdict) in tried.iter().filter(|(_, verdict)| *verdict != Verdict::Injected) {
        show(format_args!("{label}: {verdict}"));
    }
    let mut sums: Vec<(&str, usize)> = Vec::new();
    for (_, verdict) in &tried {
        match sums.iter_mut().find(|(name, _)| *name == verdict.name()) {
            Some((_, count)) => *count += 1,
            None => sums.push((verdict.name(), 1)),
        }
    }
    sums.sort_unstable();
    let sums: Vec<String> = sums.iter().map(|(name, count)| format!("{count} {name}")).collect();
    say(format_args!("{} pods and files: {}", tried.len(), sums.join(", ")));
    let faults = tried.iter().filter(|(_, verdict)| verdict.is_our_fault()).count();
    ensure!(faults == 0, "{faults} of them are Mayfly's faults");
    Ok(())
}

async fn try_all(cluster: &Cluster, folder: &Path) -> Result<Vec<(String, Verdict)>> {
    let found = find(folder)?;
    ensure!(!found.is_empty(), "there is no YAML or JSON below {}", folder.display());
    let trial = Trial::new(cluster).await?;
    let tried = stream::iter(found).map(async |(label, found)| {
        let verdict = match found {
            Found::Unreadable(reason) => Verdict::Unreadable(reason),
            Found::Pod(pod) => trial.of(&pod).await.with_context(|| label.clone())?,
        };
        anyhow::Ok((label, verdict))
    });
    tried.buffered(SIDE_BY_SIDE).try_collect().await
}

/// A namespace in which pods are rehearsed.
struct Trial<'a> {
    tenant: Tenant<'a>,
    client: Client,
    token: String,
}

impl<'a> Trial<'a> {
    async fn new(cluster: &'a Cluster) -> Result<Self> {
        let tenant = Tenant::new(cluster, "wild").await?;
        let namespace = &tenant.namespace;
        namespace
            .kubectl(&["create", "role", "creator", "--verb=create", "--resource=pods"])
            .await?;
        let account = format!("--serviceaccount={}:default", namespace.name());
        let bind = ["create", "rolebinding", "creator", "--role=creator", &account];
        namespace.kubectl(&bind).await?;
        let token = namespace.token("default", None).await?;
        Ok(Self { client: cluster.lab().http()?, tenant, token })
    }

    async fn of(&self, pod: &Value) -> Result<Verdict> {
        let without = match self.rehearse(pod).await? {
            Answer::Taken(pod) => pod,
            Answer::Refused(reason) => return Ok(Verdict::NotTaken(reason)),
        };
        let with = self.rehearse(&self.asking(pod)).await?;
        let again = match &with {
            Answer::Taken(pod) => Some(self.rehearse(&bare(pod)).await?),
            Answer::Refused(_) => None,
        };
        Ok(Answers { without, with, again }.judge())
    }

    /// The pod with two annotations more.
    fn asking(&self, pod: &Value) -> Value {
        let mut pod = pod.clone();
        if !pod["metadata"]["annotations"].is_object() {
            pod["metadata"]["annotations"] = json!({});
        }
        let reference = format!("vault:{}#value", self.tenant.path("app"));
        let asks = [
            ("inject", "true"),
            ("vault-role", self.tenant.namespace.name()),
            ("file.mayfly-wild", &reference),
        ];
        for (name, value) in asks {
            pod["metadata"]["annotations"][format!("mayfly.dev/{name}")] = json!(value);
        }
        pod
    }

    async fn rehearse(&self, pod: &Value) -> Result<Answer> {
        let name = self.tenant.namespace.name();
        let url = format!("{API_SERVER}/api/v1/namespaces/{name}/pods?dryRun=All");
        let request = self.client.post(url).bearer_auth(&self.token);
        let request = request.header(CONTENT_TYPE, "application/json").body(pod.to_string());
        let answer = request.send().await.context("ask the API server")?;
        let is_taken = answer.status().is_success();
        let body: Value = answer.json().await.context("read the API server's answer")?;
        Ok(if is_taken {
            Answer::Taken(body)
        } else {
            Answer::Refused(body["message"].as_str().unwrap_or_default().to_owned())
        })
    }
}

/// Each sort of manifest that a stranger's folder has, and what is said of it.
async fn every_kind_of_end_is_told(cluster: &Cluster) -> Result<()> {
    let folder = folders::checkout().join("tests/e2e/wild/manifests");
    let tried = try_all(cluster, &folder).await?;
    let told: Vec<String> =
        tried.iter().map(|(label, verdict)| format!("{label}: {}", verdict.name())).collect();
    ensure!(
        told == [
            "helm.yaml: unreadable",
            "list.json, Deployment web: injected",
            "list.json, StatefulSet db: injected",
            "several.yaml, CronJob report: injected",
            "several.yaml, DaemonSet windows: refused",
            "several.yaml, Pod broken: not taken without us either",
            "several.yaml, Rollout canary: injected",
            "several.yaml, Deployment gateway: injected",
        ],
        "{told:#?}"
    );
    let refused = tried.iter().map(|(_, verdict)| verdict.to_string());
    ensure!(refused.filter(|words| words.contains("indows")).count() == 1, "{tried:#?}");
    Ok(())
}
