use serde_json::{Value, json};

use super::super::readers::{Rbac, Readers, Way, readers};

/// A cluster's roles and bindings, with one cluster role `role` of `rules`.
fn rbac(rules: Value, bindings: Value, cluster_bindings: Value) -> Rbac {
    let role = json!({"metadata": {"name": "role"}, "rules": rules});
    Rbac {
        roles: Vec::new(),
        bindings: serde_json::from_value(bindings).expect("RoleBindings"),
        cluster_roles: vec![serde_json::from_value(role).expect("a ClusterRole")],
        cluster_bindings: serde_json::from_value(cluster_bindings).expect("ClusterRoleBindings"),
    }
}

fn reference() -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "role"})
}

fn in_shop(subjects: Value) -> Value {
    json!([{"metadata": {"name": "b", "namespace": "shop"}, "roleRef": reference(), "subjects": subjects}])
}

fn look(rbac: &Rbac) -> Readers {
    readers(rbac, &["shop".to_owned()].into())
}

fn group() -> Value {
    json!([{"kind": "Group", "name": "devs", "apiGroup": "rbac.authorization.k8s.io"}])
}

#[test]
fn each_way_is_found_by_its_rights() {
    for (resource, group_of, verb, way) in [
        ("pods/exec", "", "create", Way::Exec),
        ("pods/exec", "", "get", Way::Exec),
        ("*/exec", "", "create", Way::Exec),
        ("pods/attach", "", "create", Way::Attach),
        ("pods/attach", "", "get", Way::Attach),
        ("pods/ephemeralcontainers", "", "patch", Way::EphemeralContainer),
        ("pods", "", "create", Way::CreatePod),
        ("deployments", "apps", "update", Way::CreatePod),
        ("cronjobs", "batch", "create", Way::CreatePod),
        ("pods", "", "patch", Way::ChangePod),
        ("pods", "", "update", Way::ChangePod),
        ("serviceaccounts/token", "", "create", Way::Token),
        ("secrets", "", "get", Way::TokenSecret),
        ("secrets", "", "list", Way::TokenSecret),
        ("secrets", "", "watch", Way::TokenSecret),
    ] {
        let rules = json!([{"apiGroups": [group_of], "resources": [resource], "verbs": [verb]}]);
        let found = look(&rbac(rules, in_shop(group()), json!([])));
        assert_eq!(found.readers.len(), 1, "{resource} {verb}");
        assert_eq!(found.readers[0].ways, [way]);
        assert_eq!(found.readers[0].subject, "Group/devs");
        assert_eq!(found.readers[0].bindings, ["RoleBinding/shop/b"]);
    }
}

#[test]
fn other_rights_are_no_way() {
    for (resource, group_of, verb) in [
        ("pods", "", "get"),
        ("pods/log", "", "get"),
        ("deployments", "", "create"),
        ("deployments/scale", "apps", "update"),
        ("pods/status", "", "patch"),
        ("pods", "", "delete"),
        ("secrets", "", "create"),
        ("nodes/proxy", "", "create"), // of a namespace there are no nodes
    ] {
        let rules = json!([{"apiGroups": [group_of], "resources": [resource], "verbs": [verb]}]);
        assert_eq!(look(&rbac(rules, in_shop(group()), json!([]))).readers, [], "{resource}");
    }
}

#[test]
fn everything_is_every_way_and_everywhere() {
    let rules = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]);
    let binding = json!([{"metadata": {"name": "admins"}, "roleRef": reference(),
        "subjects": [{"kind": "ServiceAccount", "name": "ci", "namespace": "build"}]}]);
    let [reader] = look(&rbac(rules, json!([]), binding)).readers.try_into().expect("one");
    assert_eq!((&*reader.namespace, &*reader.subject), ("*", "ServiceAccount/build/ci"));
    let all = [
        Way::Exec,
        Way::Attach,
        Way::EphemeralContainer,
        Way::CreatePod,
        Way::ChangePod,
        Way::Token,
        Way::TokenSecret,
    ];
    assert_eq!(reader.ways, all);
}

#[test]
fn namespaces_without_secrets_and_kubernetes_own_bindings_are_not_listed() {
    let rules = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]);
    let elsewhere = json!([{"metadata": {"name": "b", "namespace": "other"}, "roleRef": reference(), "subjects": group()}]);
    assert_eq!(look(&rbac(rules.clone(), elsewhere, json!([]))).readers, []);
    let own = json!([{"metadata": {"name": "x", "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
        "roleRef": reference(), "subjects": group()}]);
    let found = look(&rbac(rules, json!([]), own));
    assert_eq!((found.readers.len(), found.of_kubernetes), (0, 1));
    assert!(found.to_string().contains("besides 1 bindings"), "{found}");
}

#[test]
fn a_role_is_that_of_its_namespace() {
    let role = |namespace: &str, verb: &str| {
        let rule = json!({"apiGroups": [""], "resources": ["pods/exec"], "verbs": [verb]});
        serde_json::from_value(
            json!({"metadata": {"name": "r", "namespace": namespace}, "rules": [rule]}),
        )
        .expect("a Role")
    };
    let reference = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"});
    let binding = json!([{"metadata": {"name": "b", "namespace": "shop"}, "roleRef": reference,
        "subjects": [{"kind": "ServiceAccount", "name": "app"}]}]);
    let mut rbac = rbac(json!([]), binding, json!([]));
    rbac.roles = vec![role("other", "create"), role("shop", "list")];
    assert_eq!(look(&rbac).readers, []);
    rbac.roles = vec![role("other", "list"), role("shop", "create")];
    assert_eq!(look(&rbac).readers[0].subject, "ServiceAccount/shop/app");
}
