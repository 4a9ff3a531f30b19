//! The cluster's own authority, and who everybody is to the API server. All keys live and die with one cluster.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize,
};

use super::{
    addresses::{API_SERVER, HOST, KUBERNETES_SERVICE, VAULT_NAME},
    folders,
    node::NODE_NAME,
};

/// Somebody with a certificate: file name, common name, organisation.
type Identity = (&'static str, &'static str, &'static str);

/// The people and parts that talk to the API server, by the names that its default roles are bound to.
const CLIENTS: [Identity; 4] = [
    ("admin", "lab-admin", "system:masters"),
    ("controller-manager", "system:kube-controller-manager", ""),
    ("scheduler", "system:kube-scheduler", ""),
    ("kube-proxy", "system:kube-proxy", ""),
];

/// The name of the webhook's certificate.
pub const WEBHOOK: &str = "mayfly-webhook";

/// The name of the certificate that the API server shows to the webhook.
pub const WEBHOOK_CALLER: &str = "webhook-caller";

/// The folder with the cluster's keys and certificates.
#[derive(Debug, Clone)]
pub struct Pki {
    folder: PathBuf,
}

impl Pki {
    /// The keys in that folder, which an earlier run may have made.
    pub fn at(cluster: &Path) -> Self {
        Self { folder: cluster.join("pki") }
    }

    /// Makes everything anew.
    pub fn make(&self) -> Result<()> {
        let authority = self.authority()?;
        for client in CLIENTS {
            self.identity(&authority, client, &[])?;
        }
        let names = [HOST, KUBERNETES_SERVICE, "127.0.0.1", "kubernetes.default.svc", "localhost"];
        self.identity(&authority, ("api-server", "lab-api-server", "system:masters"), &names)?;
        let names = ["mayfly-webhook.mayfly.svc"];
        self.identity(&authority, (WEBHOOK, WEBHOOK, ""), &names)?;
        self.certify(&authority, WEBHOOK_CALLER, "lab-webhook-caller", "", &[])?;
        self.identity(
            &authority,
            ("vault", "lab-vault", ""),
            &[HOST, "127.0.0.1", VAULT_NAME, "*.vault.svc", "localhost"],
        )?;
        let node = format!("system:node:{NODE_NAME}");
        self.certify(&authority, "kubelet", &node, "system:nodes", &[HOST, NODE_NAME])?;
        self.kubeconfig("kubelet")?;
        // RSA, because the tokens that EKS issues are signed with RSA.
        let tokens = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        folders::write(&self.key("service-accounts"), tokens.serialize_pem())
    }

    /// The certificate that everybody trusts.
    pub fn authority_certificate(&self) -> PathBuf {
        self.certificate("authority")
    }

    /// Somebody's certificate.
    pub fn certificate(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.crt"))
    }

    /// Somebody's private key.
    pub fn key(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.key"))
    }

    /// Somebody's way to the API server.
    pub fn kubeconfig_of(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.kubeconfig"))
    }

    fn authority(&self) -> Result<Issuer<'static, KeyPair>> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "mayfly lab");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        folders::write(&self.authority_certificate(), params.self_signed(&key)?.pem())?;
        folders::write(&self.key("authority"), key.serialize_pem())?;
        Ok(Issuer::new(params, key))
    }

    fn identity(
        &self,
        authority: &Issuer<'_, KeyPair>,
        who: Identity,
        addresses: &[&str],
    ) -> Result<()> {
        let (file, name, organisation) = who;
        self.certify(authority, file, name, organisation, addresses)?;
        self.kubeconfig(file)
    }

    fn certify(
        &self,
        authority: &Issuer<'_, KeyPair>,
        file: &str,
        name: &str,
        organisation: &str,
        addresses: &[&str],
    ) -> Result<()> {
        let addresses: Vec<String> = addresses.iter().map(|&address| address.to_owned()).collect();
        let mut params = CertificateParams::new(addresses)?;
        params.distinguished_name.push(DnType::CommonName, name);
        if !organisation.is_empty() {
            params.distinguished_name.push(DnType::OrganizationName, organisation);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        folders::write(&self.certificate(file), params.signed_by(&key, authority)?.pem())?;
        folders::write(&self.key(file), key.serialize_pem())
    }

    fn kubeconfig(&self, name: &str) -> Result<()> {
        let path = |path: PathBuf| path.display().to_string();
        let values = [
            ("server", API_SERVER),
            ("authority", &path(self.authority_certificate())),
            ("certificate", &path(self.certificate(name))),
            ("key", &path(self.key(name))),
            ("name", name),
        ];
        folders::render("templates/kubeconfig.yaml", &values, &self.kubeconfig_of(name))
    }
}
