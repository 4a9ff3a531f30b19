//! The laboratory: a real Kubernetes node with Vault and AWS beside it, for tests that want the truth.
//!
//! ```text
//! suite ── cluster ── launch ─┬─ tools      what has to be on the machine: Debian's parts, Go builds, moto
//!   │         │               ├─ control_plane, node, dns, vault, postgres, aws    one part each: how it starts, when it is ready
//!   │     namespace           ├─ network, gatekeeper, pki, images   what the parts stand on
//!   │         │               └─ sweep      how all of it goes away again, after whatever end
//! the tests   pod             daemon, program, folders, condition   processes, files, waiting
//! ```
//!
//! Nothing in here knows what Mayfly promises: only [`install`] and [`images`] know that it exists.
#![allow(
    clippy::disallowed_methods,
    reason = "the lab is the outside world: it starts programs, writes files and reads the clock"
)]

pub mod addresses;
pub mod aws;
pub mod chart;
pub mod cluster;
pub mod condition;
pub mod control_plane;
pub mod daemon;
pub mod dns;
pub mod folders;
pub mod gatekeeper;
pub mod images;
pub mod install;
pub mod interruption;
pub mod launch;
pub mod line;
pub mod namespace;
pub mod network;
pub mod node;
pub mod pki;
pub mod pod;
pub mod postgres;
pub mod program;
pub mod progress;
pub mod suite;
pub mod sweep;
pub mod tools;
pub mod vault;
