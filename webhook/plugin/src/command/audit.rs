//! `kubectl mayfly audit`: what is true of the pods of a cluster, read with the caller's own rights.

mod page;

use std::{
    collections::BTreeSet,
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use mayfly_admission::{
    config::Config,
    pod::text,
    policy::{Directory, Namespace},
};
use serde_json::Value;

use super::FOUND;
use crate::{
    args::{AuditArgs, OutputFormat},
    audit::{
        fetch::{self, Cluster},
        metrics, migration, readers,
        report::Report,
        survey::Survey,
    },
    cluster, operator,
};

/// Looks at a cluster, prints what was found, and says by its exit code whether that was anything.
pub(super) fn run(args: &AuditArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (found, text) = runtime.context("starting the runtime")?.block_on(told(args))?;
    io::stdout().write_all(text.as_bytes())?;
    Ok(if found { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
}

/// Whether anything was found, and the report as it is to be printed.
async fn told(args: &AuditArgs) -> anyhow::Result<(bool, String)> {
    let (client, address) = cluster::client_and_address(&args.cluster).await?;
    let cluster = Cluster::new(client.clone(), &args.namespace);
    let report = look(args, &cluster).await?;
    let found = !report.findings.is_empty();
    let text = match args.output {
        OutputFormat::Table => report.to_string(),
        OutputFormat::Json => serde_json::to_string_pretty(&report)? + "\n",
        OutputFormat::Metrics => metrics::render(&report),
        OutputFormat::Html => {
            page::render((&client, address), &cluster, &args.namespace, report).await?
        }
    };
    Ok((found, text))
}

async fn look(args: &AuditArgs, cluster: &Cluster) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let config = config(args, cluster, &mut report).await?;
    let mut directory = Directory::default();
    if config.needs_namespaces() {
        cluster
            .every(fetch::NAMESPACES, |namespace| directory.insert(namespace_of(&namespace)))
            .await?;
    }
    let mut survey = Survey::new(&config, directory);
    cluster.each(fetch::PODS, |pod| survey.pod(&pod)).await?;
    for workloads in fetch::WORKLOADS {
        cluster.each(*workloads, |workload| survey.workload(workload)).await?;
    }
    for workloads in fetch::OTHERS_WORKLOADS {
        match cluster.each_if_any(*workloads, |workload| survey.workload(workload)).await {
            Err(error) if fetch::is_forbidden(&error) => {
                report.notes.push(format!("not looked at: {error:#}"));
            }
            looked_at => looked_at?,
        }
    }
    report.pods = survey.pods();
    let tenants: BTreeSet<String> = survey.tenants().clone();
    report.findings = survey.finish();
    if args.migrate {
        report.migrations = Some(migrations(cluster).await?);
    }
    if args.readers {
        let rbac = cluster.rbac().await?;
        report.readers = Some(readers::readers(&rbac, &tenants));
    } else if args.output == OutputFormat::Html {
        match cluster.rbac().await {
            Ok(rbac) => report.readers = Some(readers::readers(&rbac, &tenants)),
            Err(error) => {
                report.notes.push(format!("who may come to pods is not known: {error:#}"));
            }
        }
    }
    Ok(report)
}

fn namespace_of(object: &Value) -> Namespace {
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    let texts = |field| {
        let texts = metadata.get(field).and_then(Value::as_object).into_iter().flatten();
        texts.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
    };
    Namespace::new(text(metadata, "name"), texts("labels"), texts("annotations"))
}

async fn migrations(cluster: &Cluster) -> anyhow::Result<Vec<migration::Migration>> {
    let mut classes = migration::Classes::default();
    cluster.each_if_any(fetch::PROVIDER_CLASSES, |class| classes.add(&class)).await?;
    let mut migrations = migration::Migrations::new(&classes);
    cluster.each(fetch::PODS, |pod| migrations.add(&pod)).await?;
    Ok(migrations.finish())
}

/// The configuration by which the cluster's webhook decides: the arguments', else that of the installation.
async fn config(
    args: &AuditArgs,
    cluster: &Cluster,
    report: &mut Report,
) -> anyhow::Result<Config> {
    if args.operator.config.is_some() {
        return operator::config(&args.operator);
    }
    let config = match cluster.configuration(&args.installation).await {
        Ok(text) => {
            let place = || format!("in the configuration of {}", args.installation);
            Config::from_yaml(&text).with_context(place)?
        }
        Err(error) => {
            report.notes.push(format!(
                "the configuration of {} cannot be read, so agents' images are not compared and defaults are unknown; \
                 give --installation or --config: {error:#}",
                args.installation
            ));
            Config { agent_image: String::new(), ..Config::default() }
        }
    };
    Ok(config.with_agent_image(args.operator.agent_image.as_deref()))
}
