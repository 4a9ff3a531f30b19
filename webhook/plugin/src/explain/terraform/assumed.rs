//! Roles that are assumed over pods' own, as Terraform's resources: each with the provider of its
//! own account.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::unused;
use crate::explain::{
    AwsRole,
    aws::{AssumedRole, RoleName},
    hcl::{block, heredoc, quoted},
    words::pretty,
};

/// Every role once, whoever assumes it; `roles` are the pods' own, by their labels.
pub(super) fn render(roles: &[(String, &AwsRole)], names: &mut BTreeSet<String>) -> Vec<String> {
    let mut uses: BTreeMap<&str, Vec<Use<'_>>> = BTreeMap::new();
    for (over, role) in roles {
        for assumed in &role.assumed {
            uses.entry(&assumed.arn).or_default().push(Use { over, assumed });
        }
    }
    let role =
        |(arn, uses): (&str, Vec<Use<'_>>)| Some(of_role(&RoleName::parse(arn)?, &uses, names));
    uses.into_iter().filter_map(role).collect()
}

/// A role of the pods, and what it assumes another for.
struct Use<'a> {
    over: &'a str,
    assumed: &'a AssumedRole,
}

impl Use<'_> {
    /// The statement that trusts the role, which is a resource beside this one.
    fn trust(&self) -> Value {
        let mut statement = self.assumed.trust["Statement"][0].clone();
        statement["Principal"] = json!({"AWS": self.placeholder()});
        statement
    }

    /// What no name in JSON can be; the resource's attribute takes its place.
    fn placeholder(&self) -> String {
        format!("<ROLE {}>", self.over)
    }

    fn attribute(&self) -> String {
        format!("${{aws_iam_role.{}.arn}}", self.over)
    }
}

fn of_role(role: &RoleName, uses: &[Use<'_>], names: &mut BTreeSet<String>) -> String {
    let RoleName { account, path, name, .. } = role;
    let label = unused(name, names);
    let provider = format!("aws.account_{account}");
    let trust: Vec<Value> = uses.iter().map(Use::trust).collect();
    let trust = heredoc("JSON", &pretty(&json!({"Version": "2012-10-17", "Statement": trust})));
    let trust =
        uses.iter().fold(trust, |text, one| text.replace(&one.placeholder(), &one.attribute()));
    let itself = block(
        "aws_iam_role",
        &label,
        &[
            ("provider", Some(provider.clone())),
            ("name", Some(quoted(name))),
            ("path", Some(quoted(path)).filter(|_| path != "/")),
            ("assume_role_policy", Some(trust)),
        ],
    );
    let policies = uses.iter().map(|Use { over, assumed }| {
        let arguments = [
            ("provider", Some(provider.clone())),
            ("name", Some(quoted(&format!("mayfly-{over}")))),
            ("role", Some(format!("aws_iam_role.{label}.id"))),
            ("policy", Some(heredoc("JSON", &pretty(&assumed.policy)))),
        ];
        block("aws_iam_role_policy", &format!("{label}_for_{over}"), &arguments)
    });
    let wish = format!(
        "# Needs the provider of its account: provider \"aws\" {{ alias = \"account_{account}\", … }}\n"
    );
    let blocks: Vec<String> = [wish + &itself].into_iter().chain(policies).collect();
    blocks.join("\n")
}
