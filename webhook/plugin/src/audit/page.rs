//! The audit as one page that a reviewer can file.
//!
//! PURE. Everything is in it and nothing is fetched: by the page's own policy a browser runs and shows only what was
//! made here. Every word of others is escaped by the template.

use base64::{Engine, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::{
    access::{Access, Accesses, Freshness},
    readers::Readers,
    report::Report,
    survey::Finding,
};
use crate::{foreign::plain, status::list::age};

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");

/// What is looked at, and when.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The API server's address.
    pub(crate) cluster: String,
    /// The namespaces; none are all.
    pub(crate) namespaces: Vec<String>,
    /// When.
    pub(crate) time: String,
}

/// The page.
pub(crate) fn page(scope: &Scope, report: &Report, accesses: &Accesses) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { "Mayfly audit of " (plain(&scope.cluster)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(scope, report, accesses))
                main {
                    (controls())
                    (access(accesses))
                    (findings(&report.findings))
                    (readers(report.readers.as_ref()))
                    (migrations(report))
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// Only the style and the script of this page, known by their digests.
fn policy() -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
}

fn head(scope: &Scope, report: &Report, accesses: &Accesses) -> Markup {
    let namespaces = match scope.namespaces.as_slice() {
        [] => "every namespace".to_owned(),
        some => format!("namespaces {}", some.join(", ")),
    };
    let numbers = [
        ("Pods", report.pods.live),
        ("Ask for secrets", report.pods.asking),
        ("Have an agent", report.pods.with_agent),
        ("Findings", report.findings.len()),
    ];
    html! {
        header {
            h1 { "Secrets in pods" }
            p.soft { (plain(&scope.cluster)) ", " (plain(&namespaces)) ", " time datetime=(scope.time) { (scope.time) } }
            p.soft { "Read by kubectl mayfly audit with the rights of whoever ran it. No value of a secret is in this page." }
            dl { @for (word, number) in numbers { div { dt { (word) } dd { (number) } } } }
            @for note in &report.notes { p.note { (plain(note)) } }
            @if !accesses.unread.is_empty() {
                p.note { "The agent's configuration cannot be read in: " (plain(&accesses.unread.join(", "))) }
            }
        }
    }
}

/// Of use only where the script runs, which shows it.
fn controls() -> Markup {
    html! {
        div #controls role="search" hidden {
            label for="filter" { "Rows with" }
            input #filter type="search" autocomplete="off" spellcheck="false" placeholder="a namespace, a secret, a role";
            span #told.soft role="status" {}
        }
    }
}

/// A section with one table, or the words for there being nothing.
fn section(id: &str, title: &str, caption: &str, columns: &[&str], rows: &[Markup]) -> Markup {
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (title) }
            @if rows.is_empty() { p { "None." } } @else {
                div.wide role="region" tabindex="0" aria-labelledby=(id) {
                    table {
                        caption { (caption) }
                        thead { tr { @for column in columns { th scope="col" { (column) } } } }
                        tbody { @for row in rows { (row) } }
                    }
                }
            }
        }
    }
}

fn access(accesses: &Accesses) -> Markup {
    let rows: Vec<Markup> =
        accesses.rows.iter().map(|(row, fresh)| access_row(row, fresh)).collect();
    let columns = [
        "Secret",
        "Namespace",
        "Workload",
        "Service account",
        "Asks as",
        "File",
        "Seen by",
        "Freshness",
        "Age",
        "Pods",
    ];
    let caption = "Every secret of every pod with an agent. The age is how long ago the oldest pod's value was seen to \
                   be the present one.";
    section("access", "Who gets which secret, as whom", caption, &columns, &rows)
}

fn access_row(access: &Access, freshness: &Freshness) -> Markup {
    let Freshness { known, age_seconds, reason, pods } = freshness;
    let class = match known.rank() {
        0 => "good",
        1 | 2 => "unknown",
        _ => "bad",
    };
    html! {
        tr {
            th.long scope="row" { code { (plain(&access.secret)) } }
            td { (plain(&access.namespace)) }
            td { (plain(&access.object)) }
            td { (plain(&access.service_account)) }
            td.long { (plain(&access.identity)) }
            td { code { (plain(&access.path)) } " " (access.mode) }
            td { (plain(&access.containers)) }
            td {
                span class=(class) { (known.name()) }
                @if let Some(reason) = reason { span.reason { (plain(reason)) } }
            }
            td.number data-sort=(age_seconds.unwrap_or_default()) { (age_seconds.map_or_else(|| "–".to_owned(), age)) }
            td.number { (pods) }
        }
    }
}

fn findings(findings: &[Finding]) -> Markup {
    let row = |finding: &Finding| {
        html! {
            tr {
                th scope="row" { (finding.kind.name()) }
                td { (plain(&finding.namespace)) }
                td { (plain(&finding.object)) }
                td.number data-sort=(finding.pods) { @if finding.pods > 0 { (finding.pods) } @else { "–" } }
                td.long { (plain(&finding.detail)) }
            }
        }
    };
    let rows: Vec<Markup> = findings.iter().map(row).collect();
    let columns = ["Finding", "Namespace", "Object", "Pods", "Detail"];
    section("findings", "Findings", "What somebody should look at.", &columns, &rows)
}

fn readers(readers: Option<&Readers>) -> Markup {
    let Some(Readers { readers, of_kubernetes }) = readers else {
        return html! {
            section aria-labelledby="readers" {
                h2 id="readers" { "Who else can come to it, by RBAC" }
                p { "Not known: the roles and bindings could not be read." }
            }
        };
    };
    let rows: Vec<Markup> = readers
        .iter()
        .map(|reader| {
            let ways: Vec<&str> = reader.ways.iter().map(|way| way.name()).collect();
            html! {
                tr {
                    th scope="row" { (plain(&reader.subject)) }
                    td { @if reader.namespace == "*" { "every one" } @else { (plain(&reader.namespace)) } }
                    td { (ways.join(", ")) }
                    td { (plain(&reader.bindings.join(", "))) }
                }
            }
        })
        .collect();
    let caption = format!(
        "Whoever may run something in a pod, or as a pod, can come to its secrets. Besides these: {of_kubernetes} \
         bindings of Kubernetes itself."
    );
    let columns = ["Subject", "Namespace", "Ways", "By"];
    section("readers", "Who else can come to it, by RBAC", &caption, &columns, &rows)
}

fn migrations(report: &Report) -> Markup {
    let Some(migrations) = &report.migrations else {
        return Markup::default();
    };
    html! {
        section aria-labelledby="migrations" {
            h2 id="migrations" { "Secrets from elsewhere" }
            @if migrations.is_empty() { p { "None." } }
            @for migration in migrations { pre { (migration.to_string()) } }
        }
    }
}
