//! How much the agent and its volume would take.
//!
//! PURE. Amounts that a container of our name has already are judged too: whoever wrote them, they would be there.

use serde_json::Value;

use super::{Ask, Origin, Take};
use crate::{
    names::CONTAINER,
    pod::{Pod, place, text},
    quantity::Quantity,
    request::Request,
    resources::{Pair, Resources},
    settings::{Amount, Annotation},
};

/// A resource, with its request and its limit.
const RESOURCES: [(&str, [Annotation; 2]); 2] = [
    ("cpu", [Annotation::CpuRequest, Annotation::CpuLimit]),
    ("memory", [Annotation::MemoryRequest, Annotation::MemoryLimit]),
];

impl Ask {
    pub(super) fn add_amounts(&mut self, request: &Request, pod: &Pod<'_>) {
        let Resources { volume, cpu, memory } = Resources::of(request, pod);
        for ((resource, names), pair) in RESOURCES.into_iter().zip([cpu, memory]) {
            let pair = as_admitted(pair);
            self.add_pair(request, names, &pair);
            self.add_present(pod, resource, names, &pair);
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

    /// What is there and is not what we would write.
    fn add_present(
        &mut self,
        pod: &Pod<'_>,
        resource: &str,
        [least, most]: [Annotation; 2],
        (requested, limit): &Pair,
    ) {
        let ours = pod.containers().filter(|(_, container)| text(container, "name") == CONTAINER);
        for (position, container) in ours {
            for (side, of, usual) in [("requests", least, requested), ("limits", most, limit)] {
                // As above, the limit is the request that there will not be.
                let by_limit = || present(container, "limits", resource);
                let given = present(container, side, resource);
                let given = given.or_else(|| usual.is_none().then(by_limit).flatten());
                let Some(present) = given else { continue };
                let amount = present.parse::<Quantity>().ok();
                let is_nothing = side == "requests" && is_zero(&present);
                if !is_nothing && (amount.is_none() || amount != *usual) {
                    let place = format!("{}.resources.{side}.{resource}", place(position));
                    self.takes.push(Take { of, place, amount });
                }
            }
        }
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

fn present(container: &Value, side: &str, resource: &str) -> Option<String> {
    let amount = container.get("resources")?.get(side)?.get(resource)?;
    let text = || amount.as_str().map_or_else(|| amount.to_string(), str::to_owned);
    (!amount.is_null()).then(text)
}

/// Whether a quantity is nothing at all: the smallest request, but as a limit the largest.
fn is_zero(text: &str) -> bool {
    let number = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    number.parse() == Ok(0.0)
}
