mod api;
mod clocks;
mod configurations;
mod running;

use std::{
    collections::VecDeque,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, SystemTime},
};

use rustls::crypto::aws_lc_rs::default_provider;
use tokio::time::{Instant, sleep};

use super::*;
use crate::{replica::Replica, standing::Obstacle};
use api::{Api, PODS, WARNINGS};
use running::{EPOCH, accepts, pod, run, run_ahead};

const DAY: Duration = Duration::from_hours(24);
const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test(start_paused = true)]
async fn a_replica_is_ready_when_every_api_server_can_know_it() {
    let api = Api::new();
    let replica = run(&api, pod("a"), DAY);
    assert_eq!(replica.obstacle(), Some(Obstacle::NoCertificate));
    let time = replica.ready().await;
    let propagation = Timing::default().propagation;
    assert!(time >= propagation && time < propagation + Duration::from_secs(1), "{time:?}");
    assert!(replica.is_accepted(&api));
    assert_eq!(replica.events(), ["Exchanged", "Proven"]);
    assert_eq!((api.names(), api.writes()), (vec!["a".to_owned()], 1));
}

#[tokio::test(start_paused = true)]
async fn replicas_that_start_at_once_are_all_there_in_the_end() {
    let api = Api::new();
    let replicas = ["a", "b", "c", "d", "e"].map(|name| run(&api, pod(name), DAY));
    for replica in &replicas {
        replica.ready().await;
        assert!(replica.is_accepted(&api));
    }
    assert_eq!(api.names(), ["a", "b", "c", "d", "e"]);
    let writes = api.writes();
    sleep(Duration::from_secs(50)).await;
    assert_eq!(api.writes(), writes, "nobody writes for nothing");
}

#[tokio::test(start_paused = true)]
async fn an_emptied_bundle_is_whole_again_after_one_write_and_readiness_does_not_flap() {
    let api = Api::new();
    let replicas = ["a", "b", "c"].map(|name| run(&api, pod(name), DAY));
    for replica in &replicas {
        replica.ready().await;
    }
    for _ in 0..20 {
        sleep(Duration::from_secs(10)).await;
        api.overwrite("");
        let writes = api.writes();
        sleep(Duration::from_millis(10)).await;
        assert_eq!(api.names(), ["a", "b", "c"]);
        assert_eq!(api.writes(), writes + 1);
        assert!(replicas.iter().all(|replica| replica.obstacle().is_none()));
    }
    assert!(replicas.iter().map(|replica| replica.count("Repaired")).sum::<usize>() >= 20);
    assert!(replicas.iter().all(|replica| replica.count("Fault") == 0));
}

