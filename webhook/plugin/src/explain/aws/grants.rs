//! What one role has to be allowed: each action that the agent calls, on each thing that it reads.

use std::collections::{BTreeMap, BTreeSet};

use mayfly_spec::{
    Location,
    reference::{Arn, Parameter, SealedHeader, SecretsManagerSecret, Wrapping},
};
use serde_json::{Value, json};

use super::{
    name::{Scope, host, in_region, literal, region_of},
    trust,
};
use crate::explain::subject::{Subject, one_or_many};

/// From so many secrets on the agent asks for batches.
pub(super) const WORTH_A_BATCH: usize = 5;

/// Resources, by what is done with them.
#[derive(Debug, Default)]
pub(super) struct Grants {
    secrets: BTreeSet<String>,
    parameters: BTreeSet<String>,
    trees: BTreeSet<String>,
    /// Keys, by who opens what is sealed for him; by nobody where the key knows no encryption context.
    keys: BTreeMap<Option<Subject>, BTreeSet<String>>,
    pub(super) regions: BTreeSet<String>,
    pub(super) services: BTreeSet<String>,
    pub(super) batch: bool,
    pub(super) assume: BTreeSet<String>,
    /// Whether the pod's tags go with it into the roles that it assumes.
    pub(super) passes_tags: bool,
}

impl Grants {
    /// Grants the reading of `location`.
    pub(super) fn read(&mut self, location: &Location, scope: &Scope<'_>) {
        match location {
            Location::AwsSm(secret) => self.read_secret(secret, scope),
            Location::AwsSsm(parameter) => self.read_parameter(parameter, scope),
            _ => {}
        }
    }

    fn read_secret(&mut self, secret: &SecretsManagerSecret, scope: &Scope<'_>) {
        let SecretsManagerSecret { id, region, .. } = secret;
        let region = region_of(id).or(region.as_deref());
        for region in scope.regions(region) {
            self.note("secretsmanager", region);
            let arn = if Arn::parse(id).is_ok() {
                literal(&in_region(id, region)) + if has_random_end(id) { "" } else { RANDOM_END }
            } else {
                let resource = format!("secret:{}{RANDOM_END}", literal(id));
                scope.arn("secretsmanager", region, &resource)
            };
            self.secrets.insert(arn);
        }
    }

    fn read_parameter(&mut self, parameter: &Parameter, scope: &Scope<'_>) {
        let Parameter { name, region, .. } = parameter;
        let region = region_of(name).or(region.as_deref());
        for region in scope.regions(region) {
            self.note("ssm", region);
            let arn = if Arn::parse(name).is_ok() {
                literal(&in_region(name, region))
            } else {
                let resource = format!("parameter/{}", literal(name.trim_start_matches('/')));
                scope.arn("ssm", region, &resource)
            };
            match arn.strip_suffix('/') {
                Some(tree) => self.trees.extend([tree.to_owned(), format!("{tree}/*")]),
                None => drop(self.parameters.insert(arn)),
            }
        }
    }

    /// Grants the opening of what is sealed for `subject`.
    pub(super) fn open(&mut self, sealed: &SealedHeader, subject: &Subject) {
        let bound = matches!(sealed.wrapping(), Wrapping::Symmetric).then(|| subject.clone());
        self.keys.entry(bound).or_default().insert(sealed.key().to_string());
        self.regions.insert(sealed.key().region().to_owned());
    }

    /// Without the condition, whoever has the role could open what is sealed for anybody with the same key.
    fn openings(&self) -> impl Iterator<Item = Value> {
        (1..).zip(&self.keys).map(|(number, (subject, keys))| {
            let mut statement = json!({
                "Sid": format!("OpenSealed{number}"),
                "Effect": "Allow",
                "Action": "kms:Decrypt",
                "Resource": one_or_many(keys),
            });
            if let Some(Subject { namespace, service_account }) = subject {
                let context = json!({
                    "kms:EncryptionContext:mayfly.dev/namespace": namespace,
                    "kms:EncryptionContext:mayfly.dev/service-account": service_account,
                });
                statement["Condition"] = json!({"StringEquals": context});
            }
            statement
        })
    }

    fn note(&mut self, service: &str, region: &str) {
        self.regions.insert(region.to_owned());
        self.services.insert(host(service, region));
    }

    /// The policy, each statement with its reason as its name.
    pub(super) fn policy(&self) -> Value {
        let everything = BTreeSet::from(["*".to_owned()]);
        let statement = |sid: &str, actions: &[&str], resources: &BTreeSet<String>| {
            let resources = one_or_many(resources);
            (resources != json!([])).then(|| {
                json!({"Sid": sid, "Effect": "Allow", "Action": one_or_many(actions.iter().copied()), "Resource": resources})
            })
        };
        let batch = self.batch.then_some(&everything);
        let statements = [
            statement("ReadSecrets", &["secretsmanager:GetSecretValue"], &self.secrets),
            batch.and_then(|all| {
                statement("SaveCalls", &["secretsmanager:BatchGetSecretValue"], all)
            }),
            statement("ReadParameters", &["ssm:GetParameters"], &self.parameters),
            statement("ReadTrees", &["ssm:GetParametersByPath"], &self.trees),
            statement("AssumeRoles", trust::assume(self.passes_tags), &self.assume),
        ];
        let statements = statements.into_iter().flatten().chain(self.openings());
        let statements: Vec<Value> = statements.collect();
        json!({"Version": "2012-10-17", "Statement": statements})
    }
}

/// What Secrets Manager puts behind a name, so that a secret of the same name made later is another.
const RANDOM_END: &str = "-??????";

/// Whether the ARN ends as Secrets Manager lets whole ARNs end.
fn has_random_end(arn: &str) -> bool {
    arn.rsplit_once('-').is_some_and(|(_, end)| {
        end.len() == 6 && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}
