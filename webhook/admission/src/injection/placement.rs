//! Where the agent stands among the pod's containers.
//!
//! PURE.

use mayfly_spec::spec::Mode;

use super::ours;
use crate::{
    config::Config,
    fault::Fault,
    names::CONTAINER,
    pod::{List, Pod, Position, is_native_sidecar, place as field, text},
    settings::Annotation,
};

/// The agent's place: where it would be put, and where it is already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) list: List,
    index: usize,
    /// Where it is, if it is there; that is never corrected, because other webhooks have their
    /// reasons, and two that correct each other never end.
    pub(super) present: Option<Position>,
    /// Where it is in the other list: from before the mode was another, because nobody moves a container there.
    pub(super) misplaced: Option<Position>,
}

impl Placement {
    /// Where the agent is, or will be.
    pub(super) fn position(&self) -> Position {
        let Self { list, index, .. } = *self;
        self.present.unwrap_or(Position { list, index })
    }

    /// The same, put at `index` of its list unless it is there already.
    pub(super) fn at(self, index: usize) -> Self {
        Self { index, ..self }
    }

    /// Whether an ordinary init container at `position` ends before the agent starts.
    pub(super) fn comes_after(&self, position: Position) -> bool {
        position < self.position()
    }
}

/// Places the agent: first of all, but after the native mesh sidecars that it must talk through. Among the regular
/// containers that is not the last word.
pub(super) fn place(mode: Mode, pod: &Pod<'_>, config: &Config) -> Result<Placement, Fault> {
    if mode == Mode::Parallel && !pod.runs_forever() {
        let message = "`parallel` needs a pod with `restartPolicy: Always`, because the agent goes on for as long as the pod; use `sidecar` or `init`";
        return Err(Fault::new(Annotation::Mode.to_string(), message));
    }
    let list = if mode == Mode::Parallel { List::Regular } else { List::Init };
    let named: Vec<Position> = pod
        .containers()
        .filter(|(_, container)| text(container, "name") == CONTAINER)
        .map(|(position, _)| position)
        .collect();
    let (present, misplaced) = match named.as_slice() {
        [] => (None, None),
        [position] if position.list == list => (Some(*position), None),
        [position] if ours::is_ours(pod.container(*position)) => (None, Some(*position)),
        [position] => return Err(ours::foreign(*position)),
        [_, position, ..] => return Err(taken(*position)),
    };
    let index = if list == List::Init { after_mesh(pod, config) } else { 0 };
    Ok(Placement { list, index, present, misplaced })
}

fn after_mesh(pod: &Pod<'_>, config: &Config) -> usize {
    let is_native_mesh =
        |container| is_native_sidecar(container) && config.is_mesh_sidecar(text(container, "name"));
    let last = pod.list(List::Init).iter().rposition(is_native_mesh);
    last.map_or(0, |index| index + 1)
}

fn taken(position: Position) -> Fault {
    let message = format!("the name `{CONTAINER}` is Mayfly's own; rename this container");
    Fault::new(format!("{}.name", field(position)), message)
}
