//! Secrets Manager: one call for each distinct secret, or one for many where that is allowed.

mod rotation;

use std::{cell::RefCell, collections::BTreeSet};

use aws_sdk_secretsmanager::{
    Client,
    operation::{
        batch_get_secret_value::BatchGetSecretValueOutput, get_secret_value::GetSecretValueOutput,
    },
    types::SecretValueEntry,
};
use aws_smithy_types::{Blob, DateTime};
use futures_util::{StreamExt, stream};
use mayfly_spec::reference::{SecretVersion, SecretsManagerSecret};

use super::{
    access::{Access, Role, in_region},
    caller::{Caller, Clients},
    error,
    failure::{Asked, CallError, Failure},
};
use crate::{
    fault::{Class, Fault},
    secret::Secret,
    source::{
        contract::{Fetched, SourceError},
        version::Version,
    },
};

pub use rotation::Rotation;

/// So many secrets of a batch that is not allowed are asked for at once.
const CONCURRENT: usize = 4;

/// Secrets Manager, in as many regions as the references name.
#[derive(Debug)]
pub(super) struct SecretsManager {
    clients: Clients<Client>,
    /// Who has been told not to ask for batches.
    single: RefCell<BTreeSet<Option<Role>>>,
}

type Answer = Result<Fetched, SourceError>;

impl SecretsManager {
    pub(super) fn new() -> Self {
        Self { clients: Clients::new(Client::new), single: RefCell::default() }
    }

    /// Reads the secrets, which are all of one region and one role.
    pub(super) async fn fetch(
        &self,
        caller: &Caller,
        secrets: &[&SecretsManagerSecret],
    ) -> Vec<Answer> {
        let batch = match secrets {
            [] | [_] => None,
            [first, ..] => self.batch(caller, &Access::of_secret(first), secrets).await,
        };
        let mut batch = batch.unwrap_or_default().into_iter();
        let answers = secrets.iter().map(|secret| {
            let known = batch.next().flatten();
            async move {
                match known {
                    Some(answer) => answer,
                    None => self.fetch_one(caller, secret).await,
                }
            }
        });
        stream::iter(answers).buffered(CONCURRENT).collect().await
    }

    async fn fetch_one(&self, caller: &Caller, secret: &SecretsManagerSecret) -> Answer {
        let access = Access::of_secret(secret);
        let answer = caller
            .call(&access, async |place| {
                let id = in_region(&secret.id, &place.region);
                ask(&self.clients.at(place), id, secret.version.as_ref()).await
            })
            .await;
        match answer {
            Ok((output, asked)) => fetched(output.into(), &secret.id, &asked),
            Err(CallError::Identity(fault)) => Err(fault),
            Err(CallError::Service(failure, asked)) => {
                Err(error::secret(&failure, &secret.id, &asked))
            }
        }
    }

    /// What is done to the secret by itself. It needs a right of its own, and shows no value.
    pub(super) async fn rotation(
        &self,
        caller: &Caller,
        secret: &SecretsManagerSecret,
    ) -> Result<Rotation, SourceError> {
        let answer = caller
            .call(&Access::of_secret(secret), async |place| {
                let id = in_region(&secret.id, &place.region);
                let output = self.clients.at(place).describe_secret().secret_id(id).send().await?;
                output.arn.is_some().then_some(output).ok_or_else(Failure::hollow)
            })
            .await;
        match answer {
            Ok((output, _)) => Ok(Rotation::from(output)),
            Err(CallError::Identity(fault)) => Err(fault),
            Err(CallError::Service(failure, _)) if failure.is_denied() => {
                Err(Fault::new(Class::Refused, "not permitted: secretsmanager:DescribeSecret"))
            }
            Err(CallError::Service(failure, asked)) => {
                Err(error::secret(&failure, &secret.id, &asked))
            }
        }
    }

