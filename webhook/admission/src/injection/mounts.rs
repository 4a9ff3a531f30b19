//! What the chosen containers get: the read-only mount, and the paths of files.
//!
//! PURE.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Planner, Step};
use crate::{
    bounds,
    fault::{Fault, quote},
    names::{CONTAINER, IDENTITY_VOLUME, SECRETS_VOLUME, STATE_VOLUME},
    pod::{Position, items, place, text},
    settings::{Annotation, PathEnv, overlap},
};

impl Planner<'_> {
    /// Mounts the files in every chosen container, and refuses what is in the way, or in the wrong
    /// hands.
    pub(super) fn ensure_mounts(&mut self, chosen: &[Position]) {
        let pod = *self.pod;
        let chosen: BTreeSet<Position> = chosen.iter().copied().collect();
        for (position, container) in pod.containers() {
            if text(container, "name") == CONTAINER {
                continue;
            }
            let is_chosen = chosen.contains(&position);
            let mut present = false;
            for (index, mount) in items(container, "volumeMounts").iter().enumerate() {
                let at = || format!("{}.volumeMounts[{index}]", place(position));
                self.check_volume(mount, at);
                if is_chosen && self.is_ours(mount) {
                    present = true;
                } else if is_chosen {
                    self.refuse_overlap(mount, at);
                }
            }
            if is_chosen && !present {
                self.steps.push(Step::Append(position, "volumeMounts", self.mount()));
            }
        }
    }

    fn mount(&self) -> Value {
        json!({
            "mountPath": self.choices.mount_path.as_str(),
            "name": SECRETS_VOLUME,
            "readOnly": true,
        })
    }

    fn is_ours(&self, mount: &Value) -> bool {
        is_whole_mount(mount)
            && is_read_only(mount)
            && text(mount, "name") == SECRETS_VOLUME
            && text(mount, "mountPath") == self.choices.mount_path.as_str()
    }

    /// An author may mount our volume once more, but only to read; the agent's own never.
    fn check_volume(&mut self, mount: &Value, at: impl Fn() -> String) {
        let volume = text(mount, "name");
        if volume == SECRETS_VOLUME && !is_read_only(mount) {
            let message =
                format!("`{SECRETS_VOLUME}` is written by the agent alone; set `readOnly: true`");
            self.faults.push(Fault::new(at(), message));
        }
        if [STATE_VOLUME, IDENTITY_VOLUME].contains(&volume) {
            let message = format!("`{volume}` is for the agent alone; remove this mount");
            self.faults.push(Fault::new(at(), message));
        }
        if volume == SECRETS_VOLUME && !is_whole_mount(mount) {
            let path = quote(text(mount, "mountPath"));
            self.warn(&format!("the subPath mount at {path} never sees a new version of its file"));
        }
    }

    fn refuse_overlap(&mut self, mount: &Value, at: impl Fn() -> String) {
        let path = text(mount, "mountPath");
        let ours = &self.choices.mount_path;
        if overlap(path, ours.as_str()) {
            let message = format!(
                "`{}` and Mayfly's `{ours}` lie in each other; choose another place with `{}`",
                quote(path),
                Annotation::MountPath
            );
            self.faults.push(Fault::new(at(), message));
        }
    }

    /// Sets `path-env` in every chosen container; a variable that says something else stays.
    pub(super) fn ensure_path_env(&mut self, chosen: &[Position]) {
        let (pod, request) = (*self.pod, self.request);
        let pairs = &request.settings.path_env;
        let count = pairs.len() * chosen.len();
        if count > bounds::VARIABLES {
            let message = format!(
                "{count} variables in all containers together; allowed: {}",
                bounds::VARIABLES
            );
            self.faults.push(Fault::new(Annotation::PathEnv.to_string(), message));
            return;
        }
        let values: Vec<String> = pairs.iter().map(|pair| self.value(pair)).collect();
        for position in chosen.iter().copied() {
            let env = if pairs.is_empty() { &[] } else { items(pod.container(position), "env") };
            let present = Present::of(pairs, &values, env);
            for (pair, value) in pairs.iter().zip(&values) {
                self.ensure_variable(position, &present, pair, value);
            }
        }
    }

    /// The kubelet expands `$(…)` in a variable, and takes `$$` for a dollar sign.
    fn value(&self, PathEnv { path, .. }: &PathEnv) -> String {
        format!("{}/{}", self.choices.mount_path, path.replace('$', "$$"))
    }

    fn ensure_variable(
        &mut self,
        position: Position,
        Present(present): &Present<'_>,
        PathEnv { variable, .. }: &PathEnv,
        value: &str,
    ) {
        match present.get(variable.as_str()) {
            Some((_, Found::Nowhere)) | None => {
                let variable = json!({"name": variable, "value": value});
                self.steps.push(Step::Append(position, "env", variable));
            }
            Some((_, Found::Same)) => {}
            Some((_, Found::Other)) => self.faults.push_with(|| {
                let message = format!(
                    "the container sets `{variable}` itself; remove it there, or name another variable in `{}`",
                    Annotation::PathEnv
                );
                Fault::new(format!("{}.env", place(position)), message)
            }),
        }
    }
}

/// Which of the variables a container has already.
struct Present<'a>(BTreeMap<&'a str, (&'a str, Found)>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Nowhere,
    Same,
    Other,
}

impl<'a> Present<'a> {
    /// In one pass over `env`, however long it is.
    fn of(pairs: &'a [PathEnv], values: &'a [String], env: &[Value]) -> Self {
        let wanted = pairs.iter().zip(values);
        let mut present: BTreeMap<&str, (&str, Found)> = wanted
            .map(|(pair, value)| (pair.variable.as_str(), (value.as_str(), Found::Nowhere)))
            .collect();
        for variable in env {
            if let Some((value, found)) = present.get_mut(text(variable, "name")) {
                let same = *found != Found::Other && text(variable, "value") == *value;
                *found = if same { Found::Same } else { Found::Other };
            }
        }
        Self(present)
    }
}

fn is_read_only(mount: &Value) -> bool {
    mount.get("readOnly").and_then(Value::as_bool).unwrap_or_default()
}

/// Whether the whole volume is mounted, not a part of it.
fn is_whole_mount(mount: &Value) -> bool {
    text(mount, "subPath").is_empty() && text(mount, "subPathExpr").is_empty()
}
