//! What this replica has in the bundles, what is missing, and when it may write next.
//!
//! PURE: the time is an argument. The rules:
//! an entry of ours that somebody took away is put back at once, and the other replicas' with it, so that
//! the first who notices repairs for all; but whoever takes it away again and again makes us wait longer
//! and longer; and what only tidies waits a little, so that not all replicas do it. What we own of a
//! webhook that is none of ours, because an older release had it so, is given up when that release is gone.

use std::{collections::BTreeSet, time::Instant};

use serde_json::Value;

use crate::{
    bundle::{Change, Der, Entry},
    pace::Jitter,
    replica::Replica,
    timing::Timing,
    view::View,
};

/// So many older versions in a row are no echo: the API server's memory was put back.
const ECHOES: u32 = 3;

/// What a new view of the configuration means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// What was known before our last write.
    Echo,
    /// Nothing that matters.
    Nothing,
    /// Our entries are there, and were not.
    Complete,
    /// Our entries were there, and are not.
    Removed,
}

#[derive(Debug)]
pub(crate) struct Publication {
    replica: Replica,
    timing: Timing,
    jitter: Jitter,
    own: Vec<Entry>,
    view: Option<View>,
    /// Whether anything was ever seen, be it that there is no configuration.
    seen: bool,
    useless: BTreeSet<Der>,
    /// The others' entries when all was well.
    remembered: Vec<Entry>,
    /// Since when our entries are there.
    complete: Option<Instant>,
    /// Somebody took our entries away, and they are not back.
    broken: bool,
    /// When they were last put back.
    repaired: Option<Instant>,
    /// Removals in a row that came too soon.
    fights: u32,
    /// Writes in a row that failed.
    failures: u32,
    /// When the next write of the bundles may be made.
    due: Option<Instant>,
    /// When what is not ours is given up.
    handover: Option<Instant>,
    echoes: u32,
    /// What is there must be read before the next write.
    unsure: bool,
}

impl Publication {
    pub(crate) fn new(replica: Replica, timing: Timing, jitter: Jitter) -> Self {
        Self {
            replica,
            timing,
            jitter,
            own: Vec::new(),
            view: None,
            seen: false,
            useless: BTreeSet::new(),
            remembered: Vec::new(),
            complete: None,
            broken: false,
            repaired: None,
            fights: 0,
            failures: 0,
            due: None,
            handover: None,
            echoes: 0,
            unsure: false,
        }
    }

    /// The configuration as it was last seen, if it exists.
    pub(crate) fn view(&self) -> Option<&View> {
        self.view.as_ref()
    }

    /// Whether anything was ever seen.
    pub(crate) fn has_seen(&self) -> bool {
        self.seen
    }

    /// From now on these are all of our entries.
    pub(crate) fn want(&mut self, own: Vec<Entry>, now: Instant) {
        self.own = own;
        let complete = self.view.as_ref().is_some_and(|view| view.holds(&self.own));
        self.complete = complete.then(|| self.complete.unwrap_or(now));
        self.plan(now);
    }

    /// From now on these are of no use, whoever's they are.
    pub(crate) fn leave_out(&mut self, useless: BTreeSet<Der>, now: Instant) {
        self.useless = useless;
        self.plan(now);
    }

    /// Takes notice of a view that may be an echo of what was before our last write.
    pub(crate) fn hear(&mut self, view: Option<View>, now: Instant) -> News {
        let older =
            view.as_ref().zip(self.view.as_ref()).is_some_and(|(new, old)| new.is_older_than(old));
        self.echoes = if older { self.echoes + 1 } else { 0 };
        if older && self.echoes < ECHOES {
            return News::Echo;
        }
        self.see(view, now)
    }

    /// Takes notice of a view that is the newest.
    pub(crate) fn see(&mut self, view: Option<View>, now: Instant) -> News {
        (self.echoes, self.unsure, self.seen) = (0, false, true);
        self.view = view;
        let complete = self.view.as_ref().is_some_and(|view| view.holds(&self.own));
        let news = match (self.complete, complete) {
            (None, true) => self.appeared(now),
            (Some(_), false) => self.removed(now),
            _ => News::Nothing,
        };
        if let Some(view) = self.view.as_ref().filter(|_| complete) {
            self.remembered = view.others(&self.replica);
        }
        self.plan(now);
        news
    }

    fn appeared(&mut self, now: Instant) -> News {
        self.complete = Some(now);
        if std::mem::take(&mut self.broken) {
            self.repaired = Some(now);
        }
        // What is left to do is no longer urgent.
        self.due = None;
        News::Complete
    }

    fn removed(&mut self, now: Instant) -> News {
        (self.complete, self.broken) = (None, true);
        let since = |repair| now.saturating_duration_since(repair);
        let soon = self.repaired.is_some_and(|repair| since(repair) < self.timing.calm);
        self.fights = if soon { self.fights + 1 } else { 0 };
        self.due = Some(match self.fights.checked_sub(1) {
            Some(fight) => now + self.timing.fight.wait(fight, self.jitter),
            None => now,
        });
        News::Removed
    }

    /// Sees to it that there is a time for the next write exactly if there is something to write.
    fn plan(&mut self, now: Instant) {
        let view = self.view.as_ref();
        if view.is_none_or(|view| view.is_as_wanted(&self.wanted(view))) {
            self.due = None;
        } else if self.due.is_none() {
            let urgent = !view.is_some_and(|view| view.holds(&self.own));
            let wait = if urgent { 0.0 } else { (self.jitter)() };
            self.due = Some(now + self.timing.tidying.mul_f64(wait));
        }
        let pause = || now + self.timing.handover.mul_f64(0.5 + (self.jitter)());
        let owns_others = self.view.as_ref().is_some_and(View::owns_others);
        self.handover = owns_others.then(|| self.handover.unwrap_or_else(pause));
    }

    /// When the next write may be made, if there is something to write.
    pub(crate) fn due(&self) -> Option<Instant> {
        [self.due, self.handover].into_iter().flatten().min()
    }

    /// Whether what is there must be read before the next write.
    pub(crate) fn is_unsure(&self) -> bool {
        self.unsure
    }

    /// What is to be applied.
    pub(crate) fn change(&self) -> Option<Value> {
        let view = self.view.as_ref()?;
        let change = self.wanted(view);
        (view.owns_others() || !view.is_as_wanted(&change)).then(|| view.apply(&change))
    }

    fn wanted(&self, view: &View) -> Change<'_> {
        let missing = !view.holds(&self.own);
        Change {
            replica: &self.replica,
            own: &self.own,
            restored: if missing { &self.remembered } else { &[] },
            useless: &self.useless,
        }
    }

    /// A write was made.
    pub(crate) fn written(&mut self, view: View, now: Instant) -> News {
        self.failures = 0;
        (self.due, self.handover) = (None, None);
        self.see(Some(view), now)
    }

    /// Another replica was faster.
    pub(crate) fn overtaken(&mut self, now: Instant) {
        self.postpone(now + self.timing.conflict.wait(self.failures, self.jitter));
    }

    /// The API server could not be reached, or refused.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.postpone(now + self.timing.outage.wait(self.failures, self.jitter));
    }

    fn postpone(&mut self, until: Instant) {
        self.unsure = true;
        self.due = Some(until);
        self.handover = self.handover.map(|handover| handover.max(until));
        self.failures += 1;
    }
}

#[cfg(test)]
mod tests;
