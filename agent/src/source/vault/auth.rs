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
mod token_file;
mod wrapping;

use std::{path::PathBuf, time::Duration};

use mayfly_spec::spec::{CertAuth, VaultAuth};
use serde::Deserialize;

use super::api::{Api, ApiError};
use crate::{
    fault::{Class, Fault},
    root::Root,
    secret::Secret,
    source::{SourceError, aws::Prover},
};
use approle::AppRole;
use aws::Aws;
use bearer::Bearer;

pub(super) use method::Method;

/// A token as Vault gives it.
#[derive(Debug)]
pub(super) struct Login {
    /// The token itself: one word.
    pub(super) token: Secret,
    /// How long it lives; zero is without end, or unknown.
    pub(super) lease: Duration,
    /// Whether it can be made to live longer.
    pub(super) renewable: bool,
}

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
    pub(super) async fn login(&self, api: &Api) -> Result<Login, SourceError> {
        match self {
            Self::Bearer(bearer) => bearer.login(api).await,
            Self::Aws(aws) => aws.login(api).await,
            Self::AppRole(role) => role.login(api).await,
            Self::Cert(auth) => cert::login(auth, api).await,
            Self::TokenFile(path) => token_file::login(path),
        }
    }
}

fn nobody() -> SourceError {
    Fault::new(
        Class::Configuration,
        "`vault.auth.aws` needs an AWS identity; give the section `aws`",
    )
}

impl Login {
    /// From the answer to a login or a renewal.
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        #[derive(Deserialize)]
        struct Answer {
            auth: Granted,
        }
        #[derive(Deserialize)]
        struct Granted {
            client_token: String,
            #[serde(default)]
            lease_duration: u64,
            #[serde(default)]
            renewable: bool,
        }
        let Answer { auth } = serde_json::from_slice(body).map_err(|_| ApiError::Garbage)?;
        let token = word(auth.client_token).ok_or(ApiError::Garbage)?;
        let lease = Duration::from_secs(auth.lease_duration);
        Ok(Self { token, lease, renewable: auth.renewable })
    }
}

/// A token is one word of visible ASCII; anything else could not be sent as a header.
fn word(text: String) -> Option<Secret> {
    let is_word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let text = Secret::from(text);
    is_word.then_some(text)
}
