//! One secret's state. PURE.

use std::{
    rc::Rc,
    time::{Duration, SystemTime},
};

use mayfly_spec::{
    Location,
    reference::{ParameterVersion, SecretVersion},
};
use tokio::time::Instant;

use super::moment::{Moment, Round};
use crate::{
    assembly::{Sight, View},
    fault::{Class, Fault},
    memory::Remembered,
    schedule::{Retry, Stage},
    secret::SecretData,
    source::{Fetched, Following, Regression, Version},
    timestamp::Timestamp,
};

/// What is known of one secret.
#[derive(Debug)]
pub struct Record {
    lane: String,
    following: Following,
    /// The last good answer.
    held: Option<Fetched>,
    /// When it came.
    answered: Option<Timestamp>,
    /// What its files on the volume were made from; unknown after a restart.
    written: Option<Rc<SecretData>>,
    version: Version,
    fetched: Option<Timestamp>,
    /// The newest version that was believed.
    believed: Version,
    older_since: Option<SystemTime>,
    fault: Option<Fault>,
    /// Since when it is under way.
    asked: Option<Instant>,
    is_slow: bool,
    looked: Option<Instant>,
    retry: Retry,
    /// When it is tried again after a failure, if that is before the next round.
    again: Option<Instant>,
}

impl Record {
    pub(super) fn new(location: &Location, lane: String, interval: Duration) -> Self {
        Self {
            lane,
            following: following(location),
            held: None,
            answered: None,
            written: None,
            version: Version::default(),
            fetched: None,
            believed: Version::default(),
            older_since: None,
            fault: None,
            asked: None,
            is_slow: false,
            looked: None,
            retry: Retry::new(interval),
            again: None,
        }
    }

    pub(super) fn recall(&mut self, remembered: &Remembered) {
        self.version = remembered.written.clone();
        self.believed = remembered.believed.clone();
        self.fetched = remembered.fetched;
        self.older_since = remembered.older_since.map(Timestamp::time);
    }

    pub(super) fn remembered(&self) -> Remembered {
        Remembered {
            written: self.version.clone(),
            believed: self.believed.clone(),
            fetched: self.fetched,
            older_since: self.older_since.map(Timestamp::from),
        }
    }

    pub(super) fn lane(&self) -> &str {
        &self.lane
    }

    pub(super) fn held(&self) -> Option<&Fetched> {
        self.held.as_ref()
    }

    /// Which version is on the volume.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// When that was last seen to be the present one.
    pub fn fetched(&self) -> Option<Timestamp> {
        self.fetched
    }

    /// Why it could not be read.
    pub fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// What the backend said beside it.
    pub fn warnings(&self) -> &[String] {
        self.held.as_ref().map_or(&[], |held| &held.warnings)
    }

    pub(super) fn due(&self, round: Round) -> Option<Instant> {
        if self.asked.is_some() {
            return None;
        }
        let own = match (&self.fault, &self.held) {
            (Some(_), _) => self.again,
            (None, held) => held.as_ref().and_then(|held| held.due),
        };
        let looked = self.looked.filter(|looked| *looked >= round.began);
        Some(looked.map_or(round.began, |_| own.map_or(round.next, |own| own.min(round.next))))
    }

    pub(super) fn ask(&mut self, now: Instant) {
        self.asked = Some(now);
        self.is_slow = false;
    }

    pub(super) fn note(
        &mut self,
        answer: Result<Fetched, Fault>,
        now: Moment,
        stage: Stage,
        jitter: f64,
    ) -> Result<(), Fault> {
        (self.asked, self.is_slow) = (None, false);
        self.looked = Some(now.instant);
        let noted = match answer {
            Ok(fetched) => self.offer(fetched, now),
            Err(fault) => Err((None, fault)),
        };
        match noted {
            Ok(()) => {
                self.retry.good();
                (self.fault, self.again) = (None, None);
                Ok(())
            }
            Err((wait, fault)) => {
                let wait = wait.or_else(|| self.retry.after(&fault, stage, jitter));
                if fault.class == Class::Missing {
                    // What is no more is not compared with what comes in its place.
                    self.held = None;
                }
                self.again = wait.map(|wait| now.instant + wait);
                self.fault = Some(fault.clone());
                Err(fault)
            }
        }
    }

