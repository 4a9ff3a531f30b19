//! A command in an agent's container, with the caller's own rights.
//!
//! EDGE. However long it takes and whatever it prints, what comes back comes in time and is bounded.

use std::time::Duration;

use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Status as ApiStatus};
use kube::{
    Api, Client,
    api::{AttachParams, AttachedProcess},
    client::UpgradeConnectionError,
};
use mayfly_admission::names::CONTAINER;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::foreign;

/// The agent's program in its image.
const PROGRAM: &str = "/mayfly-agent";
/// Longer than the account of any agent whose annotations an API server takes.
const LONGEST: u64 = 1 << 20;

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What it printed.
    pub(crate) printed: Vec<u8>,
    /// What it complained of.
    pub(crate) complaint: Vec<u8>,
    /// Its exit code.
    pub(crate) code: u8,
}

/// Why there is no outcome.
#[derive(Debug, Error)]
pub(crate) enum ExecError {
    /// By RBAC, or an admission webhook.
    #[error("running a command in it (`create` on `pods/exec`) is not allowed to you")]
    NotAllowed,
    /// It took too long.
    #[error("it does not answer within {} s", .0.as_secs())]
    Late(Duration),
    /// It does not end.
    #[error("it answers with more than 1 MiB")]
    TooLong,
    /// The connection broke.
    #[error("the connection to it ended too early")]
    Cut,
    /// Something else, in the API server's words.
    #[error("{0}")]
    Other(String),
}

/// Where an agent is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) namespace: String,
    pub(crate) pod: String,
}

/// Runs the agent's program with `arguments` beside the agent.
pub(crate) async fn run(
    client: &Client,
    place: &Place,
    arguments: &[&str],
    limit: Duration,
) -> Result<Outcome, ExecError> {
    let outcome = tokio::time::timeout(limit, attend(client, place, arguments)).await;
    outcome.unwrap_or(Err(ExecError::Late(limit)))
}

async fn attend(client: &Client, place: &Place, arguments: &[&str]) -> Result<Outcome, ExecError> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &place.namespace);
    let command = std::iter::once(PROGRAM).chain(arguments.iter().copied());
    let command: Vec<&str> = command.collect();
    let streams = AttachParams::default().stderr(true).container(CONTAINER);
    let mut process = pods.exec(&place.pod, command, &streams).await.map_err(ExecError::of)?;
    let (out, err) = (process.stdout(), process.stderr());
    let (printed, complaint, code) = tokio::try_join!(read(out), read(err), ended(&mut process))?;
    Ok(Outcome { printed, complaint, code })
}

async fn read(stream: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, ExecError> {
    let mut bytes = Vec::new();
    let stream = stream.ok_or(ExecError::Cut)?;
    stream.take(LONGEST + 1).read_to_end(&mut bytes).await.map_err(|_| ExecError::Cut)?;
    let is_whole = u64::try_from(bytes.len()).is_ok_and(|length| length <= LONGEST);
    if is_whole { Ok(bytes) } else { Err(ExecError::TooLong) }
}

async fn ended(process: &mut AttachedProcess) -> Result<u8, ExecError> {
    let status = process.take_status().ok_or(ExecError::Cut)?.await;
    code(&status.ok_or(ExecError::Cut)?)
}

/// The exit code in the kubelet's account of the command.
fn code(status: &ApiStatus) -> Result<u8, ExecError> {
    if status.status.as_deref() == Some("Success") {
        return Ok(0);
    }
    let causes = status.details.as_ref().and_then(|details| details.causes.as_deref());
    let mut causes = causes.unwrap_or_default().iter();
    let cause = causes.find(|cause| cause.reason.as_deref() == Some("ExitCode"));
    let code = cause.and_then(|cause| cause.message.as_deref()?.parse().ok());
    let message = || status.message.as_deref().unwrap_or("the command could not be run");
    code.ok_or_else(|| ExecError::Other(foreign::line(message())))
}

impl ExecError {
    fn of(error: kube::Error) -> Self {
        match error {
            kube::Error::UpgradeConnection(UpgradeConnectionError::ProtocolSwitch(status)) => {
                Self::answered(status.as_u16())
            }
            kube::Error::Api(status) if status.code == 403 => Self::NotAllowed,
            kube::Error::Api(status) => Self::Other(foreign::line(&status.message)),
            other => Self::Other(foreign::line(&other.to_string())),
        }
    }

    fn answered(code: u16) -> Self {
        match code {
            403 => Self::NotAllowed,
            404 => Self::Other("it is gone".to_owned()),
            code => Self::Other(format!("the API server answers with {code}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(status: serde_json::Value) -> Result<u8, ExecError> {
        code(&serde_json::from_value(status).expect("a Status"))
    }

    #[test]
    fn an_exit_code_is_the_commands_and_nobody_elses() {
        assert_eq!(of(json!({"status": "Success"})).ok(), Some(0));
        let causes = json!([{"reason": "ExitCode", "message": "3"}]);
        let failed = json!({"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}});
        assert_eq!(of(failed).ok(), Some(3));
        let gone = of(json!({"status": "Failure", "message": "no\u{1b}[31m container"}));
        assert_eq!(gone.map_err(|error| error.to_string()), Err("no [31m container".to_owned()));
    }

    #[tokio::test]
    async fn an_answer_without_an_end_is_cut() {
        let endless = tokio::io::repeat(b'x');
        assert!(matches!(read(Some(endless)).await, Err(ExecError::TooLong)));
        assert_eq!(read(Some(&b"whole"[..])).await.ok(), Some(b"whole".to_vec()));
    }

    #[test]
    fn not_allowed_is_not_any_other_refusal() {
        assert!(matches!(ExecError::answered(403), ExecError::NotAllowed));
        assert!(matches!(ExecError::answered(500), ExecError::Other(_)));
    }
}
