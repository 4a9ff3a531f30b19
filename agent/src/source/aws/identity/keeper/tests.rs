//! All under virtual time.

use std::rc::Rc;

use futures_util::future::{join_all, poll_immediate};
use tokio::time::{advance, sleep};

use super::*;
use crate::{
    fault::{Class, Fault},
    source::aws::clock::tests::Virtual,
};

const HOUR: Duration = Duration::from_hours(1);

fn keeper() -> Keeper {
    Keeper::new(Clock::new(Rc::new(Virtual::new())))
}

fn credentials(keeper: &Keeper, id: &str, life: Duration) -> Credentials {
    Credentials::new(id, "secret", None, Some(keeper.clock.now() + life), "test")
}

fn refused() -> SourceError {
    Fault::new(Class::Refused, "no")
}

async fn given(keeper: &Keeper, id: &str, life: Duration) {
    let new = credentials(keeper, id, life);
    keeper.obtain(async { Ok(new) }).await.expect("credentials");
}

fn standing(keeper: &Keeper) -> (&'static str, String) {
    match keeper.standing() {
        Standing::Good(held) => ("good", held.access_key_id().to_owned()),
        Standing::Ending(held) => ("ending", held.access_key_id().to_owned()),
        Standing::Gone => ("gone", String::new()),
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_are_good_then_ending_then_gone() {
    let keeper = keeper();
    assert_eq!(standing(&keeper).0, "gone");
    given(&keeper, "a", HOUR).await;
    advance(HOUR.saturating_sub(BEFORE_THE_END + Duration::from_secs(1))).await;
    assert_eq!(standing(&keeper), ("good", "a".to_owned()));
    advance(Duration::from_secs(1)).await;
    assert_eq!(standing(&keeper), ("ending", "a".to_owned()));
    advance(BEFORE_THE_END).await;
    assert_eq!(standing(&keeper).0, "gone");
    given(&keeper, "b", Duration::from_mins(15)).await;
    advance(Duration::from_mins(10)).await;
    assert_eq!(standing(&keeper), ("ending", "b".to_owned()), "the last third");
    keeper.forget_all();
    assert_eq!(standing(&keeper).0, "gone");
}

#[tokio::test(start_paused = true)]
async fn twenty_that_wait_ask_once_and_hear_the_same() {
    let keeper = keeper();
    let asked = Cell::new(0);
    let exchange = async |answer: Result<Credentials, SourceError>| {
        asked.set(asked.get() + 1);
        sleep(Duration::from_secs(10)).await;
        answer
    };
    let began = Instant::now();
    let all = (0..20).map(|_| keeper.obtain(exchange(Err(refused()))));
    assert!(join_all(all).await.iter().all(|answer| *answer == Err(refused())));
    assert_eq!((asked.get(), began.elapsed()), (1, Duration::from_secs(10)));
    let new = credentials(&keeper, "a", HOUR);
    let all = (0..20).map(|_| keeper.obtain(exchange(Ok(new.clone()))));
    assert!(join_all(all).await.iter().all(|answer| *answer == Ok(new.clone())));
    assert_eq!(asked.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_hangs_takes_nothing_away_and_is_one() {
    let keeper = keeper();
    given(&keeper, "a", HOUR).await;
    advance(HOUR.saturating_sub(BEFORE_THE_END)).await;
    assert!(keeper.begins_renewal() && !keeper.begins_renewal());
    let new = credentials(&keeper, "b", HOUR);
    let mut renewal = Box::pin(keeper.renew(async {
        sleep(Duration::from_mins(1)).await;
        Ok(new)
    }));
    assert!(poll_immediate(&mut renewal).await.is_none());
    assert_eq!(standing(&keeper), ("ending", "a".to_owned()));
    renewal.await;
    assert_eq!(standing(&keeper), ("good", "b".to_owned()));
    assert!(keeper.begins_renewal(), "the next one may begin");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_is_not_begun_again_at_once() {
    let keeper = keeper();
    given(&keeper, "a", HOUR).await;
    advance(HOUR.saturating_sub(BEFORE_THE_END)).await;
    for (fault, wait) in [
        (refused(), BETWEEN_RENEWALS),
        (refused().not_before(Some(Duration::from_mins(2))), Duration::from_mins(2)),
    ] {
        assert!(keeper.begins_renewal());
        keeper.renew(async { Err(fault) }).await;
        assert_eq!(standing(&keeper), ("ending", "a".to_owned()));
        advance(wait.saturating_sub(Duration::from_secs(1))).await;
        assert!(!keeper.begins_renewal());
        advance(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_taken_any_more_is_dropped_unless_it_was_renewed() {
    let keeper = keeper();
    given(&keeper, "a", HOUR).await;
    keeper.forget(&credentials(&keeper, "older", HOUR));
    assert_eq!(standing(&keeper), ("good", "a".to_owned()));
    keeper.forget(&credentials(&keeper, "a", HOUR));
    assert_eq!(standing(&keeper).0, "gone");
}
