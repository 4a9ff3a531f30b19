//! An agent's life under virtual time, with a backend that does as it is told.
#![expect(clippy::disallowed_methods, reason = "the volume is a real directory")]

mod apart;
mod trust;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::SystemTime,
};

use tempfile::TempDir;
use tokio::time::sleep;

use super::*;
use crate::{
    gate,
    memory::Memory,
    refresh,
    secret::Secret,
    source::{Ask, Fetched, SourceError, Version},
    status,
};

/// A version and its value.
type Answer = Result<(u64, String), SourceError>;

/// What each secret's backend answers, and how often it was asked.
#[derive(Default)]
struct Backend {
    answers: RefCell<BTreeMap<String, Answer>>,
    calls: Cell<u32>,
    asked: RefCell<Vec<String>>,
    delay: Cell<Duration>,
    /// Which secrets are never answered.
    hangs: RefCell<BTreeSet<String>>,
    /// After how long an answer has to be looked at again that has a time of its own.
    lives: RefCell<BTreeMap<String, Duration>>,
}

impl Backend {
    fn set(&self, path: &str, version: u64, value: &str) {
        self.answers.borrow_mut().insert(path.to_owned(), Ok((version, value.to_owned())));
    }

    fn calls_of(&self, path: &str) -> usize {
        self.asked.borrow().iter().filter(|asked| *asked == path).count()
    }

    fn fail(&self, path: &str, class: Class) {
        self.fail_with(path, Fault::new(class, "told to fail"));
    }

    fn fail_with(&self, path: &str, fault: Fault) {
        self.answers.borrow_mut().insert(path.to_owned(), Err(fault));
    }

    fn hang(&self, path: &str) {
        self.hangs.borrow_mut().insert(path.to_owned());
    }
}

impl Source for Backend {
    async fn fetch(&self, Ask { location, .. }: &Ask) -> Result<Fetched, SourceError> {
        self.calls.set(self.calls.get() + 1);
        self.asked.borrow_mut().push(location.to_string());
        sleep(self.delay.get()).await;
        if self.hangs.borrow().contains(&location.to_string()) {
            std::future::pending::<()>().await;
        }
        let answers = self.answers.borrow();
        let answer = answers.get(&location.to_string()).cloned();
        let (version, value) =
            answer.unwrap_or_else(|| Err(Fault::new(Class::Missing, "never set")))?;
        let created = SystemTime::UNIX_EPOCH + Duration::from_secs(version);
        let version = Version::numbered(version, Some(created));
        let life = self.lives.borrow().get(&location.to_string()).copied();
        let due = life.map(|life| Instant::now() + life);
        Ok(Fetched { due, ..Fetched::new(Secret::from(value).into(), version) })
    }
}

/// Virtual time, as a time of day.
struct Virtual(Instant);

impl Clock for Virtual {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(1_000) + self.0.elapsed()
    }
}

struct Pod {
    folder: TempDir,
    spec: Spec,
    backend: Backend,
    began: Instant,
}

impl Pod {
    fn new(mode: &str) -> Self {
        let files = r#"{"path":"a","from":"vault:s/a"},{"path":"a.again","from":"vault:s/a"},{"path":"b","from":"vault:s/b"}"#;
        Self::with(mode, files)
    }

    fn with(mode: &str, files: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| folder.path().join(name).display().to_string();
        let json = format!(
            r#"{{"version":1,"directory":"{}","state":"{}","mode":"{mode}","refresh":{{"interval":"1m"}},"start":{{"deadline":"10s"}},"files":[{files}]}}"#,
            place("run"),
            place("state")
        );
        let spec = Spec::from_environment(&json).expect("a configuration");
        let backend = Backend::default();
        backend.set("vault:s/a", 1, "a1");
        backend.set("vault:s/b", 1, "b1");
        Self { folder, spec, backend, began: Instant::now() }
    }

    /// Runs the agent for `span`, or until it ends.
    async fn run(&self, task: Task, span: Duration) -> Option<Result<(), Fault>> {
        self.run_asked(task, span, Inbox::closed()).await
    }

    /// The same, and others may ask it to look.
    async fn run_asked(
        &self,
        task: Task,
        span: Duration,
        mut inbox: Inbox,
    ) -> Option<Result<(), Fault>> {
        let volume = take_volume(&self.spec).expect("a volume");
        let folder = memory::take(&self.place()).expect("a folder");
        let (backend, clock) = (&self.backend, Virtual(self.began));
        let agent = Agent::new(&self.spec, backend, &volume, &folder, &clock, || 0.0);
        let mut agent = agent.expect("an agent");
        tokio::time::timeout(span, agent.work(task, &mut inbox)).await.ok()
    }

    /// Where the agent's memory is.
    fn place(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// What the agent remembers.
    fn memory(&self) -> Memory {
        let folder = Folder::open(&self.place()).expect("a folder").expect("a folder");
        Memory::read(&folder).expect("a memory")
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("run").join(name)).unwrap_or_default()
    }

