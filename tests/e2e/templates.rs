//! Files from templates: from annotations to what an application reads, and after a rotation.

use anyhow::{Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        suite::Case,
    },
};
use serde_json::json;

use crate::tenant::Tenant;

pub(crate) fn cases() -> Vec<Case> {
    cases![a_template_is_a_file_and_follows_each_of_its_secrets, a_computed_reference_is_refused]
}

async fn a_template_is_a_file_and_follows_each_of_its_secrets(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "templates").await?;
    tenant.put_data("db", json!({"username": "web", "password": "p@ss word"})).await?;
    let key = tenant.create("key").await?;
    let template = format!(
        "url=postgres://{{{{ secret(\"vault:{db}#username\") }}}}:{{{{ secret(\"vault:{db}#password\") | urlencode }}}}@db/app\n\
         key={{{{ secret(\"aws-sm:{id}\") }}}}\n",
        db = tenant.path("db"),
        id = tenant.id("key"),
    );
    let manifest = tenant
        .asking("web")
        .annotate("aws-role-arn", &tenant.role)
        .annotate("template.app-conf", &template);
    let pod = tenant.run(&manifest).await?;
    let first = pod.file("/run/mayfly/app-conf").await?;
    let expected = format!("url=postgres://web:p%40ss%20word@db/app\nkey={key}\n");
    ensure!(first.trim_end() == expected.trim_end(), "the file is {first:?}");

    tenant.put_data("db", json!({"username": "web", "password": "new"})).await?;
    let follows = || async {
        let file = pod.file("/run/mayfly/app-conf").await?;
        let has_new = file.starts_with("url=postgres://web:new@db/app\n");
        ensure!(has_new && file.contains(&key), "the file is {file:?}");
        Ok(())
    };
    eventually("the template to follow its secret", PATIENCE, follows).await
}

/// What would be read could not be judged.
async fn a_computed_reference_is_refused(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "computed").await?;
    let manifest = tenant
        .asking("web")
        .annotate("template.conf", "{% set name = 'app' %}\n{{ secret('vault:secret/' ~ name) }}");
    let said = tenant.namespace.refusal(&manifest.to_string()).await?;
    for words in ["template.conf", "line 2"] {
        ensure!(said.contains(words), "{words:?} is not in {said:?}");
    }
    Ok(())
}
