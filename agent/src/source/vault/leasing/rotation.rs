//! When a secret that Vault rotates is looked at again.
//!
//! PURE. Vault rotates on a tick of its own, some seconds after the time that it tells, and says 0
//! meanwhile: then it is looked at again within a second, and less and less often if the rotation
//! does not come.

use std::{collections::BTreeMap, time::Duration};

use mayfly_spec::Location;
use tokio::time::Instant;

/// A moment after a rotation, so that the new password is there when it is looked at.
const AFTER: Duration = Duration::from_secs(1);
/// Vault's tick is five seconds; until then the next look is a second away.
const TICK: Duration = Duration::from_secs(15);
/// As long as it is late by less than this, it is looked at every few seconds; then once an interval.
const PATIENCE: Duration = Duration::from_mins(5);
const PACE: Duration = Duration::from_secs(10);

/// Since when the rotations are late that are.
#[derive(Debug, Default)]
pub(super) struct Rotations(BTreeMap<Location, Instant>);

impl Rotations {
    /// When to look again at what Vault said at `now` has `left` until its rotation; none is once an
    /// interval.
    pub(super) fn due(
        &mut self,
        location: &Location,
        left: Duration,
        now: Instant,
    ) -> Option<Instant> {
        if !left.is_zero() {
            self.0.remove(location);
            return now.checked_add(left)?.checked_add(AFTER);
        }
        let since = *self.0.entry(location.clone()).or_insert(now);
        match now.saturating_duration_since(since) {
            late if late < TICK => Some(now + AFTER),
            late if late < PATIENCE => Some(now + PACE),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use mayfly_spec::Reference;

    use super::*;

    #[test]
    fn a_late_rotation_is_followed_closely_and_then_less() {
        let reference: Reference = "vault:database/static-creds/web".parse().expect("a reference");
        let (location, began) = (reference.location, Instant::now());
        let mut rotations = Rotations::default();
        let mut wait = |seconds, left| {
            let now = began + Duration::from_secs(seconds);
            let due = rotations.due(&location, Duration::from_secs(left), now);
            due.map(|due| (due - now).as_secs())
        };
        assert_eq!(wait(0, 37), Some(38));
        assert_eq!([38, 39, 44, 52].map(|at| wait(at, 0)), [1; 4].map(Some));
        assert_eq!([53, 300].map(|at| wait(at, 0)), [10; 2].map(Some));
        assert_eq!(wait(400, 0), None);
        assert_eq!(wait(500, 37), Some(38));
        assert_eq!(wait(538, 0), Some(1));
        assert_eq!(wait(540, u64::MAX), None);
    }
}
