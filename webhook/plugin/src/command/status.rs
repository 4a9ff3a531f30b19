//! `kubectl mayfly status`: what the agents of pods say of themselves, asked with the caller's own rights.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use kube::Client;

use super::FOUND;
use crate::{
    args::{StatusArgs, StatusFormat},
    cluster,
    status::{asking, list::List, pod::PodStatus, select},
};

/// From one look to the next.
const PAUSE: Duration = Duration::from_secs(5);

/// Asks, tells, and says by its exit code whether every pod with an agent has what it is to have.
pub(super) fn run(args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("starting the runtime")?.block_on(tell(args))
}

async fn tell(args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let client = cluster::client(&args.cluster).await?;
    let mut known = look(&client, args).await?;
    if !args.watch {
        print(&text(&known, args.output)?)?;
        let is_well = known.iter().all(|pod| pod.state.is_well());
        return Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(FOUND) });
    }
    print(&watched(&known, args.output)?)?;
    loop {
        tokio::time::sleep(PAUSE).await;
        let now = look(&client, args).await?;
        let news: Vec<PodStatus> = news(&known, &now).cloned().collect();
        if !news.is_empty() {
            print(&watched(&news, args.output)?)?;
        }
        known = now;
    }
}

async fn look(client: &Client, args: &StatusArgs) -> anyhow::Result<Vec<PodStatus>> {
    let pods = select::pods(client, &args.pods).await?;
    Ok(asking::statuses(client, &pods).await)
}

/// The pods that are new, or stand otherwise than before.
fn news<'a>(before: &'a [PodStatus], now: &'a [PodStatus]) -> impl Iterator<Item = &'a PodStatus> {
    now.iter().filter(|pod| !before.iter().any(|old| old.news() == pod.news()))
}

fn text(pods: &[PodStatus], format: StatusFormat) -> anyhow::Result<String> {
    Ok(match format {
        StatusFormat::Json => serde_json::to_string_pretty(pods)? + "\n",
        StatusFormat::Table => List { pods, is_wide: false }.to_string(),
        StatusFormat::Wide => List { pods, is_wide: true }.to_string(),
    })
}

/// The same, as one of several such texts.
fn watched(pods: &[PodStatus], format: StatusFormat) -> anyhow::Result<String> {
    match format {
        StatusFormat::Json => {
            let line = |pod| Ok(serde_json::to_string(pod)? + "\n");
            pods.iter().map(line).collect()
        }
        _ => Ok(text(pods, format)? + "\n"),
    }
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::status::pod::State;

    #[test]
    fn only_a_pod_that_stands_otherwise_is_news() {
        let of = |name: &str| {
            PodStatus::told(&json!({"metadata": {"namespace": "shop", "name": name}, "spec": {}}))
        };
        let before = [of("a"), of("b")];
        let aged = PodStatus { oldest_seconds: Some(5), ..of("a") };
        let changed = PodStatus { state: State::Stale, ..of("b") };
        let now = [aged, changed.clone(), of("c")];
        assert_eq!(news(&before, &now).collect::<Vec<_>>(), [&changed, &of("c")]);
        let lines = watched(&now, StatusFormat::Json).expect("JSON");
        assert_eq!(lines.lines().count(), 3, "{lines}");
    }
}
