//! Pod Security's level *restricted*, as far as it concerns a container, written down a second time.

use serde_json::Value;

const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// The fields in which `container` does not comply.
pub(super) fn faults(container: &Value) -> Vec<&'static str> {
    let context = &container["securityContext"];
    let rules = [
        ("privileged", context["privileged"] != true),
        ("allowPrivilegeEscalation", context["allowPrivilegeEscalation"] == false),
        ("runAsNonRoot", context["runAsNonRoot"] == true),
        ("runAsUser", context["runAsUser"].is_null() || context["runAsUser"].as_u64() > Some(0)),
        ("capabilities.drop", context["capabilities"]["drop"] == serde_json::json!(["ALL"])),
        ("capabilities.add", context["capabilities"]["add"].is_null()),
        ("seccompProfile", context["seccompProfile"]["type"] == "RuntimeDefault"),
        ("procMount", context["procMount"].is_null()),
        ("hostPort", container["ports"].is_null()),
        ("host probes", container["startupProbe"]["httpGet"].is_null()),
        ("readOnlyRootFilesystem", context["readOnlyRootFilesystem"] == true),
    ];
    rules.into_iter().filter(|(_, complies)| !complies).map(|(rule, _)| rule).collect()
}

/// Whether the volume is of a type that is allowed.
pub(super) fn is_allowed_volume(volume: &Value) -> bool {
    let mut types = volume
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
        .filter(|name| *name != "name");
    types.all(|name| VOLUMES.contains(&name.as_str()))
}
