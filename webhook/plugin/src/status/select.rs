//! The pods that somebody asks for.
//!
//! EDGE.

use anyhow::Context;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, api::ListParams};
use serde_json::Value;

use crate::{args::PodArgs, foreign};

/// Pods in one answer: some megabytes at most.
const PAGE: u32 = 250;

/// The pods that `args` ask for, by namespace and name.
pub(crate) async fn pods(client: &Client, args: &PodArgs) -> anyhow::Result<Vec<Value>> {
    let namespace = args.namespace.as_deref().unwrap_or_else(|| client.default_namespace());
    let pods: Api<Pod> = if args.all_namespaces {
        Api::all(client.clone())
    } else {
        Api::namespaced(client.clone(), namespace)
    };
    let mut found = Vec::new();
    for name in &args.pods {
        let pod = pods.get(name).await.map_err(words);
        found.push(pod.with_context(|| format!("asking for pod {namespace}/{name}"))?);
    }
    if args.pods.is_empty() {
        found = all(&pods, args.selector.as_deref()).await.context("asking for pods")?;
    }
    found.iter().map(|pod| serde_json::to_value(pod).context("reading a pod")).collect()
}

async fn all(pods: &Api<Pod>, selector: Option<&str>) -> anyhow::Result<Vec<Pod>> {
    let mut query = ListParams::default().limit(PAGE);
    query.label_selector = selector.map(str::to_owned);
    let mut found = Vec::new();
    loop {
        let page = pods.list(&query).await.map_err(words)?;
        found.extend(page.items);
        query.continue_token = page.metadata.continue_.filter(|next| !next.is_empty());
        if query.continue_token.is_none() {
            return Ok(found);
        }
    }
}

/// The API server's own words: `kube`'s repeat the whole status.
fn words(error: kube::Error) -> anyhow::Error {
    match error {
        kube::Error::Api(status) => anyhow::Error::msg(foreign::line(&status.message)),
        other => other.into(),
    }
}
