//! Ctrl-C, and whatever else asks this process to end: work is given up where it stands, and the cluster goes away.

use std::{future::Future, sync::LazyLock};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch::Sender,
};

use super::{daemon, folders::Folders, program, progress::say, sweep};

/// What a shell reports for a program that Ctrl-C has ended.
const EXIT_CODE: i32 = 130;

/// Whether the person has had enough.
static INTERRUPTED: LazyLock<Sender<bool>> = LazyLock::new(|| Sender::new(false));

/// Does something, unless it is interrupted: then it is given up, and the end of this process is waited for.
pub async fn unless_interrupted<T>(work: impl Future<Output = T>) -> T {
    let mut interrupted = INTERRUPTED.subscribe();
    tokio::select! {
        outcome = work => return outcome,
        _ = interrupted.wait_for(|&yes| yes) => {}
    }
    std::future::pending().await
}

/// Waits for an interruption, and then ends everything and this process too.
#[expect(clippy::exit, reason = "the tests run on other threads, which nothing else ends")]
pub async fn attend_to(folders: Folders) {
    if asked_to_end().await.is_err() {
        return;
    }
    say("interrupted: taking the cluster away");
    INTERRUPTED.send_replace(true);
    daemon::close();
    program::end_all();
    match sweep::sweep(&folders).await {
        Ok(()) => say(format_args!("everything is down; logs: {}", folders.logs().display())),
        Err(error) => say(format_args!("{error:#}; `cargo e2e down` tries again")),
    }
    std::process::exit(EXIT_CODE);
}

async fn asked_to_end() -> std::io::Result<()> {
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}
