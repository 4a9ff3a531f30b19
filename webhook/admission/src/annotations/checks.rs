//! What may not be chosen freely, and what must fit together.
//!
//! PURE.

use std::collections::BTreeSet;

use mayfly_spec::suggestion::Suggestion;

use super::Entries;
use crate::{
    config::Config,
    fault::{Fault, Faults, quote},
    settings::{Annotation, PathEnv, Settings, list_addresses},
};

/// The operator's limits, where `place` says whose choice a setting is; `operator` is what the operator chose for this
/// pod.
pub(super) fn settings(
    settings: &Settings,
    config: &Config,
    operator: &Settings,
    place: impl Fn(Annotation) -> String,
    faults: &mut Faults,
) {
    let floor = config.refresh_floor;
    if let Some(refresh) = settings.refresh.filter(|refresh| *refresh < floor) {
        let message = format!(
            "`{refresh}` is shorter than the operator's floor; allowed: `{floor}` or longer"
        );
        faults.push(Fault::new(place(Annotation::Refresh), message));
    }
    let allowed = config.addresses(operator);
    if let Some(address) = settings.vault_address.as_ref().filter(|own| !allowed.contains(own)) {
        let message = match list_addresses(&allowed).as_str() {
            "" => format!("`{address}` is not on the operator's list, which is empty"),
            allowed => format!("`{address}` is not on the operator's list; allowed: {allowed}"),
        };
        faults.push(Fault::new(place(Annotation::VaultAddress), message));
    }
}

/// Each variable once, each file one that is asked for.
pub(super) fn path_env(pairs: &[PathEnv], entries: &Entries, faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    let places = entries.places();
    for PathEnv { variable, path } in pairs {
        let fault = |message: String| Fault::new(Annotation::PathEnv.to_string(), message);
        if !seen.insert(variable) {
            faults.push_with(|| fault(format!("`{}` is set twice", quote(variable))));
        }
        if !places.may_have(path) {
            faults.push_with(|| {
                let known = entries.known();
                let hint = if known.is_empty() {
                    String::new()
                } else {
                    Suggestion::new(path, known).to_string()
                };
                fault(format!("no file `{}` is asked for{hint}", quote(path)))
            });
        }
    }
}
