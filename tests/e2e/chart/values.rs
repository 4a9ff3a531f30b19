//! What becomes of the chart's values: refusals in words that help, rights that follow from them, and monitoring that
//! watches what there is.
#![expect(clippy::disallowed_methods, reason = "the webhook's metrics are looked up in its source")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{chart, cluster::Cluster, folders, suite::Case},
};
use serde_json::json;

use super::{SELECTING, objects};

pub(super) fn cases() -> Vec<Case> {
    cases![
        bad_values_are_named,
        rights_follow_from_the_values,
        replicas_on_their_nodes_network_take_turns,
        who_may_ask_is_mounted_and_asked_for,
        alerts_and_the_dashboard_watch_metrics_that_there_are,
    ]
}

/// What somebody may write, and what they are to read.
const BAD: [(&str, &str); 15] = [
    ("replcas=3", "additional properties 'replcas' not allowed"),
    ("agent.resources.limits.cpu=1", "at '/agent': additional properties 'resources' not allowed"),
    ("replicas=two", "at '/replicas': got string, want integer"),
    ("tls.mode=selfissued", "must be one of 'self-issued', 'cert-manager', 'secret'"),
    ("webhook.failurePolicy=fail", "must be one of 'Fail', 'Ignore'"),
    ("webhook.timeoutSeconds=31", "at '/webhook/timeoutSeconds': maximum"),
    ("ports.https=https", "at '/ports/https'"),
    ("image.digest=0.1.0", "image.digest: \"0.1.0\" is no digest; write sha256:"),
    ("agent.image.repository=images.example/agent:1", "has a tag or a digest"),
    ("drainDelay=5", "drainDelay: \"5\" is no time; write a number and a unit"),
    ("url=http://mayfly.example", "write https://host:port, without a path"),
    ("url=https://mayfly.example/mutate", "write https://host:port, without a path"),
    ("tls.secret.caBundle=LS0tLS1C", "give the file as it is, not in base64"),
    (
        "clientCA.configMap=a,clientCA.secret=b",
        "give clientCA.configMap or clientCA.secret, not both",
    ),
    ("clientCA.name=a", "at '/clientCA': additional properties 'name' not allowed"),
];

async fn bad_values_are_named(cluster: &Cluster) -> Result<()> {
    let helm = cluster.lab().tools.helm();
    for (value, words) in BAD {
        let option = if value == "drainDelay=5" { "--set-string" } else { "--set" };
        let template = helm.clone().args(["template", "--kube-version", chart::OLDEST, "mayfly"]);
        let output = template.args([chart::path()]).args([option, value]).output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success(), "`{value}` is taken");
        ensure!(said.contains(words), "`{value}` is refused with {said:?}, without {words:?}");
    }
    Ok(())
}

/// Values, and whether the pods get a token, the roles that there are, and whether the pods may ask anybody.
const RIGHTS: [(&[&str], bool, &[&str]); 6] = [
    (&[], true, &["ClusterRole mayfly-webhook", "Role mayfly-webhook"]),
    (&["tls.mode=secret"], false, &[]),
    (&["tls.mode=cert-manager"], false, &[]),
    (&["tls.mode=secret", SELECTING], true, &["ClusterRole mayfly-webhook-namespaces"]),
    (&["tls.mode=secret", "config.policy.rules[0].name=all"], false, &[]),
    (&["tls.mode=secret", "config.overrides[0].namespace-selector.matchLabels=null"], false, &[]),
];

async fn rights_follow_from_the_values(cluster: &Cluster) -> Result<()> {
    for (values, token, roles) in RIGHTS {
        let made = objects(&chart::template(&cluster.lab().tools.helm(), values).await?)?;
        let pod = &made["Deployment mayfly-webhook"]["spec"]["template"]["spec"];
        ensure!(pod["automountServiceAccountToken"] == token, "{values:?} make the pod {pod}");
        let egress = &made["NetworkPolicy mayfly-webhook"]["spec"]["egress"];
        let asks = egress.as_array().context("there is no egress")?.iter().next().is_some();
        ensure!(asks == token, "{values:?} make the egress {egress}");
        let is_role =
            |name: &&String| name.starts_with("ClusterRole ") || name.starts_with("Role ");
        let found: BTreeSet<&str> = made.keys().filter(is_role).map(String::as_str).collect();
        ensure!(found == roles.iter().copied().collect(), "{values:?} make the roles {found:?}");
    }
    Ok(())
}

