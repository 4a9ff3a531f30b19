//! What is legal in a configuration, and hardly meant.
//!
//! PURE.

use super::Config;
use crate::policy::{Kind, Pattern, Rule};

/// What an operator should look at again; `has_policy` says that the file has the field.
pub(super) fn doubts(config: &Config, has_policy: bool) -> Vec<String> {
    let rules = &config.policy.rules;
    let open = (has_policy && rules.is_empty()).then(|| {
        "`policy` has no rules, so everybody may ask for everything, whatever its `mode`; add a rule, or leave `policy` out"
            .to_owned()
    });
    let of_rules = rules.iter().enumerate().flat_map(|(index, rule)| of_rule(index, rule));
    open.into_iter().chain(of_rules).collect()
}

fn of_rule(index: usize, rule: &Rule) -> impl Iterator<Item = String> {
    let labels = rule.selector.rests_on_pod_labels().then(|| {
        format!(
            "`policy.rules[{index}].pod-selector` alone decides for whom the rule is, and whoever creates a pod chooses its labels; add `namespaces` or `namespace-selector`"
        )
    });
    let hidden = refuses_every_path(rule).then(|| {
        format!(
            "`policy.rules[{index}].vault-namespaces` refuses every path of Vault that may begin with another namespace; name the mounts in `references`, as in `vault:secret/**`"
        )
    });
    labels.into_iter().chain(hidden)
}

/// Whether namespaces are listed, and nothing says what the first name of a path is.
fn refuses_every_path(rule: &Rule) -> bool {
    let Some(namespaces) = rule.allowed.get(&Kind::VaultNamespace) else { return false };
    let mut references = rule.allowed.get(&Kind::Reference).into_iter().flatten();
    !namespaces.is_empty()
        && !namespaces.iter().any(Pattern::is_open)
        && !references.any(|pattern| pattern.pins('/'))
}
