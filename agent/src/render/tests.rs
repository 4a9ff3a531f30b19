mod round_trip;

use super::*;

fn entries(json: &str) -> Vec<FileEntry> {
    serde_json::from_str(json).expect(json)
}

fn rendered(entry: &str, secret: &str) -> Result<DesiredFiles, String> {
    let entries = entries(&format!("[{entry}]"));
    let data = SecretData::from(Secret::from(secret));
    let secrets = entries.iter().map(|entry| (&entry.from.location, Some(&data))).collect();
    desired_files(&entries, &Access::default(), &secrets)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

fn text(entry: &str, secret: &str) -> Result<String, String> {
    let desired = rendered(entry, secret)?;
    let file = desired.files.into_values().next().ok_or("no file")?;
    Ok(file.content.expose_text().expect("text").to_owned())
}

const SECRET: &str =
    r#"{"user": "web", "pass": "a'b\"$x\\\nc", "port": 5432, "more": {"k": [true, null]}}"#;

#[test]
fn each_format_has_its_form() {
    for (path, expected) in [
        ("raw", SECRET),
        ("a.json", r#"{"user":"web","pass":"a'b\"$x\\\nc","port":5432,"more":{"k":[true,null]}}"#),
        (
            "a.yaml",
            "\"user\": \"web\"\n\"pass\": \"a'b\\\"$x\\\\\\nc\"\n\"port\": 5432\n\"more\": {\"k\": [true, null]}\n",
        ),
        (
            "a.env",
            "user=\"web\"\npass=\"a'b\\\"\\$x\\\\\nc\"\nport=\"5432\"\nmore='{\"k\":[true,null]}'\n",
        ),
        ("a.properties", "user=web\npass=a'b\"$x\\\\\\nc\nport=5432\nmore={\"k\"\\:[true,null]}\n"),
    ] {
        let entry = format!(r#"{{"path":"{path}","from":"vault:secret/app"}}"#);
        assert_eq!(text(&entry, SECRET).as_deref(), Ok(expected), "{path}");
    }
}

#[test]
fn keys_choose_and_order() {
    let entry = r#"{"path":"a.toml","from":"vault:secret/app","keys":["port","user"]}"#;
    assert_eq!(text(entry, SECRET).as_deref(), Ok("\"port\" = 5432\n\"user\" = \"web\"\n"));
}

#[test]
fn a_directory_has_one_raw_file_for_each_key() {
    let desired = rendered(r#"{"dir":"d","from":"vault:secret/app"}"#, SECRET).expect("files");
    let paths: Vec<&str> = desired.files.keys().map(FilePath::as_str).collect();
    assert_eq!(paths, ["d/more", "d/pass", "d/port", "d/user"]);
    assert_eq!(desired.tops().into_iter().collect::<Vec<_>>(), ["d"]);
    assert_eq!(
        desired.files.values().next().expect("a file").content.expose(),
        br#"{"k":[true,null]}"#
    );
}

#[test]
fn an_empty_secret_still_makes_its_directory() {
    let desired = rendered(r#"{"dir":"d","from":"vault:secret/app"}"#, "{}").expect("files");
    assert_eq!(desired.tops().len(), 1);
}

#[test]
fn what_is_missing_leaves_an_optional_file_out() {
    for entry in [
        r#"{"path":"a","from":"vault:secret/app#none","optional":true}"#,
        r#"{"path":"a.env","from":"vault:secret/app","keys":["none"],"optional":true}"#,
    ] {
        assert!(rendered(entry, SECRET).expect(entry).files.is_empty(), "{entry}");
    }
    let directory =
        r#"{"dir":"d","from":"vault:secret/app","keys":["user","none"],"optional":true}"#;
    assert_eq!(rendered(directory, SECRET).expect("files").files.len(), 1);
}

#[test]
fn what_cannot_be_written_is_told_without_the_value() {
    for (entry, secret, reason) in [
        (
            r#"{"path":"a","from":"vault:s/a#pas"}"#,
            r#"{"pass":"hunter2"}"#,
            "`a` from `vault:s/a#pas`: the secret has no key `pas`; did you mean `pass`?",
        ),
        (r#"{"path":"a.json","from":"vault:s/a"}"#, "hunter2", "JSON needs one"),
        (r#"{"path":"a.env","from":"vault:s/a"}"#, r#"["hunter2"]"#, "dotenv needs one"),
        (
            r#"{"path":"a.env","from":"vault:s/a"}"#,
            r#"{"db-pass":"hunter2"}"#,
            "the key `db-pass` is no name",
        ),
        (r#"{"path":"a.env","from":"vault:s/a"}"#, r#"{"a":"hunter2\u0000"}"#, "a NUL"),
        (r#"{"path":"a.toml","from":"vault:s/a"}"#, r#"{"a":[null]}"#, "no null"),
        (r#"{"path":"a.toml","from":"vault:s/a"}"#, r#"{"a":9223372036854775808}"#, "64 bits"),
        (
            r#"{"dir":"d","from":"vault:s/a"}"#,
            r#"{"../x":"hunter2"}"#,
            "the key `../x` is no file name",
        ),
        (r#"{"dir":"d","from":"vault:s/a"}"#, r#"{"..data":"hunter2"}"#, "begin with `..`"),
        (r#"{"dir":"d","from":"vault:s/a"}"#, r#"{"a\u0000b":"hunter2"}"#, "control characters"),
        (
            r#"{"dir":"d","from":"vault:s/a"}"#,
            r#"{"a":"hunter2","a-b":"","a/b":"x"}"#,
            "cannot both be files",
        ),
        (r#"{"dir":"d","from":"vault:s/a","keys":["pass"]}"#, "{}", "no key `pass`"),
    ] {
        let error = rendered(entry, secret).expect_err(entry);
        assert!(error.contains(reason), "`{error}` lacks `{reason}`");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn binary_secrets_are_written_raw_byte_for_byte() {
    let bytes = b"\xff\x00\xfe\xef\xbb\xbf".to_vec();
    let entries = entries(r#"[{"path":"a","from":"vault:s/a"}]"#);
    let data = SecretData::from(Secret::from(bytes.clone()));
    let secrets = BTreeMap::from([(&entries[0].from.location, Some(&data))]);
    let desired = desired_files(&entries, &Access::default(), &secrets).expect("files");
    assert_eq!(desired.files.values().next().expect("a file").content.expose(), bytes);
}
