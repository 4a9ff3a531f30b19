//! The end, as the kubelet or a person asks for it.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Listens from now on; what is returned is done at the first SIGTERM or SIGINT.
pub fn asked() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
