//! Whom a role has to trust: exactly the service accounts whose pods read with it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::name::{ACCOUNT, RoleName, partition};
use crate::explain::{Subject, subject::one_or_many};

/// Where the cluster's OIDC provider is not known, which it never is.
const PROVIDER: &str = "<OIDC_PROVIDER>";
/// Where a role's name is not known.
const ROLE: &str = "<ROLE>";

/// The trust of IRSA.
pub(super) fn of_web_identity(
    role: Option<&str>,
    regions: &BTreeSet<String>,
    subjects: &BTreeSet<Subject>,
) -> Value {
    let role = role.and_then(RoleName::parse);
    let known = role.map(|role| (role.partition, role.account));
    let region = regions.first().map_or("", String::as_str);
    let (partition, account) =
        known.unwrap_or_else(|| (partition(region).to_owned(), ACCOUNT.to_owned()));
    let subjects = one_or_many(subjects.iter().map(Subject::to_string));
    allow(&json!({
        "Principal": {"Federated": format!("arn:{partition}:iam::{account}:oidc-provider/{PROVIDER}")},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {
            format!("{PROVIDER}:aud"): "sts.amazonaws.com",
            format!("{PROVIDER}:sub"): subjects,
        }},
    }))
}

/// The trust of EKS Pod Identity, which tells the pod in tags.
pub(super) fn of_pod_identity(subjects: &BTreeSet<Subject>) -> Value {
    let namespaces: BTreeSet<&str> = subjects.iter().map(|subject| &*subject.namespace).collect();
    let accounts: BTreeSet<&str> =
        subjects.iter().map(|subject| &*subject.service_account).collect();
    allow(&json!({
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": assume(true),
        "Condition": {"StringEquals": {
            "aws:RequestTag/kubernetes-namespace": one_or_many(namespaces),
            "aws:RequestTag/kubernetes-service-account": one_or_many(accounts),
        }},
    }))
}

/// The trust of a role that is assumed over a pod's own.
pub(super) fn of_role(
    own: Option<&str>,
    assumed: &str,
    external_ids: &BTreeSet<Option<String>>,
    passes_tags: bool,
) -> Value {
    let partition = RoleName::parse(assumed).map_or_else(|| "aws".to_owned(), |it| it.partition);
    let unknown = || format!("arn:{partition}:iam::{ACCOUNT}:role/{ROLE}");
    let own = own.map_or_else(unknown, str::to_owned);
    let mut statement = json!({
        "Principal": {"AWS": own},
        "Action": one_or_many(assume(passes_tags).iter().copied()),
    });
    let ids: Option<Vec<String>> = external_ids.iter().cloned().collect();
    if let Some(ids) = ids {
        statement["Condition"] = json!({"StringEquals": {"sts:ExternalId": one_or_many(ids)}});
    }
    allow(&statement)
}

/// What assuming a role is called; with the tags that go along, if there are any.
pub(super) const fn assume(passes_tags: bool) -> &'static [&'static str] {
    if passes_tags { &["sts:AssumeRole", "sts:TagSession"] } else { &["sts:AssumeRole"] }
}

fn allow(statement: &Value) -> Value {
    let mut whole = json!({"Effect": "Allow"});
    if let (Some(whole), Some(statement)) = (whole.as_object_mut(), statement.as_object()) {
        whole.extend(statement.clone());
    }
    json!({"Version": "2012-10-17", "Statement": [whole]})
}
