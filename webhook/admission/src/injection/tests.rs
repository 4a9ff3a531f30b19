use serde_json::json;

use super::{Config, Pod, Prospect, Step, Value, plan};
use crate::{
    annotations::{Asked, parse},
    policy::{Ceilings, Namespace, Subject},
};

/// The agent's container for a pod of these containers, with these annotations.
fn agent(annotations: &[(&str, &str)], spec: &Value) -> Result<Value, Vec<String>> {
    let usual = [("inject", "true"), ("file.a", "aws-sm:a")];
    let all = usual.iter().chain(annotations);
    let all = all.map(|(name, value)| (format!("mayfly.dev/{name}"), json!(value))).collect();
    let config = Config::from_yaml("defaults: {vault-address: 'https://v', vault-role: r}")
        .expect("a configuration");
    let Asked::Injection(request, faults) =
        parse(&all, &config, &Subject::new(&Namespace::named("default"), &json!({})))
    else {
        panic!("no request");
    };
    assert!(faults.is_empty(), "{faults:?}");
    let pod = json!({"spec": spec});
    let pod = Pod::read(&pod).expect("a pod");
    let (prospect, ceilings) = (Prospect::of(&config, &request, &pod), Ceilings::default());
    let plan = plan(&config, &request, &pod, prospect, &ceilings);
    let plan = plan.map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let container = plan.steps.into_iter().find_map(|step| match step {
        Step::Container(_, container) => Some(super::json(container)),
        _ => None,
    });
    Ok(container.expect("a container"))
}

fn one() -> Value {
    json!({"containers": [{"name": "app"}]})
}

fn agent_of_one(annotations: &[(&str, &str)]) -> Value {
    agent(annotations, &one()).expect("a plan")
}

#[test]
fn the_gate_waits_a_little_longer_than_the_agent() {
    let command = |agent: &Value| agent["lifecycle"]["postStart"]["exec"]["command"][2].clone();
    assert_eq!(command(&agent_of_one(&[])), "--timeout=35s");
    assert_eq!(command(&agent_of_one(&[("start-deadline", "5m")])), "--timeout=5m5s");
    assert_eq!(command(&agent_of_one(&[("mode", "parallel")])), "--timeout=30s");
    let probed = agent_of_one(&[("gate", "probe")]);
    assert_eq!(probed["lifecycle"], Value::Null);
    assert_eq!(probed["startupProbe"]["failureThreshold"], 35);
    let init = agent_of_one(&[("mode", "init")]);
    assert_eq!((&init["lifecycle"], &init["restartPolicy"]), (&Value::Null, &Value::Null));
}

#[test]
fn limits_give_way_to_each_other_only_where_the_author_left_a_choice() {
    let resources = |annotations: &[(&str, &str)]| agent_of_one(annotations)["resources"].clone();
    assert_eq!(
        resources(&[]),
        json!({"limits": {"memory": "64Mi"}, "requests": {"cpu": "5m", "memory": "16Mi"}})
    );
    assert_eq!(resources(&[("memory-request", "128Mi")])["limits"]["memory"], "128Mi");
    assert_eq!(resources(&[("cpu-limit", "2m")])["requests"]["cpu"], "2m");
    assert_eq!(resources(&[("volume-size", "100Mi")])["limits"]["memory"], "116Mi");
    assert_eq!(
        resources(&[("ephemeral-storage-request", "20Mi"), ("ephemeral-storage-limit", "50Mi")]),
        json!({
            "limits": {"memory": "64Mi", "ephemeral-storage": "50Mi"},
            "requests": {"cpu": "5m", "memory": "16Mi", "ephemeral-storage": "20Mi"},
        })
    );
    let upside_down = [("ephemeral-storage-request", "2Gi"), ("ephemeral-storage-limit", "1Gi")];
    let faults = agent(&upside_down, &one()).expect_err("a fault");
    assert!(faults[0].contains("is more than `mayfly.dev/ephemeral-storage-limit`"), "{faults:?}");
    let nothing = ["cpu-request", "memory-request", "memory-limit"].map(|name| (name, "none"));
    assert_eq!(resources(&nothing), Value::Null);
}

#[test]
fn a_guaranteed_pod_gets_a_guaranteed_agent() {
    let pod = json!({"containers": [{"name": "app", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}]});
    let resources = |annotations| agent(annotations, &pod).expect("a plan")["resources"].clone();
    let of = |cpu, memory| json!({"cpu": cpu, "memory": memory});
    let both = |amounts: Value| json!({"limits": amounts.clone(), "requests": amounts});
    assert_eq!(resources(&[]), both(of("50m", "64Mi")));
    assert_eq!(resources(&[("cpu-request", "20m")]), both(of("20m", "64Mi")));
    assert_eq!(
        resources(&[("memory-limit", "80Mi"), ("memory-request", "20Mi")]),
        both(of("50m", "80Mi"))
    );
}

