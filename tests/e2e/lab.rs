//! The lab itself: whether its parts are what the other topics take them for.

use anyhow::{Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        addresses::{AWS, AWS_LISTENER},
        cluster::Cluster,
        namespace::Namespace,
        suite::Case,
    },
};
use serde_json::json;

use crate::database::Database;

pub(crate) fn cases() -> Vec<Case> {
    let cases = cases![
        a_plain_pod_runs_and_answers,
        a_pod_that_cannot_run_says_why,
        pods_reach_the_api_server_by_its_service,
        vault_knows_a_service_account_by_its_token,
        vault_refuses_a_service_account_of_another_namespace,
        vault_makes_users_of_postgresql_that_end_with_their_leases,
        aws_hands_a_secret_to_whom_a_role_trusts,
        aws_refuses_tokens_that_are_not_for_it,
        a_cut_line_refuses_and_a_mended_one_answers,
    ];
    cases.into_iter().map(Case::bare).collect()
}

const SLEEPER: &str = "
apiVersion: v1
kind: Pod
metadata: {name: sleeper}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: app
      image: localhost/busybox:1
      command: [sh, -c, 'echo ready; exec sleep 3600']
      securityContext: {runAsUser: 4711}
";

async fn a_plain_pod_runs_and_answers(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("plain").await?;
    let pod = namespace.apply(SLEEPER).await?;
    pod.running().await?;
    ensure!(pod.exec(&["id", "-u"]).await?.trim() == "4711", "the pod runs as somebody else");
    ensure!(pod.file("/etc/passwd").await?.starts_with("root:"), "the image's files are not there");
    ensure!(pod.logs("app").await? == "ready\n", "the log is not what the pod has printed");
    ensure!(pod.describe().await?.contains("{app}: Container started"), "there are no events");
    pod.delete().await
}

async fn a_pod_that_cannot_run_says_why(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("failing").await?;
    let failing = SLEEPER
        .replace("exec sleep 3600", "exit 3")
        .replace("spec:", "spec:\n  restartPolicy: Never");
    ensure!(namespace.apply(&failing).await?.ended().await? == "Failed", "the pod has not failed");
    let refusal = namespace.refusal(&SLEEPER.replace("kind: Pod", "kind: Ghost")).await?;
    ensure!(refusal.contains("no matches for kind"), "the refusal is {refusal:?}");
    Ok(())
}

async fn pods_reach_the_api_server_by_its_service(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("service").await?;
    let pod = namespace.apply(SLEEPER).await?;
    pod.running().await?;
    let connect = "nc -w 5 $KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT -e /bin/true";
    pod.exec(&["sh", "-c", connect]).await.map(drop)
}

async fn vault_knows_a_service_account_by_its_token(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("vault").await?;
    let (name, vault) = (namespace.name(), cluster.vault());
    let path = format!("secret/{name}");
    vault.put(&path, json!({ "password": "hunter2" })).await?;
    vault
        .role(
            name,
            name,
            "default",
            &format!("path \"secret/data/{name}\" {{ capabilities = [\"read\"] }}"),
        )
        .await?;
    let login = json!({ "role": name, "jwt": projected_token(&namespace).await? });
    let login = vault.write("auth/kubernetes/login", login).await?;
    ensure!(login["auth"]["policies"] == json!(["default", name]), "the login is {login}");
    let secret = vault.read(&format!("secret/data/{name}")).await?;
    ensure!(secret["data"]["data"]["password"] == "hunter2", "the secret is {secret}");
    vault.remove(&path).await
}

async fn vault_refuses_a_service_account_of_another_namespace(cluster: &Cluster) -> Result<()> {
    let (here, there) = (cluster.namespace("here").await?, cluster.namespace("there").await?);
    let policy = "path \"secret/*\" { capabilities = [\"read\"] }";
    cluster.vault().role(there.name(), there.name(), "default", policy).await?;
    let login = json!({ "role": there.name(), "jwt": here.token("default", None).await? });
    let refusal = cluster
        .vault()
        .write("auth/kubernetes/login", login)
        .await
        .err()
        .map(|error| error.to_string());
    ensure!(
        refusal.as_ref().is_some_and(|text| text.contains("namespace not authorized")),
        "it says {refusal:?}"
    );
    Ok(())
}

async fn vault_makes_users_of_postgresql_that_end_with_their_leases(
    cluster: &Cluster,
) -> Result<()> {
    let namespace = cluster.namespace("database").await?;
    let database = Database::mount(cluster, namespace.name()).await?;
    database.role("web", "1h", "2h").await?;
    let answer = cluster.vault().read(&database.path("web")).await?;
    let (user, password) =
        (answer["data"]["username"].as_str(), answer["data"]["password"].as_str());
    let (Some(user), Some(password)) = (user, password) else { anyhow::bail!("{answer}") };
    let ask = || database.postgres.sql_as(user, password, "select current_user");
    ensure!(ask().await? == user, "PostgreSQL knows somebody else");
    let [lease] = &*database.leases("web").await? else { anyhow::bail!("not one lease") };
    let end = json!({"lease_id": format!("{}/{lease}", database.path("web")), "sync": true});
    cluster.vault().write("sys/leases/revoke", end).await?;
    ensure!(ask().await.is_err(), "the user outlives its lease");
    ensure!(database.leases("web").await?.is_empty(), "the lease is still there");
    cluster.vault().delete(&format!("sys/mounts/{}", database.mount)).await
}

