//! From an identity to a trusted one, and in good time to the next.
//!
//! EDGE. One loop, which is never busy for longer than one answer of the API server:
//!
//! ```text
//! make ─→ next ─ in every bundle, and for as long as it takes ─→ serving ─ replaced ─→ old ─ later ─→ gone
//! ```

use std::{
    collections::BTreeSet,
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::StreamExt;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::{Picture, SelfIssued};
use crate::{
    bundle::{Der, Entry},
    event::{Event, Listener},
    issue::Identity,
    publication::{News, Publication},
    registration::{Registration, RegistrationError},
    standing::Obstacle,
    view::View,
};

/// The longest sleep: the time of day may jump.
const NAP: Duration = Duration::from_secs(10);
/// A certificate is renewed when between these parts of its life have passed.
const RENEWAL: (f64, f64) = (0.4, 0.5);

pub(super) struct Keeper {
    own: SelfIssued,
    registration: Registration,
    show: watch::Sender<Picture>,
    listener: Listener,
    publication: Publication,
    next: Option<Next>,
    serving: Option<Entry>,
    old: Option<(Entry, Instant)>,
    renewal: SystemTime,
    /// Somebody took our entries away, and they are not back yet.
    removed: bool,
}

struct Next {
    identity: Identity,
    /// Since when every bundle is seen to have it.
    shown: Option<Instant>,
}

impl Keeper {
    pub(super) fn new(
        own: SelfIssued,
        registration: Registration,
        show: watch::Sender<Picture>,
        listener: Listener,
    ) -> Self {
        let publication = Publication::new(
            own.settings.wish.replica.clone(),
            own.settings.timing.clone(),
            own.surroundings.jitter,
        );
        let next = Some(Next { identity: own.first.clone(), shown: None });
        let renewal = (own.surroundings.clock)();
        let mut keeper = Self {
            own,
            registration,
            show,
            listener,
            publication,
            next,
            serving: None,
            old: None,
            renewal,
            removed: false,
        };
        keeper.schedule_renewal();
        keeper.want();
        keeper
    }

    pub(super) async fn run(mut self, mut useless: mpsc::Receiver<BTreeSet<Der>>) {
        let views =
            self.registration.views(&self.own.settings.timing, self.own.surroundings.jitter);
        let mut views = pin!(views);
        loop {
            tokio::select! {
                Some(view) = views.next() => self.hear(view),
                Some(useless) = useless.recv() => self.publication.leave_out(useless, now()),
                () = sleep_until(self.wake()) => {}
            }
            self.act().await;
        }
    }

    fn wake(&self) -> Instant {
        let propagation = self.own.settings.timing.propagation;
        let shown = self.next.as_ref().and_then(|next| next.shown);
        let times = [
            self.publication.due().map(Instant::from_std),
            shown.map(|shown| shown + propagation),
            self.old.as_ref().map(|(_, until)| *until),
            Some(Instant::now() + self.until_renewal().min(NAP)),
        ];
        times.into_iter().flatten().min().unwrap_or_else(Instant::now)
    }

    fn until_renewal(&self) -> Duration {
        let now = (self.own.surroundings.clock)();
        self.renewal.duration_since(now).unwrap_or_default()
    }

    async fn act(&mut self) {
        self.renew();
        self.exchange();
        self.retire();
        if self.publication.due().is_some_and(|due| due <= now()) {
            self.write().await;
        }
        self.tell();
    }

    fn hear(&mut self, view: Result<Option<View>, RegistrationError>) {
        match view {
            Ok(view) => {
                if view.is_none() {
                    self.fault(self.registration.missing());
                }
                match self.publication.hear(view, now()) {
                    News::Echo => {}
                    news => self.seen(news),
                }
            }
            Err(error) => self.fault(error),
        }
    }

    /// Only what a watch or a read shows counts: a write's answer tells what is stored, not what is seen.
    fn seen(&mut self, news: News) {
        self.learn(news);
        let Some(next) = &mut self.next else { return };
        let entry = std::slice::from_ref(&next.identity.authority);
        let shown = self.publication.view().is_some_and(|view| view.holds(entry));
        next.shown = shown.then(|| next.shown.unwrap_or_else(Instant::now));
    }

    fn learn(&mut self, news: News) {
        match news {
            News::Echo | News::Nothing => {}
            News::Complete => self.removed = false,
            News::Removed => {
                self.removed = true;
                (self.listener)(Event::Removed);
            }
        }
    }

    async fn write(&mut self) {
        if self.publication.is_unsure() {
            match self.registration.read().await {
                Ok(view) => {
                    let news = self.publication.see(view, now());
                    self.seen(news);
                }
                Err(error) => return self.failed(error),
            }
        }
        let Some(change) = self.publication.change() else { return };
        self.complain_of_unreadable();
        match self.registration.apply(&change).await {
            Ok(view) => self.written(view),
            Err(RegistrationError::Overtaken) => self.publication.overtaken(now()),
            Err(error) => self.failed(error),
        }
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
            (self.listener)(Event::Repaired);
        }
    }

    fn failed(&mut self, error: RegistrationError) {
        self.publication.failed(now());
        self.fault(error);
    }

    fn fault(&self, error: impl std::error::Error + Send + Sync + 'static) {
        (self.listener)(Event::Fault(Box::new(error)));
    }

    /// Makes the next identity when it is time, be the last one published or not.
    fn renew(&mut self) {
        if !self.until_renewal().is_zero() {
            return;
        }
        let now = (self.own.surroundings.clock)();
        self.schedule_renewal();
        match self.own.settings.wish.issue(now, &self.own.surroundings.provider) {
            Ok(identity) => {
                self.next = Some(Next { identity, shown: None });
                self.want();
            }
            Err(error) => self.fault(error),
        }
    }

    fn schedule_renewal(&mut self) {
        let (earliest, latest) = RENEWAL;
        let part = earliest + (latest - earliest) * (self.own.surroundings.jitter)();
        let now = (self.own.surroundings.clock)();
        self.renewal = now + self.own.settings.wish.lifetime.mul_f64(part);
    }

    /// Serves the next identity as soon as every API server can know it.
    fn exchange(&mut self) {
        let propagation = self.own.settings.timing.propagation;
        let ripe = |next: &mut Next| next.shown.is_some_and(|shown| shown.elapsed() >= propagation);
        let Some(Next { identity, .. }) = self.next.take_if(ripe) else { return };
        self.own.resolver.exchange(Arc::clone(&identity.pair));
        self.own.standing.serves(identity.authority.not_after());
        (self.listener)(Event::Exchanged { not_after: identity.authority.not_after() });
        let until = Instant::now() + propagation;
        self.old = self.serving.replace(identity.authority).map(|old| (old, until));
        self.want();
    }

    /// Takes the old identity out when no handshake with it can be under way any more.
    fn retire(&mut self) {
        if self.old.take_if(|(_, until)| *until <= Instant::now()).is_some() {
            self.want();
        }
    }

    fn want(&mut self) {
        let old = self.old.as_ref().map(|(entry, _)| entry);
        let next = self.next.as_ref().map(|next| &next.identity.authority);
        let own = old.into_iter().chain(&self.serving).chain(next).cloned().collect();
        self.publication.want(own, now());
    }

    fn tell(&self) {
        let view = self.publication.view();
        let trusted = view.map(View::trusted).unwrap_or_default();
        self.own.standing.trusted(match view {
            None if !self.publication.has_seen() => Some(Obstacle::Unread),
            None => Some(Obstacle::Unregistered),
            Some(view) => (!view.holds(self.serving.as_slice())).then_some(Obstacle::Untrusted),
        });
        let certificate = |entry: &Entry| entry.certificate().clone();
        let picture = Picture {
            trusted: trusted.iter().map(certificate).collect(),
            serving: self.serving.as_ref().map(certificate),
            others: view
                .map(|view| view.others(&self.own.settings.wish.replica))
                .unwrap_or_default(),
        };
        self.show.send_if_modified(|shown| {
            let changed = *shown != picture;
            *shown = picture;
            changed
        });
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}
