//! The agent's configuration for this pod.
//!
//! PURE.

use std::path::PathBuf;

use mayfly_spec::{
    Files, Spec,
    spec::{Refresh, VERSION, is_plain_http},
};

use super::{Planner, access::Ownership, identity::Identities};
use crate::{fault::Fault, names::STATE_PATH, settings::Annotation};

impl Planner<'_> {
    /// The value of `MAYFLY_CONFIG`; nothing, when a fault was found.
    pub(super) fn contract(
        &mut self,
        identities: &Identities,
        ownership: Ownership,
    ) -> Option<String> {
        // Two entries in each other's way were told when the annotations were read.
        let files = Files::try_from(self.request.files.clone()).ok()?;
        let refresh = self.request.settings.refresh;
        let spec = Spec {
            version: VERSION,
            directory: PathBuf::from(self.choices.mount_path.as_str()),
            mode: Some(self.choices.mode),
            // The kubelet tells it: who looks at a Deployment does not know.
            pod: None,
            state: Some(PathBuf::from(STATE_PATH)),
            aws: identities.aws.clone(),
            vault: identities.vault.clone(),
            plain_http: plain_http(identities),
            files,
            access: ownership.access,
            refresh: refresh.map_or_else(Refresh::default, |interval| Refresh { interval }),
            start: self.choices.start,
        };
        let environment = spec.to_environment();
        environment
            .map_err(|error| self.faults.push(Fault::new(Annotation::Files.to_string(), error)))
            .ok()
    }
}

/// What is asked without TLS. The operator's configuration says all of these addresses, or lists
/// them for authors to choose from, which is leave enough.
fn plain_http(identities: &Identities) -> Vec<String> {
    let aws = identities.aws.iter().flat_map(|aws| [&aws.endpoint, &aws.sts_endpoint, &aws.proxy]);
    let vault = identities.vault.iter().map(|vault| &vault.address);
    aws.flatten().chain(vault).filter(|url| is_plain_http(url)).cloned().collect()
}
