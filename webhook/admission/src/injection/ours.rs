//! Whether a container of our name is the agent, from whatever release and under whatever settings.
//!
//! PURE. Nothing is believed of it: it is built anew all the same. What is decided here is only whether an author, who
//! may not know of us, has a container of his own that would be lost.

use serde_json::Value;

use super::container::PROGRAM;
use crate::{
    fault::Fault,
    names::{CONFIG_VARIABLE, CONTAINER},
    pod::{Position, items, place, text},
};

/// Whether `container` runs our program, and has a configuration for it.
pub(super) fn is_ours(container: &Value) -> bool {
    let program = container.get("command").and_then(|command| command.get(0));
    let configured = || {
        let mut variables = items(container, "env").iter();
        variables.any(|variable| text(variable, "name") == CONFIG_VARIABLE)
    };
    text(container, "name") == CONTAINER
        && program.and_then(Value::as_str) == Some(PROGRAM)
        && configured()
}

/// What is told of one that is not.
pub(super) fn foreign(position: Position) -> Fault {
    let message = format!(
        "this container has Mayfly's name `{CONTAINER}`, but is not Mayfly's agent: that has the command `{PROGRAM}` and a variable `{CONFIG_VARIABLE}`; it comes from the pod's author, from a tool that made the pod from another (`kubectl debug --copy-to`), or from a webhook before Mayfly's; remove it there, or rename it"
    );
    Fault::new(place(position), message)
}
