//! As whom pods read from AWS, besides by IRSA: EKS Pod Identity, and roles that are assumed over either.

use anyhow::{Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        addresses::POD_IDENTITY,
        aws::{ACCOUNT, REGION, front::Call},
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        pod::Pod,
        suite::Case,
    },
};
use serde_json::json;

use crate::{manifest::Manifest, tenant::Tenant};

/// Where EKS's webhook mounts the pod's token for EKS's agent.
const TOKEN: &str = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount";

pub(crate) fn cases() -> Vec<Case> {
    cases![
        aws_pod_identity_reads_as_the_association_says,
        aws_pod_identity_that_is_associated_later_is_waited_for,
        aws_pod_identity_without_an_association_says_what_to_do,
        aws_a_role_is_assumed_over_the_pods_own,
        aws_a_role_that_wants_another_external_id_is_told,
    ]
}

/// A pod of the tenant as EKS's webhook leaves one whose service account has an association.
fn associated(tenant: &Tenant<'_>, name: &str) -> Manifest {
    let token = json!({"serviceAccountToken": {"audience": "pods.eks.amazonaws.com",
                       "expirationSeconds": 86400, "path": "eks-pod-identity-token"}});
    let volume = json!({"name": "eks-pod-identity-token", "projected": {"sources": [token]}});
    let mount = json!({"name": "eks-pod-identity-token", "mountPath": TOKEN, "readOnly": true});
    let env = [
        ("AWS_STS_REGIONAL_ENDPOINTS", "regional"),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_REGION", REGION),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", POD_IDENTITY),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &format!("{TOKEN}/eks-pod-identity-token")),
    ];
    let env = env.map(|(name, value)| json!({"name": name, "value": value}));
    tenant
        .asking(name)
        .annotate("aws-identity", "pod-identity")
        .spec("volumes", json!([volume]))
        .app("env", json!(env))
        .app("volumeMounts", json!([mount]))
}

/// The agent's own table of who it is: the rows, their columns parted by one blank.
async fn identities(pod: &Pod) -> Result<Vec<String>> {
    let said = pod.exec_in("mayfly-agent", &["/mayfly-agent", "check"]).await?;
    let rows = said.lines().skip(1).take_while(|line| !line.is_empty());
    Ok(rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
}

/// The sessions in which something was read with a role.
async fn readers(cluster: &Cluster, role: &str) -> Result<Vec<String>> {
    let is_read = |call: &Call| call.action.starts_with("secretsmanager.Get");
    let calls = cluster.aws().calls(role).await?.into_iter().filter(is_read);
    Ok(calls.filter_map(|call| call.session).collect())
}

async fn aws_pod_identity_reads_as_the_association_says(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "pod-identity").await?;
    let (aws, namespace) = (cluster.aws(), tenant.namespace.name());
    let value = tenant.create("app").await?;
    aws.associate(&tenant.role, namespace, "default").await?;
    let reader = aws.role_over(&format!("{namespace}-reader"), &tenant.role, None).await?;
    let id = tenant.id("app");
    let manifest = associated(&tenant, "web")
        .annotate("file.own", &format!("aws-sm:{id}"))
        .annotate("file.theirs", &format!("aws-sm:{id}?role={reader}"));
    let pod = tenant.run(&manifest).await?;
    ensure!(pod.file("/run/mayfly/own").await? == value);
    ensure!(pod.file("/run/mayfly/theirs").await? == value);
    let calls = aws.calls(&tenant.role).await?;
    let asked_for = |action: &str| calls.iter().filter(|call| call.action == action).count();
    ensure!(asked_for("AssumeRoleForPodIdentity") == 1, "{calls:?}");
    ensure!(asked_for("AssumeRoleWithWebIdentity") == 0, "{calls:?}");
    // AWS names the one session, and the agent the other.
    let own = readers(cluster, &tenant.role).await?;
    ensure!(own.iter().all(|session| session.starts_with("eks-lab-web-")), "{own:?}");
    let theirs = readers(cluster, &reader).await?;
    ensure!(theirs.iter().all(|session| *session == format!("{namespace}.web")), "{theirs:?}");
    ensure!(!own.is_empty() && !theirs.is_empty());
    let identities = identities(&pod).await?;
    let [first, second] = &identities[..] else { anyhow::bail!("{identities:?}") };
    ensure!(
        first.starts_with(&format!("pod-identity {ACCOUNT} {namespace} eks-lab-web-")),
        "{first}"
    );
    let expected = format!("?role={reader} 210987654321 {namespace}-reader {namespace}.web");
    ensure!(*second == expected, "{second}");
    Ok(())
}

