//! KMS: data keys are made and wrapped there, and unwrapped; values never go there.
//!
//! What a sealed value says of itself names the key that is asked, and nothing else: namespace and
//! service account are the agent's own.

mod error;

use std::{collections::HashMap, time::Duration};

use aws_sdk_kms::{
    Client,
    operation::generate_data_key::GenerateDataKeyOutput,
    types::{DataKeySpec, EncryptionAlgorithmSpec},
};
use aws_smithy_types::Blob;
use mayfly_spec::{
    reference::{Arn, Sealed, SealedHeader, Wrapping},
    spec::Workload,
};
use tokio::time::Instant;

use super::{
    access::{Access, in_region},
    caller::{Caller, Clients, Place},
    failure::{CallError, Failure},
};
use crate::{
    sealing::{self, DataKey},
    source::{
        contract::{Fetched, SourceError},
        version::Version,
    },
};

/// A value that was opened is not opened again for so long.
const AGAIN: Duration = Duration::from_hours(12);

/// KMS, in as many regions as sealed values name.
#[derive(Debug)]
pub(super) struct Kms {
    clients: Clients<Client>,
    jitter: fn() -> f64,
}

impl Kms {
    pub(super) fn new(jitter: fn() -> f64) -> Self {
        Self { clients: Clients::new(Client::new), jitter }
    }

    /// Opens a value that was sealed for `workload`.
    pub(super) async fn open(
        &self,
        caller: &Caller,
        sealed: &Sealed,
        workload: Option<&Workload>,
    ) -> Result<Fetched, SourceError> {
        let (header, workload) = (sealed.header(), workload.ok_or_else(error::nobody)?);
        let access = access(header.key());
        let answer = caller
            .call(&access, async |place| {
                let key = key_at(header.key(), place)?;
                unwrap(&self.clients.at(place), key, header, workload).await
            })
            .await;
        let data_key = match answer {
            Ok((data_key, _)) => data_key,
            Err(CallError::Identity(fault)) => return Err(fault),
            Err(CallError::Service(failure, asked)) => {
                return Err(error::unwrap(&failure, header, workload, &asked));
            }
        };
        let secret = data_key
            .and_then(|key| sealing::open(sealed, &key, workload).ok())
            .ok_or_else(|| error::altered(header, workload))?;
        let fetched = Fetched::new(secret.into(), Version::default());
        // What is sealed never changes; that it may still be opened is asked for now and then.
        Ok(Fetched { due: Some(Instant::now() + opened_again((self.jitter)())), ..fetched })
    }

    /// A new data key, bare, and as only KMS can unwrap it, with `key` and for `workload`.
    pub(super) async fn data_key(
        &self,
        caller: &Caller,
        key: &Arn,
        workload: &Workload,
    ) -> Result<(DataKey, SealedHeader), SourceError> {
        let answer = caller
            .call(&access(key), async |place| {
                let id = key_at(key, place)?;
                generate(&self.clients.at(place), id, workload).await
            })
            .await;
        match answer {
            Ok((output, _)) => made(output, key).ok_or_else(|| error::no_data_key(key)),
            Err(CallError::Identity(fault)) => Err(fault),
            Err(CallError::Service(failure, asked)) => Err(error::generate(&failure, key, &asked)),
        }
    }
}

/// After how long a value is opened again: half a day to a day, so that pods that start together
/// part.
pub fn opened_again(jitter: f64) -> Duration {
    AGAIN.mul_f64(1.0 + jitter)
}

/// What was opened, until it is opened again.
pub(super) fn still_good(held: Option<&Fetched>) -> Option<Fetched> {
    held.filter(|held| held.due.is_some_and(|due| Instant::now() < due)).cloned()
}

/// Where the key is.
fn access(key: &Arn) -> Access {
    Access { region: Some(key.region().to_owned()), role: None }
}

/// The key as it is called at `place`: only a multi-Region key is known in other regions.
fn key_at(key: &Arn, place: &Place) -> Result<String, Failure> {
    let is_known = key.region() == place.region || key.resource().starts_with("key/mrk-");
    is_known.then(|| in_region(key.as_str(), &place.region)).ok_or_else(Failure::default)
}

fn context(workload: &Workload) -> HashMap<String, String> {
    workload.context().map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// Nothing, if what KMS unwrapped is no data key.
async fn unwrap(
    client: &Client,
    key: String,
    header: &SealedHeader,
    workload: &Workload,
) -> Result<Option<DataKey>, Failure> {
    let call = client.decrypt().key_id(key).ciphertext_blob(Blob::new(header.data_key()));
    let call = match header.wrapping() {
        Wrapping::Symmetric => call
            .encryption_algorithm(EncryptionAlgorithmSpec::SymmetricDefault)
            .set_encryption_context(Some(context(workload))),
        Wrapping::RsaOaepSha256 => {
            call.encryption_algorithm(EncryptionAlgorithmSpec::RsaesOaepSha256)
        }
    };
    let output = call.send().await?;
    let plaintext = output.plaintext.map(Blob::into_inner).ok_or_else(Failure::hollow)?;
    Ok(DataKey::new(plaintext))
}

async fn generate(
    client: &Client,
    key: String,
    workload: &Workload,
) -> Result<GenerateDataKeyOutput, Failure> {
    let call = client.generate_data_key().key_id(key).key_spec(DataKeySpec::Aes256);
    Ok(call.set_encryption_context(Some(context(workload))).send().await?)
}

fn made(output: GenerateDataKeyOutput, key: &Arn) -> Option<(DataKey, SealedHeader)> {
    let data_key = DataKey::new(output.plaintext?.into_inner())?;
    let wrapped = output.ciphertext_blob?.into_inner();
    let header = SealedHeader::new(Wrapping::Symmetric, key.clone(), wrapped).ok()?;
    Some((data_key, header))
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::secret::Secret;

    #[test]
    fn pods_that_start_together_open_again_half_a_day_apart() {
        assert_eq!(opened_again(0.0), AGAIN);
        assert_eq!(opened_again(1.0), AGAIN * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_opened_is_good_until_it_is_due_and_not_after() {
        let opened = Fetched::new(Secret::from("value".to_owned()).into(), Version::default());
        let due = Instant::now() + opened_again(0.5);
        let opened = Fetched { due: Some(due), ..opened };
        assert!(still_good(None).is_none());
        assert!(still_good(Some(&opened)).is_some());
        advance(Duration::from_secs(18 * 3600 - 1)).await;
        assert!(still_good(Some(&opened)).is_some());
        advance(Duration::from_secs(1)).await;
        assert!(still_good(Some(&opened)).is_none());
    }
}
