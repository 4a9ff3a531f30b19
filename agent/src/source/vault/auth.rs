//! How a Vault token is had: one room for each auth method, one way to log in.
//!
//! A method knows what it shows to Vault and what a refusal of it means. It does not know how long
//! a token is used, or what for.

mod approle;
mod attempt;
mod aws;
mod bearer;
mod cert;
mod method;
mod refusal;
mod token_file;
mod wrapping;

use std::path::PathBuf;

use mayfly_spec::spec::{CertAuth, VaultAuth};
use tokio::time::Instant;

use super::{api::Api, token::Login};
use crate::{
    fault::{Class, Fault},
    root::Root,
    source::{aws::Prover, contract::SourceError},
};
use approle::AppRole;
use aws::Aws;
use bearer::Bearer;

/// A token, and when it was asked for.
type Granted = (Login, Instant);

/// A way to log in, its files below the root.
#[derive(Debug)]
pub(super) enum Auth {
    /// A token that says who the pod is.
    Bearer(Bearer),
    /// An AWS identity.
    Aws(Aws),
    /// A role id and a secret id.
    AppRole(AppRole),
    /// The connection's client certificate.
    Cert(CertAuth),
    /// A token that somebody else has written.
    TokenFile(PathBuf),
}

impl Auth {
    /// `prover` shows who the pod is for AWS, if it is anybody there.
    pub(super) fn new(
        auth: VaultAuth,
        root: &Root,
        prover: Option<Prover>,
    ) -> Result<Self, SourceError> {
        Ok(match auth {
            VaultAuth::Kubernetes(auth) => Self::Bearer(Bearer::kubernetes(auth, root)),
            VaultAuth::Jwt(auth) => Self::Bearer(Bearer::jwt(auth, root)),
            VaultAuth::Aws(auth) => Self::Aws(Aws::new(auth, prover.ok_or_else(nobody)?)),
            VaultAuth::Approle(auth) => Self::AppRole(AppRole::new(auth, root)?),
            VaultAuth::Cert(auth) => Self::Cert(auth),
            VaultAuth::TokenFile(path) => Self::TokenFile(root.resolve(&path)),
        })
    }

    /// How whoever logs in is called in a message.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Bearer(bearer) => bearer.name(),
            Self::Aws(aws) => aws.name(),
            Self::AppRole(role) => role.name(),
            Self::Cert(auth) => cert::name(auth),
            Self::TokenFile(path) => format!("the token in `{}`", path.display()),
        }
    }

    /// Whether the tokens come from logins of our own, and so end with us. A file's token belongs
    /// to whoever wrote the file, and is read anew for every use.
    pub(super) fn logs_in(&self) -> bool {
        !matches!(self, Self::TokenFile(_))
    }

    /// A token, by a call or from a file.
    pub(super) async fn login(&self, api: &Api) -> Result<Granted, SourceError> {
        match self {
            Self::Bearer(bearer) => bearer.login(api).await,
            Self::Aws(aws) => aws.login(api).await,
            Self::AppRole(role) => role.login(api).await,
            Self::Cert(auth) => cert::login(auth, api).await,
            Self::TokenFile(path) => Ok((token_file::login(path)?, Instant::now())),
        }
    }
}

fn nobody() -> SourceError {
    Fault::new(
        Class::Configuration,
        "`vault.auth.aws` needs an AWS identity; give the section `aws`",
    )
}
