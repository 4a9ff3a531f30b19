//! How a Vault token is had: one room for each auth method, one way to log in.
//!
//! A method knows what it shows to Vault and what a refusal of it means. It does not know how long
//! a token is used, or what for.

mod kubernetes;
mod token_file;

use std::{path::PathBuf, time::Duration};

use mayfly_spec::spec::{KubernetesAuth, VaultAuth};
use serde::Deserialize;

use super::api::{Api, ApiError};
use crate::{root::Root, secret::Secret, source::SourceError};

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
    /// The pod's service account.
    Kubernetes(KubernetesAuth),
    /// A token that somebody else has written.
    TokenFile(PathBuf),
}

impl Auth {
    pub(super) fn new(auth: VaultAuth, root: &Root) -> Self {
        match auth {
            VaultAuth::Kubernetes(auth) => {
                let token_file = root.resolve(&auth.token_file);
                Self::Kubernetes(KubernetesAuth { token_file, ..auth })
            }
            VaultAuth::TokenFile(path) => Self::TokenFile(root.resolve(&path)),
        }
    }

    /// How whoever logs in is called in a message.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Kubernetes(auth) => format!("role `{}`", auth.role),
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
            Self::Kubernetes(auth) => kubernetes::login(auth, api).await,
            Self::TokenFile(path) => token_file::login(path),
        }
    }
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
