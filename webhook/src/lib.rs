//! Mayfly's admission webhook: serves what [`mayfly_admission`] decides.
//!
//! ```text
//! serving   the parts put together: signals, configuration in force, identity, shutdown
//!    │
//! server    bytes → TLS → review → TLS → bytes          namespaces   what rules need to know, watched beforehand
//!                          │
//!                   mayfly_admission                    PURE: everything that is decided
//! ```
//!
//! Invariant: no network call while answering: what a rule needs of namespaces is watched beforehand.
//! Invariant: a review that panics costs one answer, never the process; a client costs its own seat, never another's.
//! Invariant: nothing here decides about a pod.

pub mod args;
pub mod cluster;
pub mod namespaces;
pub mod operator;
pub mod server;
pub mod serving;
pub mod telemetry;
