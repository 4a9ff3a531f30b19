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

/// Libraries cut lines at a carriage return and after a NUL; a shell does not.
fn plain(values: &Values) -> bool {
    !values.values().any(|value| value.contains('\r'))
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
    fn any_text_survives_dotenv(
        values in prop::collection::btree_map("[A-Z_][A-Z0-9_]{0,4}", hard(), 0..4).prop_filter("no CR", plain)
    ) {
        prop_assert_eq!(&dotenv(&written("a.env", &values)), &values);
    }
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
        let text = written("a.env", &Values::from([("NAME".to_owned(), value.to_owned())]));
        assert_eq!(shell(&text, "NAME"), value.as_bytes(), "{value:?}");
    }
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
