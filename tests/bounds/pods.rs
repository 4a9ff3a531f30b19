//! Bodies that nobody wrote: a few shapes, each repeated without restraint, wherever a pod has a list.

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};

use mayfly_tests::crowds::envelope;

/// Where a pod has lists and objects that somebody looks at.
const PLACES: [&str; 9] = [
    "containers",
    "initContainers",
    "volumes",
    "env",
    "volumeMounts",
    "tolerations",
    "labels",
    "annotations",
    "managedFields",
];

/// Up to two mebibytes of hostility.
pub(crate) fn hostile() -> impl Strategy<Value = Vec<u8>> {
    vec((select(PLACES.to_vec()), shape(), any::<Index>()), 1..4).prop_map(|parts| {
        let lists: Vec<String> = parts
            .iter()
            .map(|(place, shape, count)| {
                let count = count.index(600_000 / shape.len().max(1)) + 1;
                let items = vec![shape.as_str(); count].join(",");
                member(place, &items)
            })
            .collect();
        envelope(&pod(&parts_of(&lists, true), &parts_of(&lists, false))).into_bytes()
    })
}

fn member(place: &str, items: &str) -> String {
    match place {
        "labels" | "annotations" => {
            let members = items.split("},{").enumerate().map(|(number, _)| {
                format!(r#""mayfly.dev/file.k{number}":"aws-sm:a","k{number}":"v""#)
            });
            let members: Vec<String> = members.take(40_000).collect();
            format!(r#"M"{place}":{{{}}}"#, members.join(","))
        }
        "managedFields" => format!(r#"M"{place}":[{items}]"#),
        "env" | "volumeMounts" => format!(r#""containers":[{{"name":"c","{place}":[{items}]}}]"#),
        place => format!(r#""{place}":[{items}]"#),
    }
}

/// The members of the metadata, or those of the spec.
fn parts_of(lists: &[String], metadata: bool) -> String {
    let mine = lists.iter().filter(|list| list.starts_with('M') == metadata);
    mine.map(|list| list.trim_start_matches('M')).collect::<Vec<_>>().join(",")
}

fn pod(metadata: &str, spec: &str) -> String {
    let annotations =
        r#""annotations":{"mayfly.dev/inject":"true","mayfly.dev/file.a":"aws-sm:a"}"#;
    let metadata = if metadata.contains(r#""annotations""#) || metadata.is_empty() {
        if metadata.is_empty() { annotations.to_owned() } else { metadata.to_owned() }
    } else {
        format!("{annotations},{metadata}")
    };
    let containers =
        if spec.contains(r#""containers""#) { "" } else { r#""containers":[{"name":"a"}]"# };
    let comma = if containers.is_empty() || spec.is_empty() { "" } else { "," };
    format!(r#"{{"metadata":{{{metadata}}},"spec":{{{containers}{comma}{spec}}}}}"#)
}

fn shape() -> impl Strategy<Value = String> {
    let name = select(vec!["a", "mayfly-agent", "mayfly-secrets", "aws-iam-token", "istio-proxy"]);
    prop_oneof![
        Just("{}".to_owned()),
        name.clone().prop_map(|name| format!(r#"{{"name":"{name}"}}"#)),
        name.clone().prop_map(|name| format!(r#"{{"name":"{name}","value":"v"}}"#)),
        name.clone().prop_map(|name| format!(r#"{{"name":"{name}","mountPath":"/run/mayfly/x"}}"#)),
        name.prop_map(|name| format!(r#"{{"name":"{name}","env":[{{"name":"A","valueFrom":{{"fieldRef":{{"fieldPath":"metadata.name"}}}}}}]}}"#)),
        "[a-z]{1,40}".prop_map(|text| format!(r#"{{"{text}":{{"{text}":["{text}"]}}}}"#)),
        Just(r#"{"a":{"a":{"a":{"a":{}}}}}"#.to_owned()),
    ]
}
