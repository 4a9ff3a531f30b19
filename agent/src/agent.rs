//! The agent's life: start closed, then never worse.
//!
//! ```text
//! what is due ─→ lanes ─→ ledger ─→ assembly ─→ keeper ─→ status ─→ ends? ─┐
//!   ↑              (answers as they come)                                  │
//!   └──────────────────────────────────────────────────────────────────────┘
//! ```
//! Before the first generation a fault may end the agent; after it none does. What hangs holds back
//! nothing but the group that it belongs to.

mod account;
mod keeper;
mod refreshes;
mod writing;

use std::time::Duration;

use mayfly_spec::{Location, Spec, spec::Mode};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, warn};

use crate::{
    assembly::{Assembly, Order, Standing},
    clock::{
        Clock,
        suspend::{self, Slumber},
    },
    disk::{DiskError, Volume},
    fault::{Class, Fault},
    files::{Folder, FolderError},
    group::{Group, groups},
    lanes::{Answers, Lanes},
    ledger::{Ledger, Moment, Round},
    memory,
    refresh::{Inbox, Outcome},
    schedule::{Retry, Rounds, Stage},
    source::Source,
    status::{State, Status},
};
use account::Account;
use keeper::Keeper;
use refreshes::Refreshes;

/// Answers that come so close together make one generation: a rotation touches several secrets.
const TOGETHER: Duration = Duration::from_millis(500);
/// What has been under way for so long is told of, and not waited for by anything else.
const SLOW: Duration = Duration::from_secs(10);
/// There is always something to do within a day.
const DAY: Duration = Duration::from_hours(24);

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
    spec: &'a Spec,
    source: &'a S,
    volume: &'a Volume,
    folder: &'a Folder,
    clock: &'a C,
    jitter: J,
    groups: Vec<Group>,
    ledger: Ledger,
    keeper: Keeper<'a>,
    rounds: Rounds,
    round: Round,
    deadline: Instant,
    ready: bool,
    /// Since when there are answers that have not been used.
    unsettled: Option<Instant>,
    /// What the last look came to.
    assembly: Option<Assembly>,
    /// Why it could not be written.
    unwritten: Option<Fault>,
    again: Retry,
    /// When the volume is tried again.
    write_again: Option<Instant>,
    refreshes: Refreshes,
}

impl<'a, S: Source, C: Clock, J: FnMut() -> f64> Agent<'a, S, C, J> {
    /// An agent that has not looked yet. Its start deadline begins now. It goes on with what it
    /// remembers in `folder`, if the volume has that.
    pub fn new(
        spec: &'a Spec,
        source: &'a S,
        volume: &'a Volume,
        folder: &'a Folder,
        clock: &'a C,
        jitter: J,
    ) -> Result<Self, FolderError> {
        let keeper = Keeper::new(spec, volume, folder)?;
        let now = Instant::now();
        let interval = spec.refresh.interval.duration();
        Ok(Self {
            spec,
            source,
            volume,
            folder,
            clock,
            jitter,
            groups: groups(spec.files.entries()),
            ledger: Ledger::new(spec, keeper.memory(), |location| source.lane(location)),
            ready: keeper.is_held(),
            keeper,
            rounds: Rounds::new(interval),
            round: Round { began: now, next: now },
            deadline: now + spec.start.deadline.duration(),
            unsettled: None,
            assembly: None,
            unwritten: None,
            again: Retry::new(interval),
            write_again: None,
            refreshes: Refreshes::default(),
        })
    }

    /// Works until `task` is done, or a fault ends it. Who comes to the `inbox` asks for a look.
    pub async fn work(&mut self, task: Task, inbox: &mut Inbox) -> Result<(), Fault> {
        self.open();
        // What is under way ends with this call: it must not keep a backend's locks after it.
        let mut lanes = Lanes::new(self.source);
        let mut slumber = Slumber::new(suspend::asleep);
        loop {
            let now = Instant::now();
            if self.round.next <= now || self.refreshes.begin(now) {
                let wait = self.rounds.begin((self.jitter)());
                self.round = Round { began: now, next: now + wait };
            }
            let due = self.ledger.ask(self.round, now);
            lanes.ask(due, |location| self.ledger.held(location));
            if let Some(end) = self.go_on(task, lanes.is_idle(), now) {
                return self.finish(end).await;
            }
            let until = self.next_event(now);
            tokio::select! {
                biased;
                answers = lanes.next() => self.note(answers),
                request = inbox.next() => self.refreshes.push(request),
                // Whatever should have been looked at while the machine was asleep is late.
                () = slumber.awakening() => self.round.next = Instant::now(),
                () = sleep_until(until) => {}
            }
        }
    }

