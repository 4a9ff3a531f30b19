//! Every pod's agent: its looks, what is missing after each, and when the schedule has it look again.
//!
//! The waiting is the agent's own: [`Rounds`] and, for what failed, [`Retry`]. What the agent does
//! around it is told here again: a round keeps what was read, what fails together is tried again
//! together, eight calls are under way at once, a batch that is throttled is asked
//! for one by one, credentials are renewed from five minutes before their end, and a sidecar that has
//! nothing when its start deadline is over ends, and is started anew by the kubelet.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    time::Duration,
};

use mayfly_agent::{
    fault::{Class, Fault},
    schedule::{Retry, Rounds, Stage},
    source::opened_again,
};
use mayfly_spec::spec::Start;

use crate::{
    plan::{Call, Plan},
    service::Service,
};

/// Calls of one agent under way at once.
const CONCURRENT: usize = 8;
/// From when on credentials of an hour are renewed.
const RENEWED_AFTER: Duration = Duration::from_mins(55);
const CREDENTIALS_END: Duration = Duration::from_hours(1);
/// The shortest and the longest answer.
const LATENCY: (u64, u64) = (10, 30);
/// The kubelet's waiting before it starts a container anew, the last for ever.
const RESTARTS: [u64; 7] = [0, 10, 20, 40, 80, 160, 300];

/// When the fleet has settled, and until when it is watched: what is seen between is a day's
/// twenty-fourth part.
pub(crate) const SETTLED: Duration = Duration::from_mins(30);
pub(crate) const END: Duration = Duration::from_mins(90);

/// A fleet.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) pods: u32,
    pub(crate) pods_per_node: u32,
    /// The time over which the pods start.
    pub(crate) over: Duration,
    pub(crate) refresh: Duration,
    /// How many sealed values each pod has.
    pub(crate) sealed: u16,
}

impl Load {
    /// When each pod starts.
    pub(crate) fn starts(&self, seed: u64) -> Vec<Duration> {
        let mut random = fastrand::Rng::with_seed(seed);
        (0..self.pods).map(|_| self.over.mul_f64(random.f64())).collect()
    }
}

/// What came of a fleet.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) pods: u32,
    pub(crate) secrets: Service,
    pub(crate) batches: Service,
    pub(crate) parameters: Service,
    pub(crate) keys: Service,
    /// All exchanges of tokens for credentials.
    pub(crate) identity: Service,
    /// The most of them on one node in a second, and how many its agent throttled.
    pub(crate) node_peak: u32,
    pub(crate) node_throttled: u64,
    /// How long each pod waited for its files, the shortest first.
    pub(crate) waits: Vec<Duration>,
    /// How often an agent gave up and was started anew.
    pub(crate) restarts: u64,
}

#[derive(Debug, Clone, Copy)]
enum Next {
    /// The container is started.
    Start,
    /// A look begins.
    Look,
    /// The next calls of a look, or its end.
    Calls,
}

/// One pod.
#[derive(Debug)]
struct Agent {
    node: usize,
    began: Duration,
    rounds: Rounds,
    retry: Retry,
    next_round: Duration,
    deadline: Duration,
    ready: bool,
    restarts: usize,
    credentials: Option<Duration>,
    secrets: u16,
    parameters: u16,
    sealed: u16,
    /// When the sealed values are opened again.
    opened_again: Option<Duration>,
    queue: VecDeque<Call>,
    failed: bool,
}

/// A fleet at work.
#[derive(Debug)]
pub(crate) struct Fleet<'a> {
    plan: &'a Plan,
    refresh: Duration,
    sealed: u16,
    agents: Vec<Agent>,
    nodes: Vec<Service>,
    events: BinaryHeap<Reverse<(Duration, usize, u8)>>,
    random: fastrand::Rng,
    seen: Seen,
}

impl<'a> Fleet<'a> {
    pub(crate) fn new(plan: &'a Plan, load: &Load, starts: &[Duration], seed: u64) -> Self {
        let nodes = load.pods.div_ceil(load.pods_per_node);
        let unlimited = || Service::new(f64::INFINITY, f64::INFINITY);
        let mut fleet = Self {
            plan,
            refresh: load.refresh,
            sealed: load.sealed,
            agents: Vec::with_capacity(starts.len()),
            nodes: (0..nodes).map(|_| Service::new(1000.0, 500.0)).collect(),
            events: BinaryHeap::new(),
            random: fastrand::Rng::with_seed(seed ^ 1),
            seen: Seen {
                pods: load.pods,
                secrets: Service::new(10_000.0, 10_000.0),
                batches: Service::new(100.0, 100.0),
                parameters: Service::new(40.0, 40.0),
                // KMS's quota is another in each region.
                keys: unlimited(),
                identity: unlimited(),
                node_peak: 0,
                node_throttled: 0,
                waits: Vec::new(),
                restarts: 0,
            },
        };
        for (pod, began) in starts.iter().copied().enumerate() {
            let node = pod % fleet.nodes.len().max(1);
            fleet.agents.push(Agent::new(node, began, load.refresh));
            fleet.at(began, pod, Next::Start);
        }
        fleet
    }

    /// Lets an hour and a half pass.
    pub(crate) fn run(mut self) -> Seen {
        while let Some(Reverse((now, pod, next))) = self.events.pop() {
            if now >= END {
                break;
            }
            match next {
                0 => self.start(now, pod),
                1 => self.look(now, pod),
                _ => self.calls(now, pod),
            }
        }
        self.seen.waits.sort_unstable();
        let peak = |node: &Service| node.peak(Duration::ZERO, END);
        self.seen.node_peak = self.nodes.iter().map(peak).max().unwrap_or_default();
        let throttled = |node: &Service| node.throttled(Duration::ZERO, END);
        self.seen.node_throttled = self.nodes.iter().map(throttled).sum();
        self.seen
    }

