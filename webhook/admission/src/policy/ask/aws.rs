//! The IAM roles and the regions that a pod's agent would use.
//!
//! PURE. What reaches the agent is [`crate::reach`]'s to say, and what a reference names is the reference's.

use super::{Ask, Kind, Origin, reference};
use crate::{
    pod::place,
    reach::{AwsReach, By, Said},
    request::Request,
    settings::Annotation,
};

impl Ask {
    pub(super) fn add_aws(&mut self, request: &Request, aws: &AwsReach<'_>) {
        self.add_said(request, Kind::AwsRole, aws.reach.role);
        self.add_said(request, Kind::AwsRegion, aws.reach.region);
        for region in request.settings.aws_failover_regions.iter().flatten() {
            self.add_setting(request, Kind::AwsRegion, Annotation::AwsFailoverRegions, region);
        }
        for (place, location) in request.reads_at() {
            let Some((region, role)) = reference::of_aws(location) else { continue };
            let options = [(Kind::AwsRegion, region.as_ref()), (Kind::AwsRole, role)];
            for (kind, value) in options {
                if let Some(value) = value {
                    self.wish(kind, place, value);
                }
            }
        }
    }

    fn add_said(&mut self, request: &Request, kind: Kind, said: Option<Said<'_>>) {
        match said {
            None => {}
            Some(Said { text, by: By::Setting(annotation) }) => {
                self.add_setting(request, kind, annotation, text);
            }
            Some(Said { text, by: By::Variable(position, name) }) => {
                self.wish(kind, format!("{}.env {name}", place(position)), text);
            }
        }
    }

    fn add_setting(&mut self, request: &Request, kind: Kind, annotation: Annotation, text: &str) {
        let origin = Origin::of(request, annotation);
        if let Some(place) = origin.place(annotation) {
            self.wish(kind, place, text);
        }
    }
}
