//! What others may make of the amounts that our container asks for.
//!
//! PURE. Others may change an amount, within the operator's ceilings, but not take it away; devices and claims are not
//! the agent's.

use serde_json::{Map, Value};

use crate::{policy::Ceilings, quantity::Quantity, settings::Annotation};

const SIDES: [&str; 2] = ["requests", "limits"];
const RESOURCES: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// The amounts that `there` has and may have, else those of `ours`; nothing, when neither has any.
pub(super) fn settle(ours: Option<&Value>, there: &Value, ceilings: &Ceilings) -> Option<Value> {
    let mut settled = Map::new();
    for resource in RESOURCES {
        let ours = SIDES.map(|side| amount(ours?, side, resource));
        let theirs = SIDES.map(|side| {
            let amount = amount(there, side, resource)?;
            is_within(amount, most(ceilings, side, resource)).then_some(amount)
        });
        let mixed = [theirs[0].or(ours[0]), theirs[1].or(ours[1])];
        let pair = if is_ordered(mixed) { mixed } else { ours };
        for (side, amount) in SIDES.into_iter().zip(pair) {
            let Some(amount) = amount else { continue };
            let side = settled.entry(side).or_insert_with(|| Value::Object(Map::new()));
            side[resource] = amount.clone();
        }
    }
    (!settled.is_empty()).then_some(Value::Object(settled))
}

fn amount<'a>(resources: &'a Value, side: &str, resource: &str) -> Option<&'a Value> {
    resources.get(side)?.get(resource)
}

fn most<'a>(ceilings: &'a Ceilings, side: &str, resource: &str) -> Option<&'a Quantity> {
    let of = match (side, resource) {
        ("requests", "cpu") => Annotation::CpuRequest,
        ("limits", "cpu") => Annotation::CpuLimit,
        ("requests", "memory") => Annotation::MemoryRequest,
        ("limits", "memory") => Annotation::MemoryLimit,
        ("requests", "ephemeral-storage") => Annotation::EphemeralStorageRequest,
        ("limits", "ephemeral-storage") => Annotation::EphemeralStorageLimit,
        _ => return None,
    };
    ceilings.most(of)
}

fn is_within(amount: &Value, most: Option<&Quantity>) -> bool {
    quantity(amount).is_some_and(|amount| most.is_none_or(|most| amount <= *most))
}

fn is_ordered([request, limit]: [Option<&Value>; 2]) -> bool {
    match (request.and_then(quantity), limit.and_then(quantity)) {
        (Some(request), Some(limit)) => request <= limit,
        _ => true,
    }
}

fn quantity(amount: &Value) -> Option<Quantity> {
    match amount {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::Ceiling;

    fn settled(there: &Value, ceilings: &[(Annotation, &str)]) -> Value {
        let ceilings: Ceilings = ceilings
            .iter()
            .map(|(of, most)| Ceiling { of: *of, most: most.parse().expect("a quantity") })
            .collect();
        let ours =
            json!({"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}});
        settle(Some(&ours), there, &ceilings).expect("amounts")
    }

    #[test]
    fn amounts_stay_within_the_ceilings_and_claims_never() {
        let huge = json!({"limits": {"cpu": "64", "memory": "900Gi", "nvidia.com/gpu": 1}, "claims": [{"name": "x"}]});
        let free = settled(&huge, &[]);
        assert_eq!(free["limits"], json!({"cpu": "64", "memory": "900Gi"}));
        assert_eq!((&free["claims"], &free["requests"]["cpu"]), (&Value::Null, &json!("5m")));
        let bound = [(Annotation::CpuLimit, "1"), (Annotation::MemoryLimit, "128Mi")];
        assert_eq!(settled(&huge, &bound)["limits"], json!({"memory": "64Mi"}));
        let modest = json!({"limits": {"memory": "100Mi"}, "requests": {"memory": "20Mi"}});
        let settled = settled(&modest, &bound);
        assert_eq!(settled["limits"]["memory"], "100Mi");
        assert_eq!(settled["requests"], json!({"cpu": "5m", "memory": "20Mi"}));
    }

    #[test]
    fn storage_has_its_ceilings_too() {
        let there = json!({"requests": {"ephemeral-storage": "1Gi"}, "limits": {"ephemeral-storage": "2Gi"}});
        assert_eq!(settled(&there, &[])["limits"]["ephemeral-storage"], "2Gi");
        let settled = settled(&there, &[(Annotation::EphemeralStorageLimit, "1Gi")]);
        assert_eq!(settled["limits"], json!({"memory": "64Mi"}));
        assert_eq!(settled["requests"]["ephemeral-storage"], "1Gi");
    }

    #[test]
    fn a_pair_that_the_api_server_would_refuse_becomes_ours() {
        let upside_down = json!({"requests": {"memory": "1Gi"}});
        assert_eq!(settled(&upside_down, &[])["requests"]["memory"], "16Mi");
        assert_eq!(settled(&json!({"requests": {"cpu": "x"}}), &[])["requests"]["cpu"], "5m");
    }
}
