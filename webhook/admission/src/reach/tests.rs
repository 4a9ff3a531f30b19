use mayfly_spec::Spec;
use proptest::{
    prelude::*,
    sample::{select, subsequence},
};
use serde_json::{Value, json};

use super::{AwsReach, Reach, variable};
use crate::{
    annotations::{Asked, parse},
    config::Config,
    injection::Prospect,
    names::{CONFIG_VARIABLE, CONTAINER},
    pod::{Pod, items, text},
    policy::{Namespace, Subject},
    review::{Outcome, inject},
};

const ROLES: [&str; 3] =
    ["", "arn:aws:iam::111111111111:role/a", "arn:aws:iam::222222222222:role/b"];
const NAMES: [&str; 3] = ["AWS_ROLE_ARN", "AWS_REGION", "AWS_DEFAULT_REGION"];

/// As EKS's webhook writes it.
fn mount(volume: &str) -> Value {
    let service = if volume == "aws-iam-token" { "eks" } else { "pods.eks" };
    let place = format!("/var/run/secrets/{service}.amazonaws.com/serviceaccount");
    json!({"name": volume, "mountPath": place, "readOnly": true})
}

/// Both volumes, as EKS's webhook writes them.
fn volumes() -> Value {
    let volume = |name: &str, audience: &str, path: &str| {
        let token = json!({"audience": audience, "expirationSeconds": 86400, "path": path});
        json!({"name": name, "projected": {"sources": [{"serviceAccountToken": token}]}})
    };
    let irsa = volume("aws-iam-token", "sts.amazonaws.com", "token");
    let name = "eks-pod-identity-token";
    json!([irsa, volume(name, "pods.eks.amazonaws.com", name)])
}

fn any_container(name: &'static str) -> impl Strategy<Value = Value> {
    let volumes = vec!["aws-iam-token", "eks-pod-identity-token"];
    (subsequence(NAMES.to_vec(), 0..=3), select(ROLES.to_vec()), subsequence(volumes, 0..=2)).prop_map(
        move |(names, role, volumes)| {
            let env: Vec<Value> = names
                .into_iter()
                .map(|variable| match (variable, role) {
                    ("AWS_ROLE_ARN", role) => json!({"name": variable, "value": role}),
                    (_, "") => json!({"name": variable, "value": ""}),
                    _ => json!({"name": variable, "value": format!("eu-{}-{}", name.len(), variable.len())}),
                })
                .collect();
            let mounts: Vec<Value> = volumes.into_iter().map(mount).collect();
            json!({"name": name, "env": env, "volumeMounts": mounts})
        },
    )
}

fn any_annotations() -> impl Strategy<Value = Value> {
    let some = vec![
        ("mayfly.dev/aws-role-arn", ROLES[1]),
        ("mayfly.dev/aws-region", "us-east-1"),
        ("mayfly.dev/aws-identity", "pod-identity"),
        ("mayfly.dev/containers", "second"),
    ];
    subsequence(some, 0..=4).prop_map(|some| {
        let always = [("mayfly.dev/inject", "true"), ("mayfly.dev/file.a", "aws-sm:a")];
        some.into_iter().chain(always).map(|(key, value)| (key.to_owned(), json!(value))).collect()
    })
}

/// Role and region before anything is added.
fn foretold(config: &Config, pod: &Value) -> Option<Reach<String>> {
    let annotations = Pod::annotations(pod)?;
    let nowhere = Namespace::default();
    let Asked::Injection(request, _) = parse(annotations, config, &Subject::new(&nowhere, pod))
    else {
        return None;
    };
    let view = Pod::read(pod).ok()?;
    let AwsReach { reach, .. } = Prospect::of(config, &request, &view).aws?;
    let text = |said: Option<super::Said<'_>>| said.map(|said| said.text.to_owned());
    Some(Reach { identity: reach.identity, role: text(reach.role), region: text(reach.region) })
}

/// Role and region as the admitted pod's agent makes them out.
fn come_true(pod: &Value) -> Reach<String> {
    let lists = ["initContainers", "containers"].into_iter();
    let mut containers = lists.flat_map(|list| items(&pod["spec"], list));
    let agent =
        containers.find(|container| text(container, "name") == CONTAINER).expect("an agent");
    let contract = variable(agent, CONFIG_VARIABLE).and_then(|variable| variable["value"].as_str());
    let spec = Spec::from_environment(contract.expect("a contract")).expect("a spec");
    let aws = spec.aws.expect("AWS");
    let Reach { identity, role, region } = Reach::of_agent(&aws, agent);
    Reach { identity, role: role.map(str::to_owned), region: region.map(str::to_owned) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is judged before is what is told after, also when EKS's webhook, or an author, has been at it in between.
    #[test]
    fn what_is_foretold_comes_true(
        annotations in any_annotations(),
        first in any_container("first"),
        second in any_container("second"),
        later in any_container(CONTAINER),
        has_volumes in any::<bool>(),
    ) {
        let config = Config::default();
        let volumes = if has_volumes { volumes() } else { json!([]) };
        let spec = json!({"containers": [first, second], "volumes": volumes});
        let pod = json!({"metadata": {"annotations": annotations}, "spec": spec});
        let told = foretold(&config, &pod).expect("AWS is asked");
        let Outcome::Injected(injected) = inject(&config, Some(&Namespace::default()), pod, false).outcome else {
            return Ok(());
        };
        let (mut admitted, _) = injected.edited.finish().expect("a pod");
        prop_assert_eq!(&told, &come_true(&admitted));
        let agent = &mut admitted["spec"]["initContainers"][0];
        for variable in later["env"].as_array().expect("a list") {
            let env = agent["env"].as_array_mut().expect("a list");
            match env.iter_mut().find(|own| own["name"] == variable["name"]) {
                Some(own) => own.clone_from(variable),
                None => env.push(variable.clone()),
            }
        }
        let told = foretold(&config, &admitted).expect("AWS is asked");
        let Outcome::Injected(injected) = inject(&config, Some(&Namespace::default()), admitted, false).outcome else {
            return Err(TestCaseError::fail("a tolerated variable is refused"));
        };
        prop_assert_eq!(told, come_true(&injected.edited.finish().expect("a pod").0));
    }
}