async fn aws_pod_identity_that_is_associated_later_is_waited_for(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "pod-identity").await?;
    let value = tenant.create("app").await?;
    let manifest = associated(&tenant, "web")
        .annotate("file.own", &format!("aws-sm:{}", tenant.id("app")))
        .annotate("start-deadline", "60s");
    let pod = tenant.namespace.apply(&manifest.to_string()).await?;
    let refused = || async {
        let said = pod.exec_in("mayfly-agent", &["/mayfly-agent", "status"]).await?;
        ensure!(said.contains("has no association"), "{said}");
        Ok(())
    };
    eventually("the first refusal", PATIENCE, refused).await?;
    cluster.aws().associate(&tenant.role, tenant.namespace.name(), "default").await?;
    let delivered = || async {
        let _: () = ensure!(pod.file("/run/mayfly/own").await? == value);
        Ok(())
    };
    eventually("the file", PATIENCE, delivered).await
}

async fn aws_pod_identity_without_an_association_says_what_to_do(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "pod-identity").await?;
    tenant.create("app").await?;
    let manifest =
        associated(&tenant, "web").annotate("file.own", &format!("aws-sm:{}", tenant.id("app")));
    fails_with(&tenant, &manifest, &["has no association for the pod's service account"]).await
}

async fn aws_a_role_is_assumed_over_the_pods_own(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "role").await?;
    let namespace = tenant.namespace.name();
    let value = tenant.create("app").await?;
    let name = format!("{namespace}-reader");
    let reader = cluster.aws().role_over(&name, &tenant.role, Some("mayfly")).await?;
    let from = format!("aws-sm:{}?role={reader}&external-id=mayfly", tenant.id("app"));
    let manifest = tenant.asking("web").annotate("aws-role-arn", &tenant.role);
    let pod = tenant.run(&manifest.annotate("file.theirs", &from)).await?;
    ensure!(pod.file("/run/mayfly/theirs").await? == value);
    let theirs = readers(cluster, &reader).await?;
    ensure!(!theirs.is_empty() && theirs.iter().all(|it| *it == format!("{namespace}.web")));
    ensure!(readers(cluster, &tenant.role).await?.is_empty(), "the pod's own role reads nothing");
    let identities = identities(&pod).await?;
    let own = format!("irsa {ACCOUNT} {namespace} {namespace}.web");
    let theirs = format!("?role={reader} 210987654321 {name} {namespace}.web");
    ensure!(identities == [own, theirs], "{identities:?}");
    Ok(())
}

async fn aws_a_role_that_wants_another_external_id_is_told(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "role").await?;
    tenant.create("app").await?;
    let name = format!("{}-reader", tenant.namespace.name());
    let reader = cluster.aws().role_over(&name, &tenant.role, Some("another")).await?;
    let from = format!("aws-sm:{}?role={reader}&external-id=mayfly", tenant.id("app"));
    let manifest = tenant.asking("web").annotate("aws-role-arn", &tenant.role);
    let words = [&*format!("may not assume the role `{reader}`"), "this `external-id`"];
    fails_with(&tenant, &manifest.annotate("file.theirs", &from), &words).await
}

/// Applies a manifest and waits until its description has these words.
async fn fails_with(tenant: &Tenant<'_>, manifest: &Manifest, words: &[&str]) -> Result<()> {
    let manifest = manifest.clone().annotate("start-deadline", "5s");
    let pod = tenant.namespace.apply(&manifest.to_string()).await?;
    let told = || async {
        let described = pod.describe().await?;
        let described = described.split_whitespace().collect::<Vec<_>>().join(" ");
        ensure!(words.iter().all(|word| described.contains(word)), "{described}");
        Ok(())
    };
    eventually("`kubectl describe pod` to tell the reason", PATIENCE, told).await
}
