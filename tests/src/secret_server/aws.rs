//! AWS: what Secrets Manager and the Parameter Store keep, KMS' keys, whom STS believes, and who may ask.

mod caller;
mod error;
mod kms;
mod parameter;
mod parameter_store;
mod pod_identity;
mod secret;
mod secrets_manager;
mod session;
mod sts;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

pub use self::{
    error::AwsError,
    kms::KmsKey,
    parameter::{Parameter, ParameterValue},
    secret::{Rotation, Secret, SecretValue, Version},
    session::{AccessKey, Session},
};

/// The account that everything belongs to.
pub const ACCOUNT: &str = "123456789012";

/// The AWS side of the server.
#[derive(Debug)]
pub struct Aws {
    region: String,
    secrets: BTreeMap<String, Secret>,
    parameters: BTreeMap<String, Parameter>,
    denied: BTreeSet<String>,
    denied_keys: BTreeSet<String>,
    denied_operations: BTreeSet<&'static str>,
    flaky: BTreeSet<String>,
    lagging: BTreeSet<String>,
    ahead: Duration,
    doubts_signatures: bool,
    session_length: Duration,
    trust: BTreeSet<(String, String)>,
    associations: BTreeMap<String, String>,
    guests: BTreeMap<String, Guest>,
    expired: BTreeSet<String>,
    keys: BTreeMap<String, AccessKey>,
    sessions: Vec<Session>,
    kms_keys: BTreeMap<String, KmsKey>,
}

/// Who may assume a role over another one.
#[derive(Debug)]
struct Guest {
    over: String,
    external_id: Option<String>,
}

impl Default for Aws {
    fn default() -> Self {
        Self {
            region: "eu-central-1".to_owned(),
            secrets: BTreeMap::new(),
            parameters: BTreeMap::new(),
            denied: BTreeSet::new(),
            denied_keys: BTreeSet::new(),
            denied_operations: BTreeSet::new(),
            flaky: BTreeSet::new(),
            lagging: BTreeSet::new(),
            ahead: Duration::ZERO,
            doubts_signatures: false,
            session_length: sts::DEFAULT_DURATION,
            trust: BTreeSet::new(),
            associations: BTreeMap::new(),
            guests: BTreeMap::new(),
            expired: BTreeSet::new(),
            keys: BTreeMap::new(),
            sessions: Vec::new(),
            kms_keys: BTreeMap::new(),
        }
    }
}

impl Aws {
    /// Creates a secret, or gives one that is there a new version: it becomes `AWSCURRENT`, and the
    /// one before it `AWSPREVIOUS`. Gives the new version's id.
    pub fn put(&mut self, name: &str, value: impl Into<SecretValue>) -> String {
        let region = &self.region;
        let secret =
            self.secrets.entry(name.to_owned()).or_insert_with(|| Secret::new(region, name));
        secret.put(value.into())
    }

    /// A secret by its name or ARN.
    pub fn secret(&self, id: &str) -> Option<&Secret> {
        self.secrets.values().find(|secret| secret.is(id))
    }

    /// A secret by its name or ARN, to move its labels or mark it for deletion.
    pub fn secret_mut(&mut self, id: &str) -> Option<&mut Secret> {
        self.secrets.values_mut().find(|secret| secret.is(id))
    }

    /// Deletes a secret without a recovery window.
    pub fn delete(&mut self, name: &str) {
        self.secrets.remove(name);
    }

    /// Creates a parameter, or gives one that is there its next version. Gives the version's number.
    pub fn put_parameter(&mut self, name: &str, value: impl Into<ParameterValue>) -> u64 {
        let region = &self.region;
        let parameter =
            self.parameters.entry(name.to_owned()).or_insert_with(|| Parameter::new(region, name));
        parameter.put(value.into())
    }

    /// A parameter by its name, to label its versions.
    pub fn parameter_mut(&mut self, name: &str) -> Option<&mut Parameter> {
        self.parameters.get_mut(name)
    }

    /// Deletes a parameter.
    pub fn delete_parameter(&mut self, name: &str) {
        self.parameters.remove(name);
    }

    /// No identity may use the key of this secret or parameter.
    pub fn deny_key(&mut self, name: &str) {
        self.denied_keys.insert(name.to_owned());
    }

    /// Reading this secret among others fails inside AWS; reading it alone does not.
    pub fn fail_in_batches(&mut self, name: &str) {
        self.flaky.insert(name.to_owned());
    }

    /// The replicas in this region have not seen the newest versions yet.
    pub fn lag_behind(&mut self, region: &str) {
        self.lagging.insert(region.to_owned());
    }

    /// The clock of AWS is so much ahead of everybody else's.
    pub fn run_ahead(&mut self, by: Duration) {
        self.ahead = by;
    }

    /// STS takes no signature of a request that somebody else passes on.
    pub fn doubt_signatures(&mut self, doubts: bool) {
        self.doubts_signatures = doubts;
    }

    /// What time it is for AWS.
    pub(super) fn now(&self) -> SystemTime {
        SystemTime::now() + self.ahead
    }

    /// No identity may call this operation at all, for example `BatchGetSecretValue`.
    pub fn deny_operation(&mut self, operation: &'static str) {
        self.denied_operations.insert(operation);
    }

    /// No identity may read this secret or parameter, whether it is there or not.
    pub fn deny(&mut self, name: &str) {
        self.denied.insert(name.to_owned());
    }

    /// The inverse of [`Aws::deny`].
    pub fn allow(&mut self, name: &str) {
        self.denied.remove(name);
    }

    /// The role's trust policy accepts this web identity token.
    pub fn trust(&mut self, role_arn: &str, token: &str) {
        self.trust.insert((role_arn.to_owned(), token.to_owned()));
    }

    /// EKS Pod Identity gives this role for this token.
    pub fn associate(&mut self, token: &str, role_arn: &str) {
        self.associations.insert(token.to_owned(), role_arn.to_owned());
    }

    /// `role_arn` may be assumed by whoever has the role `over`, with this external id if there is
    /// one.
    pub fn trust_role(&mut self, role_arn: &str, over: &str, external_id: Option<&str>) {
        let guest = Guest { over: over.to_owned(), external_id: external_id.map(str::to_owned) };
        self.guests.insert(role_arn.to_owned(), guest);
    }

    /// This web identity token is past its expiry.
    pub fn expire_token(&mut self, token: &str) {
        self.expired.insert(token.to_owned());
    }

    /// Every session so far is past its expiry.
    pub fn expire_sessions(&mut self) {
        self.keys.values_mut().for_each(AccessKey::expire);
    }

    /// How long STS's sessions last from now on.
    pub fn sessions_last(&mut self, length: Duration) {
        self.session_length = length;
    }

    /// This access key is no more.
    pub fn revoke(&mut self, key: &AccessKey) {
        self.keys.remove(&key.id);
    }

    /// Makes a long-lived access key, as on a laptop.
    pub fn access_key(&mut self) -> AccessKey {
        let key = AccessKey::long_lived();
        self.keys.insert(key.id.clone(), key.clone());
        key
    }

    /// The sessions that STS has given, in order.
    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }
}
