//! Runs the tests on a cluster: starts it if there is a test to run, lets the tests run side by side, and takes
//! everything away again, whatever happens.

use std::{
    fs::File, future::Future, panic::AssertUnwindSafe, path::PathBuf, pin::Pin, process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result, anyhow};
use futures_util::FutureExt as _;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::{runtime::Runtime, sync::RwLock};

use super::{
    addresses::{AWS, MOTO, VAULT},
    cluster::Cluster,
    daemon::Daemons,
    folders::{Folders, checkout},
    images, install,
    interruption::{self, unless_interrupted},
    launch::Lab,
    progress::{say, show},
    sweep,
};

/// Tests mostly wait for the cluster, so more of them run at once than there are cores.
const SIDE_BY_SIDE: usize = 6;

/// What a test does.
type Outcome<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// A test's body on its view of the cluster.
type Body = for<'a> fn(&'a Cluster) -> Outcome<'a>;

/// The body of a test that needs no cluster, only what the lab installs.
type FreeBody = for<'a> fn(&'a Folders) -> Outcome<'a>;

/// One test.
#[derive(Debug, Clone)]
pub struct Case {
    name: String,
    body: Works,
    alone: bool,
    bare: bool,
}

/// What a test works on.
#[derive(Debug, Clone, Copy)]
enum Works {
    OnCluster(Body),
    Free(FreeBody),
}

impl Case {
    /// A test of a module, by its function's name; [`crate::cases`] writes this.
    pub fn new(module: &str, function: &str, body: Body) -> Self {
        let topic = module.split_once("::").map_or(module, |(_, topic)| topic);
        let body = Works::OnCluster(body);
        Self { name: format!("{topic}::{function}"), body, alone: false, bare: false }
    }

    /// A test that needs no cluster: none is started if all that run are such.
    pub fn free(module: &str, function: &str, body: FreeBody) -> Self {
        let topic = module.split_once("::").map_or(module, |(_, topic)| topic);
        let body = Works::Free(body);
        Self { name: format!("{topic}::{function}"), body, alone: false, bare: true }
    }

    fn is_free(&self) -> bool {
        matches!(self.body, Works::Free(_))
    }

    /// A test of the lab itself, which needs no Mayfly: images are built only if another test runs too.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// A test that disturbs others: it runs when no other does.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }
}

/// Lists test functions, `async fn(&Cluster) -> anyhow::Result<()>`, as [`Case`]s.
#[macro_export]
macro_rules! cases {
    ($($test:ident),* $(,)?) => {
        vec![$($crate::lab::suite::Case::new(module_path!(), stringify!($test), |cluster| Box::pin($test(cluster)))),*]
    };
}

/// Lists test functions, `async fn(&Folders) -> anyhow::Result<()>`, that need no cluster, as [`Case`]s.
#[macro_export]
macro_rules! free_cases {
    ($($test:ident),* $(,)?) => {
        vec![$($crate::lab::suite::Case::free(module_path!(), stringify!($test), |folders| Box::pin($test(folders)))),*]
    };
}

/// What is asked of a run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only tests with one of these in their names, unless there is none.
    pub filters: Vec<String>,
    /// Leave the cluster up, or use one that is up.
    pub keep: bool,
    /// Take the time for long forms.
    pub soak: bool,
    /// Only say which tests there are.
    pub list: bool,
}

