//! `-o html`: the report with who gets which secret as whom, which the agents of the pods are asked about.

#![expect(clippy::disallowed_methods, reason = "the page says when it was made")]

use std::time::SystemTime;

use kube::Client;
use serde_json::Value;

use crate::{
    agents,
    audit::{
        access::Accesses,
        fetch::{self, Cluster},
        page::{Scope, page},
        report::Report,
    },
    status::{asking, pod::State},
};

/// Why not of every pod it is known how fresh it is.
const NOT_ALLOWED: &str = "of some pods it is not known how fresh their secrets are: agents are asked by running a \
                           command in their containers (`create` on `pods/exec`), which is not allowed to you there";

/// The page of `report` on the pods of `cluster` in `namespaces`; `address` is the API server's.
pub(super) async fn render(
    (client, address): (&Client, String),
    cluster: &Cluster,
    namespaces: &[String],
    mut report: Report,
) -> anyhow::Result<String> {
    let mut pods: Vec<Value> = Vec::new();
    let is_told_of = |pod: &Value| agents::agent(pod).is_some() && !agents::has_ended(pod);
    cluster.each(fetch::PODS, |pod| pods.extend(Some(pod).filter(is_told_of))).await?;
    let statuses = asking::statuses(client, &pods).await;
    if statuses.iter().any(|status| status.state == State::NotAllowed) {
        report.notes.push(NOT_ALLOWED.to_owned());
    }
    let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let scope = Scope { cluster: address, namespaces: namespaces.to_vec(), time };
    Ok(page(&scope, &report, &Accesses::of(&pods, &statuses)))
}
