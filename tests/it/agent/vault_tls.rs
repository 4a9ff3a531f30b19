//! How the connection to Vault is made safe: client certificates, names, and nothing verified.

use std::process::Stdio;

use mayfly_tests::secret_server::Authority;
use serde_json::{Value, json};

use super::pod::{Pod, terminate};

/// A pod that reads one secret, with more said of its connection.
async fn pod(more: Value) -> Pod {
    let mut pod = Pod::new(json!([{"path": "file", "from": "vault:secret/app#password"}])).await;
    pod.server.vault().put("secret/app", json!({"password": "one"})).expect("a mount");
    let more = more.as_object().expect("fields").clone();
    pod.spec["vault"].as_object_mut().expect("a section").extend(more);
    pod
}

/// Writes a new pair of the server's authority; its certificate.
fn certified(pod: &Pod) -> String {
    let pair = pod.server.authority().expect("TLS").pair().expect("a pair");
    pod.write("tls.crt", &pair.certificate);
    pod.write("tls.key", &pair.key);
    pair.certificate
}

const FILES: &str = r#"{"certificate-file": "/tls.crt", "key-file": "/tls.key"}"#;

fn files() -> Value {
    serde_json::from_str(FILES).expect("JSON")
}

#[tokio::test]
async fn a_certificate_logs_in_and_is_read_anew_when_it_is_renewed() {
    let mut pod = pod(json!({})).await;
    pod.spec["vault"]["auth"] =
        json!({"cert": {"role": "web", "certificate-file": "/tls.crt", "key-file": "/tls.key"}});
    pod.server.vault().trust_certificate("cert", "web", &certified(&pod));
    let agent = pod.started().await;
    pod.server.vault().trust_certificate("cert", "web", &certified(&pod));
    pod.server.vault().revoke_tokens();
    pod.server.vault().put("secret/app", json!({"password": "two"})).expect("a mount");
    pod.until("the new value", |pod| pod.read("file") == "two").await;
    terminate(&agent);
}

#[tokio::test]
async fn a_certificate_that_no_role_takes_is_told_as_such() {
    let mut pod = pod(json!({})).await;
    pod.spec["vault"]["auth"] =
        json!({"cert": {"certificate-file": "/tls.crt", "key-file": "/tls.key"}});
    pod.server.vault().trust_certificate("cert", "web", &certified(&pod));
    certified(&pod);
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("no role takes the certificate") && !said.contains("PRIVATE"), "{said}");
    pod.spec["vault"]["client-certificate"] = files();
    let (code, said) = pod.told("check").await;
    assert_eq!((code, said.contains("leave `client-certificate` out")), (2, true), "{said}");
}

#[tokio::test]
async fn a_client_certificate_is_shown_beside_any_login() {
    let pod = pod(json!({"client-certificate": files()})).await;
    certified(&pod);
    assert_eq!(pod.told("once").await.0, 0);
    let requests = pod.server.requests();
    assert!(!requests.is_empty());
    assert!(requests.iter().all(|request| request.tls.client_certificate.is_some()));
}

#[tokio::test]
async fn a_pair_that_is_none_is_told_before_anybody_is_asked() {
    let pod = pod(json!({"client-certificate": files()})).await;
    certified(&pod);
    let key = pod.read("tls.key");
    certified(&pod);
    pod.write("tls.key", &key);
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("tls.crt") && said.contains("tls.key"), "{said}");
    assert!(pod.server.requests().is_empty() && !said.contains(key.lines().nth(1).expect("a key")));
}

#[tokio::test]
async fn the_server_is_asked_for_by_its_own_name() {
    let mut pod = pod(json!({"server-name": "localhost"})).await;
    assert_eq!(pod.told("once").await.0, 0);
    let address = pod.server.address().to_string();
    for request in pod.server.requests() {
        assert_eq!(request.tls.server_name.as_deref(), Some("localhost"));
        assert_eq!(request.header("host"), Some(address.as_str()));
    }
    pod.spec["vault"]["server-name"] = json!("vault.example");
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 5, "{said}");
    assert!(said.contains(&address) && said.contains("`server-name`"), "{said}");
}

#[tokio::test]
async fn what_is_not_verified_is_warned_of() {
    let mut pod = pod(json!({"skip-verify": true})).await;
    pod.spec["vault"]["ca"]["pem"] = json!(Authority::new().expect("an authority").pem());
    let (code, said) = pod.told("once").await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("skip-verify") && said.contains("can read every secret"), "{said}");
    pod.spec["vault"]["skip-verify"] = json!(false);
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("name the authority that its certificate is from"), "{said}");
}

#[tokio::test]
async fn in_a_pod_only_the_operator_leaves_it_unverified() {
    let pod = pod(json!({"skip-verify": true})).await;
    pod.write("agent.json", &pod.spec.to_string());
    let file = pod.root.path().join("agent.json");
    let with_file = |in_pod: bool| {
        let mut agent = pod.agent("once");
        agent
            .arg("--config")
            .arg(&file)
            .env_remove("MAYFLY_CONFIG")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if !in_pod {
            agent.env_remove("KUBERNETES_SERVICE_HOST");
        }
        agent
    };
    let code = async |in_pod| with_file(in_pod).status().await.expect("an agent").code();
    assert_eq!((code(true).await, code(false).await), (Some(2), Some(0)));
}
