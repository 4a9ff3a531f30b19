//! The end of a pod: nothing that was taken for its life outlives it.

use std::time::Duration;

use tokio::time::timeout;
use tracing::warn;

use super::{Vault, request::Request, session::Token};

/// The end of a container is near; it may not take longer.
const LIMIT: Duration = Duration::from_secs(5);

impl Vault {
    /// Gives back what was taken for the pod's life, as far as that is possible in a short time.
    pub(in crate::source) async fn give_back(&self) {
        if timeout(LIMIT, self.revoke()).await != Ok(true) {
            warn!("not everything could be given back to Vault; it ends by itself");
        }
        self.state.remove();
    }

    /// Ends the tokens of our own logins, and with them their leases; of other tokens the leases.
    async fn revoke(&self) -> bool {
        let tokens = self.session.tokens().await;
        let mut done = true;
        for token in tokens.iter() {
            if self.session.logs_in() && token.is_kept() {
                done &= self.api.call(Request::revoke_self(), Some(token)).await.is_ok();
                continue;
            }
            for id in self.ids(token) {
                done &= self.api.call(Request::revoke_lease(&id), Some(token)).await.is_ok();
            }
        }
        done
    }

    fn ids(&self, token: &Token) -> Vec<String> {
        let leases = self.leases.borrow();
        leases.values().filter(|lease| lease.is_of(token)).filter_map(|it| it.id.clone()).collect()
    }
}
