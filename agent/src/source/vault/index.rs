//! How far a server's storage was when it answered last, which the next node is told.
//!
//! PURE. The header `X-Vault-Index` is of Vault Enterprise's performance standbys and OpenBao's. A
//! node that is behind answers 412; one that never comes so far (its storage was restored from an
//! older copy) would do so for ever, and so what is not reached for a minute is forgotten.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use tokio::time::Instant;

pub(super) const INDEX: HeaderName = HeaderName::from_static("x-vault-index");

/// How long a node may need to come so far.
const PATIENCE: Duration = Duration::from_mins(1);

/// The newest state of the storage that an answer has told of.
#[derive(Debug, Default)]
pub(super) struct Index {
    known: Option<HeaderValue>,
    /// Since when nobody has come so far.
    missed: Option<Instant>,
}

impl Index {
    /// What the next request says.
    pub(super) fn known(&self) -> Option<&HeaderValue> {
        self.known.as_ref()
    }

    /// A node answered at `now`, and perhaps told how far it is.
    pub(super) fn note(&mut self, told: Option<&HeaderValue>, is_behind: bool, now: Instant) {
        if is_behind {
            let since = *self.missed.get_or_insert(now);
            if now.saturating_duration_since(since) >= PATIENCE {
                *self = Self::default();
            }
            return;
        }
        self.missed = None;
        if let Some(told) = told {
            self.known = Some(told.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_node_reaches_is_forgotten_after_a_minute() {
        let told = HeaderValue::from_static("1");
        let (mut index, now) = (Index::default(), Instant::now());
        index.note(Some(&told), false, now);
        index.note(None, true, now + Duration::from_secs(5));
        index.note(None, true, now + Duration::from_secs(64));
        assert_eq!(index.known(), Some(&told));
        index.note(None, false, now + Duration::from_secs(64));
        index.note(None, true, now + Duration::from_secs(70));
        assert_eq!(index.known(), Some(&told), "it was reached meanwhile");
        index.note(None, true, now + Duration::from_secs(130));
        assert_eq!(index.known(), None);
    }
}
