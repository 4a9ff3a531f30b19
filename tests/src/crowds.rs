//! Bodies that cost much to whoever reads them carelessly, each seen to do so once: material for tests and benchmarks.

use std::fmt::Write;

use serde_json::{Value, json};

/// The API server's limit for a request.
const LARGEST: usize = 3 * 1024 * 1024;

/// Every crowd by its name: the body of a review.
#[must_use]
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let pods = pods().into_iter().map(|(name, pod)| (name, envelope(&pod).into_bytes()));
    let raw = raw().into_iter().flat_map(|(name, text)| {
        [(name, text.clone().into_bytes()), (name, envelope(&text).into_bytes())]
    });
    pods.chain(raw).collect()
}

/// Those that are a pod, as an author may send it to the API server.
#[must_use]
pub fn pods() -> Vec<(&'static str, String)> {
    vec![
        ("aliases", annotated(&[("files", aliases())])),
        ("long words for a suggestion", words()),
        ("variables of path-env", annotated(&[("path-env", "A=b,".repeat(500_000))])),
        ("tolerations", spec("tolerations", &"{},".repeat(990_000))),
        ("an agent with variables", agent()),
        ("variables by variables", variables()),
        ("names of containers", annotated(&[("containers", "a,".repeat(120_000))])),
        ("regions", annotated(&[("aws-failover-regions", "eu-west-1,".repeat(25_000))])),
        ("files", files()),
        ("unknown annotations", keys("x", "")),
        ("file annotations", keys("file.x", "aws-sm:a")),
        ("deep YAML", annotated(&[("files", "[".repeat(200_000))])),
        ("wide YAML", annotated(&[("files", "- {a: b}\n".repeat(28_000))])),
        (
            "a long path",
            annotated(&[(
                "files",
                format!("- {{path: '{}', from: 'vault:a/b#c'}}", "a/".repeat(100_000)),
            )]),
        ),
        ("a long reference", annotated(&[("file.a", format!("aws-sm:{}", "%41".repeat(80_000)))])),
        ("references in templates", templates("{{secret('vault:a/b#N')}}")),
        ("parts of templates", templates("{{[1,1,1,1]}}")),
        ("tags of templates", templates("{%if 1%}")),
        ("a long template", annotated(&[("template.a", "{{".repeat(100_000))])),
        ("labels", labels()),
        ("containers", spec("containers", &r#"{"name":"a"},"#.repeat(200_000))),
        ("containers with path-env", many_containers()),
        ("mounts of ours", mounts()),
    ]
}

/// JSON that is no review, and the same as a review's object.
fn raw() -> Vec<(&'static str, String)> {
    vec![
        ("objects in objects", r#"{"a":"#.repeat(500_000)),
        ("members", format!("{{{}}}", r#""a":{"a":0},"#.repeat(250_000))),
        ("numbers", format!("[{}0]", "0,".repeat(1_500_000))),
        ("quotes", "\"".repeat(LARGEST)),
        ("texts", format!("[{}0]", r#""a","#.repeat(780_000))),
    ]
}

/// The creation of `pod`, as the API server asks about it.
#[must_use]
pub fn envelope(pod: &str) -> String {
    format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","kind":{{"group":"","version":"v1","kind":"Pod"}},"operation":"CREATE","namespace":"default","object":{pod}}}}}"#
    )
}

fn pod(annotations: &Value, spec: &Value) -> String {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "hostile", "annotations": annotations}, "spec": spec}).to_string()
}

fn annotated(annotations: &[(&str, String)]) -> String {
    let mut all = json!({"mayfly.dev/inject": "true", "mayfly.dev/file.b": "aws-sm:b"});
    for (name, value) in annotations {
        all[format!("mayfly.dev/{name}")] = value.as_str().into();
    }
    pod(&all, &json!({"containers": [{"name": "a"}]}))
}

/// A pod with templates as long as they may be, made of one piece; an `N` in it is a number.
fn templates(piece: &str) -> String {
    let text = |template: usize| {
        let pieces = 0..60_000 / (piece.len() + 4);
        pieces.map(|at| piece.replace('N', &(template * 10_000 + at).to_string())).collect()
    };
    let names = ["template.a", "template.b", "template.c", "template.d"];
    let all: Vec<(&str, String)> =
        names.iter().enumerate().map(|(at, name)| (*name, text(at))).collect();
    annotated(&all)
}

/// A pod whose list `field` holds `items`, which end with a comma.
fn spec(field: &str, items: &str) -> String {
    let items = items.trim_end_matches(',');
    let containers = if field == "containers" { "" } else { r#""containers":[{"name":"a"}],"# };
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"hostile","annotations":{{"mayfly.dev/inject":"true","mayfly.dev/file.b":"aws-sm:b"}}}},"spec":{{{containers}"{field}":[{items}]}}}}"#
    )
}

