//! The token that Vault is asked with: renewed before it ends, and replaced when that is no more
//! possible. While it is good it is used, whatever becomes of the search for the next.
//!
//! A token that was replaced is left to end by itself, because the leases that were taken with it
//! end with it, and the app may not have changed over yet.

use std::{
    cell::{Ref, RefCell},
    rc::Rc,
    time::Duration,
};

use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use tracing::warn;

use super::{
    api::Api,
    auth::Auth,
    error,
    request::Request,
    standing::Standing,
    surroundings::Surroundings,
    token::{Login, Token, Tokens},
    verdict::ApiError,
};
use crate::source::contract::SourceError;

/// How long a look waits for the next token while the present one is good.
const SOON: Duration = Duration::from_secs(2);

/// How tokens are had, and those that are held.
#[derive(Debug)]
pub(super) struct Session {
    auth: Auth,
    name: String,
    tokens: RefCell<Tokens>,
    /// Held while the next token is sought, so that there is one login however many wait.
    seeking: Mutex<()>,
    surroundings: Surroundings,
}

impl Session {
    /// A session that goes on with the tokens of an earlier run, if there are any.
    pub(super) fn new(auth: Auth, tokens: Tokens, surroundings: Surroundings) -> Self {
        let (tokens, seeking) = (RefCell::new(tokens), Mutex::default());
        Self { name: auth.name(), auth, tokens, seeking, surroundings }
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
    pub(super) fn tokens(&self) -> Ref<'_, Tokens> {
        self.tokens.borrow()
    }

    /// A token that holds for a while.
    pub(super) async fn token(&self, api: &Api) -> Result<Rc<Token>, SourceError> {
        if !self.auth.logs_in() {
            return self.log_in(api).await;
        }
        if let Some(token) = self.good() {
            let is_due = token.is_due(Instant::now());
            return Ok(if is_due { self.succeeded(token, api).await } else { token });
        }
        let _seeking = self.seeking.lock().await;
        match self.good() {
            Some(token) => Ok(token),
            None => self.log_in(api).await,
        }
    }

    fn good(&self) -> Option<Rc<Token>> {
        let now = Instant::now();
        self.tokens.borrow().held.clone().filter(|token| !token.is_over(now))
    }

    /// What follows a token that is due, or itself if that takes too long: it is still good.
    async fn succeeded(&self, token: Rc<Token>, api: &Api) -> Rc<Token> {
        let Ok(_seeking) = self.seeking.try_lock() else { return token };
        let now = Instant::now();
        match timeout(SOON, self.successor(&token, api)).await {
            Ok(Ok(next)) => return next,
            Ok(Err(fault)) => {
                warn!(error = fault.message, "no new token yet; the present one is used on");
                token.life.set(token.life.get().map(|life| life.postponed(now)));
            }
            Err(_) => {
                warn!("Vault takes long over a new token; the present one is used on");
                token.life.set(token.life.get().map(|life| life.resumed(now)));
            }
        }
        token
    }

    async fn successor(&self, token: &Rc<Token>, api: &Api) -> Result<Rc<Token>, SourceError> {
        if self.renew(token, api).await? {
            return Ok(token.clone());
        }
        self.log_in(api).await
    }

    /// Whether the token could be made to live on for a good while; an error if nobody has said.
    async fn renew(&self, token: &Token, api: &Api) -> Result<bool, SourceError> {
        let (asked, Some(life)) = (Instant::now(), token.life.get()) else { return Ok(true) };
        if !token.renewable {
            return Ok(false);
        }
        let granted = match api.call(Request::renew_self(), Some(token.text())).await {
            Ok(body) => Login::parse(&body).map(|login| login.lease).unwrap_or_default(),
            Err(ApiError::Status(refusal)) if matches!(refusal.status, 400 | 403 | 404) => {
                return Ok(false);
            }
            Err(error) => return Err(error::common(&error, "the renewal of the token")),
        };
        let renewed = life.renewed(granted, asked, self.surroundings.jitter());
        if renewed.is_some() {
            token.life.set(renewed);
        }
        Ok(renewed.is_some())
    }

    async fn log_in(&self, api: &Api) -> Result<Rc<Token>, SourceError> {
        let (login, asked) = self.auth.login(api).await?;
        let token = Token::of(login, asked, self.surroundings.jitter());
        let mut tokens = self.tokens.borrow_mut();
        // A file's token is read anew each time, but is mostly the same.
        if let Some(held) = tokens.held.as_ref().filter(|held| held.text() == token.text()) {
            return Ok(held.clone());
        }
        let token = Rc::new(token);
        tokens.replace(token.clone(), Instant::now());
        Ok(token)
    }

    /// Another token than `refused`, if there is one to be had. The token is asked about, and only
    /// one that Vault itself does not know any more is let go.
    pub(super) async fn instead_of(
        &self,
        refused: &Rc<Token>,
        api: &Api,
    ) -> Result<Option<Rc<Token>>, SourceError> {
        if self.auth.logs_in() && !self.has_lost(refused, api).await {
            return Ok(None);
        }
        let token = self.token(api).await?;
        Ok((token.text() != refused.text()).then_some(token))
    }

    /// Lets the token go if it is dead. Another that is held by now says as much.
    async fn has_lost(&self, refused: &Rc<Token>, api: &Api) -> bool {
        let _seeking = self.seeking.lock().await;
        let is_held = |held: &Rc<Token>| held.text() == refused.text();
        if !self.tokens.borrow().held.as_ref().is_some_and(is_held) {
            return true;
        }
        let is_dead = Standing::of(refused.text(), api).await == Standing::Dead;
        if is_dead {
            self.tokens.borrow_mut().held.take_if(|held| is_held(held));
        }
        is_dead
    }
}
