//! Where the agent of the mode `parallel` stands: regular containers are started in their order, and the hook of one
//! holds back those behind it.
//!
//! PURE. So it comes just before the first container that is to have the files, and what stands before that one, a proxy
//! say, is not held back. If there is none to hold back, it comes last.

use std::collections::BTreeSet;

use super::{chosen::is_gateway, placement::Placement};
use crate::{
    config::Config,
    fault::{Fault, quote},
    pod::{List, Pod, Position, text},
    settings::Annotation,
};

/// By these the author has some traffic go past the mesh's proxy.
const PAST_THE_PROXY: [&str; 6] = [
    "traffic.sidecar.istio.io/excludeOutboundIPRanges",
    "traffic.sidecar.istio.io/excludeOutboundPorts",
    "traffic.sidecar.istio.io/includeOutboundIPRanges",
    "traffic.sidecar.istio.io/includeOutboundPorts",
    "config.linkerd.io/skip-outbound-ports",
    "config.linkerd.io/skip-subnets",
];

/// Tools that change the first container unless they are told another: by what their annotations begin with.
const INSTRUMENTS: [&str; 2] =
    ["instrumentation.opentelemetry.io/", "instrumentation.newrelic.com/"];

/// The agent's place among the regular containers; `None` where it goes among the others.
pub(super) fn settle(
    placement: Placement,
    pod: &Pod<'_>,
    config: &Config,
    chosen: &[Position],
) -> Placement {
    if placement.list != List::Regular {
        return placement;
    }
    let proxies = proxies(pod, config);
    let waits =
        |position: &&Position| position.list == List::Regular && !proxies.contains(&position.index);
    let last = pod.list(List::Regular).len();
    placement.at(chosen.iter().find(waits).map_or(last, |position| position.index))
}

/// Why the agent cannot be right there.
pub(super) fn refuse(placement: Placement, pod: &Pod<'_>, config: &Config) -> Option<Fault> {
    let position = placement.position();
    if position.list != List::Regular {
        return None;
    }
    let message = behind(position, pod, config).or_else(|| instrumented(position, pod))?;
    Some(Fault::new(Annotation::Mode.to_string(), message))
}

/// A proxy that the agent has to talk through, and holds back.
fn behind(position: Position, pod: &Pod<'_>, config: &Config) -> Option<String> {
    if PAST_THE_PROXY.iter().any(|name| pod.annotation(name).is_some()) {
        return None;
    }
    let index = *proxies(pod, config).range(position.index..).next()?;
    let proxy = Position { index, ..position };
    Some(format!(
        "`parallel` holds back what comes after the agent, and with it `{}`, which the agent has to talk through; have the proxy come first (Istio: `holdApplicationUntilProxyStarts`, Linkerd: `proxy-await`), or use `sidecar`",
        quote(text(pod.container(proxy), "name"))
    ))
}

/// A tool that would take the agent for the app.
fn instrumented(position: Position, pod: &Pod<'_>) -> Option<String> {
    let annotations = pod.all_annotations().filter(|_| position.index == 0)?;
    let of = |tool: &str| {
        let mut suffixes = annotations.iter().filter_map(|(key, value)| {
            Some((key.strip_prefix(tool)?, value)).filter(|(_, value)| *value != "false")
        });
        let names = suffixes.clone().any(|(suffix, _)| suffix.contains("container-name"));
        suffixes.find(|(suffix, _)| !names && suffix.starts_with("inject-"))
    };
    let (tool, suffix) = INSTRUMENTS.iter().find_map(|tool| Some((tool, of(tool)?.0)))?;
    Some(format!(
        "`parallel` makes the agent the first container, and `{}` is for the first unless `{tool}container-names` says another; name yours there, or use `sidecar`",
        quote(&format!("{tool}{suffix}"))
    ))
}

