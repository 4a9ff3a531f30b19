//! Sealed values against moto. The envelope is made here, byte by byte, from the format's description.

use anyhow::{Context, Result, ensure};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use mayfly_tests::{
    cases,
    lab::{
        aws::Aws,
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        suite::Case,
    },
};
use serde_json::{Value, json};

use crate::{canary, tenant::Tenant};

pub(crate) fn cases() -> Vec<Case> {
    cases![kms_a_sealed_value_opens_for_its_own_service_account_only]
}

async fn kms_a_sealed_value_opens_for_its_own_service_account_only(
    cluster: &Cluster,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "kms").await?;
    let (aws, namespace) = (cluster.aws(), tenant.namespace.name());
    let made = aws.call("kms", "TrentService.CreateKey", json!({})).await?;
    let key = made["KeyMetadata"]["Arn"].as_str().context("a key has an ARN")?;
    let value = canary::secret();
    let own = seal(aws, key, namespace, "default", &value).await?;
    let manifest = |name: &str, from: &str| {
        let manifest = tenant.asking(name).annotate("aws-role-arn", &tenant.role);
        manifest.annotate("file.value", from)
    };
    let pod = tenant.run(&manifest("web", &own)).await?;
    ensure!(pod.file("/run/mayfly/value").await? == value);
    let others = seal(aws, key, namespace, "other", &value).await?;
    let manifest = manifest("thief", &others).annotate("start-deadline", "5s");
    let pod = tenant.namespace.apply(&manifest.to_string()).await?;
    let told = || async {
        let described = pod.describe().await?;
        let reason = "sealed for another namespace or service account";
        ensure!(described.contains(reason), "{described}");
        Ok(())
    };
    eventually("`kubectl describe pod` to tell the reason", PATIENCE, told).await
}

/// What `mayfly-agent seal` prints.
async fn seal(
    aws: &Aws,
    key: &str,
    namespace: &str,
    service_account: &str,
    value: &str,
) -> Result<String> {
    let context =
        json!({"mayfly.dev/namespace": namespace, "mayfly.dev/service-account": service_account});
    let wish = json!({"KeyId": key, "KeySpec": "AES_256", "EncryptionContext": context});
    let made = aws.call("kms", "TrentService.GenerateDataKey", wish).await?;
    let wrapped = bytes(&made["CiphertextBlob"])?;
    let mut envelope = vec![1, 1];
    for part in [key.as_bytes(), &wrapped] {
        envelope.extend(u16::try_from(part.len())?.to_be_bytes());
        envelope.extend(part);
    }
    let mut bound = envelope.clone();
    for name in [namespace, service_account] {
        bound.extend(u64::try_from(name.len())?.to_be_bytes());
        bound.extend(name.as_bytes());
    }
    let nonce = [7; 12];
    let mut sealed = value.as_bytes().to_vec();
    UnboundKey::new(&AES_256_GCM, &bytes(&made["Plaintext"])?)
        .map(LessSafeKey::new)
        .and_then(|key| {
            let nonce = Nonce::assume_unique_for_key(nonce);
            key.seal_in_place_append_tag(nonce, Aad::from(bound), &mut sealed)
        })
        .map_err(|error| anyhow::anyhow!("encrypt: {error}"))?;
    envelope.extend(nonce);
    envelope.extend(sealed);
    Ok(format!("kms:{}", BASE64_URL_SAFE_NO_PAD.encode(envelope)))
}

fn bytes(value: &Value) -> Result<Vec<u8>> {
    BASE64_STANDARD.decode(value.as_str().context("base64")?).context("decode moto's answer")
}
