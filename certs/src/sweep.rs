//! Entries of no use: of replicas that are gone, or past their end.
//!
//! EDGE: asks the API server for pods. Never in a hurry, and never sure without an answer: a replica of
//! which nothing is known keeps its entry.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client};
use thiserror::Error;

use crate::{
    bundle::{Der, Entry},
    registration::RegistrationError,
    replica::Replica,
};

/// How far another replica's clock may be behind ours before its certificates are taken for expired.
const SKEW: Duration = Duration::from_mins(5);

/// Why nothing is known of a replica.
#[derive(Debug, Error)]
pub(crate) enum SweepError {
    #[error("there is no pod `{0}`, which we are said to be; set POD_NAME and POD_NAMESPACE")]
    Nobody(String),
    #[error("cannot find out whether the pod `{0}` is still there")]
    Unknown(String, #[source] RegistrationError),
}

/// Looks for entries of no use among those of the others.
pub(crate) struct Sweep {
    replica: Replica,
    /// A pod knows about the pods of its own namespace; a process knows about none.
    pods: Option<Api<Pod>>,
    answer: Duration,
}

impl Sweep {
    pub(crate) fn new(client: Client, replica: Replica, answer: Duration) -> Self {
        let pods = replica.namespace().map(|namespace| Api::namespaced(client, namespace));
        Self { replica, pods, answer }
    }

    /// Which of `others` are of no use, and why nothing is known of some.
    pub(crate) async fn useless(
        &self,
        others: &[Entry],
        now: SystemTime,
    ) -> (BTreeSet<Der>, Option<SweepError>) {
        let expired = others.iter().filter(|entry| entry.not_after() + SKEW < now);
        let mut useless: BTreeSet<Der> = expired.map(|entry| entry.certificate().clone()).collect();
        let fault = self.add_dead(others, &mut useless).await.err();
        (useless, fault)
    }

    async fn add_dead(
        &self,
        others: &[Entry],
        useless: &mut BTreeSet<Der>,
    ) -> Result<(), SweepError> {
        let Some(pods) = &self.pods else { return Ok(()) };
        let neighbour = |replica: &&Replica| replica.namespace() == self.replica.namespace();
        let mut asked_for_ourselves = false;
        for entry in others {
            let Some(replica) = entry.replica().filter(neighbour) else { continue };
            if useless.contains(entry.certificate()) {
                continue;
            }
            // Whoever does not find himself is asking in the wrong place.
            if !asked_for_ourselves && self.is_gone(pods, &self.replica).await? {
                return Err(SweepError::Nobody(self.replica.name().to_owned()));
            }
            asked_for_ourselves = true;
            if self.is_gone(pods, replica).await? {
                useless.insert(entry.certificate().clone());
            }
        }
        Ok(())
    }

    async fn is_gone(&self, pods: &Api<Pod>, replica: &Replica) -> Result<bool, SweepError> {
        let unknown = |error| SweepError::Unknown(replica.name().to_owned(), error);
        let answer = tokio::time::timeout(self.answer, pods.get_opt(replica.name())).await;
        let answer = answer.map_err(|_| unknown(RegistrationError::Late(self.answer)))?;
        Ok(answer.map_err(|error| unknown(error.into()))?.is_none_or(|pod| has_ended(&pod)))
    }
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}
