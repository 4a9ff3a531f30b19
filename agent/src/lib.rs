//! Mayfly's agent: fetches a pod's secrets with the pod's own identity, writes them as files, and
//! keeps them fresh.
//!
//! ```text
//! spec → fetch (concurrent, one per distinct location) → SecretData → desired_files → apply → Outcome → schedule::next → sleep ┐
//!          └───────────────────────────────────────────────────────────────────────────────────────────────────────────────────┘
//!
//! EDGE  command ── args, configuration, telemetry, shutdown, termination, hardening, clock
//!          │
//!        agent ── gate, first_try
//!          │
//!        sync ─── source::{aws, vault, file} ── http
//!          │  └── disk
//! PURE  render, schedule, patience, sealing, ledger, status, secret, fault, source::version
//! ```
//! Arrows point down only. What is PURE names no `async`, clock, environment, file, socket or log.
//!
//! Invariant: good files are never replaced by worse ones, and nothing is deleted on error.
//! Invariant: a [`secret::Secret`] has a `Debug` that says nothing, no `Display` and no `Serialize`;
//! it leaves the process through [`disk`], and what is leased through the state that the agent alone
//! sees; it is overwritten when it goes.
//! Invariant: a file's name cannot leave the directory: the type makes it impossible, and [`disk`]
//! follows no link.
//! Invariant: a generation is all or nothing; one rename switches the whole set.
//! Invariant: versions never go backwards.
//! Invariant: one fetch per distinct location and interval, however many files use it; one more when
//! a lease or a certificate is due.
//! Invariant: the environment is read in [`args`] only; in a pod there is no default identity.

pub mod agent;
pub mod args;
pub mod clock;
pub mod command;
pub mod configuration;
mod digest;
pub mod disk;
pub mod fault;
pub mod first_try;
pub mod gate;
pub mod hardening;
pub mod http;
pub mod ledger;
pub mod patience;
pub mod render;
pub mod root;
pub mod schedule;
pub mod sealing;
pub mod secret;
pub mod shutdown;
pub mod source;
pub mod status;
pub mod sync;
mod table;
pub mod telemetry;
pub mod termination;
pub mod timestamp;
