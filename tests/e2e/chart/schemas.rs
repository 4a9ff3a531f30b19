//! What the Kubernetes say to the manifests that they are for, from the oldest to the newest, without an API server.

use anyhow::{Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        chart,
        cluster::Cluster,
        program::Program,
        suite::Case,
        tools::golang::{GoTool, NEWEST_SCHEMAS, OLDEST_SCHEMAS},
    },
};

use super::{SAME, kustomize};

pub(super) fn cases() -> Vec<Case> {
    cases![
        the_oldest_kubernetes_knows_every_field_and_expression,
        the_newest_kubernetes_knows_every_field,
    ]
}

/// Values that bring out every template and every branch of them.
const SHAPES: [&[&str]; 5] = [
    &[],
    &["tls.mode=secret", "hostNetwork=true", "url=", "clientCA.configMap=callers"],
    &["tls.mode=secret", "url=https://mayfly.example:8443"],
    &[
        "replicas=1",
        "name=second",
        "config.namespace-annotations=true",
        "rbac.create=false",
        "webhook.workloadWarnings=false",
        "openshift.enabled=true",
    ],
    &[
        "tls.mode=cert-manager",
        "config.namespace-annotations=true",
        "labels.team=web",
        "annotations.note=x",
        "clientCA.secret=callers",
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
        "webhook.workloadKinds[0].apiGroup=argoproj.io",
        "webhook.workloadKinds[0].apiVersion=v1alpha1",
        "webhook.workloadKinds[0].resource=rollouts",
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
