//! Which containers see the files.
//!
//! PURE.

use std::collections::BTreeSet;

use mayfly_spec::suggestion::Suggestion;

use super::placement::Placement;
use crate::{
    config::Config,
    fault::{Fault, Faults, quote},
    names::CONTAINER,
    pod::{List, Pod, Position, is_native_sidecar, text},
    request::Request,
    settings::Annotation,
};

/// The containers that the author names, else all of the author's that could ever see a file and that the operator does
/// not leave out; and what is wrong with the names.
pub(super) fn choose(
    config: &Config,
    request: &Request,
    pod: &Pod<'_>,
    placement: &Placement,
) -> (Vec<Position>, Faults) {
    let mut faults = Faults::default();
    let chosen = match &request.settings.containers {
        Some(names) => named(pod, names, &mut faults),
        None => authors(config, pod, placement),
    };
    if chosen.is_empty() && faults.is_empty() {
        let message = "no container would get the files; name at least one";
        faults.push(Fault::new(Annotation::Containers.to_string(), message));
    }
    (chosen, faults)
}

fn authors(config: &Config, pod: &Pod<'_>, placement: &Placement) -> Vec<Position> {
    let is_gateway = is_gateway(config, pod);
    let is_mesh = |position: Position, name: &str| {
        config.is_mesh_sidecar(name) && !(is_gateway && position.list == List::Regular)
    };
    let is_authors = |(position, name): &(Position, &str)| {
        *name != CONTAINER
            && !is_mesh(*position, name)
            && !config.is_without_files(name)
            && !ends_before_the_agent(pod, placement, *position)
    };
    named_containers(pod).filter(is_authors).map(|(position, _)| position).collect()
}

/// Whether the pod is there for the mesh's proxy, and not the proxy for the pod.
pub(super) fn is_gateway(config: &Config, pod: &Pod<'_>) -> bool {
    let mut names = pod.list(List::Regular).iter().map(|container| text(container, "name"));
    names.all(|name| name == CONTAINER || config.is_mesh_sidecar(name))
}

fn named(pod: &Pod<'_>, names: &[String], faults: &mut Faults) -> Vec<Position> {
    let authors = || named_containers(pod).filter(|(_, name)| *name != CONTAINER);
    let known: Vec<&str> = authors().map(|(_, name)| name).collect();
    let present: BTreeSet<&str> = known.iter().copied().collect();
    for name in names.iter().filter(|name| !present.contains(name.as_str())) {
        faults.push_with(|| {
            let suggestion = Suggestion::new(name, known.iter().copied());
            let message = format_args!("the pod has no container `{}`{suggestion}", quote(name));
            Fault::new(Annotation::Containers.to_string(), message)
        });
    }
    let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    authors().filter(|(_, name)| wanted.contains(name)).map(|(position, _)| position).collect()
}

fn named_containers<'a>(pod: &Pod<'a>) -> impl Iterator<Item = (Position, &'a str)> {
    pod.containers().map(|(position, container)| (position, text(container, "name")))
}

/// An ordinary init container before the agent would only ever see an empty directory.
pub(super) fn ends_before_the_agent(
    pod: &Pod<'_>,
    placement: &Placement,
    position: Position,
) -> bool {
    position.list == List::Init
        && placement.comes_after(position)
        && !is_native_sidecar(pod.container(position))
}
