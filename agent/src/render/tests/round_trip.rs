//! Every format through a real parser of that format.
#![expect(
    clippy::disallowed_methods,
    reason = "a shell is the parser that reads `.env` files most"
)]

use std::{collections::BTreeMap, process::Command};

use proptest::prelude::*;

use super::*;

type Values = BTreeMap<String, String>;

fn written(name: &str, values: &Values) -> Vec<u8> {
    let entry = format!(r#"{{"path":"{name}","from":"vault:secret/app"}}"#);
    let secret = serde_json::to_string(values).expect("JSON");
    let desired = rendered(&entry, &secret).expect("rendered");
    let file = desired.files.into_values().next().expect("a file");
    file.content.expose().to_vec()
}

fn dotenv(text: &[u8]) -> Values {
    dotenvy::from_read_iter(text).collect::<Result<_, _>>().expect("dotenv")
}

fn properties(text: &[u8]) -> Values {
    java_properties::read(text).expect("properties").into_iter().collect()
}

fn yaml(text: &[u8]) -> Values {
    serde_saphyr::from_slice(text).expect("YAML")
}

fn toml(text: &[u8]) -> Values {
    ::toml::from_slice(text).expect("TOML")
}

fn json(text: &[u8]) -> Values {
    serde_json::from_slice(text).expect("JSON")
}

/// What a shell that sources the file has in `name`.
fn shell(text: &[u8], name: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(".env"), text).expect("written");
    let script = format!(r#". ./.env; printf %s "${name}""#);
    let output = Command::new("sh").args(["-c", &script]).current_dir(&folder).output();
    output.expect("a shell").stdout
}

/// Text with everything that one of the formats could trip over.
fn hard() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        prop::sample::select(
            "'\"\\$`#=:! \t\n{}[]&*-?|<>%@,~\u{7f}\u{85}\u{a0}\u{2028}\u{feff}é😀"
                .chars()
                .collect::<Vec<_>>()
        ),
        any::<char>().prop_filter("no NUL", |character| *character != '\0'),
    ];
    prop::collection::vec(character, 0..12).prop_map(|characters| characters.into_iter().collect())
}

/// Java reads surrogate pairs; the library that stands in for it here does not.
fn is_one_unit(character: char) -> bool {
    character.len_utf16() == 1
}

