//! The agent's container, built from Kubernetes' own types.
//!
//! PURE. Every field that the API server would fill in is written out, so that what it returns is
//! what we sent.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{
        Capabilities, Container, EnvVar, EnvVarSource, ExecAction, Lifecycle, LifecycleHandler,
        ObjectFieldSelector, Probe, ResourceRequirements, SeccompProfile, SecurityContext,
        VolumeMount,
    },
    apimachinery::pkg::api::resource::Quantity as ApiQuantity,
};
use mayfly_spec::{
    reference::Source,
    spec::{Interval, Mode},
};

use super::{Planner, access::Ownership, identity::Identities};
use crate::{
    config::NOBODY,
    names::{
        CONFIG_VARIABLE, CONTAINER, IDENTITY_VOLUME, SECRETS_VOLUME, STATE_PATH, STATE_VOLUME,
        TOKENS_PATH,
    },
    quantity::Quantity,
    resources::Resources,
    settings::Gate,
};

/// The agent's program in its image.
pub(super) const PROGRAM: &str = "/mayfly-agent";

/// How much longer than the agent's own deadline its gate waits: the agent fails first, and its
/// reason is what people see.
const GATE_GRACE: u64 = 5;
/// How often the probe looks: the kubelet's shortest.
const PROBE_PERIOD: i32 = 1;
/// How long one look may take on a busy node.
const PROBE_TIMEOUT: i32 = 5;

impl Planner<'_> {
    pub(super) fn container(
        &self,
        contract: String,
        identities: &Identities,
        resources: &Resources,
        ownership: Ownership,
    ) -> Container {
        let mode = self.choices.mode;
        let mut env = environment(contract);
        // Sealed values are for one service account, and the kubelet knows which it is.
        let named = self.request.reads(|source| source == Source::Kms);
        env.extend(named.then(|| field("MAYFLY_SERVICE_ACCOUNT", "spec.serviceAccountName")));
        env.extend(identities.carried_env.iter().cloned());
        Container {
            command: Some(self.command()),
            env: Some(env),
            image: Some(self.config.agent_image.clone()),
            image_pull_policy: Some(self.config.pull_policy.name().to_owned()),
            lifecycle: self.hook(),
            name: CONTAINER.to_owned(),
            resources: requirements(resources),
            restart_policy: (mode == Mode::Sidecar).then(|| "Always".to_owned()),
            security_context: Some(restricted(
                ownership.user,
                self.config.agent_user.map(|_| NOBODY),
            )),
            startup_probe: self.probe(),
            termination_message_path: Some("/dev/termination-log".to_owned()),
            termination_message_policy: Some("File".to_owned()),
            volume_mounts: Some(self.agent_mounts(identities)),
            ..Container::default()
        }
    }

    fn command(&self) -> Vec<String> {
        let arguments: &[&str] = match self.choices.mode {
            Mode::Init => &["once"],
            // One that cannot start leaves its end to the kubelet, which then starts no app.
            Mode::Sidecar if self.choices.gate == Gate::Hook => &["run", "--gate=hook"],
            Mode::Sidecar | Mode::Parallel => &["run"],
        };
        [PROGRAM].iter().chain(arguments).map(|&word| word.to_owned()).collect()
    }

    fn agent_mounts(&self, identities: &Identities) -> Vec<VolumeMount> {
        let secrets = mount(SECRETS_VOLUME, self.choices.mount_path.as_str());
        let state = mount(STATE_VOLUME, STATE_PATH);
        let tokens = (!identities.tokens.is_empty())
            .then(|| VolumeMount { read_only: Some(true), ..mount(IDENTITY_VOLUME, TOKENS_PATH) });
        let carried = identities.carried_mount.clone();
        [Some(secrets), Some(state), tokens, carried].into_iter().flatten().collect()
    }

    fn hook(&self) -> Option<Lifecycle> {
        let deadline = self.choices.deadline();
        let timeout = match self.choices.mode {
            Mode::Init => return None,
            Mode::Sidecar if self.choices.gate == Gate::Probe => return None,
            Mode::Sidecar => {
                Interval::from_secs(deadline.duration().as_secs() + GATE_GRACE).to_string()
            }
            // The app starts at the deadline; nobody's reason is waited for.
            Mode::Parallel => deadline.to_string(),
        };
        Some(Lifecycle {
            post_start: Some(LifecycleHandler {
                exec: Some(wait(&timeout)),
                ..LifecycleHandler::default()
            }),
            ..Lifecycle::default()
        })
    }

    fn probe(&self) -> Option<Probe> {
        let probed = self.choices.mode == Mode::Sidecar && self.choices.gate == Gate::Probe;
        let looks = self.choices.deadline().duration().as_secs() + GATE_GRACE;
        probed.then(|| Probe {
            exec: Some(wait("0s")),
            failure_threshold: Some(i32::try_from(looks).unwrap_or(i32::MAX)),
            period_seconds: Some(PROBE_PERIOD),
            success_threshold: Some(1),
            timeout_seconds: Some(PROBE_TIMEOUT),
            ..Probe::default()
        })
    }
}

fn wait(timeout: &str) -> ExecAction {
    let command = [PROGRAM.to_owned(), "wait".to_owned(), format!("--timeout={timeout}")];
    ExecAction { command: Some(command.into()) }
}

fn environment(contract: String) -> Vec<EnvVar> {
    let config =
        EnvVar { name: CONFIG_VARIABLE.to_owned(), value: Some(contract), ..EnvVar::default() };
    vec![
        config,
        field("MAYFLY_POD_NAMESPACE", "metadata.namespace"),
        field("MAYFLY_POD_NAME", "metadata.name"),
    ]
}

/// A variable that the kubelet fills in from the pod.
fn field(name: &str, path: &str) -> EnvVar {
    let api_version = Some("v1".to_owned());
    let field_ref = Some(ObjectFieldSelector { api_version, field_path: path.to_owned() });
    EnvVar {
        name: name.to_owned(),
        value_from: Some(EnvVarSource { field_ref, ..EnvVarSource::default() }),
        ..EnvVar::default()
    }
}

/// What Pod Security's level *restricted* asks for, and a file system that cannot be written. What we leave
/// open the cluster gives.
fn restricted(user: Option<u32>, group: Option<u32>) -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities {
            drop: Some(vec!["ALL".to_owned()]),
            ..Capabilities::default()
        }),
        read_only_root_filesystem: Some(true),
        run_as_group: group.map(Into::into),
        run_as_non_root: Some(true),
        run_as_user: user.map(Into::into),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            ..SeccompProfile::default()
        }),
        ..SecurityContext::default()
    }
}

fn requirements(resources: &Resources) -> Option<ResourceRequirements> {
    let amounts = |amounts: &BTreeMap<&str, Quantity>| {
        let amount = |(name, quantity): (&&str, &Quantity)| {
            ((*name).to_owned(), ApiQuantity(quantity.to_string()))
        };
        (!amounts.is_empty()).then(|| amounts.iter().map(amount).collect())
    };
    let (requests, limits) = (amounts(&resources.requests()), amounts(&resources.limits()));
    (requests.is_some() || limits.is_some()).then(|| ResourceRequirements {
        requests,
        limits,
        ..ResourceRequirements::default()
    })
}

fn mount(volume: &str, path: &str) -> VolumeMount {
    VolumeMount { name: volume.to_owned(), mount_path: path.to_owned(), ..VolumeMount::default() }
}