    fn at(&mut self, time: Duration, pod: usize, next: Next) {
        self.events.push(Reverse((time, pod, next as u8)));
    }

    fn start(&mut self, now: Duration, pod: usize) {
        let agent = &mut self.agents[pod];
        (agent.rounds, agent.retry) = (Rounds::new(self.refresh), Retry::new(self.refresh));
        agent.next_round = now;
        agent.deadline = now + Start::default().deadline.duration();
        (agent.credentials, agent.opened_again) = (None, None);
        agent.sealed = self.sealed;
        self.at(now, pod, Next::Look);
    }

    fn look(&mut self, now: Duration, pod: usize) {
        let (plan, latency, sealed) = (self.plan, self.latency(), self.sealed);
        let jitter = self.random.f64();
        let agent = &mut self.agents[pod];
        if agent.opened_again.is_some_and(|again| now >= again) {
            (agent.sealed, agent.opened_again) = (sealed, None);
        }
        agent.begin(now, jitter, plan);
        agent.failed = false;
        let age = agent.credentials.map(|since| now.saturating_sub(since));
        if age.is_some_and(|age| age < RENEWED_AFTER) {
            return self.calls(now, pod);
        }
        self.seen.identity.ask(now);
        if self.nodes[agent.node].ask(now) {
            agent.credentials = Some(now);
        } else if age.is_none_or(|age| age >= CREDENTIALS_END) {
            agent.queue.clear();
            agent.failed = true;
        }
        self.at(now + latency, pod, Next::Calls);
    }

    fn calls(&mut self, now: Duration, pod: usize) {
        let latency = self.latency();
        let agent = &mut self.agents[pod];
        if !agent.ready && now >= agent.deadline {
            return self.end(now, pod);
        }
        if agent.queue.is_empty() {
            return self.finish(now, pod);
        }
        let under_way = agent.queue.len().min(CONCURRENT);
        let calls: Vec<Call> = agent.queue.drain(..under_way).collect();
        for call in calls {
            let Seen { secrets, batches, parameters, keys, .. } = &mut self.seen;
            match call {
                Call::Secret if secrets.ask(now) => agent.secrets -= 1,
                Call::Batch(size) if batches.ask(now) => agent.secrets -= size,
                Call::Parameters(size) if parameters.ask(now) => agent.parameters -= size,
                Call::Open if keys.ask(now) => agent.sealed -= 1,
                Call::Batch(size) => agent.queue.extend((0..size).map(|_| Call::Secret)),
                Call::Secret | Call::Parameters(_) | Call::Open => agent.failed = true,
            }
        }
        self.at(now + latency, pod, Next::Calls);
    }

    /// The end of a look: what `mayfly_agent::agent` does with its outcome.
    fn finish(&mut self, now: Duration, pod: usize) {
        let jitter = self.random.f64();
        let agent = &mut self.agents[pod];
        if agent.sealed == 0 && agent.opened_again.is_none() {
            agent.opened_again = Some(now + opened_again(jitter));
        }
        let again = if agent.failed {
            let fault = Fault::new(Class::Unreachable, "throttled");
            let stage = if agent.ready { Stage::Kept } else { Stage::NotStarted };
            agent.retry.after(&fault, stage, jitter).map(|wait| now + wait)
        } else {
            agent.retry.good();
            if !std::mem::replace(&mut agent.ready, true) {
                self.seen.waits.push(now.saturating_sub(agent.began));
            }
            None
        };
        let next = again.map_or(agent.next_round, |again| again.min(agent.next_round)).max(now);
        if !agent.ready && next >= agent.deadline {
            let deadline = agent.deadline;
            return self.end(deadline, pod);
        }
        self.at(next, pod, Next::Look);
    }

    /// The start deadline is over; the kubelet starts the container anew.
    fn end(&mut self, now: Duration, pod: usize) {
        let agent = &mut self.agents[pod];
        let wait = RESTARTS[agent.restarts.min(RESTARTS.len() - 1)];
        agent.restarts += 1;
        self.seen.restarts += 1;
        self.at(now + Duration::from_secs(wait), pod, Next::Start);
    }

    fn latency(&mut self) -> Duration {
        Duration::from_millis(self.random.u64(LATENCY.0..=LATENCY.1))
    }
}

impl Agent {
    fn new(node: usize, began: Duration, refresh: Duration) -> Self {
        Self {
            node,
            began,
            rounds: Rounds::new(refresh),
            retry: Retry::new(refresh),
            next_round: began,
            deadline: began,
            ready: false,
            restarts: 0,
            credentials: None,
            secrets: 0,
            parameters: 0,
            sealed: 0,
            opened_again: None,
            queue: VecDeque::new(),
            failed: false,
        }
    }

    /// Begins a look, in a new round if it is time for one.
    fn begin(&mut self, now: Duration, jitter: f64, plan: &Plan) {
        if now >= self.next_round {
            self.next_round = now + self.rounds.begin(jitter);
            (self.secrets, self.parameters) = (plan.secrets, plan.parameters);
        }
        let opens = (0..self.sealed).map(|_| Call::Open);
        self.queue =
            plan.calls(self.secrets, self.parameters).iter().copied().chain(opens).collect();
    }
}
