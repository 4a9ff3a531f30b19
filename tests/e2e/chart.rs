//! The chart and the plain manifests, as files: that they are one and the same, that bad values are told apart, and that
//! every Kubernetes that they are for knows each of their fields. Nothing is installed here.
#![expect(clippy::disallowed_methods, reason = "manifests are files")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        chart::{self, RENDERINGS},
        cluster::Cluster,
        folders,
        program::Program,
        suite::Case,
        tools::golang::{GoTool, NEWEST_SCHEMAS, OLDEST_SCHEMAS},
    },
};
use serde_json::Value;

pub(crate) fn cases() -> Vec<Case> {
    let cases = cases![
        plain_manifests_are_made_from_the_chart,
        kustomize_makes_the_objects_that_helm_makes,
        helm_finds_no_fault_in_the_chart,
        bad_values_are_named,
        rights_follow_from_the_values,
        replicas_on_their_nodes_network_take_turns,
        the_oldest_kubernetes_knows_every_field_and_expression,
        the_newest_kubernetes_knows_every_field,
    ];
    cases.into_iter().map(Case::bare).collect()
}

async fn plain_manifests_are_made_from_the_chart(cluster: &Cluster) -> Result<()> {
    for rendering in RENDERINGS {
        for (path, content) in rendering.render(&cluster.lab().tools.helm()).await? {
            let file = folders::read(&path)?;
            let advice = "`cargo e2e manifests` writes it anew";
            ensure!(file == content, "{} is not what the chart says: {advice}", path.display());
        }
    }
    Ok(())
}

/// A folder of manifests, what of others is put on top of it, and the chart's values that say the same.
const SAME: [(&str, &[&str], &[&str]); 6] = [
    ("kubernetes", &[], &[]),
    ("cert-manager", &[], &["tls.mode=cert-manager"]),
    ("kubernetes", &["namespaces"], &["config.namespace-annotations=true"]),
    ("kubernetes", &["certificate-files"], &["tls.mode=secret"]),
    ("kubernetes", &["certificate-files", "namespaces"], &["tls.mode=secret", SELECTING]),
    ("outside", &[], &["tls.mode=secret", "url=https://mayfly-webhook.example:8443"]),
];

async fn kustomize_makes_the_objects_that_helm_makes(cluster: &Cluster) -> Result<()> {
    for (folder, components, values) in SAME {
        let mut plain = objects(&kustomize(cluster, folder, components).await?)?;
        let mut charted = objects(&chart::template(&cluster.lab().tools.helm(), values).await?)?;
        // Helm makes its namespace by itself; the configurations differ where the values do.
        plain.remove("Namespace mayfly");
        for objects in [&mut plain, &mut charted] {
            let config = objects.remove("ConfigMap mayfly-webhook");
            ensure!(config.is_some() || folder == "outside", "{folder} has no configuration");
        }
        let names = |objects: &BTreeMap<String, Value>| objects.keys().cloned().collect::<Vec<_>>();
        ensure!(names(&plain) == names(&charted), "{plain:#?} and {charted:#?}");
        for (name, object) in &plain {
            ensure!(*object == charted[name], "{folder}: {object:#} and {:#}", charted[name]);
        }
    }
    Ok(())
}

async fn kustomize(cluster: &Cluster, folder: &str, components: &[&str]) -> Result<String> {
    let manifests = folders::checkout().join("manifests");
    if components.is_empty() {
        return cluster
            .kubectl(&["kustomize", &manifests.join(folder).display().to_string()])
            .await;
    }
    // kustomize reads nothing from above its own folder by an absolute path, so all of it is copied.
    let ground = tempfile::tempdir()?;
    let copy = Program::new("cp").args(["-r"]).args([&manifests]);
    copy.args([ground.path()]).text().await?;
    let paths = |names: &[&str]| names.iter().map(|name| format!("manifests/{name}")).collect();
    let (resources, components): (Vec<String>, Vec<String>) = (paths(&[folder]), paths(components));
    let kustomization = serde_json::json!({"resources": resources, "components": components});
    fs::write(ground.path().join("kustomization.yaml"), kustomization.to_string())?;
    cluster.kubectl(&["kustomize", &ground.path().display().to_string()]).await
}

/// The objects of some documents, by kind and name.
fn objects(yaml: &str) -> Result<BTreeMap<String, Value>> {
    let mut objects = BTreeMap::new();
    for document in yaml.split("\n---\n").map(|document| document.trim_start_matches("---\n")) {
        let object: Value =
            serde_saphyr::from_str(document).with_context(|| document.to_owned())?;
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = format!("{} {}", word(&object["kind"]), word(&object["metadata"]["name"]));
        let before = objects.insert(name, object);
        ensure!(before.is_none_or(|before| before.is_null()), "an object is there twice in {yaml}");
    }
    objects.remove(" ");
    Ok(objects)
}

