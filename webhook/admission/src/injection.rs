//! What a pod gets: from its request and what it has already, the steps that are still missing.
//!
//! PURE. Decides; [`crate::patch`] says what a step is in JSON. Everything is computed from the
//! pod's content, our own container and volumes left aside, and then compared with what is there:
//! so a second look at an admitted pod finds nothing to do.

mod access;
mod additions;
mod allotment;
mod amounts;
mod api_paths;
mod chosen;
mod construction;
mod container;
mod contract;
mod doubts;
mod guarded;
mod identity;
mod image;
mod mounts;
mod ours;
mod parallel;
mod placement;
mod volume;
mod windows;

use k8s_openapi::api::core::v1::{Container, Volume};
use mayfly_spec::spec::{Interval, Mode, Start};
use serde::Serialize;
use serde_json::Value;

use crate::{
    config::Config,
    fault::{Fault, Faults},
    names::CONTAINER,
    pod::{List, Pod, Position},
    policy::Ceilings,
    reach::AwsReach,
    request::Request,
    sameness::is_same,
    settings::{Annotation, Gate, MountPath},
};

use construction::Site;
use placement::Placement;

/// The annotation by which `kubectl logs` and `kubectl exec` choose a container.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// What is missing in a pod.
#[derive(Debug)]
pub struct Injection {
    /// How the agent is placed.
    pub mode: Mode,
    /// What is to be done, in an order in which no step moves another's place.
    pub steps: Vec<Step>,
    /// What is legal and doubtful.
    pub warnings: Vec<String>,
}

/// One change of a pod: an addition, or one to what is ours.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A volume at the end of `volumes`.
    Volume(Box<Volume>),
    /// An item at the end of a container's list.
    Append(Position, &'static str, Value),
    /// One of our volumes at the index of one that is as it was at another time.
    RepairedVolume(usize, Box<Volume>),
    /// An annotation that the pod does not have, or whose value becomes longer.
    Annotation(&'static str, String),
    /// Our container.
    Container(Position, Box<Container>),
    /// Our container instead of the one that is there.
    Repaired(Position, Value),
    /// The same, which was in the other list before.
    Moved(Position, Position, Value),
}

/// Where the agent would be, for whom, and what would reach it: what is known before anything is decided.
#[derive(Debug)]
pub(crate) struct Prospect<'a> {
    placement: Result<Placement, Fault>,
    chosen: Vec<Position>,
    faults: Faults,
    /// What of AWS reaches the agent, if it asks AWS.
    pub(crate) aws: Option<AwsReach<'a>>,
}

impl<'a> Prospect<'a> {
    /// What `request` would come to in `pod`.
    pub(crate) fn of(config: &Config, request: &'a Request, pod: &Pod<'a>) -> Self {
        let placement = placement::place(request.mode(), pod, config);
        let (chosen, mut faults) = match &placement {
            Ok(placement) => chosen::choose(config, request, pod, placement),
            Err(_) => (Vec::new(), Faults::default()),
        };
        let placement =
            placement.map(|placement| parallel::settle(placement, pod, config, &chosen));
        if let Ok(placement) = &placement {
            faults.extend(parallel::refuse(*placement, pod, config));
        }
        let aws = AwsReach::of(request, pod, &chosen);
        Self { placement, chosen, faults, aws }
    }
}

/// Decides what `pod` gets, or everything that is wrong with what it asks for. What others made of our container's
/// amounts stays within `ceilings`.
pub(crate) fn plan<'a>(
    config: &'a Config,
    request: &'a Request,
    pod: &'a Pod<'a>,
    prospect: Prospect<'a>,
    ceilings: &'a Ceilings,
) -> Result<Injection, Faults> {
    if let Some(fault) = windows::refuse(pod) {
        return Err(fault.into());
    }
    let Prospect { placement, chosen, faults, aws } = prospect;
    let placement = placement.map_err(Faults::from)?;
    let mut planner = Planner {
        config,
        request,
        pod,
        ceilings,
        choices: Choices::of(request),
        placement,
        aws,
        faults: Faults::default(),
        warnings: Vec::new(),
        steps: Vec::new(),
    };
    planner.plan(&chosen, faults);
    planner.finish()
}