fn aliases() -> String {
    let mut list = format!("- &a {{path: x, from: 'aws-sm:{}'}}\n", "y".repeat(18_000));
    list.push_str(&"- *a\n".repeat(3500));
    list
}

fn words() -> String {
    let annotations = json!({
        "mayfly.dev/inject": "true", "mayfly.dev/file.b": "aws-sm:b",
        "mayfly.dev/containers": "a".repeat(160_000),
    });
    pod(&annotations, &json!({"containers": [{"name": "b".repeat(160_000)}]}))
}

fn numbered(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(|number| item(number) + ",").collect()
}

fn agent() -> String {
    let variables = numbered(30_000, |number| format!(r#"{{"name":"DD_{number}","value":"x"}}"#));
    let variables = variables.trim_end_matches(',');
    let container = format!(
        r#"{{"name":"mayfly-agent","env":[{variables}],"command":["/mayfly-agent","run"]}}"#
    );
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"hostile","annotations":{{"mayfly.dev/inject":"true","mayfly.dev/file.b":"aws-sm:b"}}}},"spec":{{"containers":[{{"name":"a"}}],"initContainers":[{container}]}}}}"#
    )
}

fn variables() -> String {
    let env = numbered(25_000, |number| format!(r#"{{"name":"V{number}","value":"x"}}"#));
    let pairs = numbered(20_000, |number| format!("V{number}=b"));
    let (env, pairs) = (env.trim_end_matches(','), pairs.trim_end_matches(','));
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"hostile","annotations":{{"mayfly.dev/inject":"true","mayfly.dev/file.b":"aws-sm:b","mayfly.dev/path-env":"{pairs}"}}}},"spec":{{"containers":[{{"name":"a","env":[{env}]}}]}}}}"#
    )
}

fn files() -> String {
    let mut list = String::new();
    for number in 0..6000 {
        let _ = writeln!(list, "- {{path: f{number}, from: 'aws-sm:s{number}'}}");
    }
    annotated(&[("files", list)])
}

fn keys(name: &str, value: &str) -> String {
    let mut annotations = json!({"mayfly.dev/inject": "true"});
    for number in 0..9000 {
        annotations[format!("mayfly.dev/{name}{number}")] = value.into();
    }
    pod(&annotations, &json!({"containers": [{"name": "a"}]}))
}

fn labels() -> String {
    let labels = numbered(100_000, |number| format!(r#""l{number}":"v""#));
    let labels = labels.trim_end_matches(',');
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"hostile","labels":{{{labels}}},"annotations":{{"mayfly.dev/inject":"true","mayfly.dev/file.b":"aws-sm:b"}}}},"spec":{{"containers":[{{"name":"a"}}]}}}}"#
    )
}

fn many_containers() -> String {
    let pairs = numbered(2000, |number| format!("V{number}=b"));
    let containers = numbered(400, |number| format!(r#"{{"name":"c{number}"}}"#));
    let (pairs, containers) = (pairs.trim_end_matches(','), containers.trim_end_matches(','));
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"hostile","annotations":{{"mayfly.dev/inject":"true","mayfly.dev/file.b":"aws-sm:b","mayfly.dev/path-env":"{pairs}"}}}},"spec":{{"containers":[{containers}]}}}}"#
    )
}

fn mounts() -> String {
    let mount =
        r#"{"name":"mayfly-secrets","mountPath":"/run/mayfly","subPath":"x"},"#.repeat(40_000);
    let mount = mount.trim_end_matches(',');
    spec("containers", &format!(r#"{{"name":"a","volumeMounts":[{mount}]}},"#))
}