/// The file, unless a value has no form in that dialect; every refusal names the key.
fn dotenv_in(dialect: &str, values: &Values) -> Option<Vec<u8>> {
    let entry = format!(r#"{{"path":"a.env","from":"vault:secret/app","dialect":"{dialect}"}}"#);
    match rendered(&entry, &serde_json::to_string(values).expect("JSON")) {
        Ok(desired) => Some(desired.files.into_values().next()?.content.expose().to_vec()),
        Err(error) => {
            let named = values.keys().any(|key| error.contains(&format!("the value of `{key}`")));
            assert!(named, "{error}");
            None
        }
    }
}

proptest! {
    #[test]
    fn any_text_survives_json_yaml_toml_and_properties(
        values in prop::collection::btree_map("[a-z :=#!é\"'\\\\]{1,6}", hard(), 0..4)
    ) {
        prop_assert_eq!(&json(&written("a.json", &values)), &values);
        prop_assert_eq!(&yaml(&written("a.yaml", &values)), &values);
        prop_assert_eq!(&toml(&written("a.toml", &values)), &values);
        if values.values().all(|value| value.chars().all(is_one_unit)) {
            prop_assert_eq!(&properties(&written("a.properties", &values)), &values);
        }
    }

    #[test]
    fn what_all_readers_hold_alike_survives_dotenv(
        values in prop::collection::btree_map("[A-Z][A-Z0-9_]{0,4}X", hard(), 0..4)
    ) {
        // The library that stands in here takes a `$` between double quotes for a fault.
        let is_read = |value: &String| !(value.contains('\'') && value.contains('$'));
        let text = dotenv_in("common", &values);
        if let Some(text) = text.filter(|_| values.values().all(is_read)) {
            prop_assert_eq!(&dotenv(&text), &values);
        }
    }

    #[test]
    fn one_value_that_is_refused_takes_no_other_with_it(value in hard()) {
        for dialect in ["common", "node", "python", "go", "compose", "systemd", "kubernetes"] {
            let of = |value: &str| {
                Values::from([("A".to_owned(), "1".to_owned()), ("B".to_owned(), value.to_owned())])
            };
            let text = dotenv_in(dialect, &of(&value));
            prop_assert!(text.is_none_or(|text| text.starts_with(b"A='1'\nB=")));
        }
    }
}

#[test]
fn each_dialect_has_its_form() {
    for (dialect, value, expected) in [
        ("common", "s7@o8\\p=@us$0!", "'s7@o8\\p=@us$0!'"),
        ("common", "C:\\new", "'C:\\new'"),
        (
            "common",
            r#"{"private_key":"-----BEGIN\nA\n"}"#,
            r#"'{"private_key":"-----BEGIN\nA\n"}'"#,
        ),
        ("common", "it's 5 $", "\"it's 5 $\""),
        ("common", "two\nlines `x` \"y\" $HOME #", "'two\nlines `x` \"y\" $HOME #'"),
        ("common", "", "''"),
        ("node", "a'\"b", "`a'\"b`"),
        ("node", "a'`\\n\"", "a'`\\n\""),
        ("python", "it's \"x\\y\"", r#"'it\'s "x\\y"'"#),
        ("python", "${x} $", "'${:-$}{x} ${:-$}'"),
        ("python", "a\rb", r#""a\rb""#),
        ("go", "it's $5", r#""it's \$5""#),
        ("go", "it's\\", r"it's\"),
        ("compose", "it's $5\\", r#""it's \$5\\""#),
        ("systemd", "it's $5`\"", r#""it's \$5\`\"""#),
        ("sh", "it's $5`\"", r#""it's \$5\`\"""#),
        ("kubernetes", "$(x) \\ \\\\", "'$(x) \\ \\\\'"),
    ] {
        let text = dotenv_in(dialect, &Values::from([("K".to_owned(), value.to_owned())]));
        let text = text.map(|text| String::from_utf8(text).expect("text"));
        assert_eq!(text, Some(format!("K={expected}\n")), "{dialect} {value:?}");
    }
}

#[test]
fn what_a_dialect_cannot_hold_is_refused() {
    for (dialect, value) in [
        ("common", "it's \"x\""),
        ("common", "it's $HOME"),
        ("common", "a\\\\b"),
        ("common", "a\\"),
        ("common", "a\rb"),
        ("common", "${x}"),
        ("common", "\u{ffff}"),
        ("node", "a\rb"),
        ("python", "two\nlines\\"),
        ("go", "it's\n\\"),
        ("systemd", "\u{fdd0}"),
        ("kubernetes", "it's"),
        ("kubernetes", ""),
        ("kubernetes", "a\r\nb"),
        ("compose", "a\0b"),
        ("sh", "a\0b"),
    ] {
        let text = dotenv_in(dialect, &Values::from([("K".to_owned(), value.to_owned())]));
        assert_eq!(text, None, "{dialect} {value:?}");
    }
    let long = "x".repeat(65_001);
    assert_eq!(dotenv_in("kubernetes", &Values::from([("K".to_owned(), long)])), None);
}

#[test]
fn a_shell_reads_dotenv_as_it_was_meant() {
    for value in [
        "",
        "plain",
        "it's",
        "a\"b",
        "$HOME `id` \\n",
        "two\nlines",
        "'`$\"\\",
        " # x ",
        "é😀",
        "x\ry",
    ] {
        let text = dotenv_in("sh", &Values::from([("NAME".to_owned(), value.to_owned())]));
        assert_eq!(shell(&text.expect("written"), "NAME"), value.as_bytes(), "{value:?}");
    }
}

#[test]
fn numbers_are_numbers_in_every_yaml() {
    let secret = r#"{"a": 1e5, "b": 1E-5, "c": -1.5e+3, "d": 0.1, "e": 12, "f": 1.10}"#;
    let text = text(r#"{"path":"a.yaml","from":"vault:secret/app"}"#, secret).expect("YAML");
    let numbers: Vec<&str> = text.lines().filter_map(|line| line.get(5..)).collect();
    assert_eq!(numbers, ["1.0e+5", "1.0e-5", "-1.5e+3", "0.1", "12", "1.10"]);
    let read: BTreeMap<String, f64> = serde_saphyr::from_str(&text).expect("YAML");
    assert_eq!(read.into_values().collect::<Vec<_>>(), [1e5, 1e-5, -1500.0, 0.1, 12.0, 1.1]);
}

#[test]
fn a_long_key_is_marked_as_one_in_yaml() {
    let key = "k".repeat(2000);
    let secret = serde_json::json!({ &key: {&key: 1}, "b": 2 });
    let text = text(r#"{"path":"a.yaml","from":"vault:secret/app"}"#, &secret.to_string());
    let read: serde_json::Value = serde_saphyr::from_str(&text.expect("YAML")).expect("YAML");
    assert_eq!(read, secret);
}

#[test]
fn types_survive_where_the_format_has_them() {
    let secret = r#"{"n": 5432, "f": 1.5e3, "t": true, "deep": {"list": ["no", 1, {"x": "1e3"}]}}"#;
    let bytes = |name: &str| {
        let entry = format!(r#"{{"path":"{name}","from":"vault:secret/app"}}"#);
        text(&entry, secret).expect(name)
    };
    let expected: serde_json::Value = serde_json::from_str(secret).expect("JSON");
    let yaml: serde_json::Value = serde_saphyr::from_str(&bytes("a.yaml")).expect("YAML");
    let toml: serde_json::Value = ::toml::from_str(&bytes("a.toml")).expect("TOML");
    assert_eq!((&yaml, &toml), (&expected, &expected));
}
