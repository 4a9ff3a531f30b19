//! AWS against moto, beyond a single secret: parameters, trees, versions, batches.

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{cluster::Cluster, folders, suite::Case},
};
use serde_json::{Value, json};

use crate::{canary, tenant::Tenant};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        aws_parameters_and_a_tree_of_them,
        aws_many_secrets_in_few_calls,
        aws_audit_takes_the_filter_and_the_alarm,
    ]
}

async fn aws_parameters_and_a_tree_of_them(cluster: &Cluster) -> Result<()> {
    // A name may not begin with `ssm`.
    let tenant = Tenant::new(cluster, "parameters").await?;
    let (aws, base) = (cluster.aws(), format!("/{}", tenant.namespace.name()));
    let values: Vec<String> = (0..13).map(|_| canary::secret()).collect();
    for (number, value) in values.iter().enumerate() {
        aws.put_parameter(&format!("{base}/tree/{number}"), value).await?;
    }
    aws.put_parameter(&format!("{base}/tree/0"), &values[1]).await?;
    let list = json!({"Name": format!("{base}/list"), "Value": "a,b", "Type": "StringList"});
    aws.call("ssm", "AmazonSSM.PutParameter", list).await?;
    let manifest = tenant
        .asking("web")
        .annotate("aws-role-arn", &tenant.role)
        .annotate("file.newest", &format!("aws-ssm:{base}/tree/0"))
        .annotate("file.first", &format!("aws-ssm:{base}/tree/0?version=1"))
        .annotate("file.item", &format!("aws-ssm:{base}/list#/1"))
        .annotate("dir.tree", &format!("aws-ssm:{base}/tree/"));
    let pod = tenant.run(&manifest).await?;
    ensure!(pod.file("/run/mayfly/newest").await? == values[1]);
    ensure!(pod.file("/run/mayfly/first").await? == values[0]);
    ensure!(pod.file("/run/mayfly/item").await? == "b");
    ensure!(pod.file("/run/mayfly/tree/12").await? == values[12]);
    Ok(())
}

async fn aws_many_secrets_in_few_calls(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "batch").await?;
    let mut manifest = tenant.asking("web").annotate("aws-role-arn", &tenant.role);
    let mut values = Vec::new();
    for number in 0..6 {
        let name = format!("s{number}");
        values.push(tenant.create(&name).await?);
        manifest =
            manifest.annotate(&format!("file.{name}"), &format!("aws-sm:{}", tenant.id(&name)));
    }
    let pod = tenant.run(&manifest).await?;
    for (number, value) in values.iter().enumerate() {
        ensure!(pod.file(&format!("/run/mayfly/s{number}")).await? == *value);
    }
    let calls = cluster.aws().calls(&tenant.role).await?;
    let reads = calls.iter().filter(|call| call.action.starts_with("secretsmanager."));
    let reads: Vec<&str> = reads.map(|call| call.action.as_str()).collect();
    let batches = reads.iter().filter(|read| **read == "secretsmanager.BatchGetSecretValue");
    ensure!(!reads.is_empty() && batches.count() == reads.len(), "there were {reads:?}");
    Ok(())
}

/// What `manifests/aws-audit` gives to the AWS CLI, checked as that checks it.
async fn aws_audit_takes_the_filter_and_the_alarm(cluster: &Cluster) -> Result<()> {
    let aws = cluster.aws();
    let read = |file: &str| -> Result<Value> {
        let path = folders::checkout().join("manifests/aws-audit").join(file);
        serde_json::from_str(&folders::read(&path)?).with_context(|| format!("read {file}"))
    };
    let (filter, alarm) = (read("metric-filter.json")?, read("alarm.json")?);
    let group = json!({"logGroupName": filter["logGroupName"]});
    aws.call_as_described("logs", "create_log_group", &group).await?;
    aws.call_as_described("logs", "put_metric_filter", &filter).await?;
    aws.call_as_described("cloudwatch", "put_metric_alarm", &alarm).await?;
    let filters = aws.call_as_described("logs", "describe_metric_filters", &group).await?;
    ensure!(filters["metricFilters"][0]["filterPattern"] == filter["filterPattern"], "{filters}");
    let named = json!({"AlarmNames": [alarm["AlarmName"]]});
    let alarms = aws.call_as_described("cloudwatch", "describe_alarms", &named).await?;
    ensure!(alarms["MetricAlarms"][0]["MetricName"] == alarm["MetricName"], "{alarms}");
    // What AWS does not know is refused before it is sent.
    let mut wrong = alarm;
    wrong["Treshold"] = json!(1);
    ensure!(aws.call_as_described("cloudwatch", "put_metric_alarm", &wrong).await.is_err());
    aws.call_as_described("cloudwatch", "delete_alarms", &named).await?;
    let named = json!({"logGroupName": filter["logGroupName"], "filterName": filter["filterName"]});
    aws.call_as_described("logs", "delete_metric_filter", &named).await?;
    aws.call_as_described("logs", "delete_log_group", &group).await.map(drop)
}
