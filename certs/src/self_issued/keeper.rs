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

use super::{
    Picture, SelfIssued,
    places::Places,
    schedule::{Renewal, switch},
};
use crate::{
    bundle::{Der, Entry},
    certificate::Validity,
    event::{Event, Listener},
    issue::Identity,
    standing::Obstacle,
};

/// The longest sleep: the time of day may jump.
const NAP: Duration = Duration::from_secs(10);
/// The shortest before a renewal, which may have failed.
const BLINK: Duration = Duration::from_secs(1);

pub(super) struct Keeper {
    own: SelfIssued,
    places: Places,
    show: watch::Sender<Picture>,
    listener: Listener,
    next: Option<Next>,
    serving: Option<Serving>,
    old: Option<(Entry, Instant)>,
    renewal: Renewal,
}

struct Next {
    identity: Identity,
    /// Since when every bundle is seen to have it.
    shown: Option<Instant>,
    /// How soon it is served, from 0 to 1.
    chance: f64,
}

struct Serving {
    authority: Entry,
    validity: Validity,
}

impl Keeper {
    pub(super) fn new(
        own: SelfIssued,
        places: Places,
        show: watch::Sender<Picture>,
        listener: Listener,
    ) -> Self {
        let jitter = own.surroundings.jitter;
        let next = Some(Next { identity: own.first.clone(), shown: None, chance: jitter() });
        let now = (own.surroundings.clock)();
        let renewal = Renewal::of(own.settings.wish.lifetime, now, jitter());
        let mut keeper =
            Self { own, places, show, listener, next, serving: None, old: None, renewal };
        keeper.want();
        keeper
    }

    pub(super) async fn run(mut self, mut useless: mpsc::Receiver<BTreeSet<Der>>) {
        let views = self.places.views(&self.own.settings.timing, self.own.surroundings.jitter);
        let mut views = pin!(views);
        loop {
            tokio::select! {
                Some((place, seen)) = views.next() => self.places.hear(place, seen),
                Some(useless) = useless.recv() => self.places.leave_out(&useless),
                () = sleep_until(self.wake()) => {}
            }
            self.act().await;
        }
    }

    fn wake(&self) -> Instant {
        let times = [
            self.places.due(),
            self.switch(),
            self.old.as_ref().map(|(_, until)| *until),
            Some(Instant::now() + self.until_renewal().clamp(BLINK, NAP)),
        ];
        times.into_iter().flatten().min().unwrap_or_else(Instant::now)
    }

    async fn act(&mut self) {
        self.look();
        self.renew();
        self.exchange();
        self.retire();
        self.places.write().await;
        self.look();
        self.tell();
    }

    /// Notices since when the next identity can be seen by others.
    fn look(&mut self) {
        let Some(next) = &mut self.next else { return };
        let is_shown = self.places.first.is_shown(&next.identity.authority);
        next.shown = is_shown.then(|| next.shown.unwrap_or_else(Instant::now));
    }

    fn time_of_day(&self) -> SystemTime {
        (self.own.surroundings.clock)()
    }

    fn until_renewal(&self) -> Duration {
        let next = self.next.as_ref().map(|next| next.identity.validity);
        let newest = next.or_else(|| self.serving.as_ref().map(|serving| serving.validity));
        newest.map_or(Duration::ZERO, |newest| self.renewal.wait(newest, self.time_of_day()))
    }

    /// Makes the next identity when it is time, be the last one published or not.
    fn renew(&mut self) {
        if !self.until_renewal().is_zero() {
            return;
        }
        let (now, jitter) = (self.time_of_day(), self.own.surroundings.jitter);
        let wish = &self.own.settings.wish;
        self.renewal = Renewal::of(wish.lifetime, now, jitter());
        match wish.issue(now, &self.own.surroundings.provider) {
            Ok(identity) => {
                self.next = Some(Next { identity, shown: None, chance: jitter() });
                self.want();
            }
            Err(error) => (self.listener)(Event::Fault(Box::new(error))),
        }
    }

    /// When the next identity is served, if it is seen.
    fn switch(&self) -> Option<Instant> {
        let next = self.next.as_ref()?;
        let served = self.serving.as_ref().map(|serving| serving.validity);
        let propagation = self.own.settings.timing.propagation;
        Some(next.shown? + switch(served, self.time_of_day(), next.chance, propagation))
    }

    /// Serves the next identity as soon as every API server can know it.
    fn exchange(&mut self) {
        if self.switch().is_none_or(|time| Instant::now() < time) {
            return;
        }
        let Some(Next { identity, .. }) = self.next.take() else { return };
        let Identity { authority, pair, validity } = identity;
        self.own.resolver.exchange(Arc::clone(&pair));
        self.own.standing.serves(validity);
        (self.listener)(Event::Exchanged { not_after: validity.not_after });
        let until = Instant::now() + self.own.settings.timing.propagation;
        let old = self.serving.replace(Serving { authority, validity });
        self.old = old.map(|old| (old.authority, until));
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
        let serving = self.serving.as_ref().map(|serving| &serving.authority);
        let next = self.next.as_ref().map(|next| &next.identity.authority);
        let own: Vec<Entry> = [old, serving, next].into_iter().flatten().cloned().collect();
        self.places.want(&own);
    }

    fn tell(&self) {
        let serving = self.serving.as_ref().map(|serving| &serving.authority);
        let publication = &self.places.first.publication;
        self.own.standing.trusted(match publication.view() {
            None if !publication.has_seen() => Some(Obstacle::Unread),
            None => Some(Obstacle::Unregistered),
            Some(view) => {
                let is_trusted = view.holds(serving.map_or(&[], std::slice::from_ref));
                (!is_trusted).then_some(Obstacle::Untrusted)
            }
        });
        let certificate = |entry: &Entry| entry.certificate().clone();
        let picture = Picture {
            trusted: self.places.trusted().iter().map(certificate).collect(),
            serving: serving.map(certificate),
            others: self.places.others_than(&self.own.settings.wish.replica),
        };
        self.show.send_if_modified(|shown| {
            let changed = *shown != picture;
            *shown = picture;
            changed
        });
    }
}
