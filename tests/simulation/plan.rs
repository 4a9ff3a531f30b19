//! Which calls a look makes for so many secrets and parameters that are missing: the agent's own answer.

use anyhow::Result;
use mayfly_agent::{
    root::Root,
    source::{AwsEnvironment, Backends, Source as _},
};
use mayfly_spec::{Location, Reference, Spec};

/// One call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// `GetSecretValue`.
    Secret,
    /// `BatchGetSecretValue`, for so many secrets.
    Batch(u16),
    /// `GetParameters`, for so many parameters.
    Parameters(u16),
    /// KMS's `Decrypt`, for a sealed value.
    Open,
}

/// The calls for every number of what is missing.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) secrets: u16,
    pub(crate) parameters: u16,
    calls: Vec<Vec<Call>>,
}

impl Plan {
    /// The plan of pods with so many `secrets` and `parameters`.
    pub(crate) fn new(secrets: u16, parameters: u16) -> Result<Self> {
        let spec: Spec = serde_json::from_value(serde_json::json!({
            "version": 1, "directory": "/run/mayfly",
            "files": [{"path": "a", "from": "file:/a"}],
        }))?;
        let backends = Backends::new(&spec, &Root::new(None), AwsEnvironment::default())?;
        let mut calls = Vec::new();
        for parameters in 0..=parameters {
            for secrets in 0..=secrets {
                let batches = backends.batches(locations(secrets, parameters)?);
                calls.push(batches.iter().map(|batch| call(batch)).collect());
            }
        }
        Ok(Self { secrets, parameters, calls })
    }

    /// The calls while so many are missing.
    pub(crate) fn calls(&self, secrets: u16, parameters: u16) -> &[Call] {
        let row = usize::from(parameters) * (usize::from(self.secrets) + 1);
        self.calls.get(row + usize::from(secrets)).map_or(&[], Vec::as_slice)
    }
}

fn locations(secrets: u16, parameters: u16) -> Result<Vec<Location>> {
    let secrets = (0..secrets).map(|number| format!("aws-sm:secret/{number}"));
    let parameters = (0..parameters).map(|number| format!("aws-ssm:/parameter/{number}"));
    let location = |text: String| Ok(text.parse::<Reference>()?.location);
    secrets.chain(parameters).map(location).collect()
}

fn call(batch: &[Location]) -> Call {
    let size = u16::try_from(batch.len()).unwrap_or(u16::MAX);
    match batch {
        [Location::AwsSsm(_), ..] => Call::Parameters(size),
        [_] => Call::Secret,
        _ => Call::Batch(size),
    }
}
