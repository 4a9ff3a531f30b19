//! What holds for every policy.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;

fn any_patterns() -> impl Strategy<Value = Option<Vec<String>>> {
    let patterns = select(vec![
        "vault:secret/{namespace}/**",
        "vault:**",
        "aws-sm:{serviceaccount}/*",
        "aws-sm:*",
        "arn:aws:**",
        "**",
        "vault:a/*?kv=1",
    ]);
    option::of(vec(patterns.prop_map(str::to_owned), 0..4))
}

fn any_reference() -> impl Strategy<Value = String> {
    let known = select(vec![
        "vault:secret/team-a/db",
        "vault:a/b?kv=1",
        "aws-sm:web/db",
        "aws-sm:x",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x",
    ]);
    prop_oneof![known.prop_map(str::to_owned), "(vault|aws-sm):[a-z./%]{1,12}"]
}

fn rule(patterns: Option<&[String]>) -> String {
    let list =
        patterns.map_or_else(String::new, |patterns| format!(", references: {}", json!(patterns)));
    format!("{{name: r{list}}}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pattern_more_never_denies_more(patterns in any_patterns(), more in any_patterns(), reference in any_reference()) {
        let annotations = [("file.a", reference.as_str())];
        let before = refusals(&rule(patterns.as_deref()), &annotations);
        let Some(mut patterns) = patterns else { return Ok(()) };
        patterns.extend(more.unwrap_or_default());
        let after = refusals(&rule(Some(&patterns)), &annotations);
        prop_assert!(after.len() <= before.len(), "{:?} became {:?}", before, after);
    }

    #[test]
    fn any_pattern_is_read_or_refused(text in "[a*{}?/:é]{0,12}|.{0,8}", value in ".{0,12}") {
        let (namespace, pod) = (Namespace::named("team-a"), json!({}));
        if let Ok(pattern) = text.parse::<Pattern>() {
            let subject = Subject::new(&namespace, &pod);
            pattern.matches(&value, &subject);
            // What a pattern shows is what it was, its placeholders filled in.
            prop_assert_eq!(pattern.shown(&subject), text.replace("{namespace}", "team-a").replace("{serviceaccount}", "default"));
        }
    }

    #[test]
    fn any_values_get_a_judgement(values in vec((select(vec!["vault-role", "vault-namespace", "aws-region", "refresh", "volume-size", "files", "file.a"]), ".{0,20}"), 0..5)) {
        let rules = "{name: r, references: ['vault:{namespace}/**'], vault-roles: ['{namespace}'], vault-namespaces: [], aws-regions: ['*'], refresh-floor: 1m, ceilings: {volume-size: 2Mi}}";
        let annotations: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        refusals(rules, &annotations);
    }
}
