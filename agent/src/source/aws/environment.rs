//! What the agent's own environment says of AWS, as it was read.

use std::path::PathBuf;

use mayfly_spec::spec::Workload;

/// What EKS's webhook, and ours, put into the agent's own environment; and outside a pod where the
/// AWS CLI's files are.
#[derive(Debug, Clone, Default)]
pub struct AwsEnvironment {
    /// `AWS_ROLE_ARN`.
    pub role_arn: Option<String>,
    /// `AWS_WEB_IDENTITY_TOKEN_FILE`.
    pub token_file: Option<PathBuf>,
    /// `AWS_REGION`, else `AWS_DEFAULT_REGION`.
    pub region: Option<String>,
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    pub credentials_uri: Option<String>,
    /// `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
    pub credentials_token_file: Option<PathBuf>,
    /// The AWS CLI's files: `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`, else those in
    /// `~/.aws`.
    pub profile_files: Vec<PathBuf>,
    /// The pod's namespace and name, for the session's name.
    pub pod: Option<(String, String)>,
    /// The pod's service account.
    pub service_account: Option<String>,
}

impl AwsEnvironment {
    /// For whom values are sealed that a pod may open; its own, and nobody else's.
    pub fn workload(&self) -> Option<Workload> {
        let ((namespace, _), service_account) =
            self.pod.clone().zip(self.service_account.clone())?;
        Some(Workload { namespace, service_account })
    }
}
