//! `kubectl mayfly audit -o html`, opened in a real browser.

#![expect(clippy::disallowed_methods, reason = "a browser opens a file")]

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{cluster::Cluster, program::Program, suite::Case},
};

use crate::{manifest::Manifest, tenant::Tenant};

pub(crate) fn cases() -> Vec<Case> {
    cases![the_page_renders_without_an_error_and_its_filter_works]
}

/// The page of a tenant's namespace.
async fn page(tenant: &Tenant<'_>) -> Result<String> {
    let arguments = ["audit", "--output=html", "--namespace", tenant.namespace.name()];
    let output = tenant.cluster.plugin().await?.args(arguments).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(2), "the pod without agent is a finding: {said}");
    String::from_utf8(output.stdout).context("a page is text")
}

/// What a browser has made of a page, and what it has to say about it.
async fn open(file: &Path, fragment: &str) -> Result<(String, String)> {
    let address = format!("file://{}#{fragment}", file.display());
    // The lab runs as root, in a machine without a screen.
    let browser = Program::new("chromium").args([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        "--virtual-time-budget=5000",
        "--dump-dom",
    ]);
    let output = browser.args([address]).output().await?;
    ensure!(output.status.success(), "the browser ended with {}", output.status);
    let said = String::from_utf8_lossy(&output.stderr);
    let console: Vec<&str> = said.lines().filter(|line| line.contains(":CONSOLE:")).collect();
    Ok((String::from_utf8(output.stdout).context("a page is text")?, console.join("\n")))
}

async fn the_page_renders_without_an_error_and_its_filter_works(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "page").await?;
    tenant.put("app").await?;
    tenant.run(&tenant.vault_pod("web")).await?;
    tenant.run(&Manifest::plain("late")).await?;
    tenant.namespace.kubectl(&["annotate", "pod", "late", "mayfly.dev/inject=true"]).await?;
    let page = page(&tenant).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("audit.html");
    fs::write(&file, &page)?;

    let (whole, console) = open(&file, "").await?;
    ensure!(console.is_empty(), "the browser complains: {console}");
    ensure!(whole.contains(">fresh</span>") && whole.contains("Pod/late"), "{whole}");
    ensure!(!whole.contains("<tr hidden"), "without a filter all rows are there: {whole}");
    ensure!(whole.contains("<button type=\"button\">Secret</button>"), "nothing sorts: {whole}");

    let (filtered, console) = open(&file, "filter=pod%2Fweb").await?;
    ensure!(console.is_empty(), "the browser complains: {console}");
    ensure!(filtered.contains(">1 of ") && filtered.contains("“pod/web”"), "{filtered}");
    ensure!(filtered.matches("<tr hidden").count() >= 1, "{filtered}");

    // So that the silence above is known to mean something.
    fs::write(
        &file,
        page.replace("</body>", "<script>document.title = 'foreign'</script></body>"),
    )?;
    let (foreign, console) = open(&file, "").await?;
    ensure!(console.contains("Content Security Policy"), "the browser has let it pass: {console}");
    ensure!(!foreign.contains("<title>foreign"), "a foreign script has run");
    Ok(())
}