    fn status(&self) -> Status {
        Status::parse(self.read("status.json").as_bytes()).expect("a status")
    }
}

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test(start_paused = true)]
async fn each_secret_is_fetched_once_an_interval_however_many_files_use_it() {
    let pod = Pod::new("sidecar");
    assert_eq!(pod.run(Task::KeepFresh, Duration::from_secs(599)).await, None);
    // At the start, after half an interval, and then every interval.
    assert_eq!(pod.backend.calls.get(), 2 * 11);
    assert_eq!(
        (pod.read("a"), pod.read("a.again"), pod.read("b")),
        ("a1".into(), "a1".into(), "b1".into())
    );
    assert_eq!(pod.status().generation, 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_on_the_volume_within_one_interval() {
    let pod = Pod::new("sidecar");
    let change = async {
        sleep(MINUTE * 5).await;
        pod.backend.set("vault:s/a", 2, "a2");
        sleep(MINUTE).await;
        (pod.read("a"), pod.status().generation)
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE * 20) => unreachable!("the agent goes on"),
        seen = change => assert_eq!(seen, ("a2".to_owned(), 2)),
    }
}

#[tokio::test(start_paused = true)]
async fn calls_are_bounded_while_a_backend_throttles_for_an_hour() {
    let pod = Pod::new("sidecar");
    let calls = async {
        sleep(MINUTE * 2).await;
        let before = pod.backend.calls_of("vault:s/b");
        pod.backend.fail("vault:s/b", Class::Throttled);
        sleep(MINUTE * 60).await;
        pod.backend.calls_of("vault:s/b") - before
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE * 100) => unreachable!("the agent goes on"),
        // One in each round, and the ten retries that were saved up.
        calls = calls => assert!((60..=71).contains(&calls), "{calls} calls"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_grave_fault_that_is_known_to_pass_is_tried_until_the_deadline() {
    let pod = Pod::new("sidecar");
    pod.backend.fail_with("vault:s/b", Fault::new(Class::Refused, "not yet").that_passes());
    let story = async {
        sleep(Duration::from_secs(5)).await;
        pod.backend.set("vault:s/b", 1, "b1");
        sleep(Duration::from_secs(3)).await;
        assert_eq!((pod.status().state, pod.read("b")), (State::Ready, "b1".to_owned()));
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE) => unreachable!("the agent goes on"),
        () = story => {}
    }
}

/// Who asks for a look gets one at once, and no more than one in ten seconds.
#[tokio::test(start_paused = true)]
async fn a_look_that_is_asked_for_comes_at_once_and_not_too_often() {
    let pod = Pod::new("sidecar");
    let (requests, inbox) = refresh::inbox();
    let ask = async || {
        let (request, outcome) = tokio::sync::oneshot::channel();
        requests.send(request).await.expect("an agent");
        outcome.await.expect("an outcome")
    };
    let story = async {
        sleep(Duration::from_secs(40)).await;
        pod.backend.set("vault:s/a", 2, "a2");
        let began = Instant::now();
        assert_eq!(ask().await, Outcome { generation: 2, error: None });
        assert_eq!((began.elapsed(), pod.read("a")), (Duration::ZERO, "a2".to_owned()));
        pod.backend.fail("vault:s/b", Class::Missing);
        let before = pod.backend.calls.get();
        let (one, other) = tokio::join!(ask(), ask());
        assert_eq!((began.elapsed(), &one), (Duration::from_secs(10), &other));
        assert_eq!(one.error.map(|fault| fault.class), Some(Class::Missing));
        assert_eq!(pod.backend.calls.get(), before + 2);
        pod.backend.hang("vault:s/a");
        assert!(ask().await.error.is_some());
        assert_eq!(began.elapsed(), Duration::from_secs(30));
    };
    tokio::select! {
        _ = pod.run_asked(Task::KeepFresh, MINUTE * 60, inbox) => unreachable!("the agent goes on"),
        () = story => {}
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_read_is_not_asked_for_again_while_the_rest_is_retried() {
    let pod = Pod::new("sidecar");
    pod.backend.fail("vault:s/b", Class::Unreachable);
    let recover = async {
        sleep(Duration::from_secs(3)).await;
        let calls = pod.backend.calls.get();
        pod.backend.set("vault:s/b", 1, "b1");
        sleep(Duration::from_secs(2)).await;
        (calls, pod.backend.calls.get(), pod.read("a"))
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE) => unreachable!("the agent goes on"),
        (before, after, a) = recover => {
            assert!((4..10).contains(&before), "{before} calls");
            assert_eq!((after, a), (before + 1, "a1".to_owned()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_permanent_fault_ends_the_start_at_once() {
    for class in [Class::Refused, Class::Missing, Class::Configuration] {
        for mode in ["sidecar", "init"] {
            let pod = Pod::new(mode);
            pod.backend.fail("vault:s/b", class);
            let began = Instant::now();
            let fault =
                pod.run(Task::KeepFresh, MINUTE).await.expect("an end").expect_err("a fault");
            assert_eq!((fault.class, began.elapsed()), (class, Duration::ZERO));
            assert_eq!(fault.message, "`vault:s/b`: told to fail");
            assert_eq!((pod.status().state, pod.read("a")), (State::Failed, String::new()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_backend_ends_the_start_at_its_deadline() {
    let pod = Pod::new("sidecar");
    pod.backend.fail("vault:s/b", Class::Unreachable);
    let began = Instant::now();
    let fault = pod.run(Task::KeepFresh, MINUTE).await.expect("an end").expect_err("a fault");
    assert_eq!((fault.class, began.elapsed()), (Class::Unreachable, Duration::from_secs(10)));
    assert_eq!(fault.message, "`vault:s/b`: told to fail");
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_never_answers_is_told_by_name() {
    let pod = Pod::new("init");
    pod.backend.delay.set(MINUTE);
    let fault = pod.run(Task::Once, MINUTE).await.expect("an end").expect_err("a fault");
    assert_eq!(
        fault.message,
        "`vault:s/a`: no answer within 10s; `vault:s/b`: no answer within 10s"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_said_before_the_deadline_is_not_forgotten() {
    let pod = Pod::new("sidecar");
    pod.backend.fail("vault:s/a", Class::Unreachable);
    let stall = async {
        sleep(Duration::from_secs(5)).await;
        pod.backend.delay.set(MINUTE);
    };
    let (ended, ()) = tokio::join!(pod.run(Task::KeepFresh, MINUTE), stall);
    let fault = ended.expect("an end").expect_err("a fault");
    assert_eq!(fault.message, "`vault:s/a`: told to fail");
}

#[tokio::test(start_paused = true)]
async fn in_parallel_the_agent_never_ends_by_itself() {
    let pod = Pod::new("parallel");
    pod.backend.fail("vault:s/b", Class::Refused);
    let repair = async {
        sleep(MINUTE * 5).await;
        assert_eq!(pod.status().state, State::Starting);
        pod.backend.set("vault:s/b", 1, "b1");
        sleep(MINUTE).await;
        assert_eq!((pod.status().state, pod.read("b")), (State::Ready, "b1".to_owned()));
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE * 60) => unreachable!("the agent goes on"),
        () = repair => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_restarted_agent_goes_on_with_its_own_files() {
    let pod = Pod::new("sidecar");
    assert_eq!(pod.run(Task::Once, MINUTE).await, Some(Ok(())));
    let inode = |pod: &Pod| {
        let file = std::fs::metadata(pod.folder.path().join("run/a")).expect("a file");
        std::os::unix::fs::MetadataExt::ino(&file)
    };
    let before = inode(&pod);
    pod.backend.fail("vault:s/b", Class::Refused);
    assert_eq!(pod.run(Task::KeepFresh, MINUTE * 5).await, None);
    assert_eq!((pod.status().state, pod.read("b")), (State::Stale, "b1".to_owned()));
    pod.backend.set("vault:s/b", 1, "b1");
    assert_eq!(pod.run(Task::KeepFresh, MINUTE).await, None);
    assert_eq!(
        (pod.status().state, pod.status().generation, inode(&pod)),
        (State::Ready, 1, before)
    );
}

#[tokio::test(start_paused = true)]
async fn an_init_container_that_is_run_again_does_not_hold_the_app_back() {
    let pod = Pod::new("init");
    assert_eq!(pod.run(Task::Once, MINUTE).await, Some(Ok(())));
    pod.backend.fail("vault:s/b", Class::Unreachable);
    assert_eq!(pod.run(Task::Once, MINUTE).await, Some(Ok(())));
    assert_eq!(pod.status().state, State::Stale);
}

#[tokio::test(start_paused = true)]
async fn a_secret_with_a_time_of_its_own_is_looked_at_alone() {
    let pod = Pod::new("sidecar");
    pod.backend.lives.borrow_mut().insert("vault:s/b".to_owned(), Duration::from_secs(25));
    let story = async {
        sleep(Duration::from_secs(239)).await;
        let [others, leased] = ["vault:s/a", "vault:s/b"].map(|path| pod.backend.calls_of(path));
        let status = pod.status();
        pod.backend.set("vault:s/b", 2, "b2");
        sleep(Duration::from_secs(22)).await;
        (others, leased, pod.read("b"), status)
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE * 60) => unreachable!("the agent goes on"),
        (others, leased, b, status) = story => {
            // Both at the start, after half an interval, and then every interval.
            assert_eq!((others, leased, b), (5, 13, "b2".to_owned()));
            let looks: Vec<_> = status.references.iter().map(|it| it.next_look).collect();
            assert!(looks[0] > looks[1] && looks[1] == status.next_look, "{looks:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_lease_does_not_hurry_the_others() {
    let pod = Pod::new("sidecar");
    pod.backend.lives.borrow_mut().insert("vault:s/b".to_owned(), Duration::from_secs(20));
    let story = async {
        sleep(MINUTE * 4).await;
        let before = pod.backend.calls_of("vault:s/a");
        pod.backend.fail("vault:s/b", Class::Unreachable);
        sleep(MINUTE * 10).await;
        (pod.backend.calls_of("vault:s/a") - before, pod.status().state)
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE * 60) => unreachable!("the agent goes on"),
        (calls, state) = story => {
            assert!((9..=11).contains(&calls), "{calls} calls");
            assert_eq!(state, State::Stale);
        }
    }
}
