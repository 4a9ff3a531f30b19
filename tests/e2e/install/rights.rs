//! What the webhook's service account may do: nothing that the README does not name.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{cluster::Cluster, folders, install::NAMESPACE, suite::Case},
};

pub(super) fn cases() -> Vec<Case> {
    cases![the_readme_names_all_that_the_webhook_may_do]
}

/// The chapter of the README with the table.
const CHAPTER: &str = "### What the webhook's service account may do";

/// One line of the table, or of `kubectl auth can-i --list`.
#[derive(Debug)]
struct Right {
    things: BTreeSet<String>,
    names: BTreeSet<String>,
    verbs: BTreeSet<String>,
    here_only: bool,
}

impl Right {
    fn covers(&self, asked: &Self, namespace: &str) -> bool {
        asked.things.is_subset(&self.things)
            && (self.names.is_empty() || !asked.names.is_empty())
            && (self.names.is_empty() || asked.names.is_subset(&self.names))
            && asked.verbs.is_subset(&self.verbs)
            && (!self.here_only || namespace == NAMESPACE)
    }
}

async fn the_readme_names_all_that_the_webhook_may_do(cluster: &Cluster) -> Result<()> {
    let table = table(&folders::read(&folders::checkout().join("README.md"))?)?;
    for namespace in [NAMESPACE, "default", "kube-system"] {
        for right in granted(cluster, namespace).await? {
            let named = table.iter().any(|row| row.covers(&right, namespace));
            ensure!(named, "the README does not name {right:?}, in {namespace}");
        }
    }
    Ok(())
}

/// The words in backticks of the table's first three columns.
fn table(readme: &str) -> Result<Vec<Right>> {
    let chapter = readme.split(CHAPTER).nth(1).context("the README has no such chapter")?;
    let rows = chapter.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    let rows: Vec<Right> = rows.map(row).collect();
    ensure!(rows.len() > 2, "the table is too short: {rows:?}");
    Ok(rows)
}

fn row(line: &str) -> Right {
    let mut columns = line.trim_matches('|').split('|');
    let mut column = || columns.next().unwrap_or_default();
    let first = column();
    Right {
        things: words(first),
        names: words(column()),
        verbs: words(column()),
        here_only: first.contains("its own namespace"),
    }
}

fn words(column: &str) -> BTreeSet<String> {
    column.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What the API server says that the account may do in a namespace.
async fn granted(cluster: &Cluster, namespace: &str) -> Result<Vec<Right>> {
    let account = format!("--as=system:serviceaccount:{NAMESPACE}:mayfly-webhook");
    let list = ["auth", "can-i", "--list", "--no-headers", &account, "--namespace", namespace];
    let said = cluster.kubectl(&list).await?;
    let rights: Vec<Right> = said.lines().map(granted_line).collect();
    ensure!(!rights.is_empty(), "`kubectl auth can-i --list` says nothing");
    Ok(rights)
}

/// `resource  [urls]  [names]  [verbs]`; there is either a resource or a URL.
fn granted_line(line: &str) -> Right {
    let resource = line.split_whitespace().next().filter(|word| !word.starts_with('['));
    let mut lists = line.split('[').skip(1).map(|list| list.split(']').next().unwrap_or_default());
    let mut list = || lists.next().unwrap_or_default().split_whitespace();
    // `/api/*` is below `/api`, and `/version/` is `/version`.
    let url = |url: &str| url.trim_end_matches('*').trim_end_matches('/').to_owned();
    let things = list().map(url).chain(resource.map(str::to_owned)).collect();
    let mut set = || list().map(str::to_owned).collect();
    Right { things, names: set(), verbs: set(), here_only: false }
}