    fn open(&mut self) {
        if !self.ready {
            return self.publish(State::Starting, None);
        }
        let generation = self.keeper.memory().manifest.number();
        info!(generation, "found the files of an earlier run");
        if let Err(error) = self.keeper.show() {
            warn!(error = Fault::from(error).message, "they cannot be shown");
        }
    }

    /// Takes note of answers, each for itself.
    fn note(&mut self, answers: Answers) {
        let (now, jitter) = (self.now(), (self.jitter)());
        let stage = self.stage();
        for (location, answer) in answers {
            if let Err(fault) = self.ledger.note(&location, answer, now, stage, jitter) {
                self.complain(&location, &fault);
            }
        }
        self.unsettled.get_or_insert(now.instant);
    }

    fn complain(&self, location: &Location, fault: &Fault) {
        warn!(
            reference = location.label(),
            class = fault.class.name(),
            error = fault.message,
            files_kept = self.ready,
            "look failed"
        );
    }

    /// Uses what has been answered, if it is time; how all of it ends, if it does.
    fn go_on(&mut self, task: Task, is_idle: bool, now: Instant) -> Option<Result<(), Fault>> {
        let writes_again = self.write_again.take_if(|again| *again <= now).is_some();
        if self.ledger.note_slow(SLOW, now) || writes_again {
            self.unsettled.get_or_insert(now);
        }
        self.keeper.sweep(now);
        let is_late = |since: Instant| since + TOGETHER <= now || !self.ledger.awaits();
        if self.unsettled.is_some_and(is_late) {
            self.settle();
            if let Some(end) = self.ends(task, is_idle) {
                return Some(end);
            }
        }
        self.tell_who_asked(now);
        if self.is_starting() && self.deadline <= now { self.too_late() } else { None }
    }

    /// Whether the deadline still runs.
    fn is_starting(&self) -> bool {
        !self.ready && !self.goes_on()
    }

    /// Whether the agent goes on trying to start, whatever happens.
    fn goes_on(&self) -> bool {
        self.spec.mode == Some(Mode::Parallel)
    }

    /// When there is something to do, if no answer comes before.
    fn next_event(&self, now: Instant) -> Instant {
        let deadline = self.is_starting().then_some(self.deadline);
        let events = [
            self.ledger.next_due(self.round),
            self.ledger.next_slow(SLOW),
            self.unsettled.map(|since| since + TOGETHER),
            self.write_again,
            self.keeper.next_sweep(),
            self.refreshes.next(),
            deadline,
        ];
        events.into_iter().flatten().min().unwrap_or(now + DAY)
    }

    /// Makes the next generation of all that is known, and writes it if it is complete.
    fn settle(&mut self) {
        (self.unsettled, self.write_again) = (None, None);
        let order = Order {
            entries: self.spec.files.entries(),
            access: &self.spec.access,
            groups: &self.groups,
        };
        let (views, now) = (self.ledger.views(), self.clock.now().into());
        let (assembly, held) = writing::hold(&mut self.keeper, &order, &views, now);
        self.tell_breaks(&assembly);
        let shown = held.and_then(|changed| {
            let Some(changed) = changed else { return Ok(()) };
            self.settled(&assembly, changed);
            self.keeper.show().map_err(Fault::from)
        });
        let kept = self.keeper.remember(self.ledger.remembered()).map_err(Fault::from);
        self.unwritten = shown.and(kept).err();
        if let Some(fault) = &self.unwritten {
            warn!(
                class = fault.class.name(),
                error = fault.message,
                "not everything can be written"
            );
            let wait = self.again.after(fault, self.stage(), (self.jitter)());
            self.write_again = wait.map(|wait| Instant::now() + wait);
        } else {
            self.again.good();
            self.ready |= self.keeper.is_held();
        }
        self.assembly = Some(assembly);
        let (error, state) = (self.fault(), self.state());
        self.publish(state, error);
    }

    /// Takes note of what is on the volume now.
    fn settled(&mut self, assembly: &Assembly, changed: bool) {
        let standings = self.groups.iter().zip(&assembly.standings);
        let new = standings.filter(|(_, standing)| **standing == Standing::New);
        self.ledger.settle(new.flat_map(|(group, _)| &group.locations));
        let generation = self.keeper.memory().manifest.number();
        if changed {
            info!(generation, "secrets written");
        } else {
            debug!(generation, "secrets unchanged");
        }
    }

