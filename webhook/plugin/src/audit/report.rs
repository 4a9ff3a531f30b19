//! What an audit found, for people and for programs.
//!
//! PURE.

use std::fmt;

use serde::Serialize;

use super::{
    migration::Migration,
    readers::Readers,
    survey::{Finding, Pods},
};
use crate::table::table;

/// Everything that one audit found.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// How many pods were seen.
    pub(crate) pods: Pods,
    /// What somebody should look at.
    pub(crate) findings: Vec<Finding>,
    /// What could not be looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
    /// Pods with secrets from elsewhere, and what they would be annotated with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) migrations: Option<Vec<Migration>>,
    /// Who may read the secrets of pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) readers: Option<Readers>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pods { live, asking, with_agent } = self.pods;
        writeln!(f, "{live} pods, {asking} ask for secrets, {with_agent} have an agent")?;
        self.notes.iter().try_for_each(|note| writeln!(f, "note: {note}"))?;
        self.write_findings(f)?;
        if let Some(migrations) = &self.migrations {
            writeln!(f, "\nSecrets from elsewhere: {} workloads", migrations.len())?;
            migrations.iter().try_for_each(|migration| write!(f, "\n{migration}"))?;
        }
        self.readers.as_ref().map_or(Ok(()), |readers| write!(f, "\n{readers}"))
    }
}

impl Report {
    fn write_findings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.findings.is_empty() {
            return writeln!(f, "nothing was found");
        }
        let rows = self.findings.iter().map(|finding| {
            let pods = if finding.pods == 0 { String::new() } else { finding.pods.to_string() };
            let Finding { kind, namespace, object, detail, .. } = finding;
            [kind.name().to_owned(), namespace.clone(), object.clone(), pods, detail.clone()]
        });
        let head = ["FINDING", "NAMESPACE", "OBJECT", "PODS", "DETAIL"].map(str::to_owned);
        writeln!(f)?;
        table(f, std::iter::once(head).chain(rows).collect())
    }
}