#[tokio::test(start_paused = true)]
async fn a_port_that_cannot_be_reached_is_not_ready_unless_it_is_a_blink() {
    let api = Api::new();
    let replica = run(&api, pod("a"), DAY);
    replica.ready().await;
    replica.cut_off.store(true, Relaxed);
    sleep(Duration::from_secs(12)).await;
    replica.cut_off.store(false, Relaxed);
    sleep(Duration::from_secs(10)).await;
    assert_eq!((replica.obstacle(), replica.count("Proven")), (None, 2));
    replica.cut_off.store(true, Relaxed);
    sleep(Duration::from_secs(20)).await;
    assert_eq!(replica.obstacle(), Some(Obstacle::Unproven));
    replica.cut_off.store(false, Relaxed);
    assert!(replica.ready().await <= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_replica_whose_port_was_never_reached_is_not_ready() {
    let api = Api::new();
    let replica = run(&api, pod("a"), DAY);
    replica.cut_off.store(true, Relaxed);
    sleep(MINUTE).await;
    assert_eq!(replica.obstacle(), Some(Obstacle::Unproven));
}

#[tokio::test(start_paused = true)]
async fn somebody_who_insists_is_not_fought_and_is_outlived() {
    let api = Api::new();
    let replica = run(&api, pod("a"), DAY);
    replica.ready().await;
    let (start, before, mut untrusted) = (Instant::now(), api.writes(), false);
    while start.elapsed() < Duration::from_mins(10) {
        sleep(Duration::from_millis(50)).await;
        if !api.names().is_empty() {
            api.overwrite("");
        }
        untrusted |= replica.obstacle() == Some(Obstacle::Untrusted);
    }
    let writes = api.writes() - before;
    assert!((10..40).contains(&writes), "{writes} writes in ten minutes");
    assert!(untrusted, "nobody is ready whom nobody trusts");
    let time = replica.ready().await;
    assert!(time <= Duration::from_secs(70), "{time:?}");
    // All is forgotten: the next repair is immediate.
    sleep(MINUTE).await;
    api.overwrite("");
    let emptied = Instant::now();
    while api.names().is_empty() && emptied.elapsed() < Duration::from_millis(200) {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(api.names(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn certificates_of_a_minute_are_renewed_without_one_failed_handshake() {
    let api = Api::new();
    let replicas = ["a", "b", "c"].map(|name| run(&api, pod(name), MINUTE));
    for replica in &replicas {
        replica.ready().await;
    }
    let start = Instant::now();
    // What was trusted and what was served, four times a second: an API server may hear of a bundle a
    // second and a half late, and a handshake may take a second.
    let (mut trusted, mut served) = (VecDeque::new(), VecDeque::new());
    while start.elapsed() < MINUTE * 5 {
        sleep(Duration::from_millis(250)).await;
        let roots = api.roots();
        trusted.push_front(roots.clone());
        served.push_front(replicas.each_ref().map(|replica| replica.resolver.current()));
        trusted.truncate(7);
        served.truncate(5);
        let now = (replicas[0].clock)();
        let (late, slow) = (trusted.back().expect("roots"), served.back().expect("pairs"));
        for (replica, slow) in replicas.iter().zip(slow) {
            assert!(accepts(replica.resolver.current(), late, now), "at {:?}", start.elapsed());
            assert!(accepts(slow.clone(), &roots, now), "at {:?}", start.elapsed());
            assert_eq!(replica.obstacle(), None);
        }
        assert!(roots.len() <= 9, "{:?}", api.names());
    }
    for replica in &replicas {
        assert!((10..=14).contains(&replica.count("Exchanged")), "{:?}", replica.events());
        assert_eq!(replica.count("Fault"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_api_server_the_last_certificate_is_served_to_its_end() {
    let api = Api::new();
    let replica = run(&api, pod("a"), MINUTE * 10);
    replica.ready().await;
    api.set_down(true);
    let start = Instant::now();
    while start.elapsed() < MINUTE * 9 {
        sleep(Duration::from_secs(1)).await;
        assert_eq!(replica.obstacle(), None);
        assert!(replica.is_accepted(&api));
    }
    let faults = replica.count("Fault");
    // Of two configurations.
    assert!((72..400).contains(&faults), "{faults} in nine minutes");
    sleep(MINUTE * 2).await;
    assert_eq!(replica.obstacle(), Some(Obstacle::Expired));
    api.set_down(false);
    let time = replica.ready().await;
    assert!(time < Duration::from_secs(25), "{time:?}");
    assert!(replica.is_accepted(&api));
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_comes_later_is_waited_for() {
    let api = Api::new();
    api.set_down(true);
    let replica = run(&api, pod("a"), DAY);
    sleep(MINUTE * 5).await;
    assert_eq!(replica.obstacle(), Some(Obstacle::Unread));
    api.set_down(false);
    assert!(replica.ready().await < Duration::from_secs(25));
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_is_missing_is_said_now_and_then_and_waited_for() {
    let api = Api::without_configuration();
    let replica = run(&api, pod("a"), DAY);
    sleep(MINUTE).await;
    assert_eq!(replica.obstacle(), Some(Obstacle::Unregistered));
    let faults = replica.count("Fault there is no MutatingWebhookConfiguration `mayfly-webhook`");
    assert!((3..12).contains(&faults), "{:?}", replica.events());
    api.install();
    assert!(replica.ready().await < Duration::from_secs(5));
    api.uninstall(PODS);
    sleep(Duration::from_secs(6)).await;
    assert_eq!(replica.obstacle(), Some(Obstacle::Unregistered));
    api.install();
    assert!(replica.ready().await < Duration::from_secs(5));
    assert!(replica.is_accepted(&api));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_or_says_nothing_costs_seconds() {
    let api = Api::new();
    let replica = run(&api, pod("a"), DAY);
    replica.ready().await;
    api.break_watches();
    sleep(Duration::from_secs(20)).await;
    api.overwrite("");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(api.names(), ["a"]);
    api.set_deaf();
    sleep(Duration::from_secs(20)).await;
    api.overwrite("");
    sleep(Duration::from_secs(14)).await;
    assert_eq!(api.names(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn the_dead_go_and_the_living_the_unknown_and_the_foreign_stay() {
    let api = Api::new();
    let foreign = rcgen::generate_simple_self_signed(["other".to_owned()]).expect("a certificate");
    api.overwrite(&format!("{}-----BEGIN CERTIFICATE-----\nx", foreign.cert.pem()));
    let elsewhere = Replica::pod("elsewhere", "e");
    let others = [pod("alive"), pod("gone"), pod("done"), Replica::process("p"), elsewhere];
    for replica in others {
        // Those that end without a word.
        let other = run(&api, replica, MINUTE * 30);
        other.ready().await;
    }
    api.set_pod("gone", None);
    api.set_pod("done", Some("Failed"));
    let replica = run(&api, pod("self"), DAY);
    replica.ready().await;
    sleep(MINUTE * 3).await;
    assert_eq!(api.names(), ["foreign", "p", "e", "alive", "self"]);
    // After some minutes more the silent ones have expired, wherever they were.
    sleep(MINUTE * 40).await;
    assert_eq!(api.names(), ["foreign", "self"]);
    assert_eq!(replica.obstacle(), None);
}

#[tokio::test(start_paused = true)]
async fn who_is_no_pod_itself_takes_nobody_for_dead() {
    let api = Api::new();
    run(&api, pod("gone"), DAY).ready().await;
    let replica = run(&api, pod("misnamed"), DAY);
    replica.ready().await;
    api.set_pod("gone", None);
    api.set_pod("misnamed", None);
    sleep(MINUTE * 3).await;
    assert_eq!(api.names(), ["gone", "misnamed"]);
    assert!(replica.count("Fault there is no pod `misnamed`") > 0, "{:?}", replica.events());
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_restarts_in_a_loop_has_one_entry_and_evicts_nobody() {
    let api = Api::new();
    let other = run(&api, pod("b"), DAY);
    other.ready().await;
    for _ in 0..10 {
        run(&api, pod("a"), DAY).ready().await;
    }
    let last = run(&api, pod("a"), DAY);
    last.ready().await;
    assert_eq!(api.names(), ["a", "b"]);
    assert!(last.is_accepted(&api) && other.is_accepted(&api));
}

#[test]
fn a_name_that_no_certificate_can_have_is_refused_at_once() {
    let wish = Wish { replica: pod("a"), names: vec!["ä".to_owned()], lifetime: DAY };
    let refusal = wish.issue(SystemTime::UNIX_EPOCH + EPOCH, &default_provider());
    assert!(refusal.expect_err("no certificate").to_string().contains('ä'));
}
