//! `kubectl mayfly refresh`: the agents of pods look at once, asked with the caller's own rights.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use kube::Client;
use serde_json::Value;

use super::FOUND;
use crate::{
    agents::{self, Standing},
    args::RefreshArgs,
    cluster,
    exec::{self, ExecError, Outcome},
    foreign::line,
    status::{asking, pod::place, select},
};

/// An agent looks once in ten seconds, and asks a backend that is away more than once.
const LIMIT: Duration = Duration::from_mins(1);

/// Has agents look, tells what came of it, and says by its exit code whether all is fresh.
pub(super) fn run(args: &RefreshArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("starting the runtime")?.block_on(refresh(args))
}

async fn refresh(args: &RefreshArgs) -> anyhow::Result<ExitCode> {
    let client = cluster::client(&args.cluster).await?;
    let pods = select::pods(&client, &args.pods).await?;
    let is_named = !args.pods.pods.is_empty();
    let told = asking::side_by_side(&pods, |pod| one(&client, pod, is_named)).await;
    let mut stdout = io::stdout();
    for (pod, (_, words)) in pods.iter().zip(&told) {
        let place = place(pod);
        writeln!(stdout, "{}/{}: {words}", place.namespace, place.pod)?;
    }
    let is_fresh = told.iter().all(|(is_well, _)| *is_well);
    Ok(if is_fresh { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}

/// Whether one pod is as it was wished, and in which words. Who names a pod means one with an agent.
async fn one(client: &Client, pod: &Value, is_named: bool) -> (bool, String) {
    match agents::standing(pod) {
        Standing::Running => came(exec::run(client, &place(pod), &["refresh"], LIMIT).await),
        Standing::None => (!is_named, "no agent".to_owned()),
        Standing::Done => (!is_named, "the agent is done: its files stay as they are".to_owned()),
        Standing::Starting(reason) => (false, because("the agent does not run yet", &reason)),
        Standing::Failed(reason) => (false, because("the agent has ended", &reason)),
    }
}

/// What came of asking one agent.
fn came(outcome: Result<Outcome, ExecError>) -> (bool, String) {
    match outcome {
        Ok(Outcome { printed, code: 0, .. }) => (true, line(&String::from_utf8_lossy(&printed))),
        Ok(Outcome { complaint, code, .. }) => {
            let words = line(&String::from_utf8_lossy(&complaint));
            let words = words.strip_prefix("mayfly-agent: ").unwrap_or(&words);
            (false, because(&format!("not all is fresh (exit code {code})"), words))
        }
        Err(error) => (false, error.to_string()),
    }
}

fn because(what: &str, reason: &str) -> String {
    let reason = line(reason);
    if reason.is_empty() { what.to_owned() } else { format!("{what}: {reason}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_own_words_and_exit_code_are_told() {
        let outcome = |printed: &str, complaint: &str, code| {
            came(Ok(Outcome { printed: printed.into(), complaint: complaint.into(), code }))
        };
        let fresh = outcome("everything is fresh, in generation 3\n", "", 0);
        assert_eq!(fresh, (true, "everything is fresh, in generation 3".to_owned()));
        let refused = outcome("", "mayfly-agent: role `a`\u{1b}[2J is refused\n", 3);
        let words = "not all is fresh (exit code 3): role `a` [2J is refused";
        assert_eq!(refused, (false, words.to_owned()));
        assert!(!came(Err(ExecError::NotAllowed)).0);
    }
}
