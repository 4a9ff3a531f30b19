//! Mayfly's agent: fetches a pod's secrets with the pod's own identity, writes them as files, and
//! keeps them fresh.
//!
//! ```text
//! what is due ─→ lanes ─→ ledger ─→ assembly ─→ keeper ─→ status ─┐
//!      └──────────────────────────────────────────────────────────┘
//!
//! EDGE  command ── args, configuration, telemetry, output, shutdown, termination, hardening, clock, refresh
//!          │
//!        agent ── gate, closing, first_try
//!          │
//!        lanes ── source::{aws, vault, file} ── http
//!        memory, disk ── files
//! PURE  assembly, group, manifest, ledger, schedule, patience, render, sealing, status, secret, fault, source::version
//! ```
//! Arrows point down only. What is PURE names no `async`, clock, environment, file, socket or log.
//!
//! Invariant: good files are never replaced by worse ones, and nothing is deleted on error.
//! Invariant: what fails holds back nothing but the [`group`] that it belongs to.
//! Invariant: what the agent believes of an earlier life lies where only it can write ([`memory`]).
//! Invariant: a [`secret::Secret`] has a `Debug` that says nothing, no `Display` and no `Serialize`;
//! it leaves the process through [`disk`], and what is leased through the state that the agent alone
//! sees; it is overwritten when it goes.
//! Invariant: a file's name cannot leave the directory: the type makes it impossible, and [`disk`]
//! follows no link.
//! Invariant: one rename switches the whole set; at the start it is all or nothing.
//! Invariant: versions do not go backwards unless the backend insists, or a label was moved.
//! Invariant: one fetch per distinct location and interval, however many files use it; one more when
//! a lease or a certificate is due.
//! Invariant: the environment is read in [`args`] only; in a pod there is no default identity.

pub mod agent;
pub mod args;
pub mod assembly;
pub mod clock;
pub mod closing;
pub mod command;
pub mod configuration;
mod digest;
pub mod disk;
pub mod fault;
pub mod files;
pub mod first_try;
pub mod gate;
pub mod group;
pub mod hardening;
pub mod http;
pub mod lanes;
pub mod ledger;
pub mod manifest;
pub mod memory;
mod output;
pub mod patience;
pub mod refresh;
pub mod render;
pub mod root;
pub mod schedule;
pub mod sealing;
pub mod secret;
pub mod shutdown;
pub mod source;
pub mod status;
mod table;
pub mod telemetry;
pub mod termination;
pub mod timestamp;
