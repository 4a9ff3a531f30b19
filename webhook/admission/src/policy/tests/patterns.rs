//! The pattern's own language.

use super::*;

fn matches(pattern: &str, text: &str) -> bool {
    let (namespace, pod) = (Namespace::named("ns"), json!({"spec": {"serviceAccountName": "sa"}}));
    let pattern: Pattern = pattern.parse().expect(pattern);
    pattern.matches(text, &Subject::new(&namespace, &pod))
}

#[test]
fn one_star_stays_in_its_segment_and_two_do_not() {
    for (pattern, text, is_match) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a", "A", false),
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("*", "abc", true),
        ("*", "a/b", false),
        ("**", "a/b/c", true),
        ("**", "a?kv=1", false),
        ("a/*", "a/b", true),
        ("a/*", "a/b/c", false),
        ("a/*", "a", false),
        ("a/**", "a/b/c", true),
        ("a/**", "a", false),
        ("a/**/d", "a/b/c/d", true),
        ("a/**/d", "a/d", false),
        ("*-*-*", "a-b-c-d", true),
        ("*é*", "caféé", true),
        ("a**c", "abc", true),
        ("{namespace}/{serviceaccount}", "ns/sa", true),
        ("{namespace}*", "nsx", true),
        ("*{namespace}", "xns", true),
        ("[a-z]", "b", false),
        ("a?", "ab", false),
    ] {
        assert_eq!(matches(pattern, text), is_match, "{pattern} {text}");
    }
}

#[test]
fn what_is_no_pattern_is_told_with_what_would_be() {
    for (text, reason) in [
        ("{name}", "`{name}` is no placeholder; allowed: `{namespace}`"),
        ("{namespace", "brace"),
        ("a}", "brace"),
        ("{Namespace}", "no placeholder"),
        ("a***", "`***`"),
    ] {
        let error = text.parse::<Pattern>().expect_err(text).to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}
