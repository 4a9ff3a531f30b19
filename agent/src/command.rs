//! The commands: each takes the configuration and gives an exit code.

mod check;
mod refresh;
mod run;
mod seal;
mod status;
mod wait;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use mayfly_spec::Spec;
use tracing::error;

use crate::{
    agent::Task,
    args::{Args, Command, Environment},
    clock::SystemClock,
    configuration,
    fault::{Class, Fault},
    hardening, output,
    root::Root,
    source::AwsEnvironment,
    telemetry, termination,
};

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) spec: Spec,
    pub(crate) root: Root,
    pub(crate) aws: AwsEnvironment,
    pub(crate) clock: SystemClock,
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version come this way too.
            let is_fault = error.use_stderr();
            return match error.print() {
                Err(error) if !is_fault => output::not_written(&error),
                _ => exit(if is_fault { Class::Configuration.exit_code() } else { 0 }),
            };
        }
    };
    let environment = Environment::read();
    telemetry::start(args.log_level, !environment.in_pod);
    hardening::harden();
    let default = environment.in_pod.then(|| PathBuf::from(termination::DEFAULT_PATH));
    let termination_log = args.termination_log.clone().or(default);
    let command = args.command.clone().unwrap_or_default();
    let done = dispatch(&command, &args, &environment);
    done.unwrap_or_else(|fault| fail(&command, &fault, termination_log.as_deref()))
}

fn context(args: &Args, environment: &Environment) -> Result<Context, Fault> {
    let root = Root::new(args.root.clone());
    let spec = configuration::load(args.config.as_deref(), environment, &root)?;
    Ok(Context { spec, root, aws: environment.aws.clone(), clock: SystemClock })
}

fn dispatch(command: &Command, args: &Args, environment: &Environment) -> Result<ExitCode, Fault> {
    let context = || context(args, environment);
    match command {
        Command::Run { gate } => block_on(run::run(context(), Task::KeepFresh, *gate)),
        Command::Once => block_on(run::run(context(), Task::Once, None)),
        Command::Wait { timeout } => block_on(wait::wait(&context()?, *timeout)),
        Command::Seal(wish) => seal::seal(wish, args, environment),
        Command::Check { warn_age } => block_on(check::check(&context()?, *warn_age)),
        Command::Status { json } => status::status(&context()?, *json),
        Command::Refresh => block_on(refresh::refresh(&context()?)),
    }
}

/// So many hosts' names are looked up at once: those of each service of AWS, Vault's, a proxy's.
const RESOLVERS: usize = 8;

/// Everything runs on one thread; others only ever resolve a name, and one that is dead holds one.
fn block_on(work: impl Future<Output = Result<ExitCode, Fault>>) -> Result<ExitCode, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(RESOLVERS)
        .thread_keep_alive(std::time::Duration::from_secs(1))
        .build();
    match runtime {
        Ok(runtime) => {
            let done = runtime.block_on(work);
            // A name that is still being resolved holds nobody back.
            runtime.shutdown_background();
            done
        }
        Err(error) => {
            error!(%error, "the runtime cannot start");
            Ok(exit(INTERNAL))
        }
    }
}

/// The exit code of what should not happen.
const INTERNAL: u8 = 1;

fn exit(code: u8) -> ExitCode {
    ExitCode::from(code)
}

/// Tells the fault where it is looked for, and gives its exit code.
fn fail(command: &Command, fault: &Fault, termination_log: Option<&Path>) -> ExitCode {
    match command {
        Command::Run { .. } | Command::Once => {
            error!(class = fault.class.name(), error = fault.message, "the agent ends");
            if let Some(path) = termination_log {
                termination::write(path, fault);
            }
        }
        _ => output::complain(format_args!("mayfly-agent: {fault}")),
    }
    exit(fault.class.exit_code())
}
