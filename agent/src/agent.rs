//! The agent's life: start closed, then never worse.
//!
//! ```text
//! look ─→ settled? ─→ status.json ─→ ends? ─→ wait ─┐
//!   ↑                                               │
//!   └───────────────────────────────────────────────┘
//! ```
//! Before the first generation a fault may end the agent; after it none does.

use std::time::Duration;

use mayfly_spec::{Spec, spec::Mode};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tracing::{debug, info, warn};

use crate::{
    clock::Clock,
    disk::{Applied, DiskError, Volume},
    fault::{Class, Fault},
    ledger::Ledger,
    schedule::{Outcome, Schedule},
    source::Source,
    status::{self, State, Status},
    sync::{Holdings, Sync},
};

/// How long the files of the last generation can still be read: a reader that opened one of them
/// just before the switch wants its neighbours too.
const GRACE: Duration = Duration::from_secs(2);

/// What an agent is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// One generation.
    Once,
    /// One generation, and then every newer one.
    KeepFresh,
}

/// An agent at work on one volume.
#[derive(Debug)]
pub struct Agent<'a, S, C, J> {
    sync: Sync<'a, S, C>,
    schedule: Schedule,
    jitter: J,
    deadline: Instant,
    /// When the next round begins.
    round: Instant,
    /// Whether the last look failed.
    failing: bool,
    ready: bool,
    /// Since when there is an older generation.
    outdated: Option<Instant>,
}

impl<'a, S: Source, C: Clock, J: FnMut() -> f64> Agent<'a, S, C, J> {
    /// An agent that has not looked yet. Its start deadline begins now.
    pub fn new(spec: &'a Spec, source: &'a S, volume: &'a Volume, clock: &'a C, jitter: J) -> Self {
        let before = volume.read_status().and_then(|json| Status::parse(&json));
        let adopted =
            before.as_ref().filter(|status| status.is_complete(spec)).and_then(|status| {
                volume
                    .adopt(status::expected(spec))
                    .filter(|generation| *generation == status.generation)
            });
        volume.sweep();
        Self {
            sync: Sync {
                spec,
                source,
                volume,
                clock,
                ledger: Ledger::new(spec, before.as_ref()),
                holdings: Holdings::default(),
            },
            schedule: Schedule::new(spec.refresh.interval.duration()),
            jitter,
            deadline: Instant::now() + spec.start.deadline.duration(),
            round: Instant::now(),
            failing: false,
            ready: adopted.is_some(),
            outdated: None,
        }
    }

    /// Works until `task` is done, or a fault ends it.
    pub async fn work(&mut self, task: Task) -> Result<(), Fault> {
        if self.ready {
            info!(generation = self.sync.ledger.generation(), "found the files of an earlier run");
        } else {
            self.publish(None, None);
        }
        loop {
            let began = Instant::now();
            let new_round = self.round <= began;
            let result = self.look(new_round).await;
            let changed = result.as_ref().is_ok_and(|applied| applied.changed);
            self.ready |= result.is_ok();
            self.tell(&result);
            let wait = self.until_next(&result, began, new_round);
            let fault = result.err();
            if let Some(fault) = fault.as_ref().filter(|fault| self.ends(task, fault)) {
                return Err(self.end(fault.clone()));
            }
            if task == Task::Once && self.ready {
                self.publish(fault, None);
                self.sync.volume.sweep();
                return Ok(());
            }
            self.publish(fault.clone(), Some(wait));
            if let Some(fault) = fault.filter(|_| self.is_last(wait)) {
                sleep_until(self.deadline).await;
                return Err(self.end(fault));
            }
            if changed {
                self.outdated = Some(Instant::now());
            }
            self.wait(wait).await;
        }
    }

    /// How long to wait after a look: for the next round or retry, or until a secret is due.
    fn until_next(
        &mut self,
        result: &Result<Applied, Fault>,
        began: Instant,
        new_round: bool,
    ) -> Duration {
        let wait = self.schedule.next(self.outcome(result), began.elapsed(), (self.jitter)());
        let was_failing = std::mem::replace(&mut self.failing, result.is_err());
        let now = Instant::now();
        if self.failing && new_round {
            // What has been read is not asked for again while the rest is tried.
            self.round = began + self.sync.spec.refresh.interval.duration();
        } else if !self.failing && (new_round || was_failing) {
            self.round = now + wait;
        }
        let wait = if self.failing { wait } else { self.round.saturating_duration_since(now) };
        self.sync.holdings.next_due().map_or(wait, |due| due.min(wait))
    }

