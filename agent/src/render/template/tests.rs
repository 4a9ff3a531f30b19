//! What templates make of secrets, and what they say when they cannot.

use std::collections::BTreeMap;

use mayfly_spec::{
    Location,
    template::{Delimiters, FILTERS, FUNCTIONS, LARGEST, TESTS},
};
use proptest::prelude::*;

use super::*;

/// In every value, and in nothing else.
const VALUE: &str = "hunter2";

const APP: &str = r#"{"user": "web", "password": "a/b@c:hunter2", "port": 5432, "ratio": 1.10,
    "on": true, "none": null, "hosts": ["a", "b"], "more": {"k": "v"}}"#;

fn made_of(text: &str, secrets: &[(&str, &str)]) -> Result<String, Cause> {
    let template = Template::parse(text.to_owned(), Delimiters::Braces)
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    let data = secrets.iter().map(|(from, secret)| {
        let reference: Reference = from.parse().expect(from);
        (reference.location, SecretData::from(Secret::from(*secret)))
    });
    let data: BTreeMap<Location, SecretData> = data.collect();
    let made = render(&template, |reference| data.get(&reference.location))?;
    Ok(made.expose_text().expect("text").to_owned())
}

fn made(text: &str) -> String {
    made_of(text, &[("vault:a/app", APP)]).unwrap_or_else(|cause| panic!("{text}: {cause}"))
}

fn fault(text: &str) -> String {
    let cause = made_of(text, &[("vault:a/app", APP), ("vault:a/text", VALUE)]).expect_err(text);
    let words = cause.to_string();
    assert!(!words.contains(VALUE), "{words}");
    words
}

/// `expression`, in which `app` is the secret.
fn value(expression: &str) -> String {
    made(&format!("{{% set app = secret('vault:a/app') %}}{{{{ {expression} }}}}"))
}

#[test]
fn the_designs_first_example_is_made() {
    let text = "dsn = postgres://{{ secret(\"aws-sm:prod/db\").username }}:{{ secret(\"aws-sm:prod/db\").password | urlencode }}@db/app\n";
    let secret = r#"{"username": "web", "password": "p@ss/w%rd"}"#;
    let made = made_of(text, &[("aws-sm:prod/db", secret)]).expect("a file");
    assert_eq!(made, "dsn = postgres://web:p%40ss%2Fw%25rd@db/app\n");
}

