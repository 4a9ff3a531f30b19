//! The roles of AWS: what each has to be allowed, and whom it has to trust.

mod grants;
mod name;
mod trust;

use std::collections::{BTreeMap, BTreeSet};

use mayfly_spec::{
    Location,
    reference::{Parameter, SecretsManagerSecret},
    spec::Identity,
};
use serde::Serialize;
use serde_json::Value;

use super::{AwsAccess, Subject, Workload};
use grants::Grants;
pub(super) use name::{REGION, RoleName};
use name::{Scope, literal};

/// A role that pods read with.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AwsRole {
    /// Its ARN, if the manifest says it.
    pub arn: Option<String>,
    /// How pods prove who they are.
    pub identity: Identity,
    /// The service accounts whose pods have it.
    pub subjects: BTreeSet<Subject>,
    /// What it has to be allowed.
    pub policy: Value,
    /// Whom it has to trust.
    pub trust: Value,
    /// The services that have what it reads decrypted, as KMS calls them.
    pub services: BTreeSet<String>,
    /// Whether the policy has a statement only to save calls.
    pub batches: bool,
    /// The roles that are assumed over it.
    pub assumed: Vec<AssumedRole>,
}

impl AwsRole {
    /// Whether nothing is read with it.
    pub(super) fn needs_nothing(&self) -> bool {
        self.policy.get("Statement").and_then(Value::as_array).is_some_and(Vec::is_empty)
    }
}

/// A role that is assumed for some references.
#[derive(Debug, Serialize)]
pub struct AssumedRole {
    /// Its ARN.
    pub arn: String,
    /// What it has to be allowed.
    pub policy: Value,
    /// Whom it has to trust.
    pub trust: Value,
}

/// What makes roles the same: the ARN, else who has it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Arn(String),
    Subject(Subject, bool),
}

/// What one role is used for.
#[derive(Debug, Default)]
struct Use {
    subjects: BTreeSet<Subject>,
    own: Grants,
    assumed: BTreeMap<String, (BTreeSet<Option<String>>, Grants)>,
}

/// The roles that `workloads` read with.
pub(super) fn roles(workloads: &[Workload]) -> Vec<AwsRole> {
    let mut uses: BTreeMap<Key, Use> = BTreeMap::new();
    for workload in workloads {
        if let Some(aws) = &workload.aws {
            uses.entry(key(aws, &workload.subject)).or_default().add(workload, aws);
        }
    }
    uses.into_iter().map(|(key, used)| used.into_role(key)).collect()
}

fn key(aws: &AwsAccess, subject: &Subject) -> Key {
    match &aws.role {
        Some(arn) => Key::Arn(arn.clone()),
        None => Key::Subject(subject.clone(), aws.identity == Identity::PodIdentity),
    }
}

impl Use {
    fn add(&mut self, workload: &Workload, aws: &AwsAccess) {
        self.subjects.insert(workload.subject.clone());
        let mut counts: BTreeMap<_, usize> = BTreeMap::new();
        for location in &workload.locations {
            if let Location::Kms(sealed) = location {
                self.own.open(sealed.header(), &workload.subject);
                continue;
            }
            let (role, region) = access(location);
            let scope = Scope::new(role.or(aws.role.as_ref()), &aws.regions);
            self.grants(location).read(location, &scope);
            if let Location::AwsSm(SecretsManagerSecret { version: None, .. }) = location {
                let count = counts.entry((role, region)).or_default();
                *count += 1;
                self.grants(location).batch |= *count >= grants::WORTH_A_BATCH;
            }
        }
    }

    /// What the role is granted that `location` is read with.
    fn grants(&mut self, location: &Location) -> &mut Grants {
        let (Some(role), _) = access(location) else { return &mut self.own };
        let (external_ids, grants) = self.assumed.entry(role.clone()).or_default();
        external_ids.insert(external_id(location).cloned());
        grants
    }

    fn into_role(self, key: Key) -> AwsRole {
        let Self { subjects, mut own, assumed } = self;
        let (arn, is_pod_identity) = match key {
            Key::Arn(arn) => (Some(arn), false),
            Key::Subject(_, is_pod_identity) => (None, is_pod_identity),
        };
        let identity = if is_pod_identity { Identity::PodIdentity } else { Identity::Irsa };
        own.assume = assumed.keys().map(|role| literal(role)).collect();
        own.passes_tags = is_pod_identity;
        let trust = match identity {
            Identity::PodIdentity => trust::of_pod_identity(&subjects),
            _ => trust::of_web_identity(arn.as_deref(), &own.regions, &subjects),
        };
        let assumed = assumed.into_iter().map(|(role, (external_ids, grants))| AssumedRole {
            trust: trust::of_role(arn.as_deref(), &role, &external_ids, is_pod_identity),
            policy: grants.policy(),
            arn: role,
        });
        let assumed: Vec<AssumedRole> = assumed.collect();
        let (policy, batches, services) = (own.policy(), own.batch, own.services);
        AwsRole { arn, identity, subjects, policy, trust, services, batches, assumed }
    }
}

/// The role and the region that the reference names.
fn access(location: &Location) -> (Option<&String>, Option<&str>) {
    let (role, region, id) = match location {
        Location::AwsSm(SecretsManagerSecret { id, role, region, .. }) => (role, region, id),
        Location::AwsSsm(Parameter { name, role, region, .. }) => (role, region, name),
        _ => return (None, None),
    };
    (role.as_ref(), name::region_of(id).or(region.as_deref()))
}

fn external_id(location: &Location) -> Option<&String> {
    match location {
        Location::AwsSm(SecretsManagerSecret { external_id, .. })
        | Location::AwsSsm(Parameter { external_id, .. }) => external_id.as_ref(),
        _ => None,
    }
}
