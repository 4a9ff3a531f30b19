use mayfly_spec::Spec;
use serde_json::{Value, json};

use super::super::{
    access::{Accesses, Known},
    page::{Scope, page},
    report::Report,
    survey::{Finding, FindingKind},
};
use crate::{
    exec::{ExecError, Outcome},
    status::{
        answer::Standing,
        pod::{PodStatus, State},
    },
};

const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{202e}";

fn contract() -> String {
    let contract = json!({"version": 1, "directory": "/run/mayfly", "mode": "sidecar",
        "files": [{"path": "pw", "from": "vault:secret/data/app#password"}],
        "vault": {"address": "https://vault:8200", "auth": {"kubernetes": {"role": "shop", "mount": "kubernetes",
            "token-file": "/var/run/secrets/mayfly.dev/vault-token"}}}});
    let text = contract.to_string();
    Spec::from_environment(&text).expect("a contract");
    text
}

/// A pod of one owner with the file `pw`.
fn pod(name: &str, owner: &str) -> Value {
    json!({"metadata": {"namespace": "shop", "name": name,
            "ownerReferences": [{"kind": "ReplicaSet", "name": owner, "controller": true}]},
        "spec": {"serviceAccountName": "till",
            "initContainers": [{"name": "mayfly-agent", "env": [{"name": "MAYFLY_CONFIG", "value": contract()}]}],
            "containers": [{"name": "app", "volumeMounts": [{"name": "mayfly-secrets"}]}]},
        "status": {"phase": "Running",
            "initContainerStatuses": [{"name": "mayfly-agent", "state": {"running": {}}}]}})
}

fn answered(pod: &Value, state: &str, age: u64, error: &str) -> PodStatus {
    let secret = json!({"reference": "vault:secret/data/app", "state": state, "age-seconds": age,
        "error": {"message": error}});
    let answer = json!({"state": "ready", "generation": 1, "references": [secret]});
    let printed = answer.to_string().into_bytes();
    PodStatus::told(pod).answered(Ok(Outcome { printed, complaint: vec![], code: 0 }))
}

fn scope() -> Scope {
    let time = "2026-01-02T03:04:05Z".to_owned();
    Scope { cluster: "https://api/".to_owned(), namespaces: vec![], time }
}

#[test]
fn pods_of_one_owner_are_one_row_with_the_worst_of_them() {
    let pods = [pod("a", "web"), pod("b", "web"), pod("c", "other")];
    let statuses = [
        answered(&pods[0], "fresh", 500, ""),
        answered(&pods[1], "stale", 90, "no route"),
        PodStatus::told(&pods[2]).answered(Err(ExecError::NotAllowed)),
    ];
    let accesses = Accesses::of(&pods, &statuses);
    let [(other, unknown), (web, worst)]: [_; 2] =
        accesses.rows.iter().collect::<Vec<_>>().try_into().expect("two rows");
    assert_eq!(
        (&*other.object, unknown.known),
        ("ReplicaSet/other", Known::Seen(State::NotAllowed))
    );
    assert_eq!((&*web.object, worst.known), ("ReplicaSet/web", Known::Told(Standing::Stale)));
    assert_eq!((worst.pods, worst.age_seconds), (2, Some(500)));
    assert_eq!(worst.reason.as_deref(), Some("no route"));
    assert_eq!((&*web.service_account, &*web.containers), ("till", "app"));
    assert!(web.identity.contains("role shop of auth/kubernetes"), "{}", web.identity);
}

#[test]
fn a_pod_whose_contract_cannot_be_read_is_told_of() {
    let mut pods = [pod("a", "web")];
    pods[0]["spec"]["initContainers"][0]["env"] = json!([]);
    let accesses = Accesses::of(&pods, &[PodStatus::told(&pods[0])]);
    assert_eq!((accesses.rows.len(), accesses.unread), (0, vec!["shop/a".to_owned()]));
}

#[test]
fn a_page_has_nothing_of_a_hostile_name_but_its_letters() {
    let pods = [pod(HOSTILE, HOSTILE)];
    let accesses = Accesses::of(&pods, &[answered(&pods[0], "stale", 1, HOSTILE)]);
    let finding = Finding {
        kind: FindingKind::NoAgent,
        namespace: HOSTILE.to_owned(),
        object: HOSTILE.to_owned(),
        detail: HOSTILE.to_owned(),
        pods: 1,
    };
    let report =
        Report { findings: vec![finding], notes: vec![HOSTILE.to_owned()], ..Report::default() };
    let scope =
        Scope { cluster: HOSTILE.to_owned(), namespaces: vec![HOSTILE.to_owned()], ..scope() };
    let page = page(&scope, &report, &accesses);
    assert!(!page.contains("<script>alert") && !page.contains('\u{202e}'), "{page}");
    assert_eq!(page.matches("<script").count(), 1, "only the page's own");
    assert!(page.matches("&lt;script&gt;alert(1)&lt;/script&gt;").count() >= 8, "{page}");
}

#[test]
fn a_page_fetches_nothing_and_its_policy_knows_only_its_own_parts() {
    let page = page(&scope(), &Report::default(), &Accesses::default());
    for way in
        [" src=", " href=", "url(", "@import", "fetch(", "XMLHttpRequest", " style=", " onclick="]
    {
        assert!(!page.contains(way), "{way}");
    }
    let policy = page.split("Content-Security-Policy\" content=\"").nth(1).expect("a policy");
    let policy = policy.split('"').next().unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && policy.matches("sha256-").count() == 2, "{policy}");
    let before = page.find("Content-Security-Policy").expect("it");
    assert!(
        before < page.find("<style").expect("a style")
            && before < page.find("<title").expect("a title")
    );
}

#[test]
fn what_is_not_known_is_not_none() {
    let page = page(&scope(), &Report::default(), &Accesses::default());
    assert!(page.contains("Not known: the roles and bindings could not be read."));
    let seen = Accesses::of(
        &[pod("a", "web")],
        &[PodStatus::told(&pod("a", "web")).answered(Err(ExecError::Cut))],
    );
    let [fresh]: [_; 1] = seen.rows.into_values().collect::<Vec<_>>().try_into().expect("one row");
    assert_eq!((fresh.known.name(), fresh.age_seconds), ("no answer", None));
}
