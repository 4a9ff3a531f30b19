//! What is legal and doubtful: warnings, which `kubectl` shows to whoever creates the pod.
//!
//! PURE.

use mayfly_spec::{FileEntry, reference::Source, spec::Mode};
use serde_json::Value;

use super::{Planner, api_paths, chosen::ends_before_the_agent};
use crate::{
    fault::MOST_WARNINGS,
    pod::{Position, text},
    settings::{Annotation, VaultMethod},
};

impl Planner<'_> {
    pub(super) fn doubt(&mut self, chosen: &[Position]) {
        self.doubt_shared_processes();
        self.doubt_early_containers(chosen);
        self.doubt_settings_without_effect();
        self.doubt_unverified_vault();
        self.doubt_references();
    }

    fn doubt_references(&mut self) {
        let request = self.request;
        let references = request.files.iter().flat_map(FileEntry::references);
        let doubts = references.filter_map(api_paths::doubt);
        doubts.take(MOST_WARNINGS).for_each(|doubt| self.warn(&doubt));
    }

    fn doubt_unverified_vault(&mut self) {
        if self.config.vault.skip_verify && self.request.reads(Source::is_vault) {
            self.warn("Vault's certificate is not verified, because the operator's configuration says `skip-verify`: whoever is between the pod and Vault can read its secrets");
        }
    }

    fn doubt_shared_processes(&mut self) {
        for field in ["shareProcessNamespace", "hostPID"] {
            if self.pod.field(field).and_then(Value::as_bool) == Some(true) {
                self.warn(&format!(
                    "{field} lets other processes of the same user read the files through /proc"
                ));
            }
        }
    }

    fn doubt_early_containers(&mut self, chosen: &[Position]) {
        let early: Vec<&str> = chosen
            .iter()
            .filter(|position| ends_before_the_agent(self.pod, &self.placement, **position))
            .map(|position| text(self.pod.container(*position), "name"))
            .collect();
        for name in early {
            self.warn(&format!(
                "init container {name} ends before the agent starts and sees no files"
            ));
        }
    }

    fn doubt_settings_without_effect(&mut self) {
        let own = &self.request.own;
        let vault = [
            (Annotation::VaultAddress, own.vault_address.is_some()),
            (Annotation::VaultRole, own.vault_role.is_some()),
            (Annotation::VaultAuthMethod, own.vault_auth_method.is_some()),
            (Annotation::VaultAuthPath, own.vault_auth_path.is_some()),
            (Annotation::VaultNamespace, own.vault_namespace.is_some()),
            (Annotation::VaultAudience, own.vault_audience.is_some()),
        ];
        let aws = [
            (Annotation::AwsRegion, own.aws_region.is_some()),
            (Annotation::AwsFailoverRegions, own.aws_failover_regions.is_some()),
            (Annotation::AwsRoleArn, own.aws_role_arn.is_some()),
            (Annotation::AwsIdentity, own.aws_identity.is_some()),
        ];
        let refresh = (Annotation::Refresh, own.refresh.is_some());
        if !self.request.reads(Source::is_vault) {
            self.warn_of_each(&vault, "no file comes from Vault");
        }
        if !self.request.asks_aws() {
            self.warn_of_each(&aws, "no file comes from AWS");
        }
        if self.request.reads(Source::is_vault) && self.request.vault_method() == VaultMethod::Aws {
            let audience = (Annotation::VaultAudience, own.vault_audience.is_some());
            self.warn_of_each(&[audience], "Vault is shown no token, but a request signed for AWS");
        }
        if self.choices.mode == Mode::Init {
            self.warn_of_each(&[refresh], "the mode `init` fetches once");
        }
    }

    fn warn_of_each(&mut self, annotations: &[(Annotation, bool)], reason: &str) {
        for (annotation, _) in annotations.iter().filter(|(_, is_set)| *is_set) {
            self.warn(&format!("{annotation} has no effect: {reason}"));
        }
    }

    /// At most so long, and so many, as the API server passes on.
    pub(super) fn warn(&mut self, warning: &str) {
        let warning = crate::fault::warning(warning);
        if self.warnings.len() < MOST_WARNINGS && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}
