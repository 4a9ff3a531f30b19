//! Clocks that jump, and the time that a switch takes.

use std::sync::Arc;

use super::*;

const WEEK: Duration = Duration::from_hours(7 * 24);

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).expect("a number")
}

/// What an API server with the right time makes of a replica.
fn is_accepted_at_the_right_time(replica: &running::Running, api: &Api) -> bool {
    let ahead = u64::try_from(replica.ahead.load(Relaxed)).expect("a clock that is ahead");
    let now = (replica.clock)() - Duration::from_secs(ahead);
    accepts(replica.resolver.current(), &api.roots(), now)
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_a_day_ahead_is_no_fault_and_may_step_back() {
    let api = Api::new();
    let ahead = seconds(DAY) - 60;
    let replica = run_ahead(&api, pod("a"), WEEK, ahead);
    replica.ready().await;
    assert!(is_accepted_at_the_right_time(&replica, &api));
    replica.ahead.store(0, Relaxed);
    for _ in 0..600 {
        sleep(Duration::from_secs(1)).await;
        assert_eq!(replica.obstacle(), None);
        assert!(replica.is_accepted(&api));
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_is_not_valid_yet_is_replaced_at_once() {
    let api = Api::new();
    let ahead = seconds(DAY * 3650);
    let replica = run_ahead(&api, pod("a"), WEEK, ahead);
    replica.ready().await;
    assert!(!is_accepted_at_the_right_time(&replica, &api));
    replica.ahead.store(0, Relaxed);
    assert_eq!(replica.obstacle(), Some(Obstacle::Early), "nobody accepts it");
    let time = replica.ready().await;
    assert!(time < Duration::from_secs(20), "{time:?}");
    assert!(replica.is_accepted(&api));
    assert_eq!(replica.count("Exchanged"), 2);
    sleep(MINUTE).await;
    assert_eq!(api.names(), ["a"], "the old one is taken out");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_outlives_what_was_asked_for_is_replaced_and_served_meanwhile() {
    let api = Api::new();
    let ahead = seconds(Duration::from_hours(23));
    let replica = run_ahead(&api, pod("a"), Duration::from_hours(12), ahead);
    replica.ready().await;
    let first = replica.resolver.current().expect("a pair");
    replica.ahead.store(0, Relaxed);
    sleep(MINUTE).await;
    assert_eq!(api.names(), ["a", "a"], "the next one is published");
    assert!(Arc::ptr_eq(&first, &replica.resolver.current().expect("a pair")), "without haste");
    assert_eq!((replica.obstacle(), replica.is_accepted(&api)), (None, true));
}

#[tokio::test(start_paused = true)]
async fn a_renewal_is_known_for_a_part_of_what_is_left_before_it_is_served() {
    let api = Api::new();
    let replica = run(&api, pod("a"), MINUTE * 200);
    replica.ready().await;
    let start = Instant::now();
    let (mut known, mut switched) = (None, None);
    while switched.is_none() && start.elapsed() < MINUTE * 150 {
        sleep(Duration::from_secs(10)).await;
        if api.names().len() > 1 {
            known.get_or_insert_with(|| start.elapsed());
        }
        if replica.count("Exchanged") == 2 {
            switched = Some(start.elapsed());
        }
        assert!(replica.is_accepted(&api));
    }
    let (known, switched) = (known.expect("published"), switched.expect("served"));
    assert!(known > MINUTE * 79 && known < MINUTE * 101, "published after {known:?}");
    // From about a twentieth of the hundred minutes or more that are left to a fifth of them.
    let wait = switched.saturating_sub(known);
    assert!(wait >= MINUTE * 4 && wait <= MINUTE * 25, "served {wait:?} later");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_was_held_up_until_the_end_is_served_as_soon_as_it_is_known() {
    let api = Api::new();
    let replica = run(&api, pod("a"), MINUTE * 60);
    replica.ready().await;
    api.set_down(true);
    sleep(MINUTE * 61).await;
    assert_eq!(replica.obstacle(), Some(Obstacle::Expired));
    api.set_down(false);
    let time = replica.ready().await;
    assert!(time < Duration::from_secs(25), "{time:?}");
}
