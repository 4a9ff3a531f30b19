//! How all of the pods stand, for people and for programs.
//!
//! PURE.

use std::{fmt, time::Duration};

use super::{
    answer::{Secret, Standing},
    pod::PodStatus,
};
use crate::table::table;

/// Pods as a table.
#[derive(Debug)]
pub(crate) struct List<'a> {
    pub(crate) pods: &'a [PodStatus],
    /// Whether more is told of each.
    pub(crate) is_wide: bool,
}

const HEAD: [&str; 8] =
    ["NAMESPACE", "POD", "MODE", "STATE", "GENERATION", "OLDEST", "NEXT LOOK", "LAST ERROR"];
const WIDE: [&str; 4] = ["WRITTEN", "SECRETS", "WARNINGS", "NODE"];

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pods.is_empty() {
            return writeln!(f, "there are no pods");
        }
        let head = HEAD.map(str::to_owned);
        if !self.is_wide {
            return table(f, std::iter::once(head).chain(self.pods.iter().map(row)).collect());
        }
        let wide = widened(head, WIDE.map(str::to_owned));
        let rows = self.pods.iter().map(|pod| widened(row(pod), more(pod)));
        table(f, std::iter::once(wide).chain(rows).collect())
    }
}

/// The last error stays last: it is the longest.
fn widened(row: [String; 8], more: [String; 4]) -> [String; 12] {
    let mut cells = row.into_iter().chain(more);
    let mut wide = std::array::from_fn(|_| cells.next().unwrap_or_default());
    wide[HEAD.len() - 1..].rotate_left(1);
    wide
}

fn row(pod: &PodStatus) -> [String; 8] {
    [
        pod.namespace.clone(),
        pod.pod.clone(),
        pod.mode.unwrap_or("-").to_owned(),
        pod.state.name().to_owned(),
        pod.generation.map_or_else(dash, |generation| generation.to_string()),
        pod.oldest_seconds.map_or_else(dash, age),
        pod.next_look.clone().unwrap_or_else(dash),
        pod.error.clone().unwrap_or_else(dash),
    ]
}

fn more(pod: &PodStatus) -> [String; 4] {
    let warnings: usize = pod.secrets.iter().map(|secret| secret.warnings.len()).sum();
    [
        pod.written.clone().unwrap_or_else(dash),
        count(&pod.secrets),
        if warnings == 0 { dash() } else { warnings.to_string() },
        pod.node.clone().unwrap_or_else(dash),
    ]
}

/// How many stand how, as `2 fresh, 1 stale`.
fn count(secrets: &[Secret]) -> String {
    let some = Standing::ALL.map(|standing| {
        let count = secrets.iter().filter(|secret| secret.state == standing).count();
        (count > 0).then(|| format!("{count} {}", standing.name()))
    });
    let told: Vec<String> = some.into_iter().flatten().collect();
    if told.is_empty() { dash() } else { told.join(", ") }
}

fn dash() -> String {
    "-".to_owned()
}

/// An age for people, as `3m 5s`: the two greatest units.
pub(crate) fn age(seconds: u64) -> String {
    let whole = humantime::format_duration(Duration::from_secs(seconds)).to_string();
    whole.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::exec::Outcome;

    fn stale() -> PodStatus {
        let pod = json!({"metadata": {"namespace": "shop", "name": "web"}, "spec": {}});
        let secret = |state: &str| json!({"reference": "aws-sm:a", "state": state, "age-seconds": 3725, "warnings": ["w"]});
        let answer = json!({"state": "stale", "generation": 4, "error": {"message": "no route"},
            "references": [secret("stale"), secret("fresh"), secret("fresh")]});
        let printed = answer.to_string().into_bytes();
        PodStatus::told(&pod).answered(Ok(Outcome { printed, complaint: vec![], code: 0 }))
    }

    #[test]
    fn a_table_tells_each_pod_on_a_line() {
        let pods = [stale()];
        let narrow = List { pods: &pods, is_wide: false }.to_string();
        let expected = "NAMESPACE  POD  MODE  STATE  GENERATION  OLDEST  NEXT LOOK  LAST ERROR\n\
                        shop       web  -     stale  4           1h 2m   -          no route\n";
        assert_eq!(narrow, expected);
        let wide = List { pods: &pods, is_wide: true }.to_string();
        assert!(wide.contains("2 fresh, 1 stale  3         -     no route\n"), "{wide}");
        assert_eq!(List { pods: &[], is_wide: true }.to_string(), "there are no pods\n");
    }
}
