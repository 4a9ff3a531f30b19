use serde_json::json;

use super::*;

/// The creation of a Deployment whose pods have `annotations`, with `changes` at their pointers in the object.
fn foresee(annotations: &Value, changes: &[(&str, Value)]) -> Review {
    let mut object = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "annotations": {}, "ownerReferences": []},
        "spec": {"template": {
            "metadata": {"annotations": annotations},
            "spec": {"containers": [{"name": "app"}]},
        }},
    });
    for (pointer, value) in changes {
        *object.pointer_mut(pointer).expect(pointer) = value.clone();
    }
    let review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "u-1",
            "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
            "operation": "UPDATE",
            "namespace": "default",
            "name": "web",
            "object": object,
        },
    });
    forecast(&Config::default(), &Directory::default(), review.to_string().as_bytes())
}

fn sound() -> Value {
    json!({"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:a"})
}

#[test]
fn the_pods_faults_are_warnings_and_the_workload_is_allowed() {
    let faulty =
        json!({"mayfly.dev/inject": "true", "mayfly.dev/mode": "x", "mayfly.dev/fiel.a": "y"});
    let review = foresee(&faulty, &[]);
    assert_eq!((review.decision.name(), review.decision.reason()), ("forecast", "refused"));
    assert!(review.patch().is_none());
    let answer: Value = serde_json::from_slice(&review.answer().expect("an answer")).expect("JSON");
    assert_eq!(answer["response"]["allowed"], true);
    let warnings = answer["response"]["warnings"].as_array().expect("warnings");
    let begin = "mayfly: the pods of this Deployment will be refused: `mayfly.dev/";
    assert!(warnings.len() >= 2, "{warnings:?}");
    assert!(warnings.iter().all(|warning| warning.as_str().expect("text").starts_with(begin)));
}

#[test]
fn sound_pods_are_passed_over_in_silence_and_doubtful_ones_with_their_warnings() {
    let review = foresee(&sound(), &[]);
    assert_eq!((review.decision.reason(), review.warnings.len()), ("admitted", 0));
    let spec = json!({"hostPID": true, "containers": [{"name": "app"}]});
    let review = foresee(&sound(), &[("/spec/template/spec", spec)]);
    assert!(review.warnings[0].contains("hostPID"), "{:?}", review.warnings);
}

#[test]
fn annotations_on_the_workload_are_told_to_move() {
    let review = foresee(&json!({}), &[("/metadata/annotations", sound())]);
    assert_eq!(review.decision.reason(), "misplaced");
    let warning = &review.warnings[0];
    assert!(warning.contains("move it to `spec.template.metadata.annotations`"), "{warning}");
}

#[test]
fn what_concerns_nobody_is_allowed_in_silence() {
    let owner = json!([{"kind": "Deployment", "name": "web", "controller": true}]);
    let faulty = json!({"mayfly.dev/inject": "maybe"});
    for (annotations, changes, reason) in [
        (json!({"example.com/x": "y"}), vec![], "not-annotated"),
        (json!({"mayfly.dev/inject": "false"}), vec![], "switched-off"),
        (faulty.clone(), vec![("/metadata/ownerReferences", owner)], "owned"),
        (
            json!({}),
            vec![("/apiVersion", json!("example.com/v1")), ("/spec", json!({}))],
            "not-a-workload",
        ),
        (sound(), vec![("/spec/template", json!(null))], "not-annotated"),
    ] {
        let review = foresee(&annotations, &changes);
        assert_eq!((review.decision.reason(), &*review.warnings), (reason, &[] as &[String]));
        review.answer().expect("an answer");
    }
}

#[test]
fn any_kind_that_has_a_template_is_a_workload() {
    let rollout = [("/apiVersion", json!("argoproj.io/v1alpha1")), ("/kind", json!("Rollout"))];
    let review = foresee(&json!({"mayfly.dev/inject": "maybe"}), &rollout);
    assert_eq!(review.decision.reason(), "refused");
    assert!(review.warnings[0].contains("the pods of this Rollout"), "{:?}", review.warnings);
    assert_eq!(foresee(&sound(), &rollout).decision.reason(), "admitted");
    let good =
        json!({"metadata": {"annotations": sound()}, "spec": {"containers": [{"name": "app"}]}});
    let mut bad = good.clone();
    bad["metadata"]["annotations"]["mayfly.dev/mode"] = json!("x");
    let [version, kind] = rollout;
    let review = foresee(&sound(), &[version, kind, ("/spec", json!([good, bad, good]))]);
    assert_eq!((review.decision.reason(), review.warnings.len()), ("refused", 1));
}

#[test]
fn a_deletion_has_no_object_and_an_answer() {
    let review = foresee(&sound(), &[("", Value::Null)]);
    assert_eq!(review.decision.reason(), "not-a-workload");
    assert!(review.answer().is_ok());
}

#[test]
fn a_flood_of_faults_is_cut() {
    let faulty: serde_json::Map<String, Value> =
        (0..100).map(|number| (format!("mayfly.dev/x{number}"), json!(""))).collect();
    assert_eq!(foresee(&faulty.into(), &[]).warnings.len(), MOST_WARNINGS);
}