    /// Whether the start deadline comes before the next look.
    fn is_last(&self, wait: Duration) -> bool {
        !self.ready && !self.goes_on() && Instant::now() + wait >= self.deadline
    }

    fn end(&self, fault: Fault) -> Fault {
        self.write_status(State::Failed, Some(fault.clone()), None);
        fault
    }

    /// Looks, but before the first generation not beyond the start deadline.
    async fn look(&mut self, new_round: bool) -> Result<Applied, Fault> {
        if self.ready || self.goes_on() {
            return self.sync.look(new_round).await;
        }
        match timeout_at(self.deadline, self.sync.look(new_round)).await {
            Ok(result) => result,
            Err(_) => Err(self.sync.unfinished().unwrap_or_else(|| self.too_late())),
        }
    }

    fn too_late(&self) -> Fault {
        let deadline = self.sync.spec.start.deadline;
        Fault::new(Class::Unreachable, format_args!("nothing was written within {deadline}"))
    }

    /// Whether the agent goes on trying to start, whatever happens.
    fn goes_on(&self) -> bool {
        self.sync.spec.mode == Some(Mode::Parallel)
    }

    /// Whether `fault` ends the agent.
    fn ends(&self, task: Task, fault: &Fault) -> bool {
        match (task, self.ready) {
            // The app has good files; an init container that is run again must not hold it back.
            (Task::Once, true) => self.sync.spec.mode != Some(Mode::Init),
            (Task::KeepFresh, true) => false,
            (Task::KeepFresh, false) if self.goes_on() => false,
            (_, false) => !fault.is_transient(),
        }
    }

    fn outcome(&self, result: &Result<Applied, Fault>) -> Outcome {
        match result {
            Ok(_) => Outcome::Good,
            Err(fault) if self.ready => Outcome::Kept(fault.class),
            Err(fault) => Outcome::NotStarted(fault.class),
        }
    }

    fn tell(&self, result: &Result<Applied, Fault>) {
        match result {
            Ok(Applied { generation, changed: true }) => info!(generation, "secrets written"),
            Ok(Applied { generation, .. }) => debug!(generation, "secrets unchanged"),
            Err(Fault { class, message, .. }) => {
                warn!(
                    class = class.name(),
                    error = message,
                    files_kept = self.ready,
                    "look failed"
                );
            }
        }
    }

    fn publish(&self, error: Option<Fault>, wait: Option<Duration>) {
        let state = match (self.ready, &error) {
            (false, _) => State::Starting,
            (true, None) => State::Ready,
            (true, Some(_)) => State::Stale,
        };
        self.write_status(state, error, wait);
    }

    fn write_status(&self, state: State, error: Option<Fault>, wait: Option<Duration>) {
        let Sync { ledger, clock, volume, holdings, .. } = &self.sync;
        let round = self.round.saturating_duration_since(Instant::now());
        let due = |location: &_| match holdings.due(location) {
            _ if holdings.faults.contains_key(location) => None,
            Some(due) => Some(due.min(round)),
            None => wait.map(|wait| wait.max(round)),
        };
        let status = ledger.status(state, error, clock.now(), wait, due);
        if let Err(error) = volume.write_status(&status.to_json()) {
            warn!(error = Fault::from(error).message, "status.json cannot be written");
        }
    }

    /// Waits for the next look, and removes the last generation when its grace is over. If that is not before the next
    /// look, the writing of a newer one removes it, so that there are never more than two.
    async fn wait(&mut self, wait: Duration) {
        let until = Instant::now() + wait;
        let over = self.outdated.map(|since| since + GRACE).filter(|over| *over <= until);
        if let Some(over) = over {
            sleep(over.saturating_duration_since(Instant::now())).await;
            self.sync.volume.sweep();
            self.outdated = None;
        }
        sleep_until(until).await;
    }
}

/// Opens the volume for an agent that writes. Outside a pod no second agent may work in it.
pub fn take_volume(spec: &Spec) -> Result<Volume, DiskError> {
    let volume = Volume::create(&spec.directory)?;
    if spec.mode.is_some() {
        return Ok(volume.whole());
    }
    volume.lock()?;
    Ok(volume)
}

#[cfg(test)]
mod tests;
