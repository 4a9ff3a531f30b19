//! One webhook configuration: what is seen of it, and what is written to it.
//!
//! EDGE.

use std::collections::BTreeSet;

use tokio::time::Instant;

use crate::{
    bundle::{Der, Entry},
    event::{Event, Listener},
    publication::{News, Publication},
    registration::{Registration, RegistrationError},
    view::View,
};

pub(super) type Seen = Result<Option<View>, RegistrationError>;

pub(super) struct Place {
    pub(super) registration: Registration,
    pub(super) publication: Publication,
    pub(super) listener: Listener,
    /// Nobody minds if it is not there.
    pub(super) is_optional: bool,
    /// What a watch or a read has shown: a write's answer tells what is stored, not what is seen.
    pub(super) shown: Option<View>,
    /// Somebody took our entries away, and they are not back yet.
    pub(super) removed: bool,
}

impl Place {
    pub(super) fn hear(&mut self, seen: Seen) {
        match seen {
            Ok(view) => {
                if view.is_none() && !self.is_optional {
                    self.fault(self.registration.missing());
                }
                let shown = view.clone();
                let news = self.publication.hear(view, now());
                if news != News::Echo {
                    self.shows(shown, news);
                }
            }
            Err(error) => self.fault(error),
        }
    }

    fn shows(&mut self, shown: Option<View>, news: News) {
        let is_gone = shown.is_none();
        self.shown = shown;
        // Who takes an optional configuration away as a whole means it.
        if !(is_gone && self.is_optional) {
            self.learn(news);
        }
    }

    fn learn(&mut self, news: News) {
        match news {
            News::Echo | News::Nothing => {}
            News::Complete => self.removed = false,
            News::Removed => {
                self.removed = true;
                (self.listener)(Event::Removed(self.registration.name().to_owned()));
            }
        }
    }

    /// Whether `entry` is seen in every bundle.
    pub(super) fn is_shown(&self, entry: &Entry) -> bool {
        self.shown.as_ref().is_some_and(|view| view.holds(std::slice::from_ref(entry)))
    }

    pub(super) fn want(&mut self, own: Vec<Entry>) {
        self.publication.want(own, now());
    }

    pub(super) fn leave_out(&mut self, useless: BTreeSet<Der>) {
        self.publication.leave_out(useless, now());
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.publication.due().map(Instant::from_std)
    }

    /// Writes what there is to write, if its time has come.
    pub(super) async fn write(&mut self) {
        if self.publication.due().is_none_or(|due| now() < due) {
            return;
        }
        if self.publication.is_unsure()
            && let Err(error) = self.read().await
        {
            return self.failed(error);
        }
        let Some(change) = self.publication.change() else { return };
        self.complain_of_unreadable();
        match self.registration.apply(&change).await {
            Ok(view) => self.written(view),
            Err(RegistrationError::Overtaken) => self.publication.overtaken(now()),
            Err(error) => self.failed(error),
        }
    }

    async fn read(&mut self) -> Result<(), RegistrationError> {
        let view = self.registration.read().await?;
        let shown = view.clone();
        let news = self.publication.see(view, now());
        self.shows(shown, news);
        Ok(())
    }

    fn complain_of_unreadable(&self) {
        let unreadable = self.publication.view().map_or(0, View::unreadable);
        if unreadable > 0 {
            (self.listener)(Event::Unreadable(unreadable));
        }
    }

    fn written(&mut self, view: View) {
        let was_removed = self.removed;
        let news = self.publication.written(view, now());
        self.learn(news);
        if was_removed && news == News::Complete {
            (self.listener)(Event::Repaired(self.registration.name().to_owned()));
        }
    }

    fn failed(&mut self, error: RegistrationError) {
        self.publication.failed(now());
        self.fault(error);
    }

    fn fault(&self, error: RegistrationError) {
        (self.listener)(Event::Fault(Box::new(error)));
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}
