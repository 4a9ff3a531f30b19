//! Mayfly for people: what a manifest's pods would get, may get, and what a cluster's pods have got.
//!
//! ```text
//! command   one for each subcommand: reads files and a cluster, prints, says by its exit code     EDGE
//!   │
//!   ├── explain   admitted pods → Workload → what it is allowed at least → words, JSON, Terraform   PURE
//!   ├── audit     a cluster's objects → findings, migrations, readers → report                     PURE but for `fetch`
//!   ├── status    pods and what their agents answer → a table, JSON                             PURE but for `select`, `asking`
//!   ├── operator, cluster, exec   the operator's configuration, the way to an API server and into a pod  EDGE
//!   └── agents, foreign, table    what a pod's object says of its agent; words of others; tables  PURE
//!          │
//!   mayfly_admission   what the webhook would decide, by the webhook's own code                   PURE
//! ```
//!
//! Invariant: what is told of a pod is read from the pod as it would be admitted, so that what is told is what is done.
//! Invariant: a cluster is read with the caller's own rights, and never changed; no Secret is read. In a pod nothing is
//! run but the agent's own `status` and `refresh`, and what it answers is foreign text.
//! Invariant: results go to standard output, everything else to standard error.

mod agents;
pub mod args;
mod audit;
mod cluster;
pub mod command;
mod exec;
pub mod explain;
mod foreign;
mod operator;
mod status;
mod table;
