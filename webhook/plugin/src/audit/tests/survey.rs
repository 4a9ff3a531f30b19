use serde_json::{Value, json};

use super::super::{
    metrics,
    report::Report,
    survey::{Finding, FindingKind, Survey},
};
use mayfly_admission::{config::Config, policy::Directory};

fn config() -> Config {
    Config { agent_image: "mayfly-agent:2".to_owned(), ..Config::default() }
}

/// A pod of a `ReplicaSet`, with `annotations` and perhaps an agent of that image.
fn pod(name: &str, annotations: Value, agent: Option<&str>) -> Value {
    let agent: Vec<Value> =
        agent.iter().map(|image| json!({"name": "mayfly-agent", "image": image})).collect();
    json!({
        "metadata": {
            "name": name,
            "namespace": "shop",
            "annotations": annotations,
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-1", "controller": true}],
        },
        "spec": {"initContainers": agent, "containers": [{"name": "app"}]},
        "status": {"phase": "Running"},
    })
}

fn asking() -> Value {
    json!({"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:a"})
}

fn survey(pods: &[Value], workloads: &[Value]) -> Vec<Finding> {
    let config = config();
    let mut survey = Survey::new(&config, Directory::default());
    for pod in pods {
        survey.pod(pod);
    }
    for workload in workloads {
        survey.workload(workload.clone());
    }
    survey.finish()
}

#[test]
fn a_pod_as_it_should_be_is_counted_and_not_found() {
    let config = config();
    let mut survey = Survey::new(&config, Directory::default());
    survey.pod(&pod("a", asking(), Some("mayfly-agent:2")));
    survey.pod(&pod("b", json!({}), None));
    let pods = survey.pods();
    assert_eq!((pods.live, pods.asking, pods.with_agent), (2, 1, 1));
    assert_eq!(survey.tenants().iter().collect::<Vec<_>>(), ["shop"]);
    assert_eq!(survey.finish(), []);
}

#[test]
fn the_pods_of_one_owner_are_one_finding() {
    let pods: Vec<Value> =
        (0..3).map(|number| pod(&format!("p{number}"), asking(), None)).collect();
    let [finding] = survey(&pods, &[]).try_into().expect("one finding");
    assert_eq!((finding.kind, finding.pods), (FindingKind::NoAgent, 3));
    assert_eq!((&*finding.namespace, &*finding.object), ("shop", "ReplicaSet/web-1"));
}

#[test]
fn another_agent_than_the_webhooks_is_named_beside_it() {
    let [finding] =
        survey(&[pod("a", asking(), Some("mayfly-agent:1"))], &[]).try_into().expect("one finding");
    assert_eq!(finding.kind, FindingKind::OtherAgent);
    for image in ["mayfly-agent:1", "mayfly-agent:2"] {
        assert!(finding.detail.contains(image), "{}", finding.detail);
    }
}

#[test]
fn without_the_webhooks_configuration_images_are_not_compared() {
    let config = Config { agent_image: String::new(), ..Config::default() };
    let mut survey = Survey::new(&config, Directory::default());
    survey.pod(&pod("a", asking(), Some("mayfly-agent:1")));
    assert_eq!(survey.finish(), []);
}

#[test]
fn an_unknown_annotation_is_found_with_what_it_may_have_been_meant_for() {
    let annotations = json!({"Mayfly.dev/Injcet": "true", "example.com/injcet": "true"});
    let [finding] = survey(&[pod("a", annotations, None)], &[]).try_into().expect("one finding");
    assert_eq!(finding.kind, FindingKind::UnknownAnnotation);
    assert!(finding.detail.contains("Injcet") && finding.detail.contains("inject"), "{finding:?}");
}

#[test]
fn those_that_have_ended_or_are_switched_off_are_not_looked_at() {
    let mut ended = pod("a", asking(), None);
    ended["status"]["phase"] = json!("Succeeded");
    let off = pod("b", json!({"mayfly.dev/inject": "false"}), None);
    assert_eq!(survey(&[ended, off], &[]), []);
}

#[test]
fn a_workload_is_found_by_what_its_pods_would_be_refused_for() {
    let deployment = |annotations: Value, own: Value| {
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop", "annotations": own},
            "spec": {"template": {
                "metadata": {"annotations": annotations},
                "spec": {"containers": [{"name": "app"}]},
            }},
        })
    };
    let faulty = json!({"mayfly.dev/inject": "true", "mayfly.dev/mode": "x", "mayfly.dev/file.a": "aws-sm:a"});
    let found =
        survey(&[], &[deployment(faulty.clone(), json!({})), deployment(asking(), json!({}))]);
    let [finding] = found.try_into().expect("one finding");
    assert_eq!((finding.kind, &*finding.object), (FindingKind::WouldBeRefused, "Deployment/web"));
    assert!(finding.detail.starts_with("`mayfly.dev/mode`"), "{}", finding.detail);
    let [finding] =
        survey(&[], &[deployment(json!({}), asking())]).try_into().expect("one finding");
    assert_eq!(finding.kind, FindingKind::Misplaced);
    let mut rollout = deployment(faulty.clone(), json!({}));
    (rollout["apiVersion"], rollout["kind"]) = (json!("argoproj.io/v1alpha1"), json!("Rollout"));
    let [finding] = survey(&[], &[rollout]).try_into().expect("one finding");
    assert_eq!((finding.kind, &*finding.object), (FindingKind::WouldBeRefused, "Rollout/web"));
    let mut owned = deployment(faulty, json!({}));
    owned["metadata"]["ownerReferences"] = json!([{"kind": "X", "name": "y", "controller": true}]);
    assert_eq!(survey(&[], &[owned]), []);
}

#[test]
fn numbers_are_told_to_prometheus_without_names() {
    let config = config();
    let mut survey = Survey::new(&config, Directory::default());
    survey.pod(&pod("a", asking(), None));
    let pods = survey.pods();
    let report = Report { pods, findings: survey.finish(), ..Report::default() };
    let text = metrics::render(&report);
    for line in [
        "mayfly_audit_pods{state=\"asking\"} 1\n",
        "mayfly_audit_pods{state=\"with-agent\"} 0\n",
        "mayfly_audit_findings{kind=\"no-agent\"} 1\n",
        "mayfly_audit_findings{kind=\"other-agent\"} 0\n",
    ] {
        assert!(text.contains(line), "{text} lacks {line}");
    }
    assert!(!text.contains("shop"), "{text}");
}
