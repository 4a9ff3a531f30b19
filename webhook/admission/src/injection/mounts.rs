//! What the chosen containers get: the read-only mount, and the paths of files.
//!
//! PURE.

use serde_json::{Value, json};

use super::{Planner, Step};
use crate::{
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
        for position in chosen.iter().copied() {
            let env = items(pod.container(position), "env");
            for pair in &request.settings.path_env {
                self.ensure_variable(position, env, pair);
            }
        }
    }

    fn ensure_variable(&mut self, position: Position, env: &[Value], pair: &PathEnv) {
        let PathEnv { variable, path } = pair;
        // The kubelet expands `$(…)` in a variable, and takes `$$` for a dollar sign.
        let value = format!("{}/{}", self.choices.mount_path, path.replace('$', "$$"));
        let mut present = env.iter().filter(|other| text(other, "name") == variable).peekable();
        if present.peek().is_none() {
            let variable = json!({"name": variable, "value": value});
            self.steps.push(Step::Append(position, "env", variable));
        } else if !present.all(|other| text(other, "value") == value) {
            let message = format!(
                "the container sets `{variable}` itself; remove it there, or name another variable in `{}`",
                Annotation::PathEnv
            );
            self.faults.push(Fault::new(format!("{}.env", place(position)), message));
        }
    }
}

fn is_read_only(mount: &Value) -> bool {
    mount.get("readOnly").and_then(Value::as_bool).unwrap_or_default()
}

/// Whether the whole volume is mounted, not a part of it.
fn is_whole_mount(mount: &Value) -> bool {
    text(mount, "subPath").is_empty() && text(mount, "subPathExpr").is_empty()
}
