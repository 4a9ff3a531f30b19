//! The end, as the kubelet or a person asks for it.
#![expect(clippy::disallowed_methods, reason = "/proc tells which signals are ignored")]

use std::{fs, io, process};

use tokio::signal::unix::{SignalKind, signal};

/// Listens from now on; what is returned is done at the first SIGTERM, SIGINT or SIGHUP. A SIGHUP that
/// was ignored before the agent began stays ignored: so `nohup` keeps it alive.
pub fn asked() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let status = fs::read_to_string(format!("/proc/{}/status", process::id()));
    let is_ignored = ignores(&status.unwrap_or_default(), SignalKind::hangup());
    let hangup = if is_ignored { None } else { Some(signal(SignalKind::hangup())?) };
    Ok(async move {
        let hung_up = async {
            match hangup {
                Some(mut hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = hung_up => {}
        }
    })
}

/// Whether a process with this `/proc/…/status` ignores the signal.
fn ignores(status: &str, signal: SignalKind) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let bit = u32::try_from(signal.as_raw_value() - 1).ok().and_then(|at| 1_u64.checked_shl(at));
    mask.zip(bit).is_some_and(|(mask, bit)| mask & bit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nohup_ignores_is_known() {
        let status = |mask| format!("Name:\tx\nSigBlk:\tffffffffffffffff\nSigIgn:\t{mask}\n");
        assert!(ignores(&status("0000000000000001"), SignalKind::hangup()));
        assert!(ignores(&status("0000000000001001"), SignalKind::hangup()));
        assert!(!ignores(&status("0000000000001000"), SignalKind::hangup()));
        assert!(!ignores("", SignalKind::hangup()));
    }
}
