//! The role of an auth method: who may log in to it, as Vault's command line and Terraform say it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Subject, VaultAccess,
    hcl::{list, quoted},
    subject::one_or_many,
    words::shell,
};
use mayfly_admission::settings::VaultMethod;

/// What stands for the audience that the API server gives to tokens that ask for none.
const AUDIENCE: &str = "<API_SERVER_AUDIENCE>";
/// What stands for the AWS role of the service account, or of its association.
const PRINCIPAL: &str = "<ROLE_ARN>";

/// The command that makes the role.
pub(super) fn command(access: &VaultAccess, subjects: &BTreeSet<Subject>) -> String {
    let VaultAccess { namespace, mount, role, .. } = access;
    let option = |namespace: &String| shell(&format!("-namespace={namespace}")) + " ";
    let namespace: String = namespace.iter().map(option).collect();
    let path = format!("{namespace}{}", shell(&format!("auth/{mount}/role/{role}")));
    if access.method == VaultMethod::Jwt {
        // The command line cannot write claims otherwise.
        return format!("vault write {path} - <<'EOF'\n{}\nEOF", claims(access, subjects));
    }
    let settings = settings(access, subjects).into_iter().map(|setting| shell(&setting));
    let words: Vec<String> = std::iter::once(path).chain(settings).collect();
    format!("vault write {}", words.join(" \\\n  "))
}

fn settings(access: &VaultAccess, subjects: &BTreeSet<Subject>) -> Vec<String> {
    let (names, namespaces) = bound(subjects);
    let audience = access.audience.as_ref().map(|audience| format!("audience={audience}"));
    let bounds = if access.method == VaultMethod::Aws {
        vec!["auth_type=iam".to_owned(), format!("bound_iam_principal_arn={}", principal(access))]
    } else {
        let bounds = [
            format!("bound_service_account_names={}", names.join(",")),
            format!("bound_service_account_namespaces={}", namespaces.join(",")),
        ];
        bounds.into_iter().chain(audience).collect()
    };
    let ends = [format!("token_policies={}", access.role), "token_ttl=1h".to_owned()];
    bounds.into_iter().chain(ends).collect()
}

/// A role of the JWT method, as JSON.
fn claims(access: &VaultAccess, subjects: &BTreeSet<Subject>) -> Value {
    json!({
        "role_type": "jwt",
        "user_claim": "sub",
        "bound_audiences": audience(access),
        "bound_claims": {"sub": one_or_many(names(subjects))},
        "token_policies": access.role,
        "token_ttl": "1h",
    })
}

/// The kind of Terraform's resource, and its arguments that say who may log in.
pub(super) fn terraform(
    access: &VaultAccess,
    subjects: &BTreeSet<Subject>,
) -> (&'static str, Vec<(&'static str, Option<String>)>) {
    let (accounts, namespaces) = bound(subjects);
    match access.method {
        VaultMethod::Kubernetes => (
            "vault_kubernetes_auth_backend_role",
            vec![
                ("bound_service_account_names", Some(list(&accounts))),
                ("bound_service_account_namespaces", Some(list(&namespaces))),
                ("audience", access.audience.as_deref().map(quoted)),
            ],
        ),
        VaultMethod::Jwt => (
            "vault_jwt_auth_backend_role",
            vec![
                ("role_type", Some(quoted("jwt"))),
                ("user_claim", Some(quoted("sub"))),
                ("bound_audiences", Some(list(&[audience(access)]))),
                ("bound_claims", Some(format!("{{ sub = {} }}", quoted(&joined(subjects))))),
            ],
        ),
        VaultMethod::Aws => (
            "vault_aws_auth_backend_role",
            vec![
                ("auth_type", Some(quoted("iam"))),
                ("bound_iam_principal_arns", Some(list(&[principal(access)]))),
            ],
        ),
    }
}

fn bound(subjects: &BTreeSet<Subject>) -> (Vec<&str>, Vec<&str>) {
    let names: BTreeSet<&str> = subjects.iter().map(|subject| &*subject.service_account).collect();
    let namespaces: BTreeSet<&str> = subjects.iter().map(|subject| &*subject.namespace).collect();
    (names.into_iter().collect(), namespaces.into_iter().collect())
}

fn names(subjects: &BTreeSet<Subject>) -> BTreeSet<String> {
    subjects.iter().map(Subject::to_string).collect()
}

/// Terraform's provider parts several values of a claim by commas.
fn joined(subjects: &BTreeSet<Subject>) -> String {
    names(subjects).into_iter().collect::<Vec<_>>().join(",")
}

fn audience(access: &VaultAccess) -> &str {
    access.audience.as_deref().unwrap_or(AUDIENCE)
}

fn principal(access: &VaultAccess) -> &str {
    access.principal.as_deref().unwrap_or(PRINCIPAL)
}
