//! The token that Vault is asked with: from a login with the pod's service account, or from a file.
#![expect(clippy::disallowed_methods, reason = "tokens are read from files, anew for every use")]

use std::{
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use mayfly_spec::spec::{KubernetesAuth, VaultAuth};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};
use vaultrs::api::auth::kubernetes::requests::LoginWithKubernetesRequest;

use super::{
    api::{Api, ApiError, RevokeSelf},
    error,
};
use crate::{
    fault::{Class, Fault},
    root::Root,
    secret::Secret,
    source::SourceError,
};

/// A token, and until when it is used.
#[derive(Debug)]
pub(super) struct Token {
    text: Secret,
    used_until: Option<Instant>,
}

impl Token {
    /// The token itself; [`usable`] has seen to it that it is text.
    pub(super) fn text(&self) -> &str {
        self.text.expose_text().unwrap_or_default()
    }
}

/// How tokens are had, and the one that is held.
#[derive(Debug)]
pub(super) struct Session {
    auth: VaultAuth,
    name: String,
    held: Mutex<Option<Rc<Token>>>,
}

impl Session {
    pub(super) fn new(auth: VaultAuth, root: &Root) -> Self {
        let auth = match auth {
            VaultAuth::Kubernetes(kubernetes) => {
                let token_file = root.resolve(&kubernetes.token_file);
                VaultAuth::Kubernetes(KubernetesAuth { token_file, ..kubernetes })
            }
            VaultAuth::TokenFile(path) => VaultAuth::TokenFile(root.resolve(&path)),
        };
        let name = match &auth {
            VaultAuth::Kubernetes(kubernetes) => format!("role `{}`", kubernetes.role),
            VaultAuth::TokenFile(path) => format!("the token in `{}`", path.display()),
        };
        Self { auth, name, held: Mutex::new(None) }
    }

    /// How whoever asks is called in a message.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A token that holds for a while. However many wait for a login, there is one.
    pub(super) async fn token(&self, api: &Api) -> Result<Rc<Token>, SourceError> {
        let mut held = self.held.lock().await;
        match (&self.auth, held.as_ref()) {
            (VaultAuth::TokenFile(path), _) => token_from(path).map(Rc::new),
            (_, Some(token)) if token.used_until.is_none_or(|end| Instant::now() < end) => {
                Ok(token.clone())
            }
            (VaultAuth::Kubernetes(kubernetes), _) => {
                let token = Rc::new(login(kubernetes, api).await?);
                *held = Some(token.clone());
                Ok(token)
            }
        }
    }

    /// Another token than `refused`, if there is one to be had. One that has just been made is
    /// refused for good.
    pub(super) async fn instead_of(
        &self,
        refused: &Rc<Token>,
        api: &Api,
    ) -> Result<Option<Rc<Token>>, SourceError> {
        if let VaultAuth::Kubernetes(_) = self.auth {
            let mut held = self.held.lock().await;
            if held.as_ref().is_some_and(|held| Rc::ptr_eq(held, refused)) {
                *held = None;
            }
        }
        let token = self.token(api).await?;
        Ok((token.text() != refused.text()).then_some(token))
    }

    /// Ends the token of our own login. A file's token belongs to whoever wrote the file.
    pub(super) async fn revoke(&self, api: &Api) -> Result<(), ApiError> {
        match self.held.lock().await.take() {
            Some(token) => api.call(RevokeSelf, Some(&token)).await.map(drop),
            None => Ok(()),
        }
    }
}

async fn login(kubernetes: &KubernetesAuth, api: &Api) -> Result<Token, SourceError> {
    let service_account = token_from(&kubernetes.token_file)?;
    let request = LoginWithKubernetesRequest {
        mount: kubernetes.mount.clone(),
        role: kubernetes.role.clone(),
        jwt: service_account.text().to_owned(),
    };
    let started = Instant::now();
    let refused = |error: ApiError| {
        let fault = error::login(&error, kubernetes, api.address());
        // A server may quote what it was sent.
        Fault::new(fault.class, fault.message.replace(service_account.text(), "…"))
    };
    let body = api.call(request, None).await.map_err(refused)?;
    let garbage = || error::login(&ApiError::Garbage, kubernetes, api.address());
    let Login { auth } = serde_json::from_slice(&body).map_err(|_| garbage())?;
    let text = usable(auth.client_token).ok_or_else(garbage)?;
    Ok(Token { text, used_until: end_of_use(auth.lease_duration).map(|span| started + span) })
}

#[derive(Deserialize)]
struct Login {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: String,
    #[serde(default)]
    lease_duration: u64,
}

/// Two thirds of a token's life; one without an end is used until it is refused.
fn end_of_use(seconds: u64) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds) * 2 / 3)
}

/// The file's token, without the newline that editors add.
fn token_from(path: &Path) -> Result<Token, SourceError> {
    let refused = |reason: &dyn std::fmt::Display| {
        let path: PathBuf = path.to_owned();
        Fault::new(
            Class::Refused,
            format_args!("the token in `{}` cannot be used: {reason}", path.display()),
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| refused(&error))?;
    let text = Secret::from(text);
    let trimmed = text.expose_text().unwrap_or_default().trim().to_owned();
    let text =
        usable(trimmed).ok_or_else(|| refused(&"the file is empty or holds more than a token"))?;
    Ok(Token { text, used_until: None })
}

/// A token is one word of visible ASCII; anything else could not be sent as a header.
fn usable(text: String) -> Option<Secret> {
    let is_word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let text = Secret::from(text);
    is_word.then_some(text)
}
