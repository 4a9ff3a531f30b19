//! Certificates of Vault's PKI engine: one write for certificate and key, issued anew before the end of the old one.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{cluster::Cluster, condition::PATIENCE, pod::Pod, suite::Case},
};
use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use serde_json::json;
use tokio::time::Instant;

use super::sessions::allow;
use crate::tenant::Tenant;

pub(crate) fn cases() -> Vec<Case> {
    cases![a_certificate_is_issued_anew_before_it_ends_with_its_own_key]
}

/// How long a certificate lives.
const LIFE: u32 = 15;

/// Both files of one generation, after the node's clock.
const COPY: &str = "cd -P /run/mayfly/..data && date +%s && cat tls.crt && echo && cat tls.key";

async fn a_certificate_is_issued_anew_before_it_ends_with_its_own_key(
    cluster: &Cluster,
) -> Result<()> {
    let (wanted, limit) =
        if cluster.soak() { (20, Duration::from_mins(15)) } else { (4, 2 * PATIENCE) };
    let tenant = Tenant::new(cluster, "pki").await?;
    let mount = authority(&tenant).await?;
    let path = format!("{mount}/issue/web");
    allow(&tenant, &[(&path, "update")]).await?;
    let issue = format!("vault-write:{path}?common_name=web.default.svc&ttl={LIFE}s");
    let manifest = tenant
        .asking("web")
        .annotate("file.tls.crt", &format!("{issue}#certificate"))
        .annotate("file.tls.key", &format!("{issue}#private_key"));
    let pod = tenant.run(&manifest).await?;
    let (mut serials, mut copies, begun) = (BTreeSet::new(), 0, Instant::now());
    while serials.len() < wanted {
        ensure!(begun.elapsed() < limit, "{copies} copies have shown only {serials:?}");
        // The generation may go between the change of the folder and the reading.
        let Ok(copy) = pod.exec(&["sh", "-c", COPY]).await else { continue };
        serials.insert(check(&copy)?);
        copies += 1;
    }
    ensure!(copies > 5 * serials.len(), "only {copies} copies of {serials:?}");
    // Its own and the authority's: nothing was issued that the app has not had.
    let issued = cluster.vault().list(&format!("{mount}/certs")).await?.len();
    ensure!(issued <= serials.len() + 2, "{issued} were issued, {} were seen", serials.len());
    is_not_restarted(&pod).await
}

/// An authority of a tenant's own, with a role for one name.
pub(super) async fn authority(tenant: &Tenant<'_>) -> Result<String> {
    let (vault, mount) = (tenant.cluster.vault(), format!("pki-{}", tenant.namespace.name()));
    vault.write(&format!("sys/mounts/{mount}"), json!({"type": "pki"})).await?;
    let root = json!({"common_name": "the tenant's authority", "key_type": "ec", "ttl": "24h"});
    vault.write(&format!("{mount}/root/generate/internal"), root).await?;
    let role = json!({"allowed_domains": "web.default.svc", "allow_bare_domains": true,
        "key_type": "ec", "key_bits": 256, "max_ttl": "1h"});
    vault.write(&format!("{mount}/roles/web"), role).await?;
    Ok(mount)
}

/// Fails unless the certificate is the key's and still good; hands out its serial number.
fn check(copy: &str) -> Result<String> {
    let (now, pems) = copy.split_once('\n').context("the clock")?;
    let now: i64 = now.parse().context("the clock")?;
    let certificate = CertificateDer::from_pem_slice(pems.as_bytes()).context("a certificate")?;
    let key = PrivateKeyDer::from_pem_slice(pems.as_bytes()).context("a key")?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&certificate)?;
    let (serial, end) = (parsed.raw_serial_as_string(), parsed.validity().not_after.timestamp());
    ensure!(now < end, "at {now} the app has a certificate that ended at {end}");
    let pair =
        CertifiedKey::from_der(vec![certificate.clone()], key, &aws_lc_rs::default_provider());
    pair.with_context(|| format!("the key is not that of {serial}"))?.keys_match()?;
    Ok(serial)
}

async fn is_not_restarted(pod: &Pod) -> Result<()> {
    let statuses = pod.json().await?["status"].to_string();
    ensure!(!statuses.contains("\"restartCount\":1"), "a container was restarted: {statuses}");
    Ok(())
}
