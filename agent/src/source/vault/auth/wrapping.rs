//! A secret id that comes wrapped: a token in a file can be exchanged for it, once.
//!
//! Whoever exchanges it first has the secret id. So before ours is exchanged, Vault is asked where it
//! was made, because somebody who took it could have left one of his own; and one that has been exchanged
//! already is told as what it may be.

use std::{cell::RefCell, path::PathBuf, rc::Rc};

use serde::Deserialize;

use super::token_file;
use crate::{
    digest,
    fault::{Class, Fault, quoted},
    secret::Secret,
    source::{
        contract::SourceError,
        vault::{api::Api, error, request::Request, token::word, verdict::ApiError},
    },
};

/// The file of a wrapping token, and what the last one held.
#[derive(Debug)]
pub(super) struct Wrapped {
    path: PathBuf,
    made_at: String,
    held: RefCell<Option<Held>>,
}

/// A secret id, and the token that it was wrapped in.
#[derive(Debug)]
struct Held {
    token: Secret,
    secret_id: Rc<Secret>,
}

impl Wrapped {
    pub(super) fn new(path: PathBuf, made_at: &str) -> Self {
        let made_at = made_at.trim_matches('/').to_owned();
        Self { path, made_at, held: RefCell::default() }
    }

    /// The secret id: the one at hand, unless the file has another token, or none any more.
    pub(super) async fn secret_id(&self, api: &Api) -> Result<Rc<Secret>, SourceError> {
        let token = token_file::read_as("the wrapping token", &self.path);
        if let Some(held) = &*self.held.borrow() {
            match &token {
                Ok(token) if token.expose() != held.token.expose() => {}
                _ => return Ok(held.secret_id.clone()),
            }
        }
        let token = token?;
        self.check(&token, api).await?;
        let secret_id = Rc::new(self.unwrap(&token, api).await?);
        *self.held.borrow_mut() = Some(Held { token, secret_id: secret_id.clone() });
        Ok(secret_id)
    }

    /// Asks where the token was made. That does not use it up.
    async fn check(&self, token: &Secret, api: &Api) -> Result<(), SourceError> {
        let fault = |error: ApiError| self.fault(&error);
        let request = Request::look_up_wrapping(token.expose_text().unwrap_or_default());
        let body = api.call(request, None).await.map_err(fault)?;
        let Answer { data: Made { creation_path } } =
            serde_json::from_slice(&body).map_err(|_| fault(ApiError::Garbage))?;
        if creation_path.trim_matches('/') == self.made_at {
            return Ok(());
        }
        let words = format!(
            "the wrapping token in `{}` was made at `{}`, not at `{}`; it was not unwrapped, because somebody may have \
             exchanged it for another: find out who wrote it, revoke the role's secret ids, or correct `wrapping-path`",
            self.path.display(),
            quoted(&creation_path),
            self.made_at
        );
        Err(Fault::new(Class::Refused, words))
    }

    async fn unwrap(&self, token: &Secret, api: &Api) -> Result<Secret, SourceError> {
        let fault = |error: ApiError| self.fault(&error);
        let shown = token.expose_text().unwrap_or_default();
        // It works once, so that an answer which nobody waited for is taken the next time.
        let what = format!("unwrap {}", digest::hex(token.expose(), 16));
        let body = api.make(&what, Request::unwrap(), Some(shown)).await.result.map_err(fault)?;
        let answer: Answer<Issued> =
            serde_json::from_slice(&body).map_err(|_| fault(ApiError::Garbage))?;
        word(answer.data.secret_id).ok_or_else(|| fault(ApiError::Garbage))
    }

    fn fault(&self, error: &ApiError) -> SourceError {
        let path = self.path.display();
        match error {
            // Vault's words for one that has been used up and for one that never was are the same.
            ApiError::Status(refusal) if matches!(refusal.status, 400 | 403 | 404) => {
                let words = format!(
                    "the wrapping token in `{path}` is not valid any more: it has ended, or somebody has unwrapped it. If that \
                     was not this agent before it was started anew, the secret id may have been intercepted: revoke the role's \
                     secret ids and look for `sys/wrapping/unwrap` in Vault's audit log; then write a new wrapping token to the file"
                );
                Fault::new(Class::Refused, words)
            }
            other => error::common(other, &format!("the wrapping token in `{path}`")),
        }
    }
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Made {
    creation_path: String,
}

#[derive(Deserialize)]
struct Issued {
    secret_id: String,
}
