//! The roles and policies as Terraform's resources.
//!
//! What the manifest does not say is a variable.

mod assumed;

use std::collections::BTreeSet;

use mayfly_spec::spec::Identity;
use serde_json::json;

use super::{
    AwsRole, Explanation, Subject, VaultAccess, VaultRole,
    aws::RoleName,
    hcl::{VARIABLES, block, heredoc, quoted},
    login,
    subject::one_or_many,
    words::pretty,
};
use mayfly_admission::settings::VaultMethod;

/// IAM's limit for the name of a role.
const LONGEST_NAME: usize = 64;

pub(super) fn render(explanation: &Explanation) -> String {
    let mut names = BTreeSet::new();
    let labels = explanation.aws.iter().map(|role| (label(role, &mut names), role));
    let labels: Vec<(String, &AwsRole)> = labels.collect();
    let mut aws: Vec<String> = labels.iter().map(|(label, role)| of_aws(label, role)).collect();
    aws.extend(assumed::render(&labels, &mut names));
    let vault: Vec<String> =
        explanation.vault.iter().map(|role| of_vault(role, &mut names)).collect();
    let resources = [aws, vault].concat();
    let text = resources.join("\n");
    let used = |(_, name, _): &&(&str, &str, &str)| text.contains(&format!("var.{name}"));
    let mut blocks: Vec<String> = VARIABLES.iter().filter(used).map(variable).collect();
    if text.contains(COUNT) {
        blocks.push(CREATE_KEY.to_owned());
    }
    blocks.extend(resources);
    blocks.join("\n")
}

/// Of what there is only on request.
const COUNT: &str = "var.create_key ? 1 : 0";

const CREATE_KEY: &str = r#"variable "create_key" {
  description = "Whether to make a KMS key, rotated once a year, to seal the secrets with"
  type        = bool
  default     = false
}
"#;

fn variable((_, name, description): &(&str, &str, &str)) -> String {
    format!(
        "variable \"{name}\" {{\n  description = \"{description}\"\n  type        = string\n}}\n"
    )
}

fn label(role: &AwsRole, names: &mut BTreeSet<String>) -> String {
    unused(&path_and_name(role).1, names)
}

fn of_aws(label: &str, role: &AwsRole) -> String {
    let (path, name) = path_and_name(role);
    let trust = heredoc("JSON", &pretty(&role.trust));
    let arguments = [
        ("name", Some(quoted(&name))),
        ("path", Some(quoted(&path)).filter(|_| path != "/")),
        ("assume_role_policy", Some(trust)),
    ];
    let itself = block("aws_iam_role", label, &arguments);
    let policy = || policy(label, label, "mayfly", heredoc("JSON", &pretty(&role.policy)), false);
    let policy = (!role.needs_nothing()).then(policy);
    let associations = role.subjects.iter().filter(|_| role.identity == Identity::PodIdentity);
    let associations = associations.map(|subject| association(label, subject));
    let blocks = std::iter::once(itself)
        .chain(policy)
        .chain(associations)
        .chain(key(role, label).into_iter().flatten());
    blocks.collect::<Vec<_>>().join("\n")
}

/// A policy of the role `label`.
fn policy(label: &str, role: &str, name: &str, text: String, has_count: bool) -> String {
    let arguments = [
        ("count", has_count.then(|| COUNT.to_owned())),
        ("name", Some(quoted(name))),
        ("role", Some(format!("aws_iam_role.{role}.id"))),
        ("policy", Some(text)),
    ];
    block("aws_iam_role_policy", label, &arguments)
}

/// The role's own name, else one of namespace and service account.
fn path_and_name(role: &AwsRole) -> (String, String) {
    let named = role.arn.as_deref().and_then(RoleName::parse);
    if let Some(RoleName { path, name, .. }) = named {
        return (path, name);
    }
    let subject = role.subjects.first();
    let name = subject.map(|it| format!("{}-{}", it.namespace, it.service_account));
    let mut name = name.unwrap_or_default();
    name.truncate(name.floor_char_boundary(LONGEST_NAME));
    ("/".to_owned(), name)
}

fn association(label: &str, subject: &Subject) -> String {
    let arguments = [
        ("cluster_name", Some("var.cluster".to_owned())),
        ("namespace", Some(quoted(&subject.namespace))),
        ("service_account", Some(quoted(&subject.service_account))),
        ("role_arn", Some(format!("aws_iam_role.{label}.arn"))),
    ];
    block("aws_eks_pod_identity_association", label, &arguments)
}

/// A key for what the role reads, and the right to have it opened through the services alone.
fn key(role: &AwsRole, label: &str) -> Option<[String; 2]> {
    let services = Some(&role.services).filter(|services| !services.is_empty())?;
    let statement = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "OpenSecrets",
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": "<KEY>",
        "Condition": {"StringEquals": {"kms:ViaService": one_or_many(services)}},
    }]});
    let arn = format!("${{aws_kms_key.{label}[0].arn}}");
    let statement = heredoc("JSON", &pretty(&statement)).replace("<KEY>", &arn);
    let arguments = [
        ("count", Some(COUNT.to_owned())),
        ("description", Some(quoted(&format!("Secrets of {label}")))),
        ("enable_key_rotation", Some("true".to_owned())),
    ];
    let policy = policy(&format!("{label}_key"), label, "mayfly-key", statement, true);
    Some([block("aws_kms_key", label, &arguments), policy])
}

fn of_vault(role: &VaultRole, names: &mut BTreeSet<String>) -> String {
    let VaultAccess { namespace, mount, role: name, .. } = &role.access;
    let label = unused(name, names);
    let policy = block(
        "vault_policy",
        &label,
        &[
            ("namespace", namespace.as_deref().map(quoted)),
            ("name", Some(quoted(name))),
            ("policy", Some(heredoc("HCL", role.policy.trim_end()))),
        ],
    );
    let (kind, bounds) = login::terraform(&role.access, &role.subjects);
    let arguments = [
        ("namespace", namespace.as_deref().map(quoted)),
        ("backend", Some(quoted(mount))),
        (
            if role.access.method == VaultMethod::Aws { "role" } else { "role_name" },
            Some(quoted(name)),
        ),
    ];
    let ends = [
        ("token_policies", Some(format!("[vault_policy.{label}.name]"))),
        ("token_ttl", Some("3600".to_owned())),
    ];
    let role = block(kind, &label, &[&arguments[..], &bounds, &ends].concat());
    format!("{policy}\n{role}")
}

/// A label that no other resource has.
fn unused(name: &str, names: &mut BTreeSet<String>) -> String {
    let allowed = |character: char| if character.is_ascii_alphanumeric() { character } else { '_' };
    let mut label: String = name.chars().map(allowed).collect::<String>().to_ascii_lowercase();
    if !label.starts_with(|first: char| first.is_ascii_alphabetic()) {
        label.insert_str(0, "role_");
    }
    while !names.insert(label.clone()) {
        label.push_str("_2");
    }
    label
}
