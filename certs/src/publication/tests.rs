use std::time::Duration;

use k8s_openapi::{ByteString, api::admissionregistration::v1::MutatingWebhookConfiguration};
use rustls::crypto::aws_lc_rs::default_provider;
use serde_json::json;

use super::*;
use crate::{bundle::Bundle, issue::Wish};

fn entry(name: &str) -> Entry {
    let replica = Replica::pod("mayfly", name);
    let wish = Wish { replica, names: vec!["a".to_owned()], lifetime: Duration::from_mins(1) };
    let now = std::time::SystemTime::UNIX_EPOCH + Duration::from_mins(1_000_000);
    wish.issue(now, &default_provider()).expect("an identity").authority
}

/// A version of the configuration, each of whose two webhooks trusts `entries`.
fn view(version: u64, entries: &[&Entry]) -> View {
    let replica = Replica::process("");
    let own: Vec<Entry> = entries.iter().copied().cloned().collect();
    let change =
        Change { replica: &replica, own: &own, restored: &[], useless: &BTreeSet::default() };
    let text = ByteString(Bundle::default().merge(&change).to_string().into_bytes());
    let webhook = |name| {
        json!({
            "name": name, "admissionReviewVersions": [], "sideEffects": "None",
            "clientConfig": {"caBundle": text},
        })
    };
    let object: MutatingWebhookConfiguration = serde_json::from_value(json!({
        "metadata": {"name": "mayfly-webhook", "resourceVersion": version.to_string()},
        "webhooks": [webhook("one"), webhook("two")],
    }))
    .expect("a configuration");
    View::of(object, None)
}

/// The version that a change is for, and what is in its bundles.
fn applied(publication: &Publication) -> (String, Vec<Bundle>) {
    let change = publication.change().expect("a change");
    let webhooks = change["webhooks"].as_array().expect("webhooks");
    let bundles = webhooks.iter().map(|webhook| {
        let text = webhook["clientConfig"]["caBundle"].clone();
        Bundle::parse(&serde_json::from_value::<ByteString>(text).expect("Base64").0)
    });
    (change["metadata"]["resourceVersion"].as_str().expect("text").to_owned(), bundles.collect())
}

struct Scene {
    publication: Publication,
    ours: Entry,
    other: Entry,
    now: Instant,
}

impl Scene {
    /// Our entry and another replica's are in version 1.
    #[expect(clippy::disallowed_methods, reason = "a test owns the clock")]
    fn new() -> Self {
        let replica = Replica::pod("mayfly", "ours");
        let mut publication = Publication::new(replica, Timing::default(), || 1.0);
        let (ours, other, now) = (entry("ours"), entry("other"), Instant::now());
        publication.want(vec![ours.clone()], now);
        assert_eq!(publication.due(), None, "nothing is known yet");
        assert_eq!(publication.see(Some(view(1, &[&ours, &other])), now), News::Complete);
        assert_eq!(publication.due(), None, "nothing is to be done");
        Self { publication, ours, other, now }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// How long the next write must wait.
    fn wait(&self) -> Option<Duration> {
        self.publication.due().map(|due| due - self.now)
    }
}

#[test]
fn what_was_taken_away_is_put_back_at_once_for_everybody() {
    let mut scene = Scene::new();
    scene.pass(Duration::from_secs(6));
    assert_eq!(scene.publication.hear(Some(view(2, &[])), scene.now), News::Removed);
    assert_eq!(scene.wait(), Some(Duration::ZERO));
    let (version, bundles) = applied(&scene.publication);
    assert_eq!((version.as_str(), bundles.len()), ("2", 2));
    for bundle in bundles {
        assert!(bundle.holds(&scene.ours) && bundle.holds(&scene.other));
    }
    let repaired = view(3, &[&scene.ours, &scene.other]);
    assert_eq!(scene.publication.written(repaired, scene.now), News::Complete);
    assert_eq!(scene.wait(), None);
}

#[test]
fn another_replica_that_leaves_is_not_brought_back() {
    let mut scene = Scene::new();
    assert_eq!(scene.publication.hear(Some(view(2, &[&scene.ours])), scene.now), News::Nothing);
    assert_eq!(scene.wait(), None);
    scene.pass(Duration::from_secs(6));
    scene.publication.hear(Some(view(3, &[])), scene.now);
    assert!(applied(&scene.publication).1.iter().all(|bundle| !bundle.holds(&scene.other)));
}

#[test]
fn who_takes_it_away_again_makes_us_wait_and_a_calm_time_forgives() {
    let mut scene = Scene::new();
    let mut waits = Vec::new();
    for version in 1..12 {
        scene.publication.hear(Some(view(2 * version, &[])), scene.now);
        waits.push(scene.wait().expect("a write").as_millis());
        scene.pass(scene.wait().expect("a write"));
        scene.publication.written(view(2 * version + 1, &[&scene.ours]), scene.now);
    }
    let expected = [0, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000];
    assert_eq!(waits, expected);
    scene.pass(Duration::from_secs(5));
    scene.publication.hear(Some(view(100, &[])), scene.now);
    assert_eq!(scene.wait(), Some(Duration::ZERO));
}

#[test]
fn an_echo_of_the_past_is_no_news_unless_it_stays() {
    let mut scene = Scene::new();
    scene.publication.see(Some(view(9, &[&scene.ours])), scene.now);
    for _ in 1..ECHOES {
        assert_eq!(scene.publication.hear(Some(view(8, &[])), scene.now), News::Echo);
    }
    // An API server whose memory was put back counts from an older version on.
    assert_eq!(scene.publication.hear(Some(view(8, &[])), scene.now), News::Removed);
}

#[test]
fn a_configuration_that_comes_back_is_written_to_at_once() {
    let mut scene = Scene::new();
    scene.pass(Duration::from_secs(6));
    assert_eq!(scene.publication.hear(None, scene.now), News::Removed);
    assert_eq!((scene.wait(), scene.publication.change()), (None, None));
    scene.publication.hear(Some(view(5, &[])), scene.now);
    assert_eq!(scene.wait(), Some(Duration::ZERO));
}

#[test]
fn who_is_overtaken_reads_again_soon_and_who_is_refused_later_and_later() {
    let mut scene = Scene::new();
    scene.pass(Duration::from_secs(6));
    scene.publication.hear(Some(view(2, &[])), scene.now);
    scene.publication.overtaken(scene.now);
    assert!(scene.publication.is_unsure());
    assert_eq!(scene.wait(), Some(Duration::from_millis(20)));
    // The other one put us back too.
    let whole = view(3, &[&scene.ours, &scene.other]);
    assert_eq!(scene.publication.hear(Some(whole), scene.now), News::Complete);
    assert!(!scene.publication.is_unsure());
    assert_eq!(scene.wait(), None);
    scene.pass(Duration::from_secs(6));
    scene.publication.hear(Some(view(4, &[])), scene.now);
    let waits = [(); 6].map(|()| {
        scene.publication.failed(scene.now);
        scene.wait().expect("a write").as_millis()
    });
    assert!(waits.is_sorted() && waits[5] == 15_000, "{waits:?}");
}

#[test]
fn what_is_of_no_use_goes_without_haste() {
    let mut scene = Scene::new();
    let useless = BTreeSet::from([scene.other.certificate().clone()]);
    scene.publication.leave_out(useless, scene.now);
    assert_eq!(scene.wait(), Some(Timing::default().tidying));
    for bundle in applied(&scene.publication).1 {
        assert!(bundle.holds(&scene.ours) && !bundle.holds(&scene.other));
    }
}
