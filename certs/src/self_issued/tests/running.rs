//! A replica at work in the test's own process, and an API server's view of what it serves.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    sign::CertifiedKey,
};
use tokio::time::{Instant, sleep};

use super::{
    super::*,
    api::{Api, PODS, WARNINGS},
};
use crate::{
    event::Event,
    proof::{ProofError, Trust},
    replica::Replica,
    standing::Obstacle,
};

const NAME: &str = "mayfly-webhook.mayfly.svc";
pub(super) const EPOCH: Duration = Duration::from_secs(1_900_000_000);

/// The time of day under tokio's clock, which can be set forward and back.
fn clock(ahead: &Arc<AtomicI64>) -> WallClock {
    let (start, ahead) = (Instant::now(), Arc::clone(ahead));
    Arc::new(move || {
        let (now, seconds) =
            (SystemTime::UNIX_EPOCH + EPOCH + start.elapsed(), ahead.load(Relaxed));
        let distance = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 { now - distance } else { now + distance }
    })
}

pub(super) struct Running {
    pub(super) resolver: Arc<Resolver>,
    pub(super) standing: Arc<Standing>,
    pub(super) clock: WallClock,
    /// How many seconds its clock is ahead.
    pub(super) ahead: Arc<AtomicI64>,
    events: Arc<Mutex<Vec<String>>>,
    /// Nobody reaches our own port.
    pub(super) cut_off: Arc<AtomicBool>,
    pub(super) task: tokio::task::JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What an API server does that trusts `roots`.
pub(super) fn accepts(pair: Option<Arc<CertifiedKey>>, roots: &[Der], now: SystemTime) -> bool {
    let Some(pair) = pair else { return false };
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots.iter().map(|root| CertificateDer::from_slice(root)));
    let provider = Arc::new(default_provider());
    let Ok(verifier) = WebPkiServerVerifier::builder_with_provider(store.into(), provider).build()
    else {
        return false;
    };
    let name = ServerName::try_from(NAME).expect("a name");
    let now =
        UnixTime::since_unix_epoch(now.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970"));
    verifier.verify_server_cert(&pair.cert[0], &[], &name, &[], now).is_ok()
}

pub(super) fn run(api: &Api, replica: Replica, lifetime: Duration) -> Running {
    run_ahead(api, replica, lifetime, 0)
}

/// With a clock that is so many seconds ahead.
pub(super) fn run_ahead(api: &Api, replica: Replica, lifetime: Duration, seconds: i64) -> Running {
    if replica.namespace() == Some("mayfly") {
        api.set_pod(replica.name(), Some("Running"));
    }
    let ahead = Arc::new(AtomicI64::new(seconds));
    let clock = clock(&ahead);
    let settings = Settings {
        wish: Wish { replica, names: vec![NAME.to_owned()], lifetime },
        configuration: Target { name: PODS.to_owned(), elsewhere: Some("/warn") },
        others: vec![Target { name: WARNINGS.to_owned(), elsewhere: Some("/mutate") }],
        timing: Timing::default(),
    };
    let provider = Arc::new(default_provider());
    // A handshake without a socket: what the resolver serves against what the bundle trusts.
    let served: Arc<Mutex<Option<Arc<Resolver>>>> = Arc::default();
    let cut_off: Arc<AtomicBool> = Arc::default();
    let (resolver, wall, cut) = (Arc::clone(&served), Arc::clone(&clock), Arc::clone(&cut_off));
    let prover: Prover = Arc::new(move |trust| {
        let Trust::Roots(roots) = trust else { panic!("{trust:?}") };
        let resolver = resolver.lock().expect("a lock").clone().expect("a resolver");
        let good = accepts(resolver.current(), &roots, wall()) && !cut.load(Relaxed);
        let address = ([127, 0, 0, 1], 8443).into();
        let late = ProofError::Late(address, Duration::ZERO);
        Box::pin(async move { if good { Ok(()) } else { Err(late) } })
    });
    let surroundings = Surroundings {
        client: api.client(),
        clock: Arc::clone(&clock),
        jitter: fastrand::f64,
        provider,
        prover,
    };
    let identity = SelfIssued::new(settings, surroundings).expect("an identity");
    let (resolver, standing) = (identity.resolver(), identity.standing());
    *served.lock().expect("a lock") = Some(Arc::clone(&resolver));
    let events: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&events);
    let listener: Listener = Arc::new(move |event| {
        let event = match event {
            Event::Fault(error) => format!("Fault {error}"),
            Event::Exchanged { .. } => "Exchanged".to_owned(),
            event => format!("{event:?}"),
        };
        heard.lock().expect("a lock").push(event);
    });
    let task = tokio::spawn(identity.keep_fresh(listener));
    Running { resolver, standing, clock, ahead, events, cut_off, task }
}

pub(super) fn pod(name: &str) -> Replica {
    Replica::pod("mayfly", name)
}

impl Running {
    pub(super) fn obstacle(&self) -> Option<Obstacle> {
        self.standing.obstacle((self.clock)())
    }

    /// Waits until ready, in virtual time; returns how long that was.
    pub(super) async fn ready(&self) -> Duration {
        let start = Instant::now();
        while let Some(obstacle) = self.obstacle() {
            assert!(start.elapsed() < Duration::from_mins(10), "{obstacle:?}: {:?}", self.events());
            sleep(Duration::from_millis(10)).await;
        }
        start.elapsed()
    }

    pub(super) fn is_accepted(&self, api: &Api) -> bool {
        accepts(self.resolver.current(), &api.roots(), (self.clock)())
    }

    pub(super) fn events(&self) -> Vec<String> {
        self.events.lock().expect("a lock").clone()
    }

    pub(super) fn count(&self, prefix: &str) -> usize {
        self.events().iter().filter(|event| event.starts_with(prefix)).count()
    }
}
