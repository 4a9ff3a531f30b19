//! A storm: so many pods start in the same instant, and read their secrets ever after.
//!
//! Virtual time, and the agent's real schedule, against the quotas that AWS publishes; beside it what
//! a fixed pattern of one read per secret every two minutes does, as the Secrets Store CSI driver has
//! it. Prints, for 100 to 100,000 pods, how many calls a second there are at worst, when the last pod
//! has its files, how many calls a day, and their price. `cargo storm`

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use mayfly_agent::{
    fault::Class,
    schedule::{Outcome, Schedule},
};

/// How long is simulated; a day is a multiple of it.
const SPAN: Duration = Duration::from_hours(2);
const DAY: Duration = Duration::from_hours(24);
/// The agent's defaults.
const INTERVAL: Duration = Duration::from_mins(5);
/// The kubelet's first and longest wait before it starts a container anew.
const RESTART: [Duration; 2] = [Duration::from_secs(10), Duration::from_mins(5)];
/// The CSI driver's pattern.
const CSI_INTERVAL: Duration = Duration::from_mins(2);
/// The start is over for whoever looks at the peak afterwards.
const SETTLED: usize = 3600;

/// A service, and what one pod asks of it.
struct Service {
    name: &'static str,
    quota: u32,
    start_deadline: Duration,
    /// The agent's calls for one look, and the CSI driver's.
    calls: [u32; 2],
    dollars_per_call: f64,
}

const SERVICES: [Service; 3] = [
    Service {
        name: "Secrets Manager, 4 secrets a pod, 10,000 calls/s",
        quota: 10_000,
        start_deadline: Duration::from_secs(30),
        calls: [4, 4],
        dollars_per_call: 0.05 / 10_000.0,
    },
    Service {
        name: "Parameter Store, 10 parameters a pod, 40 calls/s, free of charge",
        quota: 40,
        start_deadline: Duration::from_secs(30),
        calls: [1, 1],
        dollars_per_call: 0.0,
    },
    Service {
        name: "the same with `start-deadline: 10m`",
        quota: 40,
        start_deadline: Duration::from_mins(10),
        calls: [1, 1],
        dollars_per_call: 0.0,
    },
];

/// One pod's agent.
struct Pod {
    schedule: Schedule,
    missing: u32,
    ready: bool,
    deadline: Duration,
    restarts: u32,
}

/// What came of a storm.
#[derive(Default)]
struct Seen {
    /// The calls of each second.
    calls: Vec<u32>,
    taken: Vec<u32>,
    last_ready: Duration,
    restarts: u32,
    waiting: usize,
}

impl Pod {
    fn new(service: &Service, now: Duration) -> Self {
        let (schedule, deadline) = (Schedule::new(INTERVAL), now + service.start_deadline);
        Self { schedule, missing: service.calls[0], ready: false, deadline, restarts: 0 }
    }

    /// Looks at `now`, and says when the next look is.
    fn look(&mut self, service: &Service, seen: &mut Seen, now: Duration, jitter: f64) -> Duration {
        self.missing -= seen.ask(service, self.missing, now);
        let outcome = match (self.missing, self.ready) {
            (0, _) => Outcome::Good,
            (_, true) => Outcome::Kept(Class::Throttled),
            (_, false) => Outcome::NotStarted(Class::Throttled),
        };
        let next = now + self.schedule.next(outcome, Duration::ZERO, jitter);
        if self.missing == 0 {
            seen.last_ready = if self.ready { seen.last_ready } else { now };
            self.ready = true;
            self.missing = service.calls[0];
        } else if !self.ready && next >= self.deadline {
            return self.restart(service, seen);
        }
        next
    }

    fn restart(&mut self, service: &Service, seen: &mut Seen) -> Duration {
        let wait = RESTART[0].saturating_mul(2_u32.saturating_pow(self.restarts)).min(RESTART[1]);
        let (again, restarts) = (self.deadline + wait, self.restarts + 1);
        *self = Self { restarts, ..Self::new(service, again) };
        seen.restarts += 1;
        again
    }
}

impl Seen {
    /// How many of `calls` are answered: no more in a second than the quota.
    fn ask(&mut self, service: &Service, calls: u32, now: Duration) -> u32 {
        let second = second(now);
        let free = service.quota - self.taken[second];
        let answered = calls.min(free);
        self.calls[second] += calls;
        self.taken[second] += answered;
        answered
    }

    fn peak(&self, from: usize) -> u32 {
        self.calls[from..].iter().copied().max().unwrap_or_default()
    }
}

fn second(now: Duration) -> usize {
    usize::try_from(now.as_secs()).unwrap_or(usize::MAX)
}

fn storm(service: &Service, pods: usize) -> Seen {
    let seconds = vec![0; second(SPAN) + 1];
    let mut seen = Seen { calls: seconds.clone(), taken: seconds, ..Seen::default() };
    let mut random = fastrand::Rng::with_seed(7);
    let mut all: Vec<Pod> = (0..pods).map(|_| Pod::new(service, Duration::ZERO)).collect();
    let mut queue: BinaryHeap<_> = (0..pods).map(|pod| Reverse((Duration::ZERO, pod))).collect();
    while let Some(Reverse((now, pod))) = queue.pop().filter(|Reverse((now, _))| *now < SPAN) {
        let next = all[pod].look(service, &mut seen, now, random.f64());
        queue.push(Reverse((next, pod)));
    }
    seen.waiting = all.iter().filter(|pod| !pod.ready).count();
    seen
}

/// Calls and their price for each day of the second half of the span, when the start is over.
fn daily(service: &Service, seen: &Seen) -> (f64, f64) {
    let calls: f64 = seen.calls[SETTLED..].iter().copied().map(f64::from).sum();
    let calls = calls * DAY.as_secs_f64() / (SPAN.as_secs_f64() - 3600.0);
    (calls, calls * service.dollars_per_call)
}

fn row(service: &Service, pods: u32) -> String {
    let seen = storm(service, usize::try_from(pods).unwrap_or(usize::MAX));
    let (calls, dollars) = daily(service, &seen);
    let csi_calls = pods * service.calls[1];
    let csi_daily = f64::from(csi_calls) * DAY.as_secs_f64() / CSI_INTERVAL.as_secs_f64();
    let ready = match seen.waiting {
        0 => humantime::format_duration(Duration::from_secs(seen.last_ready.as_secs())).to_string(),
        waiting => format!("{waiting} wait"),
    };
    format!(
        "{pods:>7} {:>9} {:>9} {ready:>10} {:>9} {calls:>12.0} {dollars:>9.2}   {csi_calls:>9} {csi_daily:>12.0} {:>9.2}",
        seen.peak(0),
        seen.restarts,
        seen.peak(SETTLED),
        csi_daily * service.dollars_per_call,
    )
}

fn main() {
    for service in &SERVICES {
        anstream::println!("{}", service.name);
        anstream::println!(
            "{:>7} {:>9} {:>9} {:>10} {:>9} {:>12} {:>9}   {:>9} {:>12} {:>9}",
            "pods",
            "peak/s",
            "restarts",
            "all ready",
            "later/s",
            "calls/day",
            "$/day",
            "CSI: peak",
            "calls/day",
            "$/day"
        );
        for pods in [100, 1_000, 10_000, 100_000] {
            anstream::println!("{}", row(service, pods));
        }
        anstream::println!();
    }
}
