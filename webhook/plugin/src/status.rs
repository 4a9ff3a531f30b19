//! What the agents of running pods say of themselves.
//!
//! ```text
//! select    API server → the pods that were asked for                              EDGE
//! asking    pods → each agent asked, some at once, each for a limited time           EDGE
//! answer    an agent's JSON → its account: nothing in it is believed to be harmless   PURE: the others
//! pod       a pod's object and its agent's answer → how the pod stands
//! list      all of them → a table, JSON
//! ```

pub(crate) mod answer;
pub(crate) mod asking;
pub(crate) mod list;
pub(crate) mod pod;
pub(crate) mod select;