    /// Holds an answer, unless it is older than what was believed before: then for how long it is not.
    fn offer(&mut self, fetched: Fetched, now: Moment) -> Result<(), (Option<Duration>, Fault)> {
        let since = self.older_since.filter(|since| *since <= now.time).unwrap_or(now.time);
        let admitted = self.believed.admits(&fetched.version, self.following, since, now.time);
        if let Err(refused) = admitted {
            self.older_since = Some(since);
            let wait = refused.believed.map(|it| it.duration_since(now.time).unwrap_or_default());
            return Err((wait, regression(&self.believed, &fetched.version, refused)));
        }
        self.older_since = None;
        self.believed = fetched.version.clone();
        self.answered = Some(now.time.into());
        if fetched.version.id.is_some() && fetched.version.id == self.version.id {
            self.fetched = self.answered;
        }
        self.held = Some(fetched);
        Ok(())
    }

    pub(super) fn slow_at(&self, limit: Duration) -> Option<Instant> {
        self.asked.filter(|_| !self.is_slow).map(|asked| asked + limit)
    }

    pub(super) fn note_slow(&mut self, limit: Duration, now: Instant) -> bool {
        let is_new = self.slow_at(limit).is_some_and(|slow| slow <= now);
        if is_new {
            self.is_slow = true;
            self.fault.get_or_insert_with(|| silence(humantime::format_duration(limit)));
        }
        is_new
    }

    pub(super) fn give_up(&mut self, limit: impl std::fmt::Display) {
        if self.held.is_none() && (self.fault.is_none() || self.is_slow) {
            self.fault = Some(silence(limit));
        }
    }

    pub(super) fn is_awaited(&self) -> bool {
        self.asked.is_some() && !self.is_slow
    }

    pub(super) fn is_answered(&self, since: Instant) -> bool {
        self.is_slow || self.asked.is_none() && self.looked.is_some_and(|looked| looked >= since)
    }

    pub(super) fn view(&self) -> View<'_> {
        let sight = match (&self.fault, &self.held) {
            (Some(fault), _) if fault.class == Class::Missing => Sight::Missing(fault),
            (Some(fault), _) => Sight::Failed(fault),
            (None, Some(held)) if self.asked.is_none() => Sight::Read(&held.data),
            _ => Sight::Pending,
        };
        View { sight, written: self.written.as_deref() }
    }

    pub(super) fn settle(&mut self) {
        let Some(held) = &self.held else { return };
        self.version = held.version.clone();
        self.written = Some(held.data.clone());
        self.fetched = self.answered.or(self.fetched);
    }
}

/// Whether people move what the reference names.
fn following(location: &Location) -> Following {
    match location {
        Location::AwsSm(secret) if matches!(secret.version, Some(SecretVersion::Stage(_))) => {
            Following::Label
        }
        Location::AwsSsm(parameter)
            if matches!(parameter.version, Some(ParameterVersion::Label(_))) =>
        {
            Following::Label
        }
        _ => Following::Newest,
    }
}

fn silence(limit: impl std::fmt::Display) -> Fault {
    Fault::new(Class::Unreachable, format_args!("no answer within {limit}"))
}

fn regression(held: &Version, offered: &Version, refused: Regression) -> Fault {
    let id =
        |version: &Version| version.id.clone().unwrap_or_else(|| "an unknown version".to_owned());
    let until = match refused.believed {
        Some(believed) => {
            format!("it is believed if it is still the answer at {}", Timestamp::from(believed))
        }
        None => "another region answers, which may lag behind, so it is not believed".to_owned(),
    };
    let words = format!(
        "the backend answers with version {}, which is older than {} that is held; {until}",
        id(offered),
        id(held)
    );
    Fault::new(Class::Unreachable, words)
}