async fn helm_finds_no_fault_in_the_chart(cluster: &Cluster) -> Result<()> {
    let lint = cluster.lab().tools.helm().args(["lint", "--strict"]);
    let said = lint.args(["--kube-version", chart::OLDEST]).args([chart::path()]).text().await?;
    ensure!(said.contains("0 chart(s) failed"), "helm says {said}");
    Ok(())
}

/// What somebody may write, and what they are to read.
const BAD: [(&str, &str); 13] = [
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
const RIGHTS: [(&[&str], bool, &[&str]); 5] = [
    (&[], true, &["ClusterRole mayfly-webhook", "Role mayfly-webhook"]),
    (&["tls.mode=secret"], false, &[]),
    (&["tls.mode=cert-manager"], false, &[]),
    (&["tls.mode=secret", SELECTING], true, &["ClusterRole mayfly-webhook-namespaces"]),
    (&["tls.mode=secret", "config.policy.rules[0].name=all"], false, &[]),
];

const SELECTING: &str = "config.policy.rules[0].namespace-selector.matchLabels.team=web";

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

/// Values that bring out every template and every branch of them.
const SHAPES: [&[&str]; 5] = [
    &[],
    &["tls.mode=secret", "hostNetwork=true", "url="],
    &["tls.mode=secret", "url=https://mayfly.example:8443"],
    &["replicas=1", "name=second", "config.namespace-annotations=true", "rbac.create=false"],
    &[
        "tls.mode=cert-manager",
        "config.namespace-annotations=true",
        "labels.team=web",
        "annotations.note=x",
        "podLabels.a=b",
        "podAnnotations.a=b",
        "imagePullSecrets[0].name=registry",
        "priorityClassName=system-cluster-critical",
        "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight=1",
        "nodeSelector.pool=system",
        "tolerations[0].operator=Exists",
        "webhook.excludedNamespaces={kube-public}",
        "webhook.namespaceSelector.matchLabels.mayfly=on",
        "webhook.namespaceSelector.matchExpressions[0].key=team",
        "webhook.namespaceSelector.matchExpressions[0].operator=Exists",
        "webhook.objectSelector.matchLabels.mayfly=on",
        "networkPolicy.adminFrom[0].namespaceSelector.matchLabels.name=monitoring",
        "networkPolicy.apiServer.cidrs={192.0.2.1/32}",
        "serviceMonitor.enabled=true",
        "prometheusRule.enabled=true",
        "dashboard.enabled=true",
    ],
];

/// Kinds of others, which no Kubernetes knows.
const FOREIGN: [&str; 4] =
    ["\"Issuer\"", "\"Certificate\"", "\"ServiceMonitor\"", "\"PrometheusRule\""];

async fn the_oldest_kubernetes_knows_every_field_and_expression(cluster: &Cluster) -> Result<()> {
    let schemas = Schemas::build(cluster, &OLDEST_SCHEMAS).await?;
    let made = chart::template(&cluster.lab().tools.helm(), &[]).await?;
    for (word, typo) in [("replicas:", "replicaz:"), ("lowerAscii", "lowerAsci")] {
        let told = schemas.judge(&made.replace(word, typo)).await;
        ensure!(told.is_err(), "{typo} is overlooked");
    }
    schemas.know_everything(cluster).await
}

async fn the_newest_kubernetes_knows_every_field(cluster: &Cluster) -> Result<()> {
    Schemas::build(cluster, &NEWEST_SCHEMAS).await?.know_everything(cluster).await
}

/// What one version of Kubernetes says to manifests.
struct Schemas(Program);

impl Schemas {
    async fn build(cluster: &Cluster, tool: &GoTool) -> Result<Self> {
        let folder = tool.build_again(&cluster.lab().folders.tools()).await?;
        Ok(Self(Program::new(folder.join("schemas"))))
    }

    /// Says which objects it did not know; fails if one that it knows has a fault.
    async fn judge(&self, manifests: &str) -> Result<Vec<String>> {
        let output = self.0.clone().input(manifests).output().await?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let foreign = said.lines().filter(|line| line.starts_with("foreign: "));
        Ok(foreign.map(str::to_owned).collect())
    }

    async fn know_everything(&self, cluster: &Cluster) -> Result<()> {
        let mut all = vec![];
        for values in SHAPES {
            all.push(chart::template(&cluster.lab().tools.helm(), values).await?);
        }
        for (folder, components, _) in SAME {
            all.push(kustomize(cluster, folder, components).await?);
        }
        for manifests in all {
            for foreign in self.judge(&manifests).await? {
                let expected = FOREIGN.iter().any(|kind| foreign.contains(kind));
                ensure!(expected, "{foreign}");
            }
        }
        Ok(())
    }
}