async fn replicas_on_their_nodes_network_take_turns(cluster: &Cluster) -> Result<()> {
    let values = ["hostNetwork=true", "ports.https=9443", "ports.admin=9080"];
    let made = objects(&chart::template(&cluster.lab().tools.helm(), &values).await?)?;
    let spec = &made["Deployment mayfly-webhook"]["spec"];
    let pod = &spec["template"]["spec"];
    ensure!(pod["hostNetwork"] == true, "the pod is {pod}");
    let args = pod["containers"][0]["args"].to_string();
    for arg in ["--listen=0.0.0.0:9443", "--admin-listen=0.0.0.0:9080"] {
        ensure!(args.contains(arg), "{arg} is not in {args}");
    }
    // A third one would find no node whose ports are free.
    let surge = &spec["strategy"]["rollingUpdate"]["maxSurge"];
    ensure!(*surge == 0, "the surge is {surge}");
    ensure!(!made.contains_key("NetworkPolicy mayfly-webhook"), "a policy that nobody minds");
    Ok(())
}

async fn who_may_ask_is_mounted_and_asked_for(cluster: &Cluster) -> Result<()> {
    let sources = [
        (
            "configMap",
            json!({"name": "callers", "items": [{"key": "bundle.pem", "path": "ca.crt"}]}),
        ),
        (
            "secret",
            json!({"secretName": "callers", "defaultMode": 288, "items": [{"key": "bundle.pem", "path": "ca.crt"}]}),
        ),
    ];
    for (kind, source) in sources {
        let name = format!("clientCA.{kind}=callers");
        let values = [&*name, "clientCA.key=bundle.pem"];
        let made = objects(&chart::template(&cluster.lab().tools.helm(), &values).await?)?;
        let pod = &made["Deployment mayfly-webhook"]["spec"]["template"]["spec"];
        let args = pod["containers"][0]["args"].to_string();
        ensure!(args.contains("--client-ca=/etc/mayfly-client-ca/ca.crt"), "the args are {args}");
        let mounts = pod["containers"][0]["volumeMounts"].to_string();
        ensure!(mounts.contains("/etc/mayfly-client-ca"), "the mounts are {mounts}");
        let volumes = pod["volumes"].as_array().context("there are no volumes")?;
        let volume = volumes.iter().find(|volume| volume["name"] == "client-ca");
        let volume = volume.context("there is no volume of that name")?;
        ensure!(volume[kind] == source, "the volume is {volume}");
    }
    Ok(())
}

async fn alerts_and_the_dashboard_watch_metrics_that_there_are(cluster: &Cluster) -> Result<()> {
    let values = ["prometheusRule.enabled=true", "dashboard.enabled=true"];
    let made = objects(&chart::template(&cluster.lab().tools.helm(), &values).await?)?;
    let source = source(&folders::checkout().join("webhook/src"))?;
    for name in ["PrometheusRule mayfly-webhook", "ConfigMap mayfly-webhook-dashboard"] {
        let watched = metrics(&made[name].to_string());
        ensure!(watched.len() > 4, "{name} watches nothing but {watched:?}");
        for metric in watched {
            ensure!(source.contains(&format!("\"{metric}\"")), "there is no {metric} for {name}");
        }
    }
    Ok(())
}

/// The webhook's metrics in a text, by the names that they are registered under.
fn metrics(text: &str) -> BTreeSet<String> {
    let names = text.split("mayfly_webhook_").skip(1).map(|rest| {
        let name: String =
            rest.chars().take_while(|&c| c.is_ascii_lowercase() || c == '_').collect();
        ["_total", "_bucket"].iter().fold(name, |name, end| name.trim_end_matches(end).to_owned())
    });
    names.collect()
}

fn source(folder: &Path) -> Result<String> {
    let mut source = String::new();
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        source += &if path.is_dir() { self::source(&path)? } else { folders::read(&path)? };
    }
    Ok(source)
}