#[test]
fn the_volume_holds_two_generations_of_the_largest_secrets() {
    let memory = |annotations: &[(&str, &str)]| {
        agent_of_one(annotations)["resources"]["limits"]["memory"].clone()
    };
    let vault: Vec<String> =
        (0..30).map(|number| format!("{{path: f{number}, from: 'vault:a/b#c'}}")).collect();
    assert_eq!(memory(&[("files", &format!("[{}]", vault.join(",")))]), "77Mi");
    let too_little =
        agent(&[("files", &format!("[{}]", vault.join(","))), ("memory-limit", "64Mi")], &one());
    assert!(too_little.expect_err("a fault")[0].contains("together `77Mi`"));
}

#[test]
fn a_configuration_that_no_variable_can_hold_is_a_fault() {
    let entries: Vec<String> = (0..900)
        .map(|number| format!("{{path: f{number}, from: 'aws-sm:{}'}}", "a/b".repeat(50)))
        .collect();
    let faults =
        agent(&[("files", &format!("[{}]", entries.join(",")))], &one()).expect_err("a fault");
    assert!(faults[0].contains("at most 122880 fit"), "{faults:?}");
}

#[test]
fn the_first_chosen_container_with_eks_token_is_the_one_to_follow() {
    let eks = |name: &str, region: &str| {
        json!({
            "name": name,
            "env": [{"name": "AWS_REGION", "value": region}, {"name": "AWS_ROLE_ARN", "valueFrom": {}}],
            "volumeMounts": [{"name": "aws-iam-token", "readOnly": true, "mountPath": EKS}],
        })
    };
    let pod = json!({"volumes": [token()], "containers": [{"name": "app"}, eks("other", "eu-west-1"), eks("chosen", "us-east-1")]});
    let agent = agent(&[("containers", "app,chosen")], &pod).expect("a plan");
    assert_eq!(agent["env"][3], json!({"name": "AWS_REGION", "value": "us-east-1"}));
    assert_eq!(agent["env"][4], Value::Null, "only what is written out is carried over");
    assert_eq!(agent["volumeMounts"][2]["mountPath"], EKS);
}

const EKS: &str = "/var/run/secrets/eks.amazonaws.com/serviceaccount";

fn token() -> Value {
    let source = json!({"serviceAccountToken": {"audience": "sts.amazonaws.com", "expirationSeconds": 86400, "path": "token"}});
    json!({"name": "aws-iam-token", "projected": {"defaultMode": 420, "sources": [source]}})
}

#[test]
fn what_only_has_the_name_of_eks_is_not_carried_over() {
    let container = |mount: Value| {
        let env = json!([{"name": "AWS_REGION", "value": "eu-west-1"}, {"name": "AWS_ROLE_ARN", "value": "arn:$(X)"}]);
        json!({"name": "side", "env": env, "volumeMounts": [mount]})
    };
    let mount = || json!({"name": "aws-iam-token", "readOnly": true, "mountPath": EKS});
    let agent = |mount: Value, volume: Value| {
        let pod = json!({"volumes": [volume], "containers": [{"name": "app"}, container(mount)]});
        agent(&[("containers", "app")], &pod).expect("a plan")
    };
    let honest = agent(mount(), token());
    assert_eq!(honest["env"][3]["value"], "eu-west-1");
    assert_eq!(honest["env"][4], Value::Null, "the kubelet would expand it");
    let forged = |field: &str, value: Value| {
        let mut mount = mount();
        mount[field] = value;
        mount
    };
    let config_map = json!({"name": "aws-iam-token", "configMap": {"name": "x"}});
    let mut other_audience = token();
    other_audience["projected"]["sources"][0]["serviceAccountToken"]["audience"] = json!("vault");
    for (mount, volume) in [
        (forged("mountPath", json!("/mayfly-agent")), token()),
        (forged("subPath", json!("x")), token()),
        (forged("readOnly", json!(false)), token()),
        (mount(), config_map),
        (mount(), other_audience),
    ] {
        let agent = agent(mount, volume);
        assert_eq!((&agent["env"][3], &agent["volumeMounts"][2]), (&Value::Null, &Value::Null));
    }
}
