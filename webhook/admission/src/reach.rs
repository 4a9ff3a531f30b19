//! What of AWS reaches the agent: as whom it asks, where, and by which proof.
//!
//! PURE. The one truth about it. The policy judges what is in here, the injection builds the agent's configuration and
//! container from it, `explain` tells it of a pod that is admitted: what one of them overlooked, or read otherwise, would
//! be a hole in the policy. An author can write by hand what EKS's webhook writes; so a variable is a choice like an
//! annotation, and whose it is goes with it.

use mayfly_spec::spec::{Aws, Identity};
use serde_json::Value;

use crate::{
    eks::{self, Token},
    names::CONTAINER,
    pod::{Pod, Position, items, text},
    request::Request,
    settings::Annotation,
};

/// What EKS's webhook sets for IRSA's role.
const ROLE_VARIABLE: &str = "AWS_ROLE_ARN";
/// What it sets for the region, the first before the second.
const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// Role and region as the agent itself makes them out, from its configuration and its own variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach<T> {
    /// Which proof it shows.
    pub identity: Identity,
    /// The role that it asks STS for; nothing, where its association says it or nobody does.
    pub role: Option<T>,
    /// The region of what names none.
    pub region: Option<T>,
}

impl<T> Reach<T> {
    /// A configuration comes before a variable, and an empty variable is none. Under Pod Identity nobody asks for a role.
    fn new(
        identity: Identity,
        configured: [Option<T>; 2],
        variable: impl Fn(&'static str) -> Option<T>,
    ) -> Self {
        let [role, region] = configured;
        let role = role.or_else(|| variable(ROLE_VARIABLE));
        Self {
            identity,
            role: role.filter(|_| identity != Identity::PodIdentity),
            region: region.or_else(|| REGIONS.into_iter().find_map(variable)),
        }
    }
}

impl<'a> Reach<&'a str> {
    /// What reaches the agent whose container is `agent`, in a pod that is admitted.
    pub fn of_agent(aws: &'a Aws, agent: &'a Value) -> Self {
        let configured = [aws.role_arn.as_deref(), aws.region.as_deref()];
        Self::new(aws.identity, configured, |name| {
            let variable = variable(agent, name)?.get("value")?.as_str()?;
            Some(variable).filter(|value| !value.is_empty())
        })
    }
}

/// What was said, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said<'a> {
    pub(crate) text: &'a str,
    pub(crate) by: By,
}

/// Where something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// In a setting.
    Setting(Annotation),
    /// In a container's variable.
    Variable(Position, &'static str),
}

/// What will reach the agent of a pod that is not admitted yet.
#[derive(Debug, Clone)]
pub(crate) struct AwsReach<'a> {
    /// Role and region, with whoever says them.
    pub(crate) reach: Reach<Said<'a>>,
    /// Whether it shows a token of our own, because a role is named, instead of the one that EKS's webhook has put there.
    pub(crate) has_own_token: bool,
    /// What EKS's webhook gave to an app's container, which the agent gets too.
    pub(crate) carried: Option<Carried<'a>>,
}

/// Variables and a mount of an app's container.
#[derive(Debug, Clone)]
pub(crate) struct Carried<'a> {
    /// Those that are written out.
    pub(crate) variables: Vec<(&'static str, &'a str)>,
    /// EKS's volume and where it is mounted, if its token is needed.
    pub(crate) mount: Option<(&'static str, &'static str)>,
    position: Position,
}

impl<'a> AwsReach<'a> {
    /// Nothing, if AWS is not asked at all. `chosen` are the containers that get the files.
    pub(crate) fn of(request: &'a Request, pod: &Pod<'a>, chosen: &[Position]) -> Option<Self> {
        if !request.asks_aws() {
            return None;
        }
        let settings = &request.settings;
        let identity = settings.aws_identity.unwrap_or(Identity::Irsa);
        let is_named = settings.aws_role_arn.is_some() && identity != Identity::PodIdentity;
        let carried = carry_over(identity, is_named, pod, chosen);
        let said = |text: &'a Option<String>, annotation| {
            let text = text.as_deref()?;
            Some(Said { text, by: By::Setting(annotation) })
        };
        let configured = [
            said(&settings.aws_role_arn, Annotation::AwsRoleArn),
            said(&settings.aws_region, Annotation::AwsRegion),
        ];
        let variable = |name| {
            // What we would write there ourselves takes the place of whatever is there.
            let said = carried.as_ref().and_then(|carried| carried.said(name));
            let said = said.or_else(|| own(pod, name));
            said.filter(|said| !said.text.is_empty())
        };
        let reach = Reach::new(identity, configured, variable);
        Some(Self { reach, has_own_token: is_named, carried })
    }
}

impl<'a> Carried<'a> {
    fn said(&self, name: &'static str) -> Option<Said<'a>> {
        let (_, text) = self.variables.iter().find(|(variable, _)| *variable == name)?;
        Some(Said { text, by: By::Variable(self.position, name) })
    }
}

/// What is in our own container already, where EKS's webhook, or somebody in its name, may have put it: a literal of its
/// own grammar stays, of a token only beside that token. Whatever else is there does not reach the agent.
fn own<'a>(pod: &Pod<'a>, name: &'static str) -> Option<Said<'a>> {
    let mut ours = pod.containers().filter(|(_, container)| text(container, "name") == CONTAINER);
    ours.find_map(|(position, container)| {
        let has_token = eks::token_of(name).is_none_or(|token| token.is_in(pod));
        let text = eks::value(variable(container, name)?).filter(|_| has_token)?;
        Some(Said { text, by: By::Variable(position, name) })
    })
}

/// EKS's token, and the variables beside it that the agent needs.
fn wanted(identity: Identity, is_named: bool) -> (&'static Token, &'static [&'static str]) {
    match identity {
        Identity::PodIdentity => (&eks::POD_IDENTITY, eks::POD_IDENTITY.variables()),
        _ if is_named => (&eks::IRSA, &[]),
        _ => (&eks::IRSA, eks::IRSA.variables()),
    }
}

fn carry_over<'a>(
    identity: Identity,
    is_named: bool,
    pod: &Pod<'a>,
    chosen: &[Position],
) -> Option<Carried<'a>> {
    let (token, variables) = wanted(identity, is_named);
    let (position, container) = with_token(pod, chosen, token)?;
    let literal = |name: &'static str| Some((name, eks::value(variable(container, name)?)?));
    let variables = eks::region_variables().chain(variables.iter().copied());
    let variables = variables.filter_map(literal).collect();
    let mount = (!is_named).then_some((token.volume, token.directory));
    Some(Carried { variables, mount, position })
}

/// The container in which EKS has mounted its token, a chosen one before the others.
fn with_token<'a>(
    pod: &Pod<'a>,
    chosen: &[Position],
    token: &Token,
) -> Option<(Position, &'a Value)> {
    if !token.is_in(pod) {
        return None;
    }
    let chosen = chosen.iter().map(|position| (*position, pod.container(*position)));
    let others = pod.containers().filter(|(_, container)| text(container, "name") != CONTAINER);
    chosen.chain(others).find(|(_, container)| {
        items(container, "volumeMounts").iter().any(|mount| token.is_mount(mount))
    })
}

fn variable<'a>(container: &'a Value, name: &str) -> Option<&'a Value> {
    items(container, "env").iter().find(|variable| text(variable, "name") == name)
}

#[cfg(test)]
mod tests;
