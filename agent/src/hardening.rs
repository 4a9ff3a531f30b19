//! What keeps values inside the process: no dumps, no debugger, no core file, a word about swap.
#![expect(clippy::disallowed_methods, reason = "swap and mount options are told by /proc")]

use std::path::Path;

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use tracing::warn;

/// Makes the process unreadable for others of the same user, and forbids core files.
pub fn harden() {
    let nothing = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        warn!(%error, "the process stays dumpable");
    }
    if let Err(error) = setrlimit(Resource::Core, nothing) {
        warn!(%error, "core files stay allowed");
    }
}

/// Warns if what is written to `directory` may reach a disk through swap.
pub fn warn_of_swap(directory: &Path) {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    if may_swap(&read("/proc/swaps"), &read("/proc/self/mountinfo"), directory) {
        warn!(
            directory = %directory.display(),
            "swap is on and this in-memory volume is not mounted `noswap`: secrets may reach the swap device"
        );
    }
}

/// Whether there is swap, and the innermost mount above `directory` is a tmpfs that may use it.
fn may_swap(swaps: &str, mounts: &str, directory: &Path) -> bool {
    let has_swap = swaps.lines().count() > 1;
    let mount = mounts
        .lines()
        .filter_map(Mount::parse)
        .filter(|mount| directory.starts_with(mount.point))
        .max_by_key(|mount| mount.point.len());
    has_swap
        && mount.is_some_and(|mount| {
            mount.kind == "tmpfs" && !mount.options.split(',').any(|option| option == "noswap")
        })
}

/// What one line of `/proc/self/mountinfo` says.
struct Mount<'a> {
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let mut system = system.split(' ');
        Some(Self {
            point: mount.split(' ').nth(4)?,
            kind: system.next()?,
            options: system.nth(1)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWAPS: &str = "Filename Type Size Used Priority\n/dev/vda2 partition 1 0 -2\n";

    fn mounts(options: &str) -> String {
        format!(
            "1 0 8:1 / / rw - ext4 /dev/vda1 rw\n2 1 0:5 / /run/mayfly rw,relatime shared:3 - tmpfs tmpfs rw,{options}\n"
        )
    }

    #[test]
    fn only_a_volume_that_may_reach_swap_is_warned_of() {
        let directory = Path::new("/run/mayfly");
        assert!(may_swap(SWAPS, &mounts("size=1024k"), directory));
        assert!(!may_swap(SWAPS, &mounts("size=1024k,noswap"), directory));
        assert!(!may_swap("Filename\n", &mounts("size=1024k"), directory));
        assert!(!may_swap(SWAPS, &mounts("size=1024k"), Path::new("/home")));
    }
}
