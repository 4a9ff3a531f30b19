//! What is true of the pods of a cluster.
//!
//! ```text
//! fetch      API server → pages of raw objects                                        EDGE
//! survey     pods, workloads → findings: no agent, another agent, unknown annotations    PURE: the others
//! migration  pods with Secrets or a SecretProviderClass → annotations instead
//! readers    RBAC → who may read the secrets of a namespace's pods
//! access     pods, answers of their agents → who gets which secret as whom, and how fresh it is
//! report     all of it → a table, JSON
//! page       all of it → a page that a reviewer can file
//! metrics    the report's numbers → Prometheus' text
//! ```
//!
//! Never reads a Secret, and changes nothing.

pub(crate) mod access;
pub(crate) mod fetch;
pub(crate) mod metrics;
pub(crate) mod migration;
pub(crate) mod page;
pub(crate) mod readers;
pub(crate) mod report;
pub(crate) mod survey;
#[cfg(test)]
mod tests;
