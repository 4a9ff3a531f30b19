//! The end of a pod: nothing that was taken for its life outlives it.

use std::{rc::Rc, time::Duration};

use mayfly_spec::Location;
use tokio::time::{Instant, timeout};
use tracing::warn;

use super::{
    Vault,
    api::Landed,
    lease::{self, Lease},
    request::Request,
    token::{Login, Token},
};
use crate::source::contract::Leased;

/// The end of a container is near; it may not take longer.
const LIMIT: Duration = Duration::from_secs(5);
/// An answer that is near is waited for, so that what it brings can be given back.
const LANDING: Duration = Duration::from_secs(1);

impl Vault {
    /// Gives back what was taken for the pod's life, as far as that is possible in a short time.
    /// What is leased and stays keeps its token.
    pub(in crate::source) async fn give_back(&self, leased: Leased) {
        if timeout(LIMIT, self.revoke(leased)).await != Ok(true) {
            warn!("not everything could be given back to Vault; it ends by itself");
        }
    }

    /// Ends the tokens of our own logins, and with them their leases; of other tokens the leases.
    async fn revoke(&self, leased: Leased) -> bool {
        let mut done = self.revoke_unclaimed().await;
        let tokens: Vec<Rc<Token>> = self.session.tokens().iter().cloned().collect();
        let now = Instant::now();
        let alive = tokens.iter().filter(|token| !token.is_over(now));
        let (ending, staying): (Vec<&Rc<Token>>, Vec<_>) =
            alive.partition(|token| leased == Leased::Ends || self.ids(token).is_empty());
        for token in ending {
            if self.session.logs_in() && token.is_kept() {
                done &= self.end(Request::revoke_self(), token.text()).await;
                continue;
            }
            for (id, namespace) in self.ids(token) {
                let request = Request::revoke_lease(&id).within(namespace.as_deref());
                done &= self.end(request, token.text()).await;
            }
        }
        if staying.is_empty() {
            self.state.remove();
        }
        done
    }

    /// Ends what was made for a look that did not wait for it.
    async fn revoke_unclaimed(&self) -> bool {
        let mut done = true;
        for Landed { token, result, .. } in self.api.land(LANDING).await {
            let Ok(body) = result else { continue };
            if let (None, Ok(login)) = (&token, Login::parse(&body)) {
                let token = login.token.expose_text().unwrap_or_default();
                done &= self.end(Request::revoke_self(), token).await;
            }
            if let (Some(token), Some(id)) = (token, lease::id(&body)) {
                done &= self.end(Request::revoke_lease(&id), &token).await;
            }
        }
        done
    }

    async fn end(&self, request: Request, token: &str) -> bool {
        self.api.call(request, Some(token)).await.is_ok()
    }

    /// The leases of `token`, each with its namespace.
    fn ids(&self, token: &Token) -> Vec<(String, Option<String>)> {
        let leases = self.leasing.leases();
        let of_token = leases.iter().filter(|(_, lease)| lease.is_of(token));
        let named = |(location, lease): (&Location, &Lease)| {
            Some((lease.id.clone()?, location.vault_namespace().map(str::to_owned)))
        };
        of_token.filter_map(named).collect()
    }
}
