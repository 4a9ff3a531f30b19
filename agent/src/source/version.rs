//! Which version of a secret was read, and whether one may follow another.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// How long an older version must be answered before it is believed.
///
/// A backend that is only catching up is done within seconds; a person who moves a version back, or
/// restores a backend from a snapshot, wants the old one, and gets it a minute later.
const PATIENCE: Duration = Duration::from_mins(1);

/// A version as its backend names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Version {
    /// Its name: a number of KV v2, an id of Secrets Manager.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "version")]
    pub id: Option<String>,
    /// When it was made, if the backend says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// Whether it was read from a region that stands in for the secret's own.
    #[serde(skip)]
    stands_in: bool,
}

/// How versions of one reference follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Following {
    /// The newest is asked for: an older one is doubted for a while.
    Newest,
    /// What a label or a stage is at: people move it back, and mean it.
    Label,
}

/// An answer that is older than what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Regression {
    /// When it is believed, if it still is the answer then; never, where another region answers.
    pub believed: Option<SystemTime>,
}

impl Version {
    /// A version with a number.
    pub fn numbered(number: u64, created: Option<SystemTime>) -> Self {
        Self { id: Some(number.to_string()), ..Self::named(None, created) }
    }

    /// A version with an id that says nothing about order.
    pub fn named(id: Option<String>, created: Option<SystemTime>) -> Self {
        Self { id, created: created.map(Timestamp::from), stands_in: false }
    }

    /// The same version, read from a region that stands in for the secret's own, or not.
    #[must_use]
    pub fn of_stand_in(self, stands_in: bool) -> Self {
        Self { stands_in, ..self }
    }

    fn number(&self) -> Option<u64> {
        self.id.as_ref()?.parse().ok()
    }

    /// Whether `next` may replace this one; `seen` is when an older one was first answered.
    ///
    /// By their numbers, unless the secret was made anew since, and then its version is younger;
    /// without numbers by their dates. An older one is believed after [`PATIENCE`]. A region that
    /// stands in for another may lag behind for longer, and is never believed so.
    pub fn admits(
        &self,
        next: &Self,
        following: Following,
        seen: SystemTime,
        now: SystemTime,
    ) -> Result<(), Regression> {
        if !self.is_newer_than(next) || following == Following::Label && !next.stands_in {
            return Ok(());
        }
        let believed = (!next.stands_in).then(|| seen.checked_add(PATIENCE)).flatten();
        match believed {
            Some(believed) if believed <= now => Ok(()),
            believed => Err(Regression { believed }),
        }
    }

    fn is_newer_than(&self, next: &Self) -> bool {
        let created = self.created.zip(next.created);
        let is_made_anew = created.is_some_and(|(held, next)| next > held);
        self.id != next.id
            && match (self.number(), next.number()) {
                (Some(held), Some(next)) => next < held && !is_made_anew,
                _ => created.is_some_and(|(held, next)| next < held),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(second)
    }

    fn admits(held: &Version, next: &Version, waited: u64) -> bool {
        held.admits(next, Following::Newest, at(1000), at(1000 + waited)).is_ok()
    }

    #[test]
    fn an_older_number_is_believed_after_a_minute() {
        let [one, two] =
            [(1, 10), (2, 20)].map(|(number, second)| Version::numbered(number, Some(at(second))));
        assert!(admits(&one, &two, 0) && admits(&two, &two, 0));
        assert!(!admits(&two, &one, 0) && !admits(&two, &one, 59) && admits(&two, &one, 60));
        let of_the_same_second = Version::numbered(1, Some(at(20)));
        assert!(!admits(&two, &of_the_same_second, 0));
        let refused = two.admits(&one, Following::Newest, at(1000), at(1000));
        assert_eq!(refused, Err(Regression { believed: Some(at(1060)) }));
    }

    #[test]
    fn a_secret_that_was_made_anew_begins_at_one_again() {
        let old = Version::numbered(7, Some(at(20)));
        assert!(admits(&old, &Version::numbered(1, Some(at(30))), 0));
    }

    #[test]
    fn an_older_id_is_believed_after_a_minute_too() {
        let id = |id: &str, second| Version::named(Some(id.to_owned()), Some(at(second)));
        let (old, new) = (id("a", 10), id("b", 20));
        assert!(admits(&old, &new, 0));
        assert!(!admits(&new, &old, 0) && !admits(&new, &old, 59));
        assert!(admits(&new, &old, 60));
    }

    #[test]
    fn what_a_label_is_moved_to_is_believed_at_once() {
        let [one, two] = [1, 2].map(|number| Version::numbered(number, None));
        assert!(two.admits(&one, Following::Label, at(1000), at(1000)).is_ok());
        let elsewhere = one.of_stand_in(true);
        assert!(two.admits(&elsewhere, Following::Label, at(1000), at(1000)).is_err());
    }

    #[test]
    fn an_older_id_of_a_stand_in_is_never_believed() {
        let id = |id: &str, second| Version::named(Some(id.to_owned()), Some(at(second)));
        let (old, new) = (id("a", 10).of_stand_in(true), id("b", 20));
        assert!(!admits(&new, &old, 0) && !admits(&new, &old, 100_000));
        assert!(admits(&old, &new, 0) && admits(&new, &new.clone().of_stand_in(true), 0));
    }

    #[test]
    fn what_has_no_version_is_always_admitted() {
        assert!(admits(&Version::default(), &Version::default(), 0));
    }

    proptest::proptest! {
        /// Whatever dates there are: nothing overflows, and the newer is always admitted.
        #[test]
        fn any_dates_are_compared(held: u64, next: u64, seconds in proptest::array::uniform4(0..u64::MAX / 4)) {
            let [made, made_next, seen, now] = seconds.map(|second| {
                SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(second)).unwrap_or_else(|| at(second >> 32))
            });
            let (held, next) = (Version::numbered(held, Some(made)), Version::numbered(next, Some(made_next)));
            for (older, newer) in [(&held, &next), (&next, &held)] {
                let forward = older.admits(newer, Following::Newest, seen, now);
                let back = newer.admits(older, Following::Newest, seen, now);
                proptest::prop_assert!(forward.is_ok() || back.is_ok());
            }
        }
    }
}
