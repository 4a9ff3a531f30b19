//! The IAM roles and the regions that a pod's agent would use.
//!
//! PURE. An author can write by hand what EKS's webhook writes; so its variables are judged wherever
//! the agent would heed them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Ask, Kind, Origin, reference};
use crate::{
    injection::{EKS_VOLUME, POD_IDENTITY_VOLUME},
    names::CONTAINER,
    pod::{Pod, items, place, text},
    request::Request,
    settings::Annotation,
};

impl Ask {
    pub(super) fn add_aws(&mut self, request: &Request, pod: &Pod<'_>) {
        self.add_settings(request);
        for entry in &request.files {
            let Some((region, role)) = reference::of_aws(&entry.from.location) else { continue };
            let options = [(Kind::AwsRegion, region.as_ref()), (Kind::AwsRole, role)];
            for (kind, value) in options {
                if let Some(value) = value {
                    self.wish(kind, entry.path.as_str(), value);
                }
            }
        }
        let settings = &request.settings;
        if settings.aws_role_arn.is_none() {
            self.add_variables(Kind::AwsRole, pod, &["AWS_ROLE_ARN"]);
        }
        if settings.aws_region.is_none() {
            self.add_variables(Kind::AwsRegion, pod, &["AWS_REGION", "AWS_DEFAULT_REGION"]);
        }
    }

    fn add_settings(&mut self, request: &Request) {
        let settings = &request.settings;
        let failover = settings.aws_failover_regions.iter().flatten();
        let failover =
            failover.map(|region| (Kind::AwsRegion, Annotation::AwsFailoverRegions, Some(region)));
        let texts = [
            (Kind::AwsRole, Annotation::AwsRoleArn, settings.aws_role_arn.as_ref()),
            (Kind::AwsRegion, Annotation::AwsRegion, settings.aws_region.as_ref()),
        ];
        for (kind, annotation, text) in texts.into_iter().chain(failover) {
            let origin = Origin::of(request, |settings| settings.has(annotation));
            if let (Some(place), Some(text)) = (origin.place(annotation), text) {
                self.wish(kind, place, text);
            }
        }
    }

    fn add_variables(&mut self, kind: Kind, pod: &Pod<'_>, names: &[&str]) {
        let mut seen = BTreeSet::new();
        for (position, container) in pod.containers().filter(|(_, container)| reaches(container)) {
            for variable in items(container, "env") {
                let name = text(variable, "name");
                let value = text(variable, "value");
                if names.contains(&name) && seen.insert(value) {
                    self.wish(kind, format!("{}.env {name}", place(position)), value);
                }
            }
        }
    }
}

/// Whether the agent would have this container's variables: ours, and those that EKS's webhook, or
/// somebody in its name, has been at.
fn reaches(container: &Value) -> bool {
    let mounts = items(container, "volumeMounts");
    let of_eks = [EKS_VOLUME, POD_IDENTITY_VOLUME];
    text(container, "name") == CONTAINER
        || mounts.iter().any(|mount| of_eks.contains(&text(mount, "name")))
}
