//! Every way to log in to Vault: that it is gone, and what is said when it is closed.

use base64::{Engine, prelude::BASE64_STANDARD};
use mayfly_tests::secret_server::{Fault, Request, Scope};
use serde_json::{Value, json};

use super::pod::{JWT, Pod, ROLE, terminate};

const VALUE: &str = "canary-value-91d4";
const MADE_AT: &str = "auth/approle/role/web/secret-id";

/// A pod that reads one secret of Vault and logs in like this.
async fn pod(auth: Value) -> Pod {
    let mut pod = Pod::new(json!([{"path": "file", "from": "vault:secret/app#password"}])).await;
    pod.server.vault().put("secret/app", json!({"password": VALUE})).expect("a mount");
    pod.spec["vault"]["auth"] = auth;
    pod
}

/// The secret is read, and what was shown for it is not said.
async fn reads(pod: &Pod, secrets: &[&str]) {
    let (code, said) = pod.told("once --log-level trace").await;
    assert_eq!((code, pod.read("file").as_str()), (0, VALUE), "{said}");
    let shown: Vec<Request> = pod.server.requests();
    let shown = shown.iter().filter(|request| request.path.ends_with("/login"));
    let bodies: Vec<Value> = shown.map(Request::json).collect();
    let fields = ["jwt", "secret_id", "iam_request_headers"];
    let shown = bodies.iter().flat_map(|body| fields.iter().filter_map(|name| body[name].as_str()));
    for secret in shown.chain([JWT, VALUE]).chain(secrets.iter().copied()) {
        assert!(!said.contains(secret), "`{secret}` was said: {said}");
    }
}

/// The session token of the last login by AWS, as it was shown to Vault.
fn session_token(pod: &Pod) -> String {
    let requests = pod.server.requests();
    let login = requests.iter().rfind(|request| request.path.ends_with("aws/login"));
    let shown = login.expect("a login").json()["iam_request_headers"].as_str().map(str::to_owned);
    let shown = BASE64_STANDARD.decode(shown.expect("headers")).expect("base64");
    let headers: Value = serde_json::from_slice(&shown).expect("JSON");
    headers["x-amz-security-token"][0].as_str().expect("a token").to_owned()
}

/// The login is refused with these words, and without those secrets.
async fn refused(pod: &Pod, words: &[&str], secrets: &[&str]) {
    let (code, said) = pod.told("check --log-level trace").await;
    assert_eq!(code, 3, "{said}");
    for words in words {
        assert!(said.contains(words), "`{said}` lacks `{words}`");
    }
    for secret in secrets {
        assert!(!said.contains(secret), "`{secret}` was said: {said}");
    }
}

#[tokio::test]
async fn a_jwt_is_shown_at_its_mount() {
    let auth = json!({"jwt": {"role": "web", "mount": "clusters/eu/jwt", "token-file": "/token"}});
    let mut pod = pod(auth).await;
    pod.server.vault().trust_jwt("clusters/eu/jwt", "web", JWT);
    reads(&pod, &[]).await;
    assert_eq!(pod.server.count("POST /v1/auth/clusters/eu/jwt/login"), 1);
    // This server quotes the token.
    pod.write("token", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ3ZWIifQ.b2YtYW5vdGhlci1pc3N1ZXI");
    let secrets = ["eyJhbGciOiJSUzI1NiJ9", "eyJzdWIiOiJ3ZWIifQ", "b2YtYW5vdGhlci1pc3N1ZXI"];
    let words = ["does not know the key that signed the token", "`jwks_url`", "as role `web`"];
    refused(&pod, &words, &secrets).await;
    pod.spec["vault"]["auth"]["jwt"]["role"] = json!("none");
    refused(&pod, &["make the role at the auth method"], &secrets).await;
}

#[tokio::test]
async fn a_kubernetes_login_says_which_bound_is_wrong() {
    let pod = pod(json!({"kubernetes": {"role": "web", "token-file": "/token"}})).await;
    for (said, words) in [
        ("service account name not authorized", "`bound_service_account_names`"),
        ("namespace not authorized", "`bound_service_account_namespaces`"),
        ("invalid audience (aud) claim", "`mayfly.dev/vault-audience`"),
        ("permission denied", "check that the auth method is mounted there"),
    ] {
        let scope = Scope::Operation("POST /v1/auth/kubernetes/login");
        pod.server.faults().always(scope, Fault::Vault(403, said));
        refused(&pod, &[said, words], &[JWT]).await;
        pod.server.faults().clear();
    }
}

#[tokio::test]
async fn aws_proves_who_the_pod_is_by_a_signed_request() {
    let mut pod = pod(json!({"aws": {"role": "web", "server-id": "vault.example"}})).await;
    pod.server.vault().trust_aws("aws", "web", ROLE);
    pod.server.vault().demand_aws("aws", Some("vault.example"), None);
    reads(&pod, &[]).await;
    assert_eq!(pod.server.count("AssumeRoleWithWebIdentity"), 1);
    let token = pod.server.aws().sessions()[0].clone();
    assert_eq!((token.role_arn.as_str(), token.name.as_str()), (ROLE, "default.web-0"));

    pod.spec["vault"]["auth"]["aws"]["region"] = json!("eu-west-1");
    let words = ["Vault asks STS in another region", "`sts_endpoint`"];
    refused(&pod, &words, &[JWT, "Signature="]).await;
    // This STS says what it was sent.
    pod.server.aws().doubt_signatures(true);
    pod.spec["vault"]["auth"]["aws"].as_object_mut().expect("a method").remove("region");
    let (code, said) = pod.told("check --log-level trace").await;
    let token = session_token(&pod);
    assert!(code == 3 && said.contains("STS does not take the signature"), "{said}");
    assert!(!said.contains(&token[..20]) && !said.contains(&token[200..220]), "{said}");
    pod.server.aws().doubt_signatures(false);
    pod.spec["vault"]["auth"]["aws"]["region"] = json!("eu-west-1");
    pod.server.vault().demand_aws("aws", Some("vault.example"), Some("eu-west-1"));
    reads(&pod, &[]).await;
}

#[tokio::test]
async fn an_aws_login_says_whose_fault_it_is() {
    let mut pod = pod(json!({"aws": {"role": "web", "server-id": "vault.example"}})).await;
    pod.server.vault().demand_aws("aws", Some("another"), None);
    pod.server.vault().trust_aws("aws", "web", ROLE);
    refused(&pod, &["`iam_server_id_header_value` is not the `server-id`"], &[JWT]).await;
    pod.server.vault().demand_aws("aws", None, None);
    pod.server.vault().trust_aws("aws", "web", "arn:aws:iam::123456789012:role/another");
    refused(
        &pod,
        &["`bound_iam_principal_arn`", &format!("(for AWS it is role `{ROLE}`)")],
        &[JWT],
    )
    .await;
    pod.spec["vault"]["auth"]["aws"]["role"] = json!("none");
    refused(&pod, &["make the role at the auth method"], &[JWT]).await;
    pod.spec["aws"]["identity"] = json!("default");
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("no default AWS identity to log in to Vault with"), "{said}");
}

