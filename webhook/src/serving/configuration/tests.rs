use std::path::PathBuf;

use serde_json::json;

use super::*;
use mayfly_admission::{policy::Namespace, review::review};

const RULE: &str = "policy: {rules: [{name: none, references: []}]}";

/// A keeper of a file in a folder of its own, with the usual configuration in force.
fn keeper(file: PathBuf) -> Keeper {
    let operator = OperatorArgs { config: Some(file), agent_image: Some("agent:x".to_owned()) };
    let in_force = InForce::new(Config::default());
    Keeper::new(operator, in_force, Arc::default(), Watching::new(Some("/nowhere".into())))
}

fn look(keeper: &mut Keeper) {
    keeper.look();
    keeper.take();
}

fn metric(keeper: &Keeper, name: &str) -> String {
    let text = keeper.metrics.render();
    let lines = text.lines().map(str::to_owned);
    let name = format!("mayfly_webhook_{name}");
    lines
        .into_iter()
        .find_map(|line| line.strip_prefix(&name).map(|rest| rest.trim().to_owned()))
        .expect("a metric")
}

/// What is decided about a pod at the moment, in a word.
fn decision(keeper: &Keeper) -> &'static str {
    let annotations = json!({"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:a"});
    let pod = json!({"metadata": {"annotations": annotations}, "spec": {"containers": [{"name": "app"}]}});
    let kind = json!({"group": "", "version": "v1", "kind": "Pod"});
    let request =
        json!({"uid": "u", "kind": kind, "operation": "CREATE", "namespace": "x", "object": pod});
    let body =
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
    keeper.in_force.reviewer(review)(body.to_string().as_bytes()).decision.name()
}

#[test]
fn a_bad_configuration_is_told_once_and_the_last_good_one_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.yaml");
    let mut keeper = keeper(file.clone());
    let put = |text: &str| fs::write(&file, text).expect("a file");

    put("refresh-floor: 30s");
    look(&mut keeper);
    assert_eq!((metric(&keeper, "config_valid "), decision(&keeper)), ("1".to_owned(), "injected"));
    let loaded = metric(&keeper, "config_loaded_timestamp_seconds ");

    put("refresh-floor: never");
    for _ in 0..3 {
        look(&mut keeper);
    }
    assert_eq!(metric(&keeper, "config_valid "), "0");
    assert_eq!(metric(&keeper, "config_faults_total "), "1");
    assert_eq!(metric(&keeper, "config_loaded_timestamp_seconds "), loaded);
    assert_eq!(keeper.in_force.config.load().refresh_floor.to_string(), "30s");

    fs::remove_file(&file).expect("a file");
    look(&mut keeper);
    assert_eq!(metric(&keeper, "config_faults_total "), "2");

    put(RULE);
    look(&mut keeper);
    assert_eq!((metric(&keeper, "config_valid "), decision(&keeper)), ("1".to_owned(), "denied"));
    // What is said on the command line goes before every content of the file.
    assert_eq!(keeper.in_force.config.load().agent_image, "agent:x");
}

#[tokio::test]
async fn a_configuration_that_needs_namespaces_waits_for_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.yaml");
    let mut keeper = keeper(file.clone());
    fs::write(
        &file,
        "policy: {rules: [{name: gold, namespace-selector: {matchLabels: {tier: gold}}}]}",
    )
    .expect("a file");
    look(&mut keeper);
    // The one before stays in force, and whoever looks sees that.
    assert_eq!((metric(&keeper, "config_valid "), decision(&keeper)), ("0".to_owned(), "injected"));
    assert_eq!(keeper.in_force.readiness(Arc::new(|| Ok(())))(), Ok(()));

    let gold = Namespace::new("x", [("tier".to_owned(), "gold".to_owned())], []);
    keeper.in_force.namespaces.learn([gold]);
    look(&mut keeper);
    assert_eq!((metric(&keeper, "config_valid "), decision(&keeper)), ("1".to_owned(), "injected"));
    keeper.in_force.namespaces.learn([Namespace::named("x")]);
    assert_eq!(decision(&keeper), "denied");

    fs::write(&file, "").expect("a file");
    look(&mut keeper);
    assert!(!keeper.in_force.namespaces.are_known(), "nobody needs them any more");
}

#[test]
fn a_replica_that_starts_is_not_ready_before_it_knows_the_namespaces() {
    let config = Config::from_yaml("namespace-annotations: true").expect("a configuration");
    let in_force = InForce::new(config);
    let ready = in_force.readiness(Arc::new(|| Err("others")));
    assert_eq!(ready(), Err("the namespaces are not known yet"));
    in_force.namespaces.learn([]);
    assert_eq!(ready(), Err("others"));
}
