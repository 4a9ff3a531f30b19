use std::time::Duration;

use crate::{
    driver::Pattern,
    fleet::{END, Fleet, Load, SETTLED, Seen},
    plan::{Call, Plan},
    report::{calls_per_day, throttled},
    service::Service,
};

const AT_ONCE: Duration = Duration::from_secs(1);

fn run(pods: u32, secrets: u16, parameters: u16, seed: u64) -> Seen {
    run_sealed(pods, secrets, parameters, 0, seed)
}

fn run_sealed(pods: u32, secrets: u16, parameters: u16, sealed: u16, seed: u64) -> Seen {
    let plan = Plan::new(secrets, parameters).expect("a plan");
    let refresh = Duration::from_mins(5);
    let load = Load { pods, pods_per_node: 50, over: AT_ONCE, refresh, sealed };
    Fleet::new(&plan, &load, &load.starts(seed), seed).run()
}

#[test]
fn the_plan_is_the_agents_own() {
    let plan = Plan::new(20, 11).expect("a plan");
    assert_eq!(plan.calls(3, 0), [Call::Secret; 3]);
    assert_eq!(plan.calls(20, 0), [Call::Batch(20)]);
    assert_eq!(plan.calls(0, 11), [Call::Parameters(10), Call::Parameters(1)]);
    assert_eq!(plan.calls(0, 0), []);
}

#[test]
fn the_same_seed_gives_the_same_fleet() {
    let summary = |seed| {
        let seen = run(300, 2, 0, seed);
        (calls_per_day(&seen), seen.secrets.peak(SETTLED, END), seen.waits)
    };
    assert_eq!(summary(7), summary(7));
    assert_ne!(summary(7).2, summary(8).2);
}

#[test]
fn every_pod_gets_its_files_and_asks_once_an_interval() {
    let seen = run(500, 3, 0, 1);
    assert_eq!(seen.waits.len(), 500);
    assert_eq!(throttled(&seen, Duration::ZERO, END), 0);
    // 288 intervals of five minutes, as exactly as the edges of the hour that is watched allow.
    let expected = 500 * 3 * 288;
    let off = calls_per_day(&seen).abs_diff(expected);
    assert!(off * 100 < expected, "{} calls", calls_per_day(&seen));
}

#[test]
fn a_fleet_that_started_at_once_is_spread_over_half_an_interval() {
    let seen = run(3000, 1, 0, 3);
    assert_eq!(
        seen.secrets.peak(Duration::ZERO, Duration::from_secs(3)),
        3000.min(seen.secrets.peak(Duration::ZERO, END))
    );
    let even = 3000 / 150;
    let peak = seen.secrets.peak(SETTLED, END);
    assert!((even..3 * even).contains(&peak), "{peak} calls a second");
}

#[test]
fn what_is_throttled_is_asked_for_again_until_every_pod_has_it() {
    let seen = run(300, 0, 10, 5);
    assert!(throttled(&seen, Duration::ZERO, SETTLED) > 0);
    assert_eq!(seen.waits.len(), 300);
    // Forty a second, and forty at once.
    assert!(seen.waits.last().is_some_and(|wait| *wait > Duration::from_secs(5)));
    assert_eq!(throttled(&seen, SETTLED, END), 0);
}

#[test]
fn a_batch_that_is_throttled_is_asked_for_one_by_one() {
    let seen = run(400, 5, 0, 2);
    assert_eq!(seen.waits.len(), 400);
    let start = Duration::from_secs(5);
    let (batches, singles) = (
        seen.batches.answered(Duration::ZERO, start),
        seen.secrets.answered(Duration::ZERO, start),
    );
    assert!((100..400).contains(&batches), "{batches} batches");
    assert_eq!(batches * 5 + singles, 400 * 5);
}

#[test]
fn a_service_answers_what_its_quota_allows() {
    let mut service = Service::new(10.0, 10.0);
    let tenths = (0..100).map(|tenth| Duration::from_millis(tenth * 100));
    let answered = tenths.flat_map(|time| [time; 5]).filter(|time| service.ask(*time)).count();
    assert!((100..=110).contains(&answered), "{answered} answers");
    assert_eq!(service.throttled(Duration::ZERO, END), 500 - answered as u64);
}

#[test]
fn the_drivers_pattern_is_the_published_one() {
    let at_once = vec![Duration::ZERO; 10_000];
    assert_eq!(Pattern::of(&at_once, 5), Pattern { peak: 50_000, per_day: 36_000_000 });
}

#[test]
fn what_never_changes_is_opened_once_in_the_time_that_is_watched() {
    let seen = run_sealed(200, 1, 0, 3, 4);
    assert_eq!(seen.waits.len(), 200);
    assert_eq!(seen.keys.answered(Duration::ZERO, END), 200 * 3);
    assert_eq!(seen.keys.answered(SETTLED, END), 0);
}
