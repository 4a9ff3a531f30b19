//! What a manifest's pods will get, and the least that AWS and Vault have to allow them.
//!
//! ```text
//! AdmittedPod → Workload ─┬→ aws::AwsRole      policies of IAM        ─┐
//!                         └→ vault::VaultRole  a policy and its role  ─┴→ words, JSON, Terraform
//! ```
//! PURE. It reads the pods as they would be admitted, so that what is told is what is done. What a
//! manifest does not say (an account, a cluster) has a placeholder in angle brackets.

mod aws;
mod hcl;
mod login;
mod subject;
mod terraform;
mod vault;
mod words;
mod workload;

use serde::Serialize;

use mayfly_admission::manifest::AdmittedPod;

pub use aws::{AssumedRole, AwsRole};
pub use subject::Subject;
pub use vault::VaultRole;
pub use workload::{AwsAccess, ExplainError, File, VaultAccess, Workload};

/// What a manifest's pods will get, and what has to be allowed for it.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// Each pod, or template of pods, that has an agent.
    pub workloads: Vec<Workload>,
    /// The roles of AWS that they read with.
    pub aws: Vec<AwsRole>,
    /// The roles of Vault that they log in to.
    pub vault: Vec<VaultRole>,
}

impl Explanation {
    /// The explanation of `pods`.
    pub fn of(pods: &[AdmittedPod]) -> Result<Self, ExplainError> {
        let workloads: Vec<Workload> = pods.iter().map(Workload::read).collect::<Result<_, _>>()?;
        let (aws, vault) = (aws::roles(&workloads), vault::roles(&workloads));
        Ok(Self { workloads, aws, vault })
    }

    /// The roles and policies as Terraform's resources.
    pub fn terraform(&self) -> String {
        terraform::render(self)
    }
}
