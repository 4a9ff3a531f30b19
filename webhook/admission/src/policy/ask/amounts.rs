//! How much the agent and its volume would take.
//!
//! PURE. Amounts that a container of our name has already are not judged: they stay only within the ceilings.

use super::{Ask, Origin, Take};
use crate::{
    pod::Pod,
    quantity::Quantity,
    request::Request,
    resources::{Pair, Resources},
    settings::{Amount, Annotation},
};

/// Request and limit of each resource.
const RESOURCES: [[Annotation; 2]; 3] = [
    [Annotation::CpuRequest, Annotation::CpuLimit],
    [Annotation::MemoryRequest, Annotation::MemoryLimit],
    [Annotation::EphemeralStorageRequest, Annotation::EphemeralStorageLimit],
];

impl Ask {
    pub(super) fn add_amounts(&mut self, request: &Request, pod: &Pod<'_>) {
        let Resources { volume, cpu, memory, storage } = Resources::of(request, pod);
        for (names, pair) in RESOURCES.into_iter().zip([cpu, memory, storage]) {
            self.add_pair(request, names, &as_admitted(pair));
        }
        let size = Annotation::VolumeSize;
        self.add_amount(request, [size, size], Some(volume));
    }

    fn add_pair(&mut self, request: &Request, [least, most]: [Annotation; 2], pair: &Pair) {
        let (requested, limit) = pair;
        if requested.is_some() {
            self.add_amount(request, [least, most], requested.clone());
        }
        if limit.is_some() || request.settings.amount(most) == Some(&Amount::Unset) {
            self.add_amount(request, [most, least], limit.clone());
        }
    }

    /// Of an amount that follows from another, as in a pod of class Guaranteed, the other's author is the author.
    fn add_amount(
        &mut self,
        request: &Request,
        [of, other]: [Annotation; 2],
        amount: Option<Quantity>,
    ) {
        let is_chosen = Origin::of(request, of) != Origin::Operator;
        if !is_chosen && said(request, of) == amount {
            return;
        }
        let by = if is_chosen { of } else { other };
        let place = Origin::of(request, by).place(by).unwrap_or_else(|| of.to_string());
        self.takes.push(Take { of, place, amount });
    }
}

/// The API server takes the limit for a request that there is not.
fn as_admitted((requested, limit): Pair) -> Pair {
    (requested.or_else(|| limit.clone()), limit)
}

/// The amount that somebody said.
fn said(request: &Request, of: Annotation) -> Option<Quantity> {
    match of {
        Annotation::VolumeSize => request.settings.volume_size.clone(),
        of => request.settings.amount(of).cloned().and_then(Amount::quantity),
    }
}
