//! Who asks, with which token, and in which namespace.

use std::rc::Rc;

use super::{
    api::{Api, Landed},
    request::Request,
    standing::Standing,
    token::Token,
    verdict::{ApiError, Body},
};

/// The holder of a token before a server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) api: &'a Api,
    pub(super) token: &'a Rc<Token>,
    /// How they are called in a message.
    pub(super) who: &'a str,
    /// The namespace of what is asked for, if it is not the login's.
    pub(super) namespace: Option<&'a str>,
}

impl Asker<'_> {
    pub(super) async fn call(self, request: Request) -> Result<Body, ApiError> {
        self.api.call(request.within(self.namespace), Some(self.token.text())).await
    }

    /// Makes `what`, to the end, and once.
    pub(super) async fn make(self, what: &str, request: impl Fn() -> Request) -> Landed {
        loop {
            let request = request().within(self.namespace);
            let landed = self.api.make(what, request, Some(self.token.text())).await;
            // What was made for a token that has been replaced meanwhile ends with it.
            let is_ours = landed.token.as_ref().is_some_and(|it| it.as_str() == self.token.text());
            if is_ours || landed.result.is_err() {
                return landed;
            }
        }
    }

    pub(super) async fn standing(self) -> Standing {
        Standing::of(self.token.text(), self.api).await
    }
}
