//! What Mayfly's webhook decides: a pod's annotations in, a patch that adds the agent out.
//!
//! ```text
//! review     bytes → AdmissionReview → decision → bytes        manifest   text → documents → pod templates → text
//!              │                                                  │
//!              └─ annotations::parse → Request  ──────────────────┘
//!                 policy::judge      → Judgement     from what would be had, before anything is added
//!                 injection::plan    → Injection
//!                 patch::render      → Patch
//! ```
//!
//! PURE, every room of it: there is no `async`, clock, environment, file, socket or log, and the manifest names nothing
//! that has one.
//!
//! Invariant: `review` is total: any bytes get an answer, never a panic or a 500.
//! Invariant: idempotent: a pod that was admitted with its patch gets no second patch.
//! Invariant: additive: what was submitted is still there, in the same order, but for what has our names: our container
//! is built anew from the pod's content, with what of others' additions does nothing to the agent; our volumes get
//! today's size. What has our names and is not ours is refused.
//! Invariant: deterministic: the same input gives the same bytes.
//! Invariant: patches carry references, never values.

pub mod annotations;
mod bounds;
pub mod config;
mod eks;
pub mod fault;
pub mod injection;
pub mod manifest;
pub mod names;
pub mod patch;
pub mod pod;
pub mod policy;
pub mod quantity;
pub mod reach;
pub mod request;
mod resources;
pub mod review;
mod sameness;
pub mod settings;
pub mod workload;
