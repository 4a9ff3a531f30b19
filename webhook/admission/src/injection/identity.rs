//! As whom the agent reads: the pod's own tokens, and what EKS's webhook gave to the app.
//!
//! PURE. The contract never depends on which of the two webhooks ran first: EKS's variables and
//! mount are carried over when they are there, and put there by EKS's own webhook when it comes
//! after us.

use k8s_openapi::api::core::v1::{EnvVar, VolumeMount};
use mayfly_spec::{
    reference::Source,
    spec::{Aws, AwsAuth, Ca, Identity, JwtAuth, KubernetesAuth, Vault, VaultAuth},
};
use serde_json::Value;

use super::Planner;
use crate::{
    fault::Fault,
    names::TOKENS_PATH,
    reach::{AwsReach, Carried},
    settings::{Annotation, VaultMethod, list_addresses},
};

/// What a pod on Fargate has, where no node's agent runs.
const FARGATE_LABEL: &str = "eks.amazonaws.com/fargate-profile";
const FARGATE_SCHEDULER: &str = "fargate-scheduler";

/// The audience that AWS' token exchange asks for.
const STS_AUDIENCE: &str = "sts.amazonaws.com";

/// What the agent shows to its backends.
#[derive(Debug, Default)]
pub(super) struct Identities {
    pub(super) aws: Option<Aws>,
    pub(super) vault: Option<Vault>,
    pub(super) tokens: Vec<ProjectedToken>,
    /// Environment and mount that EKS's webhook gave to the app.
    pub(super) carried_env: Vec<EnvVar>,
    pub(super) carried_mount: Option<VolumeMount>,
}

/// One file of the projected volume.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenFile(pub(super) &'static str);

/// A token of the pod's service account; without an audience, the API server's own.
#[derive(Debug)]
pub(super) struct ProjectedToken {
    pub(super) file: TokenFile,
    pub(super) audience: Option<String>,
}

const VAULT_TOKEN: TokenFile = TokenFile("vault-token");
const AWS_TOKEN: TokenFile = TokenFile("aws-token");

impl TokenFile {
    fn path(self) -> std::path::PathBuf {
        [TOKENS_PATH, self.0].iter().collect()
    }
}

impl Planner<'_> {
    pub(super) fn identify(&mut self) -> Identities {
        let mut identities = Identities::default();
        if self.request.reads(Source::is_vault) {
            self.identify_to_vault(&mut identities);
        }
        if let Some(aws) = self.aws.take() {
            self.identify_to_aws(&mut identities, aws);
        }
        identities
    }

    fn identify_to_vault(&mut self, identities: &mut Identities) {
        let settings = &self.request.settings;
        let (Some(address), Some(role)) = (&settings.vault_address, &settings.vault_role) else {
            self.miss_vault_settings();
            return;
        };
        let auth = self.vault_auth(role.clone());
        let policy = &self.config.vault;
        identities.vault = Some(Vault {
            address: address.to_string(),
            namespace: settings.vault_namespace.clone(),
            ca: policy.ca.clone().map(Ca::Pem),
            server_name: policy.server_name.clone(),
            client_certificate: None,
            skip_verify: policy.skip_verify,
            timeout: None,
            auth,
        });
        if self.request.vault_method() != VaultMethod::Aws {
            let audience = settings.vault_audience.clone();
            identities.tokens.push(ProjectedToken { file: VAULT_TOKEN, audience });
        }
    }

    fn vault_auth(&self, role: String) -> VaultAuth {
        let method = self.request.vault_method();
        let mount = self.request.settings.vault_auth_path.as_deref();
        let mount = mount.unwrap_or_else(|| method.mount()).to_owned();
        let token_file = VAULT_TOKEN.path();
        match method {
            VaultMethod::Kubernetes => {
                VaultAuth::Kubernetes(KubernetesAuth { role, mount, token_file })
            }
            VaultMethod::Jwt => VaultAuth::Jwt(JwtAuth { role, mount, token_file }),
            VaultMethod::Aws => {
                let (region, server_id) =
                    (self.config.vault.sts_region.clone(), self.config.vault.server_id.clone());
                VaultAuth::Aws(AwsAuth { role, mount, region, server_id })
            }
        }
    }

    /// An address or role that is there, and refused, has its own fault already.
    fn miss_vault_settings(&mut self) {
        let settings = &self.request.settings;
        if settings.vault_address.is_none() {
            let allowed = list_addresses(&self.config.addresses(settings));
            let allowed = if allowed.is_empty() {
                "what the operator lists, which is nothing yet".to_owned()
            } else {
                allowed
            };
            let message = format!(
                "missing: a file comes from Vault, and the operator has no default; allowed: {allowed}"
            );
            self.faults.push(Fault::new(Annotation::VaultAddress.to_string(), message));
        }
        if self.request.settings.vault_role.is_none() {
            let message = "missing: a file comes from Vault; name the role that the pod logs in to";
            self.faults.push(Fault::new(Annotation::VaultRole.to_string(), message));
        }
    }

    fn identify_to_aws(&mut self, identities: &mut Identities, aws: AwsReach<'_>) {
        let AwsReach { reach, has_own_token, carried } = aws;
        if reach.identity == Identity::PodIdentity {
            self.refuse_without_association();
        }
        if has_own_token {
            let audience = Some(STS_AUDIENCE.to_owned());
            identities.tokens.push(ProjectedToken { file: AWS_TOKEN, audience });
        }
        if let Some(carried) = carried {
            identities.carry_over(&carried);
        }
        let (settings, stand_ins) = (&self.request.settings, &self.config.aws);
        identities.aws = Some(Aws {
            region: settings.aws_region.clone(),
            identity: reach.identity,
            role_arn: reach.role.filter(|_| has_own_token).map(|role| role.text.to_owned()),
            token_file: has_own_token.then(|| AWS_TOKEN.path()),
            failover_regions: settings.aws_failover_regions.clone().unwrap_or_default(),
            fips: stand_ins.fips,
            dual_stack: stand_ins.dual_stack,
            proxy: stand_ins.proxy.clone(),
            endpoint: stand_ins.endpoint.clone(),
            sts_endpoint: stand_ins.sts_endpoint.clone(),
            ca: stand_ins.ca.clone().map(Ca::Pem),
        });
    }

    /// Pod Identity: with EKS's token. The role is the association's, so there is none to name.
    fn refuse_without_association(&mut self) {
        if self.request.own.aws_role_arn.is_some() {
            let message = format!(
                "`{}: pod-identity` takes the role from the service account's association; leave this out, or assume the role with `?role=` in a reference",
                Annotation::AwsIdentity
            );
            self.faults.push(Fault::new(Annotation::AwsRoleArn.to_string(), message));
        }
        let scheduler = self.pod.field("schedulerName").and_then(Value::as_str);
        if self.pod.has_label(FARGATE_LABEL) || scheduler == Some(FARGATE_SCHEDULER) {
            let message = "`pod-identity` needs EKS's agent on the node, which Fargate does not have; allowed there: `irsa`";
            self.faults.push(Fault::new(Annotation::AwsIdentity.to_string(), message));
        }
    }
}

impl Identities {
    fn carry_over(&mut self, carried: &Carried<'_>) {
        let variable = |(name, value): &(&str, &str)| EnvVar {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
            ..EnvVar::default()
        };
        self.carried_env = carried.variables.iter().map(variable).collect();
        self.carried_mount = carried.mount.map(|(volume, path)| VolumeMount {
            name: volume.to_owned(),
            mount_path: path.to_owned(),
            read_only: Some(true),
            ..VolumeMount::default()
        });
    }
}
