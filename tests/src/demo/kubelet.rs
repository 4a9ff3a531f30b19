//! The kubelet's part: makes the volumes of the patched pod, and runs its agent container with
//! exactly the command and environment that the patch gives it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Output,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

use super::{backends::service_account_token, ground::Ground, pod::Pod, programs::Programs};

/// The name of the agent's container.
pub(super) const NAME: &str = "mayfly-agent";

/// The program in the agent's image.
const PROGRAM: &str = "/mayfly-agent";

/// What the kubelet tells every container.
const KUBERNETES: (&str, &str) = ("KUBERNETES_SERVICE_HOST", "10.96.0.1");

/// The agent's container, as the patched pod has it.
#[derive(Debug)]
pub(super) struct Container {
    program: PathBuf,
    root: PathBuf,
    command: Vec<String>,
    gate: Vec<String>,
    environment: Vec<(String, String)>,
}

/// A token that was put into a volume.
#[derive(Debug)]
pub(super) struct Projected {
    /// Whom it is for.
    pub(super) audience: String,
    /// The token.
    pub(super) token: String,
}

impl Container {
    /// Takes the container out of the pod.
    pub(super) fn of(pod: &Pod, programs: &Programs, ground: &Ground) -> Result<Self> {
        let container = agent(pod)?;
        let gate = &container["lifecycle"]["postStart"]["exec"]["command"];
        Ok(Self {
            program: programs.agent.clone(),
            root: ground.pod(),
            command: strings(&container["command"])?,
            gate: strings(gate)?,
            environment: environment(container, pod)?,
        })
    }

    /// Runs for as long as the pod lives.
    pub(super) fn run(&self) -> Result<Command> {
        self.program(&self.command)
    }

    /// What the kubelet waits for before it starts the app.
    pub(super) async fn gate(&self) -> Result<Output> {
        let gate = self.program(&self.gate)?.output().await;
        gate.context("cannot run the gate")
    }

    /// `kubectl exec … -- /mayfly-agent status --json`.
    pub(super) async fn status(&self) -> Result<Value> {
        let command = [PROGRAM, "status", "--json"].map(str::to_owned);
        let said = self.program(&command)?.output().await.context("cannot run `status`")?;
        let complaint = String::from_utf8_lossy(&said.stderr);
        ensure!(said.status.success(), "`status` fails: {complaint}");
        serde_json::from_slice(&said.stdout).context("`status` prints no JSON")
    }

    /// The commands, for a person to read.
    pub(super) fn commands(&self) -> [String; 2] {
        [self.command.join(" "), self.gate.join(" ")]
    }

    /// A command of the container; only its root is not `/`.
    fn program(&self, command: &[String]) -> Result<Command> {
        let (program, arguments) = command.split_first().context("the command is empty")?;
        ensure!(program == PROGRAM, "the command is {program}, not the agent");
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--root").arg(&self.root);
        command.arg("--termination-log").arg(self.root.join("termination-log"));
        command.env_clear().envs(self.environment.iter().cloned()).envs([KUBERNETES]);
        command.kill_on_drop(true);
        Ok(command)
    }
}

/// Makes every volume that the agent mounts, below `root`.
pub(super) fn make_volumes(pod: &Pod, root: &Path) -> Result<Vec<Projected>> {
    let mut projected = Vec::new();
    for mount in array(&agent(pod)?["volumeMounts"]) {
        let path = mount["mountPath"].as_str().context("a mount without a path")?;
        let folder = root.join(path.trim_start_matches('/'));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {path}"))?;
        let volumes = array(&pod.0["spec"]["volumes"]);
        let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]);
        let volume = volume.with_context(|| format!("{path} has no volume"))?;
        if volume["projected"].is_null() {
            fs::set_permissions(&folder, Permissions::from_mode(0o1777))?;
        } else {
            projected.append(&mut project(&volume["projected"], &folder)?);
        }
    }
    Ok(projected)
}

/// Writes the service account's tokens of a projected volume.
fn project(volume: &Value, folder: &Path) -> Result<Vec<Projected>> {
    let token = |source: &Value| {
        let source = &source["serviceAccountToken"];
        let path = source["path"].as_str().context("a token without a path")?;
        let audience = source["audience"].as_str().context("a token without an audience")?;
        let token = service_account_token(audience);
        fs::write(folder.join(path), &token).context("cannot write a token")?;
        Ok(Projected { audience: audience.to_owned(), token })
    };
    array(&volume["sources"]).iter().map(token).collect()
}

fn agent(pod: &Pod) -> Result<&Value> {
    let containers = array(&pod.0["spec"]["initContainers"]);
    let agent = containers.iter().find(|container| container["name"] == NAME);
    agent.with_context(|| format!("the patched pod has no init container `{NAME}`"))
}

/// Values as they are, and those that name a field of the pod.
fn environment(container: &Value, pod: &Pod) -> Result<Vec<(String, String)>> {
    let variable = |variable: &Value| {
        let name = variable["name"].as_str().context("a variable without a name")?;
        let field = variable["valueFrom"]["fieldRef"]["fieldPath"].as_str();
        let value = match field.and_then(|field| field.strip_prefix("metadata.")) {
            Some(field) => Some(pod.metadata(field)),
            None => variable["value"].as_str(),
        };
        let value = value.with_context(|| format!("the variable {name} has no value"))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    array(&container["env"]).iter().map(variable).collect()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn strings(value: &Value) -> Result<Vec<String>> {
    let text = |value: &Value| value.as_str().map(str::to_owned).context("a word is no text");
    array(value).iter().map(text).collect()
}
