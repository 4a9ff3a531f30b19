//! Mayfly's admission webhook: reads a pod's annotations, answers with a patch that adds the agent.
//!
//! ```text
//! server   bytes → review → bytes                                    EDGE: sockets, clock, log, metrics
//!                    │
//! admission          └→ Pod ─ annotations::parse → Request           PURE: everything below
//!                             policy::judge      → Judgement     from what would be had, before anything is added
//!                             injection::plan    → Injection
//!                             patch::render      → Patch
//! audit    a cluster's objects → findings                            EDGE around PURE
//! offline  manifest text → documents → pod templates → (the same three) → manifest text
//! explain  admitted pods → Workload → what it is allowed at least → words, JSON, Terraform
//! ```
//!
//! Invariant: `review` is total: any bytes get an answer, never a panic or a 500.
//! Invariant: idempotent: a pod that was admitted with its patch gets no second patch.
//! Invariant: additive: what was submitted is still there, in the same order; only our own container
//! follows the pod and the release: the owner of its files, its image, its configuration.
//! Invariant: deterministic: the same input gives the same bytes.
//! Invariant: no network call while answering: what a rule needs of namespaces is watched beforehand; patches carry
//! references, never values.
//! Invariant: PURE modules name no `async`, clock, environment, file, socket or log.

pub mod admission;
pub mod annotations;
pub mod args;
pub mod audit;
pub mod bounds;
pub mod cluster;
pub mod config;
pub mod explain;
pub mod fault;
pub mod injection;
pub mod manifest;
pub mod namespaces;
pub mod offline;
pub mod patch;
pub mod pod;
pub mod policy;
pub mod quantity;
pub mod server;
pub mod serving;
pub mod telemetry;
pub mod workload;