    /// Asks for all at once. `None`, for all or for one of them, is what has to be asked for alone:
    /// because batches are not allowed or too many, or because its answer leaves room for hope.
    async fn batch(
        &self,
        caller: &Caller,
        access: &Access,
        secrets: &[&SecretsManagerSecret],
    ) -> Option<Vec<Option<Answer>>> {
        if self.single.borrow().contains(&access.role) {
            return None;
        }
        let ids: Vec<String> = secrets.iter().map(|secret| secret.id.clone()).collect();
        let answer = caller
            .call(access, async |place| {
                let ids = ids.iter().map(|id| in_region(id, &place.region)).collect();
                ask_all(&self.clients.at(place), ids).await
            })
            .await;
        match answer {
            Ok((mut output, asked)) => {
                Some(ids.iter().map(|id| take_item(&mut output, id, &asked)).collect())
            }
            Err(CallError::Service(failure, _)) => {
                if failure.is_denied() {
                    self.single.borrow_mut().insert(access.role.clone());
                }
                None
            }
            Err(CallError::Identity(fault)) => {
                Some(ids.iter().map(|_| Some(Err(fault.clone()))).collect())
            }
        }
    }
}

async fn ask(
    client: &Client,
    id: String,
    version: Option<&SecretVersion>,
) -> Result<GetSecretValueOutput, Failure> {
    let call = client.get_secret_value().secret_id(id);
    let call = match version {
        Some(SecretVersion::Stage(stage)) => call.version_stage(stage),
        Some(SecretVersion::Id(id)) => call.version_id(id),
        None => call,
    };
    let output = call.send().await?;
    // Every answer names its secret; one without is no word about it.
    output.arn.is_some().then_some(output).ok_or_else(Failure::hollow)
}

async fn ask_all(client: &Client, ids: Vec<String>) -> Result<BatchGetSecretValueOutput, Failure> {
    Ok(client.batch_get_secret_value().set_secret_id_list(Some(ids)).send().await?)
}

/// What the answer says about one secret. A failure of the service is no answer.
fn take_item(output: &mut BatchGetSecretValueOutput, id: &str, asked: &Asked) -> Option<Answer> {
    let called = in_region(id, &asked.region);
    let values = output.secret_values.get_or_insert_default();
    if let Some(at) = values.iter().position(|value| is_named(value, &called)) {
        return Some(fetched(values.swap_remove(at).into(), id, asked));
    }
    let error = output.errors().iter().find(|error| error.secret_id() == Some(&called))?;
    let failure = Failure::of_item(error.error_code(), error.message());
    let is_final = !failure.is_internal() && !failure.is_throttled() && !failure.is_stale();
    is_final.then(|| Err(error::secret(&failure, id, asked)))
}

/// By name or by ARN; an ARN without its random end is left to a call of its own.
fn is_named(value: &SecretValueEntry, id: &str) -> bool {
    value.name() == Some(id) || value.arn() == Some(id)
}

/// A secret's value, from whichever answer.
struct Value {
    id: Option<String>,
    created: Option<DateTime>,
    text: Option<String>,
    binary: Option<Blob>,
}

impl From<GetSecretValueOutput> for Value {
    fn from(output: GetSecretValueOutput) -> Self {
        let (id, created) = (output.version_id, output.created_date);
        Self { id, created, text: output.secret_string, binary: output.secret_binary }
    }
}

impl From<SecretValueEntry> for Value {
    fn from(entry: SecretValueEntry) -> Self {
        let (id, created) = (entry.version_id, entry.created_date);
        Self { id, created, text: entry.secret_string, binary: entry.secret_binary }
    }
}

/// Text or binary; the SDK has decoded base64 already.
fn fetched(value: Value, id: &str, asked: &Asked) -> Answer {
    let created = value.created.and_then(|date| date.try_into().ok());
    let version = Version::named(value.id, created).of_stand_in(asked.stands_in);
    let text = value.text.map(Secret::from);
    let secret = text.or_else(|| value.binary.map(|blob| Secret::from(blob.into_inner())));
    let empty = || {
        let words = format!("the secret `{id}` in {} has no value yet", asked.region);
        Fault::new(Class::Missing, words)
    };
    secret.ok_or_else(empty).map(|secret| Fetched::new(secret.into(), version))
}
