//! Every way to log in to a real Vault: tokens of pods, AWS roles by signed requests, roles of applications with wrapped secret ids,
//! client certificates.

mod machine;

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{cluster::Cluster, folders, suite::Case},
    secret_server::{Authority, SecretServer},
};
use rcgen::{KeyPair, PublicKeyData};
use serde_json::{Value, json};

use crate::tenant::Tenant;
use machine::{Machine, as_shown};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        vault_auth_jwt_by_the_clusters_keys,
        vault_auth_aws_by_a_signed_request,
        vault_auth_approle_with_a_wrapped_secret_id,
        vault_auth_cert_by_a_client_certificate
    ]
}

/// Mounts an auth method for one tenant, below a path of several names.
async fn mount(tenant: &Tenant<'_>, method: &str) -> Result<String> {
    let path = format!("{}/{method}", tenant.namespace.name());
    tenant.cluster.vault().write(&format!("sys/auth/{path}"), json!({"type": method})).await?;
    Ok(path)
}

async fn vault_auth_jwt_by_the_clusters_keys(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "jwt").await?;
    let (vault, name) = (cluster.vault(), tenant.namespace.name());
    let mount = mount(&tenant, "jwt").await?;
    let key = folders::read(&cluster.lab().pki().key("service-accounts"))?;
    let key = KeyPair::from_pem(&key).context("the cluster's own key")?;
    let pem = pem(&key.subject_public_key_info());
    vault.write(&format!("auth/{mount}/config"), json!({"jwt_validation_pubkeys": [pem]})).await?;
    let role = json!({"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": [name],
                      "bound_claims": {"sub": format!("system:serviceaccount:{name}:default")}});
    vault.write(&format!("auth/{mount}/role/{name}"), role).await?;
    let value = tenant.put("app").await?;
    let manifest = |pod: &str, audience: &str| {
        let manifest = tenant.vault_pod(pod).annotate("vault-auth-method", "jwt");
        manifest.annotate("vault-auth-path", &mount).annotate("vault-audience", audience)
    };
    let pod = tenant.run(&manifest("web", "vault")).await?;
    ensure!(pod.file("/run/mayfly/value").await? == value);
    let stranger = manifest("stranger", "another").annotate("start-deadline", "5s");
    let pod = tenant.namespace.apply(&stranger.to_string()).await?;
    machine::tells(&pod, "`bound_audiences`").await
}

fn pem(public: &[u8]) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let text = BASE64_STANDARD.encode(public);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

async fn vault_auth_aws_by_a_signed_request(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "awsauth").await?;
    let (vault, name) = (cluster.vault(), tenant.namespace.name());
    let mount = mount(&tenant, "aws").await?;
    // This STS knows the keys of its sessions, and so whether a signature is one.
    let sts = SecretServer::start_plain().await?;
    let token = tenant.namespace.token("default", Some("sts.amazonaws.com")).await?;
    sts.aws().trust(&tenant.role, token.trim());
    let config = json!({"sts_endpoint": sts.url(), "sts_region": "us-east-1", "iam_server_id_header_value": "lab"});
    vault.write(&format!("auth/{mount}/config/client"), config).await?;
    let role = json!({"auth_type": "iam", "bound_iam_principal_arn": [tenant.role], "resolve_aws_unique_ids": false,
                      "token_policies": [name]});
    vault.write(&format!("auth/{mount}/role/{name}"), role).await?;
    let value = tenant.put("app").await?;
    let machine = Machine::new(&tenant)?;
    machine.write("token", &token)?;
    let aws = json!({"identity": "irsa", "region": "us-east-1", "role-arn": tenant.role,
                     "token-file": machine.path("token"), "endpoint": sts.url()});
    let auth = |server: &str| json!({"aws": {"role": name, "mount": mount, "server-id": server}});
    let reads = |server: &str| machine.once(auth(server), json!({"aws": aws.clone()}));
    let (code, said) = reads("lab").await?;
    ensure!(code == 0 && machine.value()? == value, "{said}");
    let (code, said) = reads("another").await?;
    ensure!(code == 3 && said.contains("`iam_server_id_header_value`"), "{said}");

    let shown = sts.requests();
    let shown = shown.iter().rfind(|request| request.operation() == "GetCallerIdentity");
    let shown = shown.context("Vault has asked")?;
    let login = format!("auth/{mount}/login");
    vault.write(&login, as_shown(name, shown, |_| {})).await.context("what was shown, again")?;
    for header in ["x-amz-date", "authorization", "x-amz-security-token"] {
        let tampered = as_shown(name, shown, |headers| tamper(headers, header));
        let answer = vault.write(&login, tampered).await;
        ensure!(answer.is_err(), "Vault takes another {header}");
    }
    Ok(())
}

/// Changes the last character, which is a digit or a letter.
fn tamper(headers: &mut Value, name: &str) {
    let text = headers[name].as_str().unwrap_or_default();
    let (kept, last) = text.split_at(text.len().saturating_sub(1));
    headers[name] = format!("{kept}{}", if last == "0" { "1" } else { "0" }).into();
}

async fn vault_auth_approle_with_a_wrapped_secret_id(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "approle").await?;
    let (vault, name) = (cluster.vault(), tenant.namespace.name());
    let mount = mount(&tenant, "approle").await?;
    let role = format!("auth/{mount}/role/{name}");
    vault.write(&role, json!({"token_policies": [name]})).await?;
    let id = vault.read(&format!("{role}/role-id")).await?;
    let id = id["data"]["role_id"].as_str().context("a role has an id")?;
    let value = tenant.put("app").await?;
    let machine = Machine::new(&tenant)?;
    let secret_id = format!("{role}/secret-id");
    let auth = |made_at: &str| {
        json!({"approle": {"role-id": id, "secret-id-file": machine.path("secret-id"),
                           "mount": mount, "wrapping-path": made_at}})
    };
    machine.write("secret-id", &machine::wrapped(cluster, &secret_id).await?)?;
    let (code, said) = machine.once(auth("auth/approle/role/another/secret-id"), json!({})).await?;
    ensure!(code == 3 && said.contains("was made at") && said.contains(&secret_id), "{said}");
    let (code, said) = machine.once(auth(&secret_id), json!({})).await?;
    ensure!(code == 0 && machine.value()? == value, "{said}");
    let (code, said) = machine.once(auth(&secret_id), json!({})).await?;
    ensure!(code == 3 && said.contains("may have been intercepted"), "{said}");
    Ok(())
}

async fn vault_auth_cert_by_a_client_certificate(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "cert").await?;
    let (vault, name) = (cluster.vault(), tenant.namespace.name());
    let mount = mount(&tenant, "cert").await?;
    let authority = Authority::new()?;
    let role = json!({"certificate": authority.pem(), "token_policies": [name]});
    vault.write(&format!("auth/{mount}/certs/{name}"), role).await?;
    let value = tenant.put("app").await?;
    let machine = Machine::new(&tenant)?;
    let auth = json!({"cert": {"role": name, "mount": mount, "certificate-file": machine.path("tls.crt"),
                               "key-file": machine.path("tls.key")}});
    machine.certify(&authority)?;
    let (code, said) = machine.once(auth.clone(), json!({})).await?;
    ensure!(code == 0 && machine.value()? == value, "{said}");
    machine.certify(&Authority::new()?)?;
    let (code, said) = machine.once(auth, json!({})).await?;
    ensure!(code == 3 && said.contains("no role takes the certificate"), "{said}");
    Ok(())
}
