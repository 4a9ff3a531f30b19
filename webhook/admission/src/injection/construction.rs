//! Our container where one is already: built anew, with what of others' changes may stay.
//!
//! PURE. The rule for each field is a rule for effects. What has no rule is as we would have written it today, so that
//! a pod from a backup, from another release, or from hands that are not ours ends the same.

use serde_json::{Value, json};

use super::{amounts, image};
use crate::{
    config::Config,
    eks::{self, Token},
    fault::{MOST_WARNINGS, quote},
    pod::{Pod, text},
    policy::Ceilings,
};

/// The fields that may be other than ours.
const FIELDS: [&str; 10] = [
    "env",
    "envFrom",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "resizePolicy",
    "resources",
    "securityContext",
    "terminationMessagePolicy",
    "volumeMounts",
];

/// By what is decided what may stay.
#[derive(Debug)]
pub(super) struct Site<'a> {
    pub(super) config: &'a Config,
    pub(super) ceilings: &'a Ceilings,
    /// The tokens of EKS whose volumes the pod has.
    pub(super) tokens: Vec<&'static Token>,
    /// What others added and will miss.
    pub(super) warnings: Vec<String>,
}

impl<'a> Site<'a> {
    pub(super) fn of(config: &'a Config, ceilings: &'a Ceilings, pod: &Pod<'_>) -> Self {
        let tokens = eks::TOKENS.into_iter().filter(|token| token.is_in(pod)).collect();
        Self { config, ceilings, tokens, warnings: Vec::new() }
    }

    /// `wanted`, with what may stay of `present`.
    pub(super) fn build(&mut self, mut wanted: Value, present: &Value) -> Value {
        for field in FIELDS {
            let there = present.get(field).unwrap_or(&Value::Null);
            if let Some(value) = self.field(field, &wanted, there) {
                wanted[field] = value;
            }
        }
        wanted
    }

    /// What the field is to be, if not as in `wanted`.
    fn field(&mut self, field: &str, wanted: &Value, there: &Value) -> Option<Value> {
        let ours = wanted.get(field);
        let kept = |stays: bool| stays.then(|| there.clone());
        match field {
            "env" => Some(self.variables(list(ours), list(Some(there)))),
            "envFrom" => self.sources(list(Some(there))),
            "image" => kept(self.is_our_image(there)),
            // The admission plugin AlwaysPullImages only makes it stricter.
            "imagePullPolicy" => kept(there == "Always"),
            "lifecycle" => lifecycle(wanted, there),
            "resizePolicy" => kept(is_resize_policy(there)),
            "resources" => amounts::settle(ours, there, self.ceilings),
            "securityContext" => Some(security(ours?, there)),
            "terminationMessagePolicy" => kept(there == "FallbackToLogsOnError"),
            "volumeMounts" => Some(self.mounts(list(ours), list(Some(there)))),
            _ => None,
        }
    }

    fn is_our_image(&mut self, image: &Value) -> bool {
        let Config { agent_image, image_mirrors, .. } = self.config;
        let Some(image) = image.as_str() else { return false };
        let is_ours = image::is_ours(image, agent_image, image_mirrors);
        // Another release from the same place is set right without a word.
        if !is_ours && !image::is_neighbour(image, agent_image) {
            self.miss(|| format!("the image `{}`", quote(image)));
        }
        is_ours
    }

    /// Tells that something does not stay; so often as an answer has room for.
    pub(super) fn miss(&mut self, what: impl FnOnce() -> String) {
        if self.warnings.len() < MOST_WARNINGS {
            self.warnings.push(format!("{} is not kept in the agent's container", what()));
        }
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The API server fills it in.
fn is_resize_policy(there: &Value) -> bool {
    let is_one = |policy: &Value| {
        eks::says_only(policy, &["resourceName", "restartPolicy"])
            && ["cpu", "memory"].contains(&text(policy, "resourceName"))
            && ["NotRequired", "RestartContainer"].contains(&text(policy, "restartPolicy"))
    };
    there.as_array().is_some_and(|list| (1..=2).contains(&list.len()) && list.iter().all(is_one))
}

/// Ours, and what only takes away: a confinement that is at least the usual, and a level of the node's own choice. What
/// we leave open of user and group is the cluster's, but not root.
fn security(ours: &Value, there: &Value) -> Value {
    let mut security = ours.clone();
    let armor = there.get("appArmorProfile").filter(|armor| is_armor(armor));
    let labels = there.get("seLinuxOptions").filter(|labels| is_label(labels));
    let proc = there.get("procMount").filter(|proc| *proc == "Default");
    let [user, group] = ["runAsUser", "runAsGroup"].map(|field| {
        let given = there.get(field).filter(|id| id.as_u64().is_some_and(|id| id != 0));
        given.filter(|_| ours.get(field).is_none())
    });
    let kept = [
        ("appArmorProfile", armor),
        ("seLinuxOptions", labels),
        ("procMount", proc),
        ("runAsUser", user),
        ("runAsGroup", group),
    ];
    for (field, value) in kept {
        if let Some(value) = value {
            security[field] = value.clone();
        }
    }
    security
}

fn is_armor(armor: &Value) -> bool {
    eks::says_only(armor, &["type"]) && text(armor, "type") == "RuntimeDefault"
}

/// One level with its categories, no range of them; the type of every container, no other.
fn is_label(labels: &Value) -> bool {
    let level = text(labels, "level");
    let is_one = level.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":,".contains(&byte));
    eks::says_only(labels, &["level", "type"])
        && is_one
        && ["", "container_t"].contains(&text(labels, "type"))
}

/// A rest before the end delays the agent's goodbye, and does nothing else. An init container has no such thing.
fn lifecycle(wanted: &Value, there: &Value) -> Option<Value> {
    let goes_on = ["lifecycle", "startupProbe"].iter().any(|field| wanted.get(field).is_some());
    let rest = there.get("preStop").filter(|stop| eks::says_only(stop, &["sleep"]))?;
    let seconds = rest.get("sleep")?.get("seconds")?.as_u64()?;
    let mut lifecycle = wanted.get("lifecycle").cloned().unwrap_or_else(|| json!({}));
    lifecycle["preStop"] = json!({"sleep": {"seconds": seconds}});
    goes_on.then_some(lifecycle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_left_open_is_the_clusters_but_never_root() {
        let there = |user: u64| json!({"runAsUser": user, "runAsGroup": user, "privileged": true});
        let open = json!({"runAsNonRoot": true});
        let given = json!({"runAsNonRoot": true, "runAsUser": 1_000_680_000_u64, "runAsGroup": 1_000_680_000_u64});
        assert_eq!(security(&open, &there(1_000_680_000)), given);
        assert_eq!(security(&open, &there(0)), open);
        let ours = json!({"runAsUser": 65532, "runAsGroup": 65532});
        assert_eq!(security(&ours, &there(1000)), ours);
    }
}
