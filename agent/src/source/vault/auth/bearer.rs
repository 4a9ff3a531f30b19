//! The Kubernetes and the JWT auth method: a token in a file says who the pod is.

use std::path::PathBuf;

use mayfly_spec::spec::{JwtAuth, KubernetesAuth};

use super::{Granted, attempt::Attempt, method::Method, token_file};
use crate::{
    root::Root,
    source::{contract::SourceError, vault::api::Api},
};

/// A role, and the token that is shown for it.
#[derive(Debug)]
pub(in crate::source::vault) struct Bearer {
    method: Method,
    role: String,
    mount: String,
    token_file: PathBuf,
}

impl Bearer {
    pub(super) fn kubernetes(auth: KubernetesAuth, root: &Root) -> Self {
        let KubernetesAuth { role, mount, token_file } = auth;
        Self { method: Method::Kubernetes, role, mount, token_file: root.resolve(&token_file) }
    }

    pub(super) fn jwt(auth: JwtAuth, root: &Root) -> Self {
        let JwtAuth { role, mount, token_file } = auth;
        Self { method: Method::Jwt, role, mount, token_file: root.resolve(&token_file) }
    }

    pub(super) fn name(&self) -> String {
        format!("role `{}`", self.role)
    }

    /// Reads the token anew, because the kubelet rotates it.
    pub(super) async fn login(&self, api: &Api) -> Result<Granted, SourceError> {
        let token = token_file::read(&self.token_file)?;
        let attempt = Attempt {
            method: self.method,
            mount: &self.mount,
            who: self.name(),
            open: vec![("role", &self.role)],
            shown: vec![("jwt", &token)],
        };
        attempt.make(api).await
    }
}
