//! The token that Vault is asked with, and until when it is used.

use std::{rc::Rc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use super::{
    api::{Api, ApiError, RevokeSelf},
    auth::{Auth, Login},
};
use crate::{secret::Secret, source::SourceError};

/// A token, and until when it is used.
#[derive(Debug)]
pub(super) struct Token {
    text: Secret,
    used_until: Option<Instant>,
}

impl Token {
    fn new(Login { token, lease }: Login, asked: Instant) -> Self {
        Self { text: token, used_until: end_of_use(lease).map(|span| asked + span) }
    }

    /// One that is good for a single call.
    pub(super) fn wrapping(text: Secret) -> Self {
        Self { text, used_until: None }
    }

    /// The token itself: one word.
    pub(super) fn text(&self) -> &str {
        self.text.expose_text().unwrap_or_default()
    }
}

/// How tokens are had, and the one that is held.
#[derive(Debug)]
pub(super) struct Session {
    auth: Auth,
    name: String,
    held: Mutex<Option<Rc<Token>>>,
}

impl Session {
    pub(super) fn new(auth: Auth) -> Self {
        Self { name: auth.name(), auth, held: Mutex::new(None) }
    }

    /// How whoever asks is called in a message.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A token that holds for a while. However many wait for a login, there is one.
    pub(super) async fn token(&self, api: &Api) -> Result<Rc<Token>, SourceError> {
        let mut held = self.held.lock().await;
        let now = Instant::now();
        let holds = |token: &Rc<Token>| token.used_until.is_none_or(|end| now < end);
        if let Some(token) = held.clone().filter(|token| self.auth.logs_in() && holds(token)) {
            return Ok(token);
        }
        let token = Rc::new(Token::new(self.auth.login(api).await?, now));
        *held = Some(token.clone());
        Ok(token)
    }

    /// Another token than `refused`, if there is one to be had. One that has just been made is
    /// refused for good.
    pub(super) async fn instead_of(
        &self,
        refused: &Rc<Token>,
        api: &Api,
    ) -> Result<Option<Rc<Token>>, SourceError> {
        {
            let mut held = self.held.lock().await;
            if held.as_ref().is_some_and(|held| Rc::ptr_eq(held, refused)) {
                *held = None;
            }
        }
        let token = self.token(api).await?;
        Ok((token.text() != refused.text()).then_some(token))
    }

    /// Ends the token of our own login.
    pub(super) async fn revoke(&self, api: &Api) -> Result<(), ApiError> {
        match self.held.lock().await.take() {
            Some(token) if self.auth.logs_in() => {
                api.call(RevokeSelf, Some(&token)).await.map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// Two thirds of a token's life; one without an end is used until it is refused.
fn end_of_use(lease: Duration) -> Option<Duration> {
    (!lease.is_zero()).then(|| lease * 2 / 3)
}