#[test]
fn a_secret_gives_its_fields_and_a_key_its_value() {
    for (expression, expected) in [
        ("app.user", "web"),
        ("app['user']", "web"),
        ("app.port", "5432"),
        ("app.port + 1", "5433"),
        ("app.ratio", "1.10"),
        ("app.on", "true"),
        ("app.none", "null"),
        ("app.hosts", r#"["a","b"]"#),
        ("app.hosts[1]", "b"),
        ("app.more", r#"{"k":"v"}"#),
        ("app.more.k", "v"),
        ("secret('vault:a/app#user')", "web"),
        ("secret('vault:a/app#more')", r#"{"k":"v"}"#),
        ("secret('vault:a/app#/hosts/0')", "a"),
        ("secret('vault:a/app#nothing') | default('x')", "x"),
        ("app.nothing | default(app.user)", "web"),
        ("'y' if app.nothing is defined else 'n'", "n"),
        ("app | length", "8"),
        ("app.hosts | join(',')", "a,b"),
        ("'a, b' | split(',') | map('trim') | list", r#"["a","b"]"#),
        ("'<' | e", "&lt;"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
    let whole = |secret| made_of("{{ secret('vault:a/b') }}", &[("vault:a/b", secret)]);
    for text in ["hunter2", "00123", "true", "null", "\"x\"", "{,}", "a,b"] {
        assert_eq!(whole(text).as_deref(), Ok(text));
    }
    assert_eq!(whole("{ \"b\": 1, \"a\": [] }").as_deref(), Ok(r#"{"b":1,"a":[]}"#));
}

#[test]
fn loops_go_over_fields_and_trees_in_their_order() {
    let text = "{% for name, value in secret('vault:a/app') | items if name is in ['user', 'port'] %}\n{{ name }}={{ value }}\n{% endfor %}\nend\n";
    assert_eq!(made(text), "user=web\nport=5432\nend\n");
    let text = "{% for name, value in secrets('aws-ssm:/prod/') | items %}\n{{ name }}: {{ value | yaml }}\n{% endfor %}\n";
    let made = made_of(text, &[("aws-ssm:/prod/", r#"{"tls/key":"a\nb","url":"no"}"#)]);
    assert_eq!(made.as_deref(), Ok("tls/key: \"a\\nb\"\nurl: \"no\"\n"));
}

#[test]
fn a_line_of_statements_alone_leaves_nothing_and_newlines_stay() {
    let text = "a\n  {% if true %}\nb {# no #}c\n  {% endif %}\n{{ secret('vault:a/app').user }}\n";
    assert_eq!(made(text), "a\nb c\nweb\n");
    assert_eq!(made("{{ secret('vault:a/app').user }}"), "web");
}

#[test]
fn filters_encode_and_quote() {
    for (expression, expected) in [
        ("'a/b c~é' | urlencode", "a%2Fb%20c~%C3%A9"),
        ("app.password | base64_encode", "YS9iQGM6aHVudGVyMg=="),
        ("'YS9i' | base64_decode", "a/b"),
        ("app.more | json", r#"{"k":"v"}"#),
        ("'a\"b' | json", r#""a\"b""#),
        ("app.ratio | json", "1.10"),
        ("app.more | yaml", r#""k": "v""#),
        ("app.hosts | yaml", "- \"a\"\n- \"b\""),
        ("'no' | yaml", "\"no\""),
        ("app.more | toml", r#""k" = "v""#),
        ("app.hosts | toml", r#"["a", "b"]"#),
        ("\"it's $x\" | shell", r"'it'\''s $x'"),
        ("\"it's\" | sql", "'it''s'"),
        (r#"'a\\b' | sql("standard")"#, r"'a\b'"),
        (r#"'a\\b' | sql("mysql")"#, r"'a\\b'"),
        ("' a=b\\n' | properties", r"\ a\=b\n"),
        ("'' | sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("'abc' | sha512 | length", "128"),
        ("'a\nb' | indent(2)", "a\n  b"),
        ("' x ' | trim", "x"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn pem_is_parted() {
    let block = |label: &str, body: &str| {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    };
    let (leaf, ca) = (block("CERTIFICATE", "bGVhZg=="), block("CERTIFICATE", "Y2E="));
    let key = block("EC PRIVATE KEY", "a2V5");
    let bundle = format!("{leaf}{ca}\n{key}");
    let secret = serde_json::json!({"bundle": bundle, "list": [ca.trim(), ca.trim()]}).to_string();
    let part = |expression: &str| {
        let text = format!("{{{{ secret('vault:a/tls').{expression} }}}}");
        made_of(&text, &[("vault:a/tls", &secret)])
    };
    assert_eq!(part("bundle | pem_certificate"), Ok(leaf));
    assert_eq!(part("bundle | pem_chain"), Ok(ca.clone()));
    assert_eq!(part("bundle | pem_key"), Ok(key));
    assert_eq!(part("list | pem_chain"), Ok(ca));
    assert!(part("list | pem_key").expect_err("no key").to_string().contains("no private key"));
}

#[test]
fn faults_name_their_place_and_what_was_missing_and_no_value() {
    for (text, reason) in [
        (
            "a\né {{ secret('vault:a/app').passwrd }}",
            "line 2, column 6: `secret('vault:a/app').passwrd` is not there; `| default(…)`",
        ),
        (
            "{{ secret('vault:a/app#passwrd') }}",
            "is not there: the secret has no key `passwrd`; did you mean `password`?",
        ),
        ("{{ secret('vault:a/text#x') }}", "plain text, no JSON, so `#x` cannot be picked"),
        ("{{ secret('vault:a/text').x }}", "`secret('vault:a/text').x` is not there"),
        (
            "{% for x in secret('vault:a/app').on %}{% endfor %}",
            "line 1, column 19: `('vault:a/app').on`: invalid operation",
        ),
        ("{{ secret('vault:a/text') | int }}", "invalid operation"),
        ("{{ secret('vault:a/text') + 1 }}", "`secret('vault:a/text') + 1`: invalid operation"),
        ("{{ secret('vault:a/text') | base64_decode }}", "it is no base64"),
        ("{{ secret('vault:a/text') | pem_key }}", "something outside of its PEM blocks"),
        ("{{ secret('vault:a/app') | urlencode }}", "a map is no text"),
        ("{{ secret('vault:a/app') | toml }}", "TOML has no null"),
        ("{{ ('\\\\' ~ secret('vault:a/text')) | sql }}", "servers disagree"),
        ("{{ (secret('vault:a/text') ~ '\\u0000') | shell }}", "a NUL"),
        ("{{ '_-8' | base64_decode }}{{ secret('vault:a/text') }}", "no text, which a template"),
        ("{{ secret('vault:a/text').upper() }}", "unknown method"),
        ("{{ secret('vault:a/text')() }}", "line 1"),
        ("{{ [secret('vault:a/text')] | map('safe') | list }}", "unknown filter"),
        ("{{ dict(a=1, b=secret('vault:a/text')) | attr('c') }}", "is not there"),
        ("{{ '%d' | format(secret('vault:a/text')) }}", "invalid operation"),
    ] {
        let fault = fault(text);
        assert!(fault.starts_with("line "), "{fault}");
        assert!(fault.contains(reason), "{text}: `{fault}` lacks `{reason}`");
    }
}

#[test]
fn work_size_and_depth_have_an_end() {
    let loops = "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}";
    let double = "{% set a = app.password * 100000000 %}{{ a }}";
    let shared = "{% set l = ['x'] %}".to_owned() + &"{% set l = [l, l] %}".repeat(5);
    let deep = "{% set l = ['x'] %}".to_owned() + &"{% set l = [l] %}".repeat(600);
    let large = "{% for a in range(1000) %}{{ app.password * 90 }}{% endfor %}";
    for (text, reason) in [
        (loops, "more work"),
        (double, "more work"),
        (&format!("{shared}{{{{ [l] * 90000 }}}}"), "too large"),
        (&format!("{shared}{{{{ ([l] * 90000) | yaml | length }}}}"), "too large"),
        (&format!("{deep}{{{{ l }}}}"), "too deep"),
        (&format!("{deep}{{{{ l == [l] }}}}"), ""),
        (&format!("{deep}{{{{ l | string | length }}}}"), ""),
        (large, "a file of more than 1048576 bytes"),
    ] {
        let text = format!("{{% set app = secret('vault:a/app') %}}{text}");
        let shown = text[..60].to_owned();
        let work = std::thread::Builder::new()
            .stack_size(2 * 1024 * 1024)
            .spawn(move || made_of(&text, &[("vault:a/app", APP)]).map(|made| made.len()));
        let cause = work.expect("a thread").join().expect("no panic");
        match cause {
            Err(cause) => assert!(cause.to_string().contains(reason), "{shown}: {cause}"),
            Ok(length) => assert!(reason.is_empty() && length < LARGEST, "{shown}"),
        }
    }
}

#[test]
fn the_language_has_every_word_that_the_webhook_lets_pass() {
    let lookups = Lookups::new(&[], |_| None);
    let environment = language::environment(Delimiters::Braces, &lookups);
    let has = |kind: &str, word: &str| {
        let text = format!("{{{{ '{word}' is {kind} }}}}");
        environment.render_str(&text, ()).expect(word) == "true"
    };
    for word in FILTERS {
        assert!(has("filter", word), "{word}");
    }
    for word in TESTS {
        assert!(has("test", word), "{word}");
    }
    for word in FUNCTIONS {
        assert!(environment.globals().any(|(name, _)| name == *word), "{word}");
    }
    for word in ["safe", "pprint", "batch", "slice"] {
        assert!(!has("filter", word), "{word}");
    }
    let globals: Vec<&str> = environment.globals().map(|(name, _)| name).collect();
    assert_eq!(globals, ["dict", "range", "secret", "secrets"]);
}

/// Each would take hours or gigabytes if somebody did what it says.
#[test]
fn no_word_of_the_language_escapes_the_limits() {
    let twice = |name: &str| {
        format!("{{% set {name} = ['x'] %}}")
            + &format!("{{% set {name} = [{name}, {name}] %}}").repeat(7)
    };
    let shared = twice("l") + &twice("m") + "{% set n = 1000000000 %}";
    for expression in [
        "l == m",
        "l < m",
        "l in [m]",
        "[l, m] | sort | length",
        "[l, m] | max | length",
        "[l, m] | unique | list | length",
        "[l, m] | sum",
        "{l: 1}[m]",
        "l | string | length",
        "l ~ m",
        "'%s' | format(l)",
        "[l] | join",
        "[l] | map('string') | list | length",
        "[{'a': l}, {'a': m}] | groupby('a') | length",
        "'x' * n",
        "[1] * n",
        "'%*d' | format(n, 1)",
        "'%1000000000d' | format(1)",
        "'%.1000000000f' | format(1)",
        "range(n) | list | length",
        "range(n) | sum",
        "'x' | indent(n)",
        "'x\ny' | indent(n)",
        "('x' * 10000) | replace('', 'y' * 10000) | length",
        "('x' * 10000) | split('') | length",
        "('x' * 100000) | replace('x', 'y' * 100000) | length",
        "(['x' * 1000] * 1000) | join('y' * 100000) | length",
        "2 ** n",
        "1.5 | round(n)",
        "app | json | base64_encode | sha256 | length",
    ] {
        let text = format!("{shared}{{% set app = secret('vault:a/app') %}}{{{{ {expression} }}}}");
        if let Ok(made) = made_of(&text, &[("vault:a/app", APP)]) {
            assert!(made.len() < LARGEST, "{expression}");
        }
    }
}

/// Expressions of every kind over secrets, good and bad.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "secret('vault:a/app')",
        "secret('vault:a/text')",
        "secret('vault:a/app#password')",
        "secret('vault:a/app').hosts",
        "secret('vault:a/app').nothing",
        "1",
        "-1",
        "'x'",
        "[]",
        "{}",
        "none",
        "range(3)",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 16, 2, |inner| {
        let filter = prop::sample::select(FILTERS);
        let test = prop::sample::select(TESTS);
        let operator = prop::sample::select(vec![
            "+", "-", "*", "/", "//", "%", "**", "~", "<", "==", "in", "and",
        ]);
        prop_oneof![
            (inner.clone(), filter.clone()).prop_map(|(it, filter)| format!("({it}) | {filter}")),
            (inner.clone(), filter, inner.clone())
                .prop_map(|(it, filter, with)| format!("({it}) | {filter}({with})")),
            (inner.clone(), test.clone()).prop_map(|(it, test)| format!("({it}) is {test}")),
            (inner.clone(), test, inner.clone())
                .prop_map(|(it, test, with)| format!("({it}) is {test}({with})")),
            (inner.clone(), operator, inner.clone())
                .prop_map(|(left, operator, right)| format!("({left}) {operator} ({right})")),
            (inner.clone(), inner.clone()).prop_map(|(it, at)| format!("({it})[{at}]")),
            (inner.clone(), inner).prop_map(|(it, to)| format!("({it})[:{to}]")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_is_asked_nothing_panics_and_no_fault_tells_a_value(
        expression in expressions(),
        form in 0_u8..4,
    ) {
        let text = match form {
            0 => format!("{{{{ {expression} }}}}"),
            1 => format!("{{% for x in {expression} %}}{{{{ x }}}}{{% endfor %}}"),
            2 => format!("{{% set x = {expression} %}}{{{{ x | json }}}}"),
            _ => format!("{{% if {expression} %}}{{{{ {expression} }}}}{{% endif %}}"),
        };
        let text = format!("{text}{{{{ secret('vault:a/app').nothing }}}}");
        prop_assume!(Template::parse(text.clone(), Delimiters::Braces).is_ok());
        let secrets = [("vault:a/app", APP), ("vault:a/text", VALUE)];
        let fault = made_of(&text, &secrets).expect_err("the last one is missing").to_string();
        prop_assert!(!fault.contains(VALUE), "{}", fault);
    }
}
