//! The end of a pod: nothing that was taken for its life outlives it.

use std::{rc::Rc, time::Duration};

use tokio::time::{Instant, timeout};
use tracing::warn;

use super::{Vault, request::Request, token::Token};
use crate::source::contract::Leased;

/// The end of a container is near; it may not take longer.
const LIMIT: Duration = Duration::from_secs(5);

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
        let tokens = self.session.tokens().await;
        let now = Instant::now();
        let alive = tokens.iter().filter(|token| !token.is_over(now));
        let (ending, staying): (Vec<&Rc<Token>>, Vec<_>) =
            alive.partition(|token| leased == Leased::Ends || self.ids(token).is_empty());
        let mut done = true;
        for token in ending {
            if self.session.logs_in() && token.is_kept() {
                done &= self.api.call(Request::revoke_self(), Some(token)).await.is_ok();
                continue;
            }
            for id in self.ids(token) {
                done &= self.api.call(Request::revoke_lease(&id), Some(token)).await.is_ok();
            }
        }
        if staying.is_empty() {
            self.state.remove();
        }
        done
    }

    fn ids(&self, token: &Token) -> Vec<String> {
        let leases = self.leases.borrow();
        leases.values().filter(|lease| lease.is_of(token)).filter_map(|it| it.id.clone()).collect()
    }
}
