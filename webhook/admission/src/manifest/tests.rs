use serde_json::json;

use super::*;

fn admit_json(object: &Value) -> Result<Admitted, ManifestError> {
    admit(&Config::default(), &Namespace::named("default"), &object.to_string())
}

#[test]
fn the_documents_together_are_the_file() {
    for text in [
        "",
        "a: 1",
        "---\na: 1\n",
        "a: 1\n---\nb: |\n  ---\n--- # c\nd\n",
        "----\n",
        "---\n---\n",
        "--- {a: 1}\n",
    ] {
        let documents = Document::split(text);
        assert_eq!(documents.iter().map(Document::text).collect::<String>(), text);
    }
    assert_eq!(Document::split("a: 1\n---\nb: 2\n---\nc: 3\n").len(), 3);
    assert_eq!(Document::split("---\na: |\n  ---\n  b\n").len(), 1);
}

#[test]
fn a_stream_of_json_stays_several_documents() {
    let pod = |name: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "annotations": {"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:a"}},
            "spec": {"containers": [{"name": "app"}]},
        })
    };
    let text = format!("--- {}\n---\t{}\n--- {{a: 1}}\n# c\n---\n{}", pod("x"), pod("y"), pod("z"));
    let config = Config::default();
    let admitted = admit(&config, &Namespace::named("default"), &text).expect("a stream").text;
    let documents = Document::split(&admitted);
    assert_eq!(documents.len(), 4, "{admitted}");
    let names = documents.iter().map(|one| one.parse().expect("YAML")["metadata"]["name"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["x".into(), "y".into(), Value::Null, "z".into()]);
    let again = admit(&config, &Namespace::named("default"), &admitted).expect("its own output");
    assert_eq!(again.text, admitted);
}

#[test]
fn every_workload_has_a_pod() {
    let template = json!({
        "metadata": {"annotations": {"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:a"}},
        "spec": {"containers": [{"name": "app"}]},
    });
    let spec = json!({"template": template});
    for (version, kind) in [
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("v1", "ReplicationController"),
        ("batch/v1", "Job"),
    ] {
        let object =
            json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, "spec": spec});
        let text = admit_json(&object).expect(kind).text;
        assert!(text.contains("name: mayfly-agent"), "{kind}: {text}");
    }
    let cron_job = json!({"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {"spec": spec}}});
    assert!(admit_json(&cron_job).expect("a CronJob").text.contains("name: mayfly-agent"));
    let pod_template = json!({"apiVersion": "v1", "kind": "PodTemplate", "template": template});
    assert!(admit_json(&pod_template).expect("a PodTemplate").text.contains("name: mayfly-agent"));
}

#[test]
fn a_template_without_containers_is_none() {
    let object = json!({
        "apiVersion": "batch.example.com/v1",
        "kind": "Job",
        "spec": {"template": {"metadata": {"annotations": {"mayfly.dev/inject": "nonsense"}}}},
    });
    let admitted = admit_json(&object).expect("untouched");
    assert_eq!(admitted.text, object.to_string());
    assert!(admitted.warnings[0].contains("is in no pod template"), "{:?}", admitted.warnings);
}
