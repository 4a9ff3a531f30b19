use std::time::Instant;

use super::*;

#[expect(clippy::disallowed_methods, reason = "a test hands out the clock")]
fn now() -> Instant {
    Instant::now()
}

fn seats(connections: usize, handshakes: usize) -> Seats {
    Seats::new(&Limits { connections, handshakes, ..Limits::default() }, now)
}

fn take(seats: &Seats) -> Seat {
    match seats.take() {
        Arrival::Seated(seat) | Arrival::Crowded(seat) => seat,
        Arrival::Full => panic!("no seat"),
    }
}

fn is_evicted(seat: &Seat) -> bool {
    seat.place.left.is_cancelled()
}

#[test]
fn a_newcomer_is_seated_at_once_in_the_place_of_the_oldest_without_an_answer() {
    let seats = seats(2, 2);
    let (oldest, second) = (take(&seats), take(&seats));
    oldest.place().enter(Phase::Idle);
    second.place().enter(Phase::Idle);
    // The oldest does not leave by itself: it is still here, and there is a seat nevertheless.
    let Arrival::Crowded(third) = seats.take() else { panic!("nobody had to go") };
    assert!(is_evicted(&oldest) && !is_evicted(&second) && !is_evicted(&third));
    drop(oldest);
    let Arrival::Crowded(_fourth) = seats.take() else { panic!("more seats than there are") };
    assert!(is_evicted(&second) && !is_evicted(&third));
}

#[test]
fn who_is_kept_between_reviews_outlasts_a_crowd_that_is_answered_nothing() {
    let seats = seats(4, 4);
    let kept = take(&seats);
    kept.place().answered(true);
    let mut crowd = Vec::new();
    for _ in 0..100 {
        let slow = take(&seats);
        slow.place().enter(Phase::Body(0, 1));
        crowd.push(slow);
    }
    assert!(!is_evicted(&kept));
    assert_eq!(crowd.iter().filter(|slow| !is_evicted(slow)).count(), 3);
    assert!(crowd[97..].iter().all(|slow| !is_evicted(slow)), "not the oldest went");
}

#[test]
fn what_is_no_review_earns_no_place() {
    let seats = seats(2, 2);
    let (stranger, newcomer) = (take(&seats), take(&seats));
    (0..9).for_each(|_| stranger.place().answered(false));
    newcomer.place().answered(true);
    let _third = take(&seats);
    assert!(is_evicted(&stranger) && !is_evicted(&newcomer));
}

#[test]
fn who_is_being_answered_is_never_sent_away() {
    let seats = seats(1, 1);
    let busy = take(&seats);
    busy.place().enter(Phase::Review);
    assert!(matches!(seats.take(), Arrival::Full));
    busy.place().answered(true);
    assert!(matches!(seats.take(), Arrival::Crowded(_)));
    assert!(is_evicted(&busy));
}

#[test]
fn a_seat_that_is_left_is_free() {
    let seats = seats(1, 1);
    drop(take(&seats));
    assert!(matches!(seats.take(), Arrival::Seated(_)));
}

#[test]
fn handshakes_crowd_out_each_other_and_nobody_else() {
    let seats = seats(10, 2);
    let talking = take(&seats);
    talking.place().enter(Phase::Idle);
    let (first, second, third) = (take(&seats), take(&seats), take(&seats));
    assert!(is_evicted(&first) && !is_evicted(&talking));
    assert!(!is_evicted(&second) && !is_evicted(&third));
}

#[test]
fn a_sweep_takes_who_is_too_slow() {
    let seats = seats(10, 10);
    let limits = Limits { header: Duration::ZERO, ..Limits::default() };
    let (idle, slow) = (take(&seats), take(&seats));
    idle.place().enter(Phase::Idle);
    slow.place().enter(Phase::Header);
    while seats.sweep(&limits) == 0 {}
    assert!(is_evicted(&slow) && !is_evicted(&idle));
    assert_eq!(seats.sweep(&limits), 0);
}

#[test]
fn room_for_a_body_is_made_by_those_who_keep_theirs_back_in_the_same_lane() {
    let seats = seats(10, 10);
    let body = |lane, length| {
        let seat = take(&seats);
        seat.place().enter(Phase::Body(lane, length));
        seat
    };
    let (elsewhere, first, second, third) = (body(1, 99), body(0, 10), body(0, 10), body(0, 10));
    let waiting = body(0, 0);
    assert_eq!(seats.make_room(0, 15, Duration::from_hours(1)), 0, "they have only begun");
    assert_eq!(seats.make_room(0, 15, Duration::ZERO), 2);
    assert!(is_evicted(&first) && is_evicted(&second));
    assert!(!is_evicted(&third) && !is_evicted(&elsewhere) && !is_evicted(&waiting));
}