/// Where the mesh's containers are, in a pod that is not the mesh's.
fn proxies(pod: &Pod<'_>, config: &Config) -> BTreeSet<usize> {
    if is_gateway(config, pod) {
        return BTreeSet::new();
    }
    let containers = pod.list(List::Regular).iter().enumerate();
    let is_proxy = |container| config.is_mesh_sidecar(text(container, "name"));
    containers.filter(|(_, container)| is_proxy(container)).map(|(index, _)| index).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{injection::placement::place, names::CONTAINER};
    use mayfly_spec::spec::Mode;

    /// Where the agent comes among containers of these names, of which some are to have the files.
    fn placed(names: &[&str], chosen: &[usize], annotations: &Value) -> Result<usize, String> {
        let containers: Vec<Value> = names
            .iter()
            .map(|name| match *name {
                CONTAINER => json!({"name": name, "command": ["/mayfly-agent"], "env": [{"name": "MAYFLY_CONFIG"}]}),
                name => json!({"name": name}),
            })
            .collect();
        let pod =
            json!({"metadata": {"annotations": annotations}, "spec": {"containers": containers}});
        let (pod, config) = (Pod::read(&pod).expect("a pod"), Config::default());
        let chosen: Vec<Position> =
            chosen.iter().map(|&index| Position { list: List::Regular, index }).collect();
        let placement = place(Mode::Parallel, &pod, &config).expect("a place");
        let placement = settle(placement, &pod, &config, &chosen);
        match refuse(placement, &pod, &config) {
            Some(fault) => Err(fault.to_string()),
            None => Ok(placement.position().index),
        }
    }

    #[test]
    fn the_agent_comes_just_before_who_waits_for_it() {
        let none = json!({});
        for (names, chosen, index) in [
            (&["app"][..], &[0][..], 0),
            (&["istio-proxy", "app"], &[1], 1),
            (&["tunnel", "app", "worker"], &[1, 2], 1),
            // The proxy has to be first, whoever else the author named.
            (&["istio-proxy", "app"], &[0, 1], 1),
            (&["istio-proxy", "app"], &[0], 2),
            (&["app"], &[], 1),
            (&["istio-proxy"], &[0], 0),
        ] {
            assert_eq!(placed(names, chosen, &none), Ok(index), "{names:?} {chosen:?}");
        }
    }

    #[test]
    fn a_proxy_that_would_wait_for_the_agent_is_refused() {
        for (names, chosen) in [
            (&["app", "istio-proxy"][..], &[0][..]),
            (&["linkerd-proxy", "app", "istio-proxy"], &[1]),
            (&[CONTAINER, "linkerd-proxy", "app"], &[2]),
        ] {
            let fault = placed(names, chosen, &json!({})).expect_err("a fault");
            assert!(fault.contains("proxy`, which the agent has to talk through"), "{fault}");
        }
        assert_eq!(placed(&["linkerd-proxy", CONTAINER, "app"], &[2], &json!({})), Ok(1));
        let past = json!({"config.linkerd.io/skip-outbound-ports": "443"});
        assert_eq!(placed(&["app", "linkerd-proxy"], &[0], &past), Ok(0));
    }

    #[test]
    fn a_tool_that_would_instrument_the_agent_is_refused() {
        let java = "instrumentation.opentelemetry.io/inject-java";
        let fault = placed(&["app"], &[0], &json!({java: "true"})).expect_err("a fault");
        assert!(
            fault.contains("unless `instrumentation.opentelemetry.io/container-names`"),
            "{fault}"
        );
        let named =
            json!({java: "true", "instrumentation.opentelemetry.io/container-names": "app"});
        assert_eq!(placed(&["app"], &[0], &named), Ok(0));
        let of_java =
            json!({java: "true", "instrumentation.opentelemetry.io/java-container-names": "app"});
        assert_eq!(placed(&["app"], &[0], &of_java), Ok(0));
        assert_eq!(placed(&["app"], &[0], &json!({java: "false"})), Ok(0));
        assert_eq!(placed(&["web", "app"], &[1], &json!({java: "true"})), Ok(1));
    }
}
