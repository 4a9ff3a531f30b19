//! Where secrets come from: one kind of backend per room, one way to ask.
//!
//! A source knows how a location is read and what its backend's errors mean. It does not know
//! files, formats, schedules or the volume.

mod aws;
mod contract;
mod file;
mod vault;
mod version;

use std::{convert::Infallible, future, rc::Rc};

use mayfly_spec::{
    Location, Spec,
    reference::{Arn, SealedHeader, Source as Kind},
    spec::{self, Workload},
};

pub use aws::{AwsEnvironment, IdentityReport, Principal, Rotation, opened_again};
pub use contract::{Ask, Fetched, Leased, Source, SourceError};
pub use version::{Following, Regression, Version};

use contract::unsupported;

use crate::{
    clock::SystemClock,
    group,
    http::{Contact, Http},
    root::Root,
    sealing::DataKey,
};

/// Every backend that the configuration names, each made once.
#[derive(Debug)]
pub struct Backends {
    aws: Option<aws::Aws>,
    vault: Option<vault::Vault>,
    file: file::LocalFiles,
    contact: Contact,
}

impl Backends {
    /// Makes what the files of `spec` need; connects to nothing yet.
    pub fn new(spec: &Spec, root: &Root, environment: AwsEnvironment) -> Result<Self, SourceError> {
        let http = Http::new(root.clone());
        let wants = |wanted: fn(Kind) -> bool| {
            let mut read = spec.files.entries().iter().flat_map(group::locations);
            read.any(|location| wanted(location.source()))
        };
        let wants_vault = wants(Kind::is_vault);
        let logs_in_by_aws = wants_vault && spec.vault.as_ref().is_some_and(spec::Vault::asks_aws);
        let aws = (wants(Kind::is_aws) || logs_in_by_aws).then(|| {
            let workload = environment.workload().or_else(|| spec.pod.clone());
            let aws = spec.aws.clone().unwrap_or_default();
            aws::Aws::new(aws, &http, environment, workload, circumstances())
        });
        let aws = aws.transpose()?;
        let prover = aws.as_ref().map(aws::Aws::prover);
        let surroundings = vault::Surroundings::new(SystemClock, fastrand::f64);
        let vault = wants_vault.then(|| vault::Vault::new(spec, &http, prover, surroundings));
        let (vault, file) = (vault.transpose()?, file::LocalFiles::new(root.clone()));
        Ok(Self { aws, vault, file, contact: http.contact().clone() })
    }

    /// What is seen of the connections to all of them.
    pub fn contact(&self) -> &Contact {
        &self.contact
    }

    /// Does, beside the work, what nobody should wait for: renews credentials that are still good.
    /// It has no end; whoever works with the backends polls it meanwhile.
    pub async fn run_errands(&self) -> Infallible {
        match &self.aws {
            Some(aws) => aws.run_errands().await,
            None => future::pending().await,
        }
    }

    /// As whom AWS was asked so far.
    pub(crate) async fn aws_identities(&self) -> Vec<IdentityReport> {
        match &self.aws {
            Some(aws) => aws.identities().await,
            None => Vec::new(),
        }
    }

    /// What the backend does to a secret by itself; `None` where it is not known to do anything.
    pub(crate) async fn rotation(
        &self,
        location: &Location,
    ) -> Option<Result<Rotation, SourceError>> {
        match (location, &self.aws) {
            (Location::AwsSm(secret), Some(aws)) => Some(Box::pin(aws.rotation(secret)).await),
            _ => None,
        }
    }

    /// Gives back what was taken for the pod's life: the tokens that logins returned, and what was
    /// leased with them, unless that stays.
    pub async fn give_back(&self, leased: Leased) {
        if let Some(vault) = &self.vault {
            vault.give_back(leased).await;
        }
    }
}

impl Source for Backends {
    async fn fetch(&self, ask: &Ask) -> Result<Fetched, SourceError> {
        match (&ask.location, &self.vault) {
            (Location::Vault(_) | Location::VaultWrite(_), Some(vault)) => vault.fetch(ask).await,
            (Location::File(path), _) => self.file.fetch(path),
            (location, _) => Err(unsupported(location)),
        }
    }

    fn lane(&self, location: &Location) -> String {
        aws::lane(location).unwrap_or_else(|| match location.source() {
            // One server, one token.
            kind if kind.is_vault() => Kind::Vault.to_string(),
            kind => kind.to_string(),
        })
    }

    fn batches(&self, locations: Vec<Location>) -> Vec<Vec<Location>> {
        aws::plan(locations)
    }

    async fn fetch_batch(&self, batch: &[Ask]) -> Vec<Result<Fetched, SourceError>> {
        match (batch, &self.aws) {
            ([first, ..], Some(aws)) if first.location.source().is_aws() => aws.fetch(batch).await,
            _ => {
                let alone = batch.iter().map(|ask| self.fetch(ask));
                futures_util::future::join_all(alone).await
            }
        }
    }
}

/// A new data key of the KMS key `key`, for one value that is sealed for `workload`.
pub(crate) async fn data_key(
    aws: spec::Aws,
    root: &Root,
    environment: AwsEnvironment,
    key: &Arn,
    workload: &Workload,
) -> Result<(DataKey, SealedHeader), SourceError> {
    let http = Http::new(root.clone());
    let aws = aws::Aws::new(aws, &http, environment, None, circumstances())?;
    aws.data_key(key, workload).await
}

/// The world's own time and chance.
fn circumstances() -> aws::Circumstances {
    aws::Circumstances { clock: Rc::new(SystemClock), jitter: fastrand::f64 }
}
