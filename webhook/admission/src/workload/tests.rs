use serde_json::json;

use super::*;

fn template() -> Value {
    json!({
        "metadata": {"annotations": {"mayfly.dev/inject": "true"}},
        "spec": {"containers": [{"name": "app"}]},
    })
}

fn found(object: &Value) -> Vec<(String, bool)> {
    Templates::of(object).list.into_iter().map(|found| (found.pointer, found.ends)).collect()
}

fn warnings(object: &Value) -> Vec<String> {
    Templates::of(object).warnings().collect()
}

#[test]
fn templates_are_found_wherever_they_are() {
    for (object, places) in [
        (
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "spec": {"template": template()}}),
            &[("/spec/template", false)][..],
        ),
        (
            json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "spec": {"template": template()}}),
            &[("/spec/template", false)],
        ),
        (
            json!({"apiVersion": "apps.openshift.io/v1", "kind": "DeploymentConfig", "spec": {"template": template()}}),
            &[("/spec/template", false)],
        ),
        (
            json!({"apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication", "spec": {
                "driver": {"template": template()}, "executor": {"template": template()},
            }}),
            &[("/spec/driver/template", false), ("/spec/executor/template", false)],
        ),
        (
            json!({"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "spec": {
                "replicatedJobs": [{"name": "a", "template": {"spec": {"template": template()}}}],
            }}),
            &[("/spec/replicatedJobs/0/template/spec/template", true)],
        ),
        (
            json!({"apiVersion": "x/v1", "kind": "X", "spec": {"a/b": {"~": template()}}}),
            &[("/spec/a~1b/~0", false)],
        ),
    ] {
        let places: Vec<(String, bool)> =
            places.iter().map(|(place, ends)| ((*place).to_owned(), *ends)).collect();
        assert_eq!(found(&object), places);
        assert_eq!(warnings(&object), [""; 0]);
        for (pointer, _) in places {
            assert_eq!(object.pointer(&pointer), Some(&template()));
        }
    }
}

/// Of Kubernetes' own kinds nothing but the known place makes pods.
#[test]
fn a_known_kind_has_one_template() {
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": template(), "x": template()}});
    assert_eq!(found(&job), [("/spec/template".to_owned(), true)]);
    assert_eq!(
        warnings(&job),
        [
            "mayfly: `mayfly.dev/inject` has no effect in `spec.x.metadata.annotations`; move it to `spec.template.metadata.annotations`"
        ]
    );
    let without = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {}});
    assert!(found(&without).is_empty() && !Templates::of(&without).is_empty());
}

#[test]
fn what_is_in_vain_is_told_with_its_place() {
    let ours = json!({"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:a"});
    let deployment = |pointer: &str| {
        let mut object = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"annotations": {}, "labels": {}},
            "spec": {"template": {"metadata": {"labels": {}}, "spec": {"containers": [{"name": "a"}], "x": {}}}},
        });
        *object.pointer_mut(pointer).expect(pointer) = ours.clone();
        object
    };
    for (pointer, place) in [
        ("/metadata/annotations", "here"),
        ("/metadata/labels", "in `metadata.labels`"),
        ("/spec/template/metadata/labels", "in `spec.template.metadata.labels`"),
        ("/spec/template/spec/x", "in `spec.template.spec.x`"),
    ] {
        let told = warnings(&deployment(pointer));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(place), "{}", told[0]);
        assert!(
            told[0].ends_with("move it to `spec.template.metadata.annotations`"),
            "{}",
            told[0]
        );
    }
    let cron = json!({"apiVersion": "batch/v1", "kind": "CronJob", "spec": {
        "jobTemplate": {"metadata": {"annotations": ours}, "spec": {"template": {"spec": {}}}},
    }});
    assert!(warnings(&cron)[0].contains("in `spec.jobTemplate.metadata.annotations`"));
    let operator = json!({"apiVersion": "x/v1", "kind": "Kafka", "spec": {"podMetadata": {"annotations": ours}}});
    assert!(warnings(&operator)[0].contains("is in no pod template"), "{:?}", warnings(&operator));
}

#[test]
fn what_is_nobodys_is_passed_over() {
    let last = json!({"kubectl.kubernetes.io/last-applied-configuration": "{\"mayfly.dev/inject\":\"true\"}"});
    for object in [
        json!(null),
        json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"annotations": last}}),
        json!({"kind": "X", "spec": {"template": {"spec": {"containers": []}}}}),
        json!({"kind": "Namespace", "metadata": {"annotations": {"mayfly.dev/default.mode": "init"}}}),
    ] {
        assert!(Templates::of(&object).is_empty(), "{object}");
    }
}

#[test]
fn no_object_has_more_work_than_its_size() {
    let many = json!({"kind": "X", "spec": vec![template(); 1000]});
    let templates = Templates::of(&many);
    assert_eq!(templates.list.len(), MOST_TEMPLATES);
    assert!(templates.warnings().any(|warning| warning.contains("only the first 16")));
    let strays =
        json!({"kind": "X", "spec": vec![json!({"mayfly.dev/x": {"mayfly.dev/x": 1}}); 1000]});
    assert_eq!(warnings(&strays).len(), MOST_STRAYS);
}
