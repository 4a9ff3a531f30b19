//! The words of Terraform's language.

use serde_json::Value;

/// Placeholders, the variables in their place, and what these are.
pub(super) const VARIABLES: [(&str, &str, &str); 6] = [
    ("<ACCOUNT>", "account", "The AWS account's number"),
    ("<REGION>", "region", "The AWS region of the secrets"),
    ("<OIDC_PROVIDER>", "oidc_provider", "The cluster's OIDC provider, without https://"),
    (
        "<API_SERVER_AUDIENCE>",
        "api_server_audience",
        "The audience that the API server gives to tokens that ask for none",
    ),
    ("<ROLE_ARN>", "role_arn", "The ARN of the pods' AWS role"),
    ("<CLUSTER>", "cluster", "The EKS cluster's name"),
];

/// A resource, its arguments aligned as `terraform fmt` aligns them.
pub(super) fn block(kind: &str, label: &str, arguments: &[(&str, Option<String>)]) -> String {
    let present = || arguments.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let width = present().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines: Vec<String> =
        present().map(|(name, value)| format!("  {name:width$} = {value}\n")).collect();
    format!("resource \"{kind}\" \"{label}\" {{\n{}}}\n", lines.concat())
}

/// A list of texts.
pub(super) fn list(texts: &[&str]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    template(&Value::from(text).to_string())
}

/// A text of many lines.
pub(super) fn heredoc(end: &str, text: &str) -> String {
    let text = template(text);
    let lines: Vec<String> = text.lines().map(|line| format!("    {line}\n")).collect();
    format!("<<-{end}\n{}  {end}", lines.concat())
}

/// Text in which Terraform finds nothing to compute, and our placeholders are its variables.
fn template(text: &str) -> String {
    let literal = text.replace("${", "$${").replace("%{", "%%{");
    VARIABLES.iter().fold(literal, |text, (placeholder, name, _)| {
        text.replace(placeholder, &format!("${{var.{name}}}"))
    })
}