async fn aws_hands_a_secret_to_whom_a_role_trusts(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("aws").await?;
    let (name, aws) = (namespace.name(), cluster.aws());
    let role = aws.role(name, name, "default").await?;
    aws.create_secret(name, "hunter2").await?;
    let token = namespace.token("default", Some("sts.amazonaws.com")).await?;
    let session = assume(&role, &token).await?;
    let key = session
        .split("<AccessKeyId>")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .unwrap_or_default();
    let secret = get_secret(name, key).await?;
    ensure!(secret.contains("hunter2"), "Secrets Manager answers {secret}");
    let stranger = get_secret(name, "ASIASTRANGER").await?;
    ensure!(stranger.contains("UnrecognizedClientException"), "a stranger is told {stranger}");
    let calls = aws.calls(&role).await?;
    let told: Vec<_> = calls
        .iter()
        .map(|call| (&*call.action, call.session.as_deref(), call.resource.as_deref()))
        .collect();
    let expected = [
        ("AssumeRoleWithWebIdentity", Some("lab"), None),
        ("secretsmanager.GetSecretValue", Some("lab"), Some(name)),
    ];
    ensure!(told == expected, "what was recorded is {told:?}");
    aws.take_down(&role).await?;
    ensure!(get_secret(name, key).await?.is_empty(), "AWS is down and still answers");
    aws.bring_back(&role).await?;
    ensure!(get_secret(name, key).await?.contains("hunter2"), "AWS is back and does not answer");
    aws.delete_secret(name).await
}

async fn aws_refuses_tokens_that_are_not_for_it(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("refused").await?;
    let role = cluster.aws().role(namespace.name(), namespace.name(), "trusted").await?;
    namespace.service_account("trusted").await?;
    let good = namespace.token("trusted", Some("sts.amazonaws.com")).await?;
    let (body, signature) = good.rsplit_once('.').unwrap_or_default();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{body}.{first}{}", signature.get(1..).unwrap_or_default());
    let refusals = [
        (namespace.token("trusted", None).await?, "InvalidIdentityToken", "audience"),
        (
            namespace.token("default", Some("sts.amazonaws.com")).await?,
            "AccessDenied",
            "Not authorized",
        ),
        (forged, "InvalidIdentityToken", "signature"),
        ("nonsense".to_owned(), "InvalidIdentityToken", "not a valid JWT"),
    ];
    for (token, code, reason) in refusals {
        let answer = assume(&role, &token).await?;
        ensure!(
            answer.contains(&format!("<Code>{code}</Code>")) && answer.contains(reason),
            "STS answers {answer}"
        );
    }
    ensure!(assume(&role, &good).await?.contains("<AccessKeyId>"), "the good token was refused");
    Ok(())
}

async fn a_cut_line_refuses_and_a_mended_one_answers(cluster: &Cluster) -> Result<()> {
    let line = cluster.line_to(AWS_LISTENER).await?;
    let ask = || async {
        reqwest::get(format!("http://{}/", line.address())).await.map(|answer| answer.status())
    };
    ensure!(ask().await.is_ok(), "the line does not carry");
    line.cut().await;
    ensure!(ask().await.is_err(), "the line is cut and still carries");
    line.mend().await?;
    ensure!(ask().await.is_ok(), "the mended line does not carry");
    Ok(())
}

/// A token as the kubelet puts it into a pod, for the API server's own audience.
async fn projected_token(namespace: &Namespace) -> Result<String> {
    let pod = namespace.apply(SLEEPER).await?;
    pod.running().await?;
    pod.file("/var/run/secrets/kubernetes.io/serviceaccount/token").await
}

async fn assume(role: &str, token: &str) -> Result<String> {
    let form = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", role),
        ("RoleSessionName", "lab"),
        ("WebIdentityToken", token),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = reqwest::Client::new().post(AWS);
    Ok(request
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await?
        .text()
        .await?)
}

async fn get_secret(name: &str, access_key: &str) -> Result<String> {
    let scope = format!("{access_key}/20260101/us-east-1/secretsmanager/aws4_request");
    let request = reqwest::Client::new().post(AWS);
    let request = request.header(
        "Authorization",
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=x"),
    );
    let request = request.header("X-Amz-Target", "secretsmanager.GetSecretValue");
    Ok(request.body(json!({ "SecretId": name }).to_string()).send().await?.text().await?)
}
