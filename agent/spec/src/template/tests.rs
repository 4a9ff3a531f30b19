//! What is found in a template, and what is refused.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Template, String> {
    Template::parse(text.to_owned(), Delimiters::Braces).map_err(|error| error.to_string())
}

fn found(text: &str) -> Vec<String> {
    parse(text).expect(text).references().iter().map(Reference::to_string).collect()
}

#[test]
fn every_reference_is_found_wherever_it_is_written() {
    for text in [
        r#"{{ secret("vault:a/b") }}"#,
        r"{{ secret('vault:a/b').x }}",
        r#"{{ secret("vault:a/b")["x"] | default("y") }}"#,
        r#"{{ "x" | default(secret("vault:a/b")) }}"#,
        r#"{{ "x" if secret("vault:a/b").on else "y" }}"#,
        r#"{{ "x" if true else secret("vault:a/b") }}"#,
        r#"{% if false %}{{ secret("vault:a/b") }}{% endif %}"#,
        r#"{% if secret("vault:a/b").on %}{% endif %}"#,
        r#"{% if true %}{% elif secret("vault:a/b") %}{% endif %}"#,
        r#"{% if true %}{% else %}{{ secret("vault:a/b") }}{% endif %}"#,
        r#"{% for k, v in secret("vault:a/b") | items %}{{ k }}{% endfor %}"#,
        r#"{% for k in [1] if secret("vault:a/b") %}{% endfor %}"#,
        r#"{% for k in [] %}{% else %}{{ secret("vault:a/b") }}{% endfor %}"#,
        r#"{% set x = secret("vault:a/b") %}{{ x.y }}"#,
        r#"{% set x %}{{ secret("vault:a/b") }}{% endset %}"#,
        r#"{% set x | default(secret("vault:a/b")) %}{% endset %}"#,
        r#"{% with x = secret("vault:a/b") %}{% endwith %}"#,
        r#"{% with x = 1 %}{{ secret("vault:a/b") }}{% endwith %}"#,
        r#"{% filter upper %}{{ secret("vault:a/b") }}{% endfilter %}"#,
        r#"{% filter default(secret("vault:a/b")) %}{% endfilter %}"#,
        r#"{% do dict(a=secret("vault:a/b")) %}"#,
        r#"{{ {"a": secret("vault:a/b")} }}"#,
        r#"{{ {secret("vault:a/b"): 1} }}"#,
        r#"{{ [secret("vault:a/b")] }}"#,
        r#"{{ (1, secret("vault:a/b")) }}"#,
        r#"{{ range(*secret("vault:a/b")) }}"#,
        r#"{{ dict(**secret("vault:a/b")) }}"#,
        r#"{{ 1 < 2 < secret("vault:a/b") }}"#,
        r#"{{ 1 ~ -secret("vault:a/b") }}"#,
        r#"{{ not secret("vault:a/b") }}"#,
        r#"{{ "x"[secret("vault:a/b"):] }}"#,
        r#"{{ "x"[::secret("vault:a/b")] }}"#,
        r#"{{ [1][secret("vault:a/b")] }}"#,
        r#"{{ 1 is eq(secret("vault:a/b")) }}"#,
        r#"{{ secret("vault:a/b") is defined }}"#,
        r#"{{ secret("vault:a/b").x() }}"#,
        r#"{{ secret("vault:a" "/b") }}"#,
    ] {
        assert_eq!(found(text), ["vault:a/b"], "{text}");
    }
}

#[test]
fn references_are_in_their_order_and_each_once() {
    let text = r#"{{ secret("vault:b/b#x") }}{{ secret("aws-sm:a") }}{{ secret("vault:b/b#x") }}
        {% for name, value in secrets("aws-ssm:/prod/db/") | items %}{{ name }}={{ value }}{% endfor %}"#;
    assert_eq!(found(text), ["vault:b/b#x", "aws-sm:a", "aws-ssm:/prod/db/"]);
}

