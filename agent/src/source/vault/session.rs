//! The token that Vault is asked with: renewed before it ends, and replaced when that is no more
//! possible.
//!
//! A token that was replaced is left to end by itself, because the leases that were taken with it
//! end with it, and the app may not have changed over yet.

use std::{rc::Rc, time::Duration};

use tokio::{
    sync::{Mutex, MutexGuard},
    time::Instant,
};
use tracing::warn;

use super::{
    api::{Api, ApiError},
    auth::{Auth, Login},
    request::Request,
    token::{Token, Tokens},
};
use crate::source::{contract::SourceError, vault::error};

/// How tokens are had, and those that are held.
#[derive(Debug)]
pub(super) struct Session {
    auth: Auth,
    name: String,
    tokens: Mutex<Tokens>,
}

impl Session {
    /// A session that goes on with the tokens of an earlier run, if there are any.
    pub(super) fn new(auth: Auth, tokens: Tokens) -> Self {
        Self { name: auth.name(), auth, tokens: Mutex::new(tokens) }
    }

    /// How whoever asks is called in a message.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the tokens are of our own logins.
    pub(super) fn logs_in(&self) -> bool {
        self.auth.logs_in()
    }

    /// The tokens that are held.
    pub(super) async fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().await
    }

    /// A token that holds for a while. However many wait for a login, there is one.
    pub(super) async fn token(&self, api: &Api) -> Result<Rc<Token>, SourceError> {
        let mut tokens = self.tokens.lock().await;
        let Some(token) = tokens.held.clone().filter(|_| self.auth.logs_in()) else {
            return self.log_in(&mut tokens, api).await;
        };
        let now = Instant::now();
        if !token.is_due(now) || renew(&token, api).await {
            return Ok(token);
        }
        match self.log_in(&mut tokens, api).await {
            Err(fault) if !token.is_over(now) => {
                warn!(error = fault.message, "no new token yet; the present one is used on");
                token.life.set(token.life.get().map(|life| life.postponed(now)));
                Ok(token)
            }
            other => other,
        }
    }

    async fn log_in(&self, tokens: &mut Tokens, api: &Api) -> Result<Rc<Token>, SourceError> {
        let asked = Instant::now();
        let token = Token::of(self.auth.login(api).await?, asked, fastrand::f64());
        // A file's token is read anew each time, but is mostly the same.
        if let Some(held) = tokens.held.as_ref().filter(|held| held.text() == token.text()) {
            return Ok(held.clone());
        }
        let token = Rc::new(token);
        tokens.replace(token.clone(), Instant::now());
        Ok(token)
    }

    /// Another token than `refused`, if there is one to be had. Vault says "permission denied" of a
    /// path that may not be read as it does of a token that is no more; so the token is asked
    /// about, and one that is alive is refused for good.
    pub(super) async fn instead_of(
        &self,
        refused: &Rc<Token>,
        api: &Api,
    ) -> Result<Option<Rc<Token>>, SourceError> {
        if self.auth.logs_in() {
            if self.is_alive(refused, api).await? {
                return Ok(None);
            }
            let mut tokens = self.tokens.lock().await;
            tokens.held.take_if(|held| Rc::ptr_eq(held, refused));
        }
        let token = self.token(api).await?;
        Ok((token.text() != refused.text()).then_some(token))
    }

    /// Whether Vault still knows the token.
    pub(super) async fn is_alive(&self, token: &Token, api: &Api) -> Result<bool, SourceError> {
        match api.call(Request::look_up_self(), Some(token)).await {
            Ok(_) => Ok(true),
            Err(ApiError::Status(refusal)) if refusal.status == 403 => Ok(false),
            Err(error) => Err(error::common(&error, "the token's own standing")),
        }
    }
}

/// Whether the token could be made to live on for a good while.
async fn renew(token: &Token, api: &Api) -> bool {
    let (asked, Some(life)) = (Instant::now(), token.life.get()) else { return true };
    if !token.renewable || life.is_over(asked) {
        return false;
    }
    let granted: Duration = match api.call(Request::renew_self(), Some(token)).await {
        Ok(body) => Login::parse(&body).map(|login| login.lease).unwrap_or_default(),
        Err(_) => return false,
    };
    let renewed = life.renewed(granted, asked, fastrand::f64());
    if renewed.is_some() {
        token.life.set(renewed);
    }
    renewed.is_some()
}
