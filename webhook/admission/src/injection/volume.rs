//! The three volumes: the files, the agent's own state, its tokens.
//!
//! PURE. Every field that the API server would fill in is written out, so that what it returns is
//! what we sent.

use std::collections::BTreeSet;

use k8s_openapi::{
    api::core::v1::{
        EmptyDirVolumeSource, ProjectedVolumeSource, ServiceAccountTokenProjection, Volume,
        VolumeProjection,
    },
    apimachinery::pkg::api::resource::Quantity as ApiQuantity,
};
use serde_json::Value;

use super::{
    Planner, Step,
    identity::{Identities, ProjectedToken},
    json,
};
use crate::{
    eks::says_only,
    fault::Fault,
    names::{IDENTITY_VOLUME, SECRETS_VOLUME, STATE_VOLUME},
    pod::{items, text},
    quantity::Quantity,
    resources::Resources,
};

/// A token's life, in seconds; the kubelet renews it long before.
const TOKEN_LIFE: i64 = 3600;
/// By this annotation Velero leaves volumes out of a backup; names with commas between them, and no blanks.
const BACKUP_EXCLUDES: &str = "backup.velero.io/backup-volumes-excludes";
/// 0644, the API server's own default; the kubelet sets the tokens' real mode.
const PROJECTED_MODE: i32 = 0o644;

impl Planner<'_> {
    /// Adds the volumes that are not there. One of another size is from another time, and becomes as it is to be
    /// today; one of another kind is an author's own, and refused.
    pub(super) fn ensure_volumes(&mut self, identities: &Identities, resources: &Resources) {
        let wanted = [
            Some(in_memory(SECRETS_VOLUME, &resources.volume)),
            Some(in_memory(STATE_VOLUME, &Quantity::mebibytes(1))),
            (!identities.tokens.is_empty()).then(|| projected(&identities.tokens)),
        ];
        for volume in wanted.into_iter().flatten() {
            self.ensure_volume(volume);
        }
    }

    fn ensure_volume(&mut self, wanted: Volume) {
        let volumes = self.pod.volumes().iter().enumerate();
        let mut present = volumes.filter(|(_, volume)| text(volume, "name") == wanted.name);
        let (first, second) = (present.next(), present.next());
        let Some((index, volume)) = first else {
            self.steps.push(Step::Volume(Box::new(wanted)));
            return;
        };
        if let Some((index, _)) = second.or_else(|| first.filter(|_| !is_our_kind(volume))) {
            let message = format!("the name `{}` is Mayfly's own; rename this volume", wanted.name);
            self.faults.push(Fault::new(format!("spec.volumes[{index}]"), message));
        } else if !is_same(&json(&wanted), volume) {
            self.steps.push(Step::RepairedVolume(index, Box::new(wanted)));
        }
    }

    /// Velero copies what lies in the volumes of pods, of those in memory too.
    pub(super) fn ensure_backups_exclude(&mut self, identities: &Identities) {
        let identity = (!identities.tokens.is_empty()).then_some(IDENTITY_VOLUME);
        let ours = [SECRETS_VOLUME, STATE_VOLUME].into_iter().chain(identity);
        let present = self.pod.annotation(BACKUP_EXCLUDES);
        let Some(present) = present.map_or(Some(""), Value::as_str) else { return };
        let listed: BTreeSet<&str> = present.split(',').collect();
        let missing: Vec<&str> = ours.filter(|name| !listed.contains(name)).collect();
        if !missing.is_empty() {
            let names: Vec<&str> =
                [present].into_iter().filter(|names| !names.is_empty()).chain(missing).collect();
            self.steps.push(Step::Annotation(BACKUP_EXCLUDES, names.join(",")));
        }
    }
}

/// Whether a volume is of the kind of ours: in memory, or of the service account's tokens alone.
fn is_our_kind(volume: &Value) -> bool {
    let empty = Value::Null;
    let (memory, projected) =
        (volume.get("emptyDir").unwrap_or(&empty), volume.get("projected").unwrap_or(&empty));
    let sources = items(projected, "sources");
    let is_token = |source: &Value| says_only(source, &["serviceAccountToken"]);
    match text(volume, "name") {
        IDENTITY_VOLUME => {
            says_only(volume, &["name", "projected"])
                && !sources.is_empty()
                && sources.iter().all(is_token)
        }
        _ => says_only(volume, &["name", "emptyDir"]) && text(memory, "medium") == "Memory",
    }
}

/// Equal, quantities by their value.
fn is_same(wanted: &Value, present: &Value) -> bool {
    match (wanted, present) {
        (Value::String(wanted), Value::String(present)) => Quantity::is_same(wanted, present),
        (Value::Object(wanted), Value::Object(present)) => {
            let same = |(key, value): (&String, &Value)| {
                present.get(key).is_some_and(|other| is_same(value, other))
            };
            wanted.len() == present.len() && wanted.iter().all(same)
        }
        (Value::Array(wanted), Value::Array(present)) => {
            wanted.len() == present.len()
                && wanted.iter().zip(present).all(|(wanted, present)| is_same(wanted, present))
        }
        _ => wanted == present,
    }
}

fn in_memory(name: &str, size: &Quantity) -> Volume {
    Volume {
        name: name.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource {
            medium: Some("Memory".to_owned()),
            size_limit: Some(ApiQuantity(size.to_string())),
            ..EmptyDirVolumeSource::default()
        }),
        ..Volume::default()
    }
}

fn projected(tokens: &[ProjectedToken]) -> Volume {
    let source = |token: &ProjectedToken| VolumeProjection {
        service_account_token: Some(ServiceAccountTokenProjection {
            audience: token.audience.clone(),
            expiration_seconds: Some(TOKEN_LIFE),
            path: token.file.0.to_owned(),
            ..ServiceAccountTokenProjection::default()
        }),
        ..VolumeProjection::default()
    };
    Volume {
        name: IDENTITY_VOLUME.to_owned(),
        projected: Some(ProjectedVolumeSource {
            default_mode: Some(PROJECTED_MODE),
            sources: Some(tokens.iter().map(source).collect()),
            ..ProjectedVolumeSource::default()
        }),
        ..Volume::default()
    }
}
