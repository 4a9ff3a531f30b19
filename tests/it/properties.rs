//! What holds for every pod, over pods that nobody wrote. The numbers are those of the test catalogue.

mod pods;
mod restricted;
mod touched;

use json_patch::{PatchOperation, patch};
use mayfly_admission::{
    config::Config,
    names::CONTAINER,
    policy::Directory,
    review::{Decision, Review, review},
};
use mayfly_tests::additive::is_kept;
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use pods::{any_json, any_pod, envelope};

fn decide(pod: &Value) -> Review {
    let config =
        Config::from_yaml("defaults: {vault-address: 'https://vault:8200', vault-role: web}");
    review(
        &config.expect("a configuration"),
        &Directory::default(),
        envelope(pod).to_string().as_bytes(),
    )
}

/// The pod as the API server would store it; nothing, when it is denied.
fn admitted(pod: &Value) -> Option<Value> {
    let review = decide(pod);
    if matches!(review.decision, Decision::Denied(_)) {
        return None;
    }
    let mut after = pod.clone();
    if let Some(operations) = review.patch() {
        patch(&mut after, &operations).expect("a patch that fits what was sent");
    }
    Some(after)
}

fn agents(pod: &Value) -> Vec<&Value> {
    let lists = ["initContainers", "containers"]
        .into_iter()
        .filter_map(|list| pod["spec"][list].as_array());
    lists.flatten().filter(|container| container["name"] == CONTAINER).collect()
}