#[tokio::test]
async fn an_aws_session_that_sts_no_longer_takes_is_renewed() {
    let pod = pod(json!({"aws": {"role": "web"}})).await;
    pod.server.vault().trust_aws("aws", "web", ROLE);
    let agent = pod.started().await;
    pod.server.aws().expire_sessions();
    pod.server.vault().revoke_tokens();
    pod.server.vault().put("secret/app", json!({"password": "two"})).expect("a mount");
    pod.until("the new value", |pod| pod.read("file") == "two").await;
    assert_eq!(pod.server.count("AssumeRoleWithWebIdentity"), 2);
    terminate(&agent);
}

#[tokio::test]
async fn approle_reads_its_ids_anew_for_each_login() {
    let mut pod =
        pod(json!({"approle": {"role-id-file": "/role", "secret-id-file": "/secret"}})).await;
    let [role_id, secret_id] = pod.server.vault().add_app_role("approle");
    pod.write("role", &format!("{role_id}\n"));
    pod.write("secret", &secret_id);
    reads(&pod, &[&secret_id]).await;
    pod.server.vault().revoke_secret_ids();
    let words = ["write a new secret id to the file", "the AppRole of `auth/approle`"];
    refused(&pod, &words, &[&role_id, &secret_id]).await;
    pod.write("secret", &pod.server.vault().add_secret_id("approle", &role_id));
    reads(&pod, &[]).await;
    pod.spec["vault"]["auth"] = json!({"approle": {"secret-id-file": "/secret"}});
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("give one of `role-id` and `role-id-file`"), "{said}");
}

/// A pod whose secret id comes wrapped, its role id, and the ids that nobody may say.
async fn wrapped(made_at: &str) -> (Pod, String, [String; 2]) {
    let mut pod = pod(Value::Null).await;
    let [role_id, secret_id] = pod.server.vault().add_app_role("approle");
    pod.spec["vault"]["auth"] = json!({"approle": {"role-id": role_id, "secret-id-file": "/secret", "wrapping-path": MADE_AT}});
    let token = pod.server.vault().wrap(made_at, &secret_id);
    pod.write("secret", &token);
    (pod, role_id, [secret_id, token])
}

#[tokio::test]
async fn a_wrapped_secret_id_is_unwrapped_once_and_used_for_every_login() {
    let (pod, role_id, _) = wrapped(MADE_AT).await;
    let agent = pod.started().await;
    for value in ["two", "three"] {
        pod.server.vault().revoke_tokens();
        pod.server.vault().put("secret/app", json!({"password": value})).expect("a mount");
        pod.until(value, |pod| pod.read("file") == value).await;
    }
    assert_eq!(pod.server.count("POST /v1/sys/wrapping/lookup"), 1);
    assert_eq!(pod.server.count("POST /v1/sys/wrapping/unwrap"), 1);
    assert!(pod.server.count("POST /v1/auth/approle/login") >= 3);
    // A new token in the file is a new secret id.
    let next = pod.server.vault().add_secret_id("approle", &role_id);
    let token = pod.server.vault().wrap(MADE_AT, &next);
    pod.write("secret", &token);
    pod.server.vault().revoke_tokens();
    pod.server.vault().put("secret/app", json!({"password": "four"})).expect("a mount");
    pod.until("four", |pod| pod.read("file") == "four").await;
    assert_eq!(pod.server.count("POST /v1/sys/wrapping/unwrap"), 2);
    terminate(&agent);
}

#[tokio::test]
async fn a_wrapping_token_that_somebody_has_used_is_an_alarm() {
    let (pod, _, secrets) = wrapped(MADE_AT).await;
    let secrets = secrets.each_ref().map(String::as_str);
    reads(&pod, &secrets).await;
    refused(&pod, &["may have been intercepted", "revoke the role's secret ids"], &secrets).await;
}

#[tokio::test]
async fn a_wrapping_token_of_another_path_is_not_unwrapped() {
    let (pod, _, secrets) = wrapped("auth/approle/role/evil/secret-id").await;
    let words = [
        "was made at `auth/approle/role/evil/secret-id`, not at `auth/approle/role/web/secret-id`",
    ];
    refused(&pod, &words, &secrets.each_ref().map(String::as_str)).await;
    assert_eq!(pod.server.count("POST /v1/sys/wrapping/unwrap"), 0);
}
