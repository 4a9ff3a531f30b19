//! All webhook configurations that are to trust this replica: the one without which it is not asked, and others.
//!
//! EDGE. None waits for another: each is watched, written to and complained of by itself.

use std::{collections::BTreeSet, iter};

use futures_util::{
    Stream, StreamExt,
    future::join_all,
    stream::{BoxStream, select_all},
};
use kube::Client;
use tokio::time::Instant;

use super::{
    Settings,
    place::{Place, Seen},
};
use crate::{
    bundle::{Der, Entry},
    event::Listener,
    pace::Jitter,
    publication::Publication,
    registration::{Registration, Target},
    replica::Replica,
    timing::Timing,
    view::View,
};

pub(super) struct Places {
    pub(super) first: Place,
    others: Vec<Place>,
}

impl Places {
    pub(super) fn new(
        settings: &Settings,
        client: &Client,
        jitter: Jitter,
        listener: &Listener,
    ) -> Self {
        let (replica, timing) = (&settings.wish.replica, &settings.timing);
        let place = |target: &Target, is_optional| Place {
            registration: Registration::new(client.clone(), target.clone(), timing.answer),
            publication: Publication::new(replica.clone(), timing.clone(), jitter),
            listener: listener.clone(),
            is_optional,
            shown: None,
            removed: false,
        };
        let others = settings.others.iter().map(|target| place(target, true));
        Self { others: others.collect(), first: place(&settings.configuration, false) }
    }

    fn all(&self) -> impl Iterator<Item = &Place> {
        iter::once(&self.first).chain(&self.others)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Place> {
        iter::once(&mut self.first).chain(&mut self.others)
    }

    /// What is seen, and of which of them; for ever.
    pub(super) fn views(
        &self,
        timing: &Timing,
        jitter: Jitter,
    ) -> impl Stream<Item = (usize, Seen)> + use<> {
        let views = self.all().enumerate().map(|(index, place)| {
            let views = place.registration.views(timing, jitter);
            views.map(move |seen| (index, seen)).boxed()
        });
        select_all(views.collect::<Vec<BoxStream<'static, _>>>())
    }

    pub(super) fn hear(&mut self, index: usize, seen: Seen) {
        if let Some(place) = self.all_mut().nth(index) {
            place.hear(seen);
        }
    }

    /// From now on these are all of our entries.
    pub(super) fn want(&mut self, own: &[Entry]) {
        self.all_mut().for_each(|place| place.want(own.to_vec()));
    }

    pub(super) fn leave_out(&mut self, useless: &BTreeSet<Der>) {
        self.all_mut().for_each(|place| place.leave_out(useless.clone()));
    }

    /// When the next write may be made, if there is something to write.
    pub(super) fn due(&self) -> Option<Instant> {
        self.all().filter_map(Place::due).min()
    }

    /// Writes what is due, side by side.
    pub(super) async fn write(&mut self) {
        join_all(self.all_mut().map(Place::write)).await;
    }

    /// What Mayfly's other replicas have anywhere.
    pub(super) fn others_than(&self, replica: &Replica) -> Vec<Entry> {
        let views = self.all().filter_map(|place| place.publication.view());
        let others: BTreeSet<Entry> = views.flat_map(|view| view.others(replica)).collect();
        others.into_iter().collect()
    }

    /// What pods' reviews trust.
    pub(super) fn trusted(&self) -> Vec<Entry> {
        self.first.publication.view().map(View::trusted).unwrap_or_default()
    }
}