/// The settings that have a value in every pod.
#[derive(Debug, Clone)]
struct Choices {
    mode: Mode,
    gate: Gate,
    start: Start,
    mount_path: MountPath,
}

impl Choices {
    fn of(request: &Request) -> Self {
        let settings = &request.settings;
        let deadline = settings.start_deadline;
        Self {
            mode: request.mode(),
            gate: settings.gate.unwrap_or(Gate::Hook),
            start: deadline.map_or_else(Start::default, |deadline| Start { deadline }),
            mount_path: settings.mount_path.clone().unwrap_or_else(MountPath::usual),
        }
    }

    fn deadline(&self) -> Interval {
        self.start.deadline
    }
}

/// One pod's plan in the making.
#[derive(Debug)]
struct Planner<'a> {
    config: &'a Config,
    request: &'a Request,
    pod: &'a Pod<'a>,
    ceilings: &'a Ceilings,
    choices: Choices,
    placement: Placement,
    aws: Option<AwsReach<'a>>,
    faults: Faults,
    warnings: Vec<String>,
    steps: Vec<Step>,
}

impl Planner<'_> {
    fn plan(&mut self, chosen: &[Position], faults: Faults) {
        self.refuse_probe_without_sidecar();
        self.faults.append(faults);
        let access = access::Ownership::of(self.pod, chosen, self.config.agent_user);
        let identity = self.identify();
        let resources = self.allot();
        let contract = self.contract(&identity, access);
        self.ensure_volumes(&identity, &resources);
        self.ensure_mounts(chosen);
        self.ensure_path_env(chosen);
        self.ensure_default_container();
        self.ensure_backups_exclude(&identity);
        self.doubt(chosen);
        if let Some(contract) = contract {
            let container = self.container(contract, &identity, &resources, access);
            self.ensure_container(container);
        }
    }

    fn finish(self) -> Result<Injection, Faults> {
        if self.faults.is_empty() {
            Ok(Injection { mode: self.choices.mode, steps: self.steps, warnings: self.warnings })
        } else {
            Err(self.faults)
        }
    }

    fn refuse_probe_without_sidecar(&mut self) {
        let Choices { mode, gate, .. } = self.choices;
        if gate == Gate::Probe && mode != Mode::Sidecar && self.request.own.gate.is_some() {
            let message =
                format!("`probe` needs the mode `sidecar`, but the mode is `{}`", mode.name());
            let place = Annotation::Gate.to_string();
            self.faults.push(Fault::new(place, message));
        }
    }

    /// `kubectl logs` would otherwise take our container, when it is the first.
    fn ensure_default_container(&mut self) {
        let ours_is_first = self.placement.list == List::Regular;
        if !ours_is_first || self.pod.annotation(DEFAULT_CONTAINER).is_some() {
            return;
        }
        let names = self
            .pod
            .list(List::Regular)
            .iter()
            .map(|container| crate::pod::text(container, "name"));
        let is_gateway = chosen::is_gateway(self.config, self.pod);
        let is_helper = |name: &str| {
            !is_gateway && self.config.is_mesh_sidecar(name) || self.config.is_without_files(name)
        };
        let mut authors = names.filter(|name| *name != CONTAINER && !is_helper(name));
        if let Some(name) = authors.next() {
            self.steps.push(Step::Annotation(DEFAULT_CONTAINER, name.to_owned()));
        }
    }

    /// Ours last: it moves the others' places.
    fn ensure_container(&mut self, wanted: Container) {
        let placement = self.placement;
        let Some(position) = placement.present.or(placement.misplaced) else {
            self.steps.push(Step::Container(placement.position(), Box::new(wanted)));
            return;
        };
        let present = self.pod.container(position);
        if !ours::is_ours(present) {
            self.faults.push(ours::foreign(position));
            return;
        }
        let mut site = Site::of(self.config, self.ceilings, self.pod);
        let built = site.build(json(wanted), present);
        if placement.misplaced.is_some() {
            self.steps.push(Step::Moved(position, placement.position(), built));
        } else if !is_same(&built, present) {
            self.steps.push(Step::Repaired(position, built));
        }
        site.warnings.iter().for_each(|warning| self.warn(warning));
    }
}

/// Kubernetes' types have no map with a key that is no text, and nothing else can fail.
pub(crate) fn json(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