/// Runs the tests; the exit code is theirs.
pub fn run(options: &Options, mut cases: Vec<Case>) -> ExitCode {
    // Those that run alone last, so that the others need not wait for them.
    cases.sort_by_key(|case| case.alone);
    let is_asked_for =
        |case: &Case| options.filters.iter().any(|filter| case.name.contains(filter));
    cases.retain(|case| options.filters.is_empty() || is_asked_for(case));
    let has_work = options.keep || !cases.is_empty();
    let wants_mayfly = cases.is_empty() || cases.iter().any(|case| !case.bare);
    let arguments =
        Arguments { list: options.list, test_threads: Some(SIDE_BY_SIDE), ..Arguments::default() };
    if options.list || !has_work {
        let trials = cases.into_iter().map(|case| Trial::test(case.name, || Ok(()))).collect();
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    if !options.keep && cases.iter().all(Case::is_free) {
        return report(run_without_cluster(&arguments, cases));
    }
    let plan = Plan { keep: options.keep, soak: options.soak, wants_mayfly };
    report(on_cluster(&plan, |runtime, cluster| {
        let trials = cases.into_iter().map(|case| trial(case, runtime, cluster)).collect();
        libtest_mimic::run(&arguments, trials).exit_code()
    }))
}

/// Does something on a cluster that is no test; `keep` is as in [`Options`].
pub fn work_on(keep: bool, work: impl AsyncFnOnce(&Cluster) -> Result<()>) -> ExitCode {
    report(on_cluster(&Plan { keep, soak: false, wants_mayfly: true }, |runtime, cluster| {
        let cluster = cluster.view();
        let done = runtime.block_on(unless_interrupted(async {
            let done = work(&cluster).await;
            cluster.clean_up().await?;
            done
        }));
        report(done.map(|()| ExitCode::SUCCESS))
    }))
}

fn run_without_cluster(arguments: &Arguments, cases: Vec<Case>) -> Result<ExitCode> {
    let runtime = Arc::new(Runtime::new().context("start the runtime")?);
    let folders = Folders::find()?;
    let _lock = lock(&folders)?;
    let trial = |case: Case| {
        let (runtime, folders, name) = (Arc::clone(&runtime), folders.clone(), case.name.clone());
        Trial::test(name, move || {
            let Works::Free(body) = case.body else { return Ok(()) };
            runtime.block_on(body(&folders)).map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    Ok(libtest_mimic::run(arguments, cases.into_iter().map(trial).collect()).exit_code())
}

/// Ends whatever a run has left.
pub fn down() -> ExitCode {
    report(Runtime::new().context("start the runtime").and_then(|runtime| {
        let folders = Folders::find()?;
        let _lock = lock(&folders)?;
        runtime.block_on(sweep::sweep(&folders))?;
        say("everything is down");
        Ok(ExitCode::SUCCESS)
    }))
}

fn report(outcome: Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        show(format_args!("error: {error:#}"));
        ExitCode::FAILURE
    })
}

/// What a run needs besides the tests.
struct Plan {
    keep: bool,
    soak: bool,
    wants_mayfly: bool,
}

fn on_cluster(
    plan: &Plan,
    work: impl FnOnce(&Arc<Runtime>, &Arc<Cluster>) -> ExitCode,
) -> Result<ExitCode> {
    let runtime = Arc::new(Runtime::new().context("start the runtime")?);
    let folders = Folders::find()?;
    let _lock = lock(&folders)?;
    runtime.spawn(interruption::attend_to(folders.clone()));
    let code = match runtime.block_on(unless_interrupted(bring_up(&folders, plan))) {
        Ok(cluster) => {
            let code = work(&runtime, &cluster);
            if plan.keep {
                explain(&cluster);
                return Ok(code);
            }
            code
        }
        Err(error) => {
            show(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    };
    runtime
        .block_on(sweep::sweep(&folders))
        .context("take the cluster away: `cargo e2e down` tries again")?;
    if code != ExitCode::SUCCESS {
        show(format_args!("logs: {}", folders.logs().display()));
    }
    say("everything is down");
    Ok(code)
}

async fn bring_up(folders: &Folders, plan: &Plan) -> Result<Arc<Cluster>> {
    let is_up = plan.keep && Daemons::open(folders)?.all_live();
    if !is_up && sweep::is_needed(folders) {
        say("taking away what an earlier run has left");
        sweep::sweep(folders).await?;
    }
    let lab = Lab::open(folders.clone()).await?;
    let (archives, ()) = tokio::try_join!(build(folders, plan), start(&lab, is_up))?;
    if let Some(archives) = archives {
        install::install(&lab, &archives).await.context("install Mayfly")?;
        say("Mayfly is installed");
    }
    Ok(Arc::new(Cluster::of(Arc::new(lab), plan.soak)?))
}

async fn build(folders: &Folders, plan: &Plan) -> Result<Option<Vec<PathBuf>>> {
    if !plan.wants_mayfly {
        return Ok(None);
    }
    images::mayfly::build_all(folders, &checkout()).await.map(Some)
}

async fn start(lab: &Lab, is_up: bool) -> Result<()> {
    if is_up {
        say("using the cluster that is up");
        return Ok(());
    }
    say("starting the cluster");
    lab.start().await.context("start the cluster")?;
    say("the cluster is ready");
    Ok(())
}

fn trial(case: Case, runtime: &Arc<Runtime>, cluster: &Arc<Cluster>) -> Trial {
    let (runtime, cluster, name) = (Arc::clone(runtime), cluster.view(), case.name.clone());
    Trial::test(name, move || {
        let outcome = runtime.block_on(unless_interrupted(take_turn(&case, &cluster)));
        outcome.map_err(|error| Failed::from(format!("{error:#}")))
    })
}

/// Runs one test when its turn has come.
async fn take_turn(case: &Case, cluster: &Cluster) -> Result<()> {
    static PEACE: RwLock<()> = RwLock::const_new(());
    let (_alone, _shared) = if case.alone {
        (Some(PEACE.write().await), None)
    } else {
        (None, Some(PEACE.read().await))
    };
    attend(case, cluster).await
}

/// Runs one test, and sees to what it leaves.
async fn attend(case: &Case, cluster: &Cluster) -> Result<()> {
    let body = match case.body {
        Works::OnCluster(body) => body(cluster),
        Works::Free(body) => body(&cluster.lab().folders),
    };
    let outcome = AssertUnwindSafe(body).catch_unwind().await;
    let outcome =
        outcome.unwrap_or_else(|panic| Err(anyhow!("panicked: {}", panic_message(&*panic))));
    if outcome.is_err() {
        cluster.report(&case.name).await?;
    }
    cluster.clean_up().await?;
    outcome
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("for a reason that is no text")
}

/// There is one bridge and one set of ports, so there is one lab on a machine.
fn lock(folders: &Folders) -> Result<File> {
    let file = File::options()
        .create(true)
        .append(true)
        .open(folders.lock())
        .context("open the lab's lock")?;
    file.try_lock().context("another `cargo e2e` is running on this machine")?;
    Ok(file)
}

fn explain(cluster: &Cluster) {
    let lab = cluster.lab();
    show("\nThe cluster stays up until `cargo e2e down`. To talk to it:\n");
    show(format_args!("  export KUBECONFIG={}", lab.pki().kubeconfig_of("admin").display()));
    show(format_args!("  export VAULT_ADDR={VAULT}"));
    show(format_args!("  export VAULT_CACERT={}", lab.pki().authority_certificate().display()));
    show(format_args!("  export VAULT_TOKEN={}", cluster.vault().token()));
    show(format_args!("  kubectl: {}", lab.tools.kubectl_path().display()));
    show(format_args!("  AWS, as pods see it: {AWS}; moto behind it, without questions: {MOTO}"));
    show(format_args!("  logs: {}", lab.folders.logs().display()));
}