    /// Tells what was read and cannot be used; what was not read has been told when it failed.
    fn tell_breaks(&self, assembly: &Assembly) {
        let before = self.assembly.as_ref().map(|before| &before.faults);
        for (location, fault) in &assembly.faults {
            let is_known = before.is_some_and(|before| before.get(location) == Some(fault));
            let was_read = self.ledger.held(location).is_some();
            if was_read && !is_known {
                self.complain(location, fault);
            }
        }
    }

    /// All that is wrong.
    fn fault(&self) -> Option<Fault> {
        let read = self.assembly.as_ref().and_then(Assembly::fault);
        Fault::all(read.into_iter().chain(self.unwritten.clone()))
    }

    fn state(&self) -> State {
        match (self.ready, self.fault()) {
            (false, _) => State::Starting,
            (true, None) => State::Ready,
            (true, Some(_)) => State::Stale,
        }
    }

    fn stage(&self) -> Stage {
        if self.ready { Stage::Kept } else { Stage::NotStarted }
    }

    /// How it ends after a look, if it does.
    fn ends(&mut self, task: Task, is_idle: bool) -> Option<Result<(), Fault>> {
        let fault = self.fault();
        if !self.ready {
            let is_final = |fault: &Fault| {
                !fault.is_transient() && (task, self.goes_on()) != (Task::KeepFresh, true)
            };
            return fault.filter(is_final).map(|fault| Err(self.end(fault)));
        }
        let is_over = task == Task::Once && (is_idle || self.is_answered());
        match fault {
            // An init container that is run again must not hold the app back.
            Some(fault) if is_over && self.spec.mode != Some(Mode::Init) => {
                Some(Err(self.end(fault)))
            }
            _ => is_over.then_some(Ok(())),
        }
    }

    fn is_answered(&self) -> bool {
        self.ledger.is_answered(self.round.began, Instant::now())
    }

    fn end(&mut self, fault: Fault) -> Fault {
        self.publish(State::Failed, Some(fault.clone()));
        fault
    }

    /// The fault of a start that took too long: what failed, and what has not been answered at all.
    fn too_late(&mut self) -> Option<Result<(), Fault>> {
        let deadline = self.spec.start.deadline;
        self.ledger.give_up(deadline);
        self.settle();
        if self.ready {
            return None;
        }
        let silence = || {
            Fault::new(Class::Unreachable, format_args!("nothing was written within {deadline}"))
        };
        let fault = self.fault().unwrap_or_else(silence);
        Some(Err(self.end(fault)))
    }

    /// Readers of the generation before have their time, whatever comes next.
    async fn finish(&mut self, end: Result<(), Fault>) -> Result<(), Fault> {
        if let (Ok(()), Some(over)) = (&end, self.keeper.last_sweep()) {
            sleep_until(over).await;
            self.keeper.sweep(Instant::now());
        }
        end
    }

    fn tell_who_asked(&mut self, now: Instant) {
        let since = self.refreshes.since().filter(|_| self.unsettled.is_none());
        if since.is_some_and(|since| self.ledger.is_answered(since, now)) {
            let generation = self.keeper.memory().manifest.number();
            self.refreshes.tell(&Outcome { generation, error: self.fault() });
        }
    }

    fn now(&self) -> Moment {
        Moment { instant: Instant::now(), time: self.clock.now() }
    }

    /// Says it where others read it, and where only the agent can have written it.
    fn publish(&self, state: State, error: Option<Fault>) {
        let account = Account {
            spec: self.spec,
            groups: &self.groups,
            ledger: &self.ledger,
            memory: self.keeper.memory(),
            configuration: self.keeper.configuration(),
            assembly: self.assembly.as_ref(),
            round: self.round,
            now: self.now(),
        };
        let json = account.status(state, error).to_json();
        let own = memory::write_status(self.folder, &json).map_err(Fault::from);
        let shown = self.volume.write_status(&json).map_err(Fault::from);
        if let Err(fault) = own.and(shown) {
            warn!(error = fault.message, "the status cannot be written");
        }
    }
}

/// Opens the volume for an agent that writes. Outside a pod no second agent may work in it, and what
/// is a person's own stays.
pub fn take_volume(spec: &Spec) -> Result<Volume, DiskError> {
    let volume = Volume::create(&spec.directory)?;
    if spec.mode.is_some() {
        return Ok(volume.whole());
    }
    volume.lock()?;
    volume.refuse_foreign_status(|json| Status::parse(json).is_some())?;
    Ok(volume)
}

#[cfg(test)]
mod tests;