#[test]
fn each_fault_has_its_place_and_its_remedy() {
    for (text, reason) in [
        (
            "{{ secret(\"vault:a/b\") }}\n  é {{ secret(x) }}",
            "line 2, column 8: `secret` takes one",
        ),
        (r#"{{ secret("vault:" ~ "a/b") }}"#, "what is computed is refused"),
        (r#"{% set n = "a" %}{{ secret("vault:a/" ~ n) }}"#, "line 1, column 21"),
        (r#"{{ secret(*["vault:a/b"]) }}"#, "what is computed"),
        (r#"{{ secret(ref="vault:a/b") }}"#, "what is computed"),
        (r#"{{ secret("vault:a/b", "x") }}"#, "takes one reference"),
        ("{{ secret() }}", "takes one reference"),
        ("{{ secret(1) }}", "takes one reference"),
        ("{{ secret }}", "`secret` can only be called"),
        ("{% set s = secrets %}", "`secrets` can only be called"),
        (r#"{{ "vault:a/b" | map(secret) }}"#, "can only be called"),
        ("{% set secret = 1 %}", "can only be called"),
        ("{% for a, secrets in [] %}{% endfor %}", "can only be called"),
        (r#"{{ secret("vautl:a/b") }}"#, "line 1, column 4: unknown source `vautl`; did you mean"),
        (r#"{{ secret("aws-ssm:/prod/") }}"#, r#"names a tree; write `secrets("aws-ssm:/prod/")`"#),
        (r#"{{ secrets("aws-ssm:/prod") }}"#, "names no tree"),
        (r#"{{ secrets("aws-ssm:/prod/#x") }}"#, "names no tree"),
        ("plain text", "names no secret"),
        ("{{ password }}", "column 4: there is no variable or function `password`; allowed"),
        (r"{% set pass = 1 %}{{ pas }}", "did you mean `pass`?"),
        (r#"{{ "a" | base64 }}"#, "there is no filter `base64`; did you mean"),
        (r#"{{ "a" is defind }}"#, "there is no test `defind`; did you mean `defined`?"),
        (r#"{{ "a" | safe }}"#, "there is no filter `safe`"),
        (r#"{% include "x" %}"#, "unknown statement include"),
        (r"{% macro x() %}{% endmacro %}", "unknown statement macro"),
        ("{% autoescape true %}{% endautoescape %}", "`autoescape` is not known here"),
        ("{% for a in [] recursive %}{% endfor %}", "`recursive` is not known here"),
        ("a\n{{ 1 + }}", "line 2, column"),
        ("{% if true %}", "line 1, column"),
        ("{{ \"", "line 1, column"),
    ] {
        let error = parse(text).expect_err(text);
        assert!(error.contains(reason), "{text}: `{error}` lacks `{reason}`");
    }
}

#[test]
fn other_marks_leave_helms_alone() {
    let text = r#"{{ .Values.host }} [[ secret("vault:a/b").x ]] [% if true %][# no #][% endif %]"#;
    let template = Template::parse(text.to_owned(), Delimiters::Brackets).expect(text);
    assert_eq!(template.references().len(), 1);
    let text = r#"[[servers]] << secret("vault:a/b").x >>"#;
    let template = Template::parse(text.to_owned(), Delimiters::Angles).expect(text);
    assert_eq!(template.references().len(), 1);
}

/// On a stack as small as any thread's that reads templates.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(work);
    thread.expect("a thread").join().expect("the stack holds");
}

#[test]
fn what_would_nest_without_end_is_refused() {
    let many = |piece: &str| piece.repeat(LONGEST / piece.len() - 20);
    for text in [
        format!("{{{{ 1{} }}}}", many("+1")),
        format!("{{{{ 1{} }}}}", many("|e")),
        format!("{{{{ 1{} }}}}", many(".a")),
        format!("{{{{ {} 1 }}}}", many("not ")),
        format!("{{{{ {}1 }}}}", many("-")),
        format!("{{{{ {}1 }}}}", many("(")),
        format!("{{{{ {}1 }}}}", many("[")),
        format!("{{{{ 1{} }}}}", many(" if 1 else 1")),
        format!("{{% if 1 %}}{}{{% endif %}}", many("{%elif 1%}")),
        many("{%if 1%}"),
        many("{% for a in 1 %}"),
        many("{{{{"),
        many("{# "),
        many("{{1}}"),
        format!("{{% set l = [1] %}}{}", "{% set l = [l, l] %}".repeat(20)),
        format!("{{% set l = [1] %}}{}", "{% set l = l | zip(l) | list %}".repeat(20)),
        format!("{{% set l = [1] %}}{}", "{% set l = [l] * 1000 %}".repeat(3)),
    ] {
        on_a_small_stack(move || {
            assert!(parse(&text).is_err(), "{}", &text[..40]);
        });
    }
    assert!(parse(&"a".repeat(LONGEST + 1)).expect_err("long").contains("allowed: 65536"));
    let calls = (0..101).map(|at| format!("{{{{secret('vault:a/{at}')}}}}"));
    let references = calls.collect::<Vec<_>>().concat();
    assert!(parse(&references).expect_err("many").contains("one reference too many"));
}

#[test]
fn the_deepest_that_is_allowed_is_read_on_a_small_stack() {
    let chain = format!(r#"{{{{ secret("vault:a/b"){} }}}}"#, ".a".repeat(190));
    let tests = format!(r#"{{{{ {} secret("vault:a/b") }}}}"#, "not ".repeat(390));
    let branches =
        format!(r#"{{% if secret("vault:a/b") %}}{}{{% endif %}}"#, "{% elif 1 %}".repeat(100));
    for text in [chain, tests, branches] {
        on_a_small_stack(move || assert_eq!(found(&text), ["vault:a/b"]));
    }
}

/// Pieces that make templates, more or less.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        " ",
        "\n",
        "secret",
        "secrets",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "\"vault:a/b\"",
        "'aws-ssm:/p/'",
        "\"",
        "'",
        ".",
        "|",
        "if",
        "else",
        "elif",
        "endif",
        "for",
        "in",
        "endfor",
        "set",
        "=",
        "x",
        "1",
        "~",
        "-",
        "*",
        "**",
        ",",
        ":",
        "not",
        "é",
        "upper",
        "is",
        "raw",
        "endraw",
        "filter",
        "with",
        "do",
        "\\",
        "\\u",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_is_written_is_answered(text in pieces()) {
        let _ = parse(&text);
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }

    /// Only text and comments hide a call.
    #[test]
    fn a_call_is_known_or_refused(before in pieces(), after in pieces()) {
        let text = format!("{before}{{{{ secret(\"vault:hidden/one\") }}}}{after}");
        let around = before + &after;
        let hides = ["raw", "{#", "\"", "'"].iter().any(|mark| around.contains(mark));
        if let (Ok(template), false) = (parse(&text), hides) {
            prop_assert!(template.references().iter().any(|it| it.to_string() == "vault:hidden/one"));
        }
    }

    #[test]
    fn a_call_is_known_however_deep_it_lies(
        wraps in prop::collection::vec(prop::sample::select(vec![
            ("{% if false %}", "{% endif %}"),
            ("{% if true %}{% elif true %}", "{% else %}{% endif %}"),
            ("{%- for x in [] -%}", "{%- endfor -%}"),
            ("{% for x in [] %}{% else %}", "{% endfor %}"),
            ("{% set x %}", "{% endset %}"),
            ("{% filter upper %}", "{% endfilter %}"),
            ("{% with y = 1 %}", "{% endwith %}"),
            ("{# no #}", "{% raw %}{{ {% endraw %}"),
            ("é {\n", "} % "),
        ]), 0..40),
    ) {
        let call = "{{ secret('vault:hidden/one') }}".to_owned();
        let text = wraps.iter().fold(call, |inner, (open, close)| format!("{open}{inner}{close}"));
        prop_assert_eq!(found(&text), ["vault:hidden/one"]);
    }
}
