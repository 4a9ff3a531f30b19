//! The three volumes: the files, the agent's own state, its tokens.
//!
//! PURE. Every field that the API server would fill in is written out, so that what it returns is
//! what we sent.

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
    fault::Fault,
    names::{IDENTITY_VOLUME, SECRETS_VOLUME, STATE_VOLUME},
    pod::text,
    quantity::Quantity,
    resources::Resources,
};

/// A token's life, in seconds; the kubelet renews it long before.
const TOKEN_LIFE: i64 = 3600;
/// 0644, the API server's own default; the kubelet sets the tokens' real mode.
const PROJECTED_MODE: i32 = 0o644;

impl Planner<'_> {
    /// Adds the volumes that are not there; a foreign one of the same name is refused.
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
        let name = &wanted.name;
        let mut volumes = self.pod.volumes().iter().enumerate();
        let present = volumes.find(|(_, volume)| text(volume, "name") == *name);
        match present {
            None => self.steps.push(Step::Volume(Box::new(wanted))),
            Some((_, volume)) if is_same(&json(&wanted), volume) => {}
            Some((index, _)) => {
                let message = format!("the name `{name}` is Mayfly's own; rename this volume");
                self.faults.push(Fault::new(format!("spec.volumes[{index}]"), message));
            }
        }
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
