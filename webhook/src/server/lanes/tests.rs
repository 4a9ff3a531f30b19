use std::sync::mpsc;

use super::*;

const LARGE: usize = 2000;

/// One thread for each lane, and nobody waits for long.
fn limits() -> Limits {
    let lane = |largest| limits::Lane { largest, bodies: largest, threads: 1 };
    let lanes = [lane(10), lane(100), lane(LARGE)];
    Limits { lanes, turn: Duration::from_millis(50), on_the_spot: 5, ..Limits::default() }
}

fn lanes() -> Arc<Lanes> {
    Arc::new(Lanes::new(&limits()).expect("threads"))
}

/// Work in that lane that goes on until the sender is dropped.
async fn occupy(lanes: &Arc<Lanes>, lane: usize) -> mpsc::Sender<()> {
    let (sender, receiver) = mpsc::channel();
    let (begun, begins) = tokio::sync::oneshot::channel();
    let lanes = Arc::clone(lanes);
    tokio::spawn(async move {
        let work = move || {
            begun.send(()).expect("a listener");
            receiver.recv()
        };
        lanes.run(lane, LARGE, work).await
    });
    begins.await.expect("a beginning");
    sender
}

#[tokio::test]
async fn who_waits_too_long_for_a_turn_is_told_and_the_smaller_never_wait() {
    let lanes = lanes();
    let large = occupy(&lanes, 2).await;
    assert_eq!(lanes.run(2, LARGE, || 1).await, Err(Refusal::BUSY));
    assert_eq!(lanes.run(1, 100, || 2).await, Ok(2));
    assert_eq!(lanes.run(0, 1, || 3).await, Ok(3));
    drop(large);
    while lanes.run(2, LARGE, || 4).await != Ok(4) {}
}

#[tokio::test]
async fn a_review_keeps_its_turn_when_nobody_waits_for_it_any_more() {
    let lanes = lanes();
    let (end, ends) = mpsc::channel::<()>();
    let (begun, begins) = tokio::sync::oneshot::channel();
    let work = move || {
        begun.send(()).expect("a listener");
        ends.recv()
    };
    tokio::select! {
        _ = lanes.run(1, 100, work) => panic!("done"),
        begun = begins => begun.expect("a beginning"),
    }
    assert_eq!(lanes.run(1, 100, || ()).await, Err(Refusal::BUSY));
    drop(end);
    while lanes.run(1, 100, || ()).await.is_err() {}
}

#[tokio::test]
async fn a_panic_costs_one_review_and_no_turn() {
    let lanes = lanes();
    for _ in 0..3 {
        let outcome = lanes.run(1, 100, || panic!("injected")).await;
        assert_eq!(outcome, Err::<(), _>(Refusal::PANIC));
    }
    assert_eq!(lanes.run(1, 100, || 1).await, Ok(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_small_are_reviewed_on_the_spot_while_a_worker_is_left() {
    let lanes = lanes();
    let spots = lanes.spots();
    let here = std::thread::current().id();
    let work = move || std::thread::current().id() == here;
    // The test itself is no worker, so that "here" is its own thread.
    assert_eq!(lanes.run(0, 5, work).await, Ok(true));
    assert_eq!(lanes.run(0, 6, work).await, Ok(false), "too large for the spot");
    let taken = lanes.spots.try_acquire().expect("a spot");
    assert!(spots.are_taken());
    assert_eq!(lanes.run(0, 5, work).await, Ok(false), "the last worker is taken, too");
    drop(taken);
    assert!(!spots.are_taken());
    let outcome = lanes.run(0, 5, || panic!("injected")).await;
    assert_eq!(outcome, Err::<(), _>(Refusal::PANIC));
    assert!(!spots.are_taken());
}

#[tokio::test]
async fn a_body_finds_the_lane_of_its_size_and_room_there() {
    let lanes = lanes();
    assert_eq!(lanes.find(Some(0)), Ok((0, 0)));
    assert_eq!(lanes.find(Some(11)), Ok((1, 11)));
    assert_eq!(lanes.find(None), Ok((2, LARGE)), "it may become as large as any");
    for too_large in [LARGE as u64 + 1, u64::MAX] {
        assert_eq!(lanes.find(Some(too_large)), Err(Refusal::TOO_LARGE));
    }
    let half = lanes.try_room(1, 50).expect("room");
    let rest = lanes.try_room(1, 50).expect("room");
    assert!(lanes.try_room(1, 1).is_none(), "more bytes than there may be");
    assert_eq!(lanes.room(1, 1).await.err(), Some(Refusal::BUSY));
    assert!(lanes.try_room(0, 10).is_some(), "the other lanes have their own");
    drop(half);
    let waits = lanes.room(1, 100);
    drop(rest);
    assert!(waits.await.is_ok());
}