/// Where additions may be made: volumes, mounts and variables of containers, our container, two annotations.
fn is_ours_to_change(operation: &PatchOperation) -> bool {
    let PatchOperation::Add(add) = operation else { return false };
    let path = add.path.to_string();
    let names: Vec<&str> = path.split('/').skip(1).collect();
    match names.as_slice() {
        [
            "metadata",
            "annotations",
            "kubectl.kubernetes.io~1default-container"
            | "backup.velero.io~1backup-volumes-excludes",
        ]
        | ["spec", "volumes", "-"]
        | ["spec", "volumes" | "initContainers"]
        | ["spec", "initContainers" | "containers", _, "volumeMounts" | "env"]
        | ["spec", "initContainers" | "containers", _, "volumeMounts" | "env", "-"] => true,
        ["spec", "initContainers" | "containers", _] => add.value["name"] == CONTAINER,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    // T24
    #[test]
    fn a_second_and_a_third_look_find_nothing_to_do(pod in any_pod()) {
        if let Some(after) = admitted(&pod) {
            let again = decide(&after);
            prop_assert!(again.patch().is_none(), "{:?} {:?}", again.decision, again.patch());
            prop_assert!(!matches!(again.decision, Decision::Denied(_)), "{:?}", again.decision);
            prop_assert_eq!(admitted(&after), Some(after));
        }
    }

    // T25, T26
    #[test]
    fn everything_that_was_submitted_is_still_there(pod in any_pod()) {
        if let Some(after) = admitted(&pod) {
            prop_assert!(is_kept(&pod, &after), "{}", after);
        }
        if let Some(operations) = decide(&pod).patch() {
            for operation in operations.iter() {
                prop_assert!(is_ours_to_change(operation), "{:?}", operation);
            }
        }
    }

    // T27, T28
    #[test]
    fn no_parent_is_created_twice(pod in any_pod()) {
        let review = decide(&pod);
        let mut lists: Vec<String> = review
            .patch()
            .unwrap_or_default()
            .iter()
            .filter(|operation| matches!(operation, PatchOperation::Add(add) if add.value.is_array()))
            .map(|operation| operation.path().to_string())
            .collect();
        let count = lists.len();
        lists.sort();
        lists.dedup();
        prop_assert_eq!(lists.len(), count);
    }

    // T42
    #[test]
    fn what_is_injected_satisfies_pod_security_restricted(pod in any_pod()) {
        if let Some(after) = admitted(&pod) {
            for agent in agents(&after) {
                prop_assert_eq!(restricted::faults(agent), Vec::<&str>::new());
            }
            for volume in after["spec"]["volumes"].as_array().into_iter().flatten() {
                let ours = volume["name"].as_str().is_some_and(|name| name.starts_with("mayfly-"));
                prop_assert!(!ours || restricted::is_allowed_volume(volume), "{}", volume);
            }
        }
    }

    // T46, T48
    #[test]
    fn no_annotation_of_others_changes_what_is_injected(pod in any_pod(), marker in "[a-z]{1,9}", value in ".{0,9}") {
        let mut marked = pod.clone();
        for key in [format!("example.com/{marker}"), format!("mayfly.example/{marker}")] {
            marked["metadata"]["annotations"][key] = value.clone().into();
        }
        let (one, other) = (decide(&pod), decide(&marked));
        prop_assert_eq!(one.patch(), other.patch());
    }

    // T42
    #[test]
    fn an_agent_that_others_have_touched_satisfies_it_too(pod in any_pod(), touch in touched::harmless()) {
        if let Some(mut after) = admitted(&pod).filter(|after| agents(after).len() == 1) {
            touch.apply(&mut after);
            let again = admitted(&after);
            prop_assert!(again.is_some(), "{:?} is refused: {:?}", touch, decide(&after).decision);
            for agent in agents(&again.unwrap_or_default()) {
                prop_assert_eq!(restricted::faults(agent), Vec::<&str>::new());
            }
        }
    }

    // T47: in our own place, with everything else that is ours
    #[test]
    fn what_is_done_to_our_container_is_undone_or_denied(pod in any_pod(), touch in touched::harmful()) {
        if let Some(mut forged) = admitted(&pod).filter(|after| agents(after).len() == 1) {
            prop_assert!(admitted(&forged).is_some());
            let ours = agents(&forged)[0].clone();
            touch.apply(&mut forged);
            if let Some(again) = admitted(&forged) {
                prop_assert_eq!(agents(&again), vec![&ours], "{:?} stays", touch);
            }
        }
    }

    // T49
    #[test]
    fn no_annotation_changes_the_agents_image_command_or_rights(pod in any_pod()) {
        let after = admitted(&pod).unwrap_or_default();
        let commands = [vec!["run"], vec!["run", "--gate=hook"], vec!["once"]];
        let commands = commands.map(|arguments| json!([vec!["/mayfly-agent"], arguments].concat()));
        for agent in agents(&after) {
            prop_assert_eq!(&agent["image"], &json!(Config::default().agent_image));
            prop_assert!(commands.contains(&agent["command"]));
            prop_assert_eq!(&agent["args"], &Value::Null);
        }
    }

    #[test]
    fn the_same_pod_gets_the_same_bytes(pod in any_pod()) {
        let answers = [decide(&pod).answer().ok(), decide(&pod).answer().ok()];
        prop_assert_eq!(&answers[0], &answers[1]);
    }

    /// Bytes that are nearly a review, because those that are nothing at all are refused by the first of them.
    #[test]
    fn any_bytes_get_an_answer(
        pod in any_pod(),
        noise in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        end in prop::option::of(any::<prop::sample::Index>()),
        after in vec(any::<u8>(), 0..3),
    ) {
        let sent = envelope(&pod).to_string().into_bytes();
        let mut body = sent.clone();
        for (at, byte) in noise {
            let at = at.index(body.len());
            body[at] = byte;
        }
        body.truncate(end.map_or(body.len(), |end| end.index(body.len())));
        body.extend(after);
        let answer = review(&Config::default(), &Directory::default(), &body).answer();
        let asked = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        if let Ok(answer) = &answer {
            let answer: Value = serde_json::from_slice(answer).expect("JSON");
            prop_assert_eq!(&answer["response"]["uid"], &asked["request"]["uid"]);
            prop_assert!(answer["response"]["allowed"].is_boolean(), "{}", answer);
        }
        prop_assert!(!asked.is_null() || answer.is_err(), "an answer to no question");
        prop_assert!(body != sent || answer.is_ok(), "no answer to {}", asked);
    }

    #[test]
    fn any_object_gets_an_answer(metadata in any_json(), spec in any_json()) {
        let mut pod = json!({"metadata": metadata, "spec": spec});
        decide(&pod).answer().expect("an answer");
        pod["metadata"] = json!({"annotations": {"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:a"}});
        decide(&pod).answer().expect("an answer");
    }

    // T65
    #[test]
    fn any_annotation_gets_an_answer_that_prints(name in "[a-z.-]{1,20}", value in any::<String>()) {
        let annotations = json!({"mayfly.dev/inject": "true", format!("mayfly.dev/{name}"): value, "mayfly.dev/file.b": value});
        let pod = json!({"metadata": {"annotations": annotations}, "spec": {"containers": [{"name": "app"}]}});
        let review = decide(&pod);
        if let Decision::Denied(faults) = &review.decision {
            let printable = |character: char| character == '\n' || !character.is_control();
            prop_assert!(faults.to_string().chars().all(printable));
        }
        review.answer().expect("an answer");
    }
}
