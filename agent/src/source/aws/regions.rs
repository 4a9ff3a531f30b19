//! Regions that stand in for the pod's own while that is down.
//!
//! They are asked when there is no connection to it, no answer in time, or a fault of the service
//! itself; never when it answered. One that was down is asked last for a while, so that not every
//! reference waits for it anew.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use tokio::time::Instant;

/// How long a region that was down is asked last.
const DOWN: Duration = Duration::from_mins(1);

/// The stand-ins, in the order in which they are tried.
#[derive(Debug, Default)]
pub(super) struct Regions {
    stand_ins: Vec<String>,
    down: RefCell<BTreeMap<String, Instant>>,
}

impl Regions {
    pub(super) fn new(stand_ins: Vec<String>) -> Self {
        Self { stand_ins, down: RefCell::default() }
    }

    /// Asks in `region`, and while it is down in those that stand in for it. If none of them has an
    /// answer the region's own failure is told: it passes, and theirs may be that they know nothing.
    pub(super) async fn ask<T, E>(
        &self,
        region: &str,
        is_outage: impl Fn(&E) -> bool,
        ask: impl AsyncFn(&str) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.is_down(region) {
            if let Some(answer) = self.ask_stand_ins(region, &ask).await {
                return Ok(answer);
            }
            return ask(region).await;
        }
        match ask(region).await {
            Err(error) if is_outage(&error) => {
                self.note_down(region);
                self.ask_stand_ins(region, &ask).await.ok_or(error)
            }
            answer => answer,
        }
    }

    async fn ask_stand_ins<T, E>(
        &self,
        region: &str,
        ask: &impl AsyncFn(&str) -> Result<T, E>,
    ) -> Option<T> {
        for stand_in in self.stand_ins.iter().filter(|stand_in| *stand_in != region) {
            if let Ok(answer) = ask(stand_in).await {
                return Some(answer);
            }
        }
        None
    }

    fn note_down(&self, region: &str) {
        self.down.borrow_mut().insert(region.to_owned(), Instant::now());
    }

    fn is_down(&self, region: &str) -> bool {
        self.down.borrow().get(region).is_some_and(|since| since.elapsed() < DOWN)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    /// What each region answers; an error of `true` is an outage.
    struct World {
        regions: Regions,
        asked: RefCell<Vec<String>>,
        answers: RefCell<BTreeMap<&'static str, Result<(), bool>>>,
    }

    impl World {
        fn new() -> Self {
            let regions = Regions::new(vec!["own".to_owned(), "b".to_owned(), "c".to_owned()]);
            let answers =
                RefCell::new(BTreeMap::from(["own", "b", "c"].map(|name| (name, Ok(())))));
            Self { regions, asked: RefCell::default(), answers }
        }

        fn set(&self, region: &'static str, answer: Result<(), bool>) {
            self.answers.borrow_mut().insert(region, answer);
        }

        /// The answer, and who was asked for it.
        async fn ask(&self) -> (Result<(), bool>, String) {
            self.asked.borrow_mut().clear();
            let ask = async |region: &str| {
                self.asked.borrow_mut().push(region.to_owned());
                self.answers.borrow()[region]
            };
            let answer = self.regions.ask("own", |outage| *outage, ask).await;
            (answer, self.asked.borrow().join(" "))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_else_is_asked_when_the_region_answers() {
        let world = World::new();
        assert_eq!(world.ask().await, (Ok(()), "own".to_owned()));
        world.set("own", Err(false));
        assert_eq!(world.ask().await, (Err(false), "own".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_stood_in_for_in_order_and_waited_for_once() {
        let world = World::new();
        world.set("own", Err(true));
        world.set("b", Err(true));
        assert_eq!(world.ask().await, (Ok(()), "own b c".to_owned()));
        assert_eq!(world.ask().await, (Ok(()), "b c".to_owned()));
        world.set("own", Ok(()));
        advance(DOWN).await;
        assert_eq!(world.ask().await, (Ok(()), "own".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stand_in_that_knows_nothing_does_not_hide_the_outage() {
        let world = World::new();
        world.set("own", Err(true));
        world.set("b", Err(false));
        world.set("c", Err(false));
        assert_eq!(world.ask().await, (Err(true), "own b c".to_owned()));
        assert_eq!(world.ask().await, (Err(true), "b c own".to_owned()));
        world.set("own", Ok(()));
        assert_eq!(world.ask().await, (Ok(()), "b c own".to_owned()));
    }
}
