//! Which containers see the files.
//!
//! PURE.

use std::collections::BTreeSet;

use mayfly_spec::suggestion::Suggestion;

use super::Planner;
use crate::{
    fault::{Fault, quote},
    names::CONTAINER,
    pod::{List, Position, is_native_sidecar, text},
    settings::Annotation,
};

impl Planner<'_> {
    /// The containers that the author names, else all of the author's that could ever see a file.
    pub(super) fn choose(&mut self) -> Vec<Position> {
        let chosen = match &self.request.settings.containers {
            Some(names) => self.named(&names.clone()),
            None => self.authors(),
        };
        if chosen.is_empty() && self.faults.is_empty() {
            let message = "no container would get the files; name at least one";
            self.faults.push(Fault::new(Annotation::Containers.to_string(), message));
        }
        chosen
    }

    fn authors(&self) -> Vec<Position> {
        self.pod
            .containers()
            .filter(|(position, container)| {
                let name = text(container, "name");
                name != CONTAINER
                    && !self.config.is_mesh_sidecar(name)
                    && !self.ends_before_the_agent(*position)
            })
            .map(|(position, _)| position)
            .collect()
    }

    fn named(&mut self, names: &[String]) -> Vec<Position> {
        let authors =
            || self.pod.containers().filter(|(_, container)| text(container, "name") != CONTAINER);
        let known: Vec<&str> = authors().map(|(_, container)| text(container, "name")).collect();
        let (set, wanted): (BTreeSet<&str>, BTreeSet<&str>) =
            (known.iter().copied().collect(), names.iter().map(String::as_str).collect());
        for name in names.iter().filter(|name| !set.contains(name.as_str())) {
            self.faults.push_with(|| {
                let suggestion = Suggestion::new(name, known.iter().copied());
                let message =
                    format_args!("the pod has no container `{}`{suggestion}", quote(name));
                Fault::new(Annotation::Containers.to_string(), message)
            });
        }
        authors()
            .filter(|(_, container)| wanted.contains(text(container, "name")))
            .map(|(position, _)| position)
            .collect()
    }

    /// An ordinary init container before the agent would only ever see an empty directory.
    pub(super) fn ends_before_the_agent(&self, position: Position) -> bool {
        position.list == List::Init
            && self.placement.comes_after(position)
            && !is_native_sidecar(self.pod.container(position))
    }
}
