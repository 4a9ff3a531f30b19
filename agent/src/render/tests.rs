mod round_trip;

use super::*;

fn entries(json: &str) -> Vec<FileEntry> {
    serde_json::from_str(json).expect(json)
}

fn rendered(entry: &str, secret: &str) -> Result<DesiredFiles, String> {
    let entries = entries(&format!("[{entry}]"));
    let data = SecretData::from(Secret::from(secret));
    let secrets =
        entries.iter().map(|entry| (&entry.references()[0].location, Some(&data))).collect();
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
fn keys_give_other_names() {
    let keys = r#""keys":{"port":"DB_PORT","user":"DB_USER"}"#;
    let entry = format!(r#"{{"path":"a.env","from":"vault:secret/app",{keys}}}"#);
    assert_eq!(text(&entry, SECRET).as_deref(), Ok("DB_PORT='5432'\nDB_USER='web'\n"));
    let desired = rendered(&format!(r#"{{"dir":"d","from":"vault:secret/app",{keys}}}"#), SECRET);
    let desired = desired.expect("files");
    let paths: Vec<&str> = desired.files.keys().map(FilePath::as_str).collect();
    assert_eq!(paths, ["d/DB_PORT", "d/DB_USER"]);
}

#[test]
fn values_are_decoded_and_then_trimmed() {
    let secret =
        r#"{"a":"aGkK","b":"__7_\n","c":"aGkNCg==","d":"hunter2!","e":7,"f":"aGkK\n  aGkK"}"#;
    let entry = |more: &str| format!(r#"{{"from":"vault:secret/app","decode":"base64",{more}}}"#);
    let raw = |key: &str, more: &str| {
        let entry =
            entry(&format!(r#""path":"x"{more}"#)).replace("app\"", &format!("app#{key}\""));
        rendered(&entry, secret).map(|desired| {
            desired.files.into_values().next().expect("a file").content.expose().to_vec()
        })
    };
    assert_eq!(raw("a", "").as_deref(), Ok(b"hi\n".as_slice()));
    assert_eq!(raw("a", r#","trim":"newline""#).as_deref(), Ok(b"hi".as_slice()));
    assert_eq!(raw("b", "").as_deref(), Ok(b"\xff\xfe\xff".as_slice()));
    assert_eq!(raw("c", r#","trim":"newline""#).as_deref(), Ok(b"hi".as_slice()));
    assert_eq!(raw("f", r#","trim":"newline""#).as_deref(), Ok(b"hi\nhi".as_slice()));
    let error = raw("d", "").expect_err("no base64");
    assert!(error.contains("value of `d` is no base64") && !error.contains("hunter2"), "{error}");
    let env = entry(r#""path":"a.env","keys":["a","e"],"trim":"newline""#);
    assert_eq!(text(&env, secret).as_deref(), Ok("a='hi'\ne='7'\n"));
    let error = text(&entry(r#""path":"a.json","keys":["b"]"#), secret).expect_err("no text");
    assert!(error.contains("value of `b` decodes to bytes that are no text"), "{error}");
    let json = entry(r#""path":"a.json""#);
    assert_eq!(text(&json, r#"["aGkK"]"#).as_deref(), Ok(r#"["hi\n"]"#));
}

#[test]
fn a_list_is_json_and_yaml() {
    let entry = |path: &str| format!(r#"{{"path":"{path}","from":"vault:secret/app"}}"#);
    let list = r#"["a", {"b": 1e5}, []]"#;
    assert_eq!(text(&entry("a.json"), list).as_deref(), Ok(r#"["a",{"b":1e5},[]]"#));
    let yaml = "- \"a\"\n- {\"b\": 1.0e+5}\n- []\n";
    assert_eq!(text(&entry("a.yaml"), list).as_deref(), Ok(yaml));
    assert_eq!(text(&entry("a.yaml"), "[]").as_deref(), Ok("[]\n"));
    let entries = entries(&format!("[{}, {}]", entry("a.yaml"), entry("a.json")));
    let data = SecretData::list(Secret::from("a,1"));
    let secrets = BTreeMap::from([(&entries[0].references()[0].location, Some(&data))]);
    let desired = desired_files(&entries, &Access::default(), &secrets).expect("files");
    let texts: Vec<_> = desired.files.values().map(|file| file.content.expose_text()).collect();
    assert_eq!(texts, [Some(r#"["a","1"]"#), Some("- \"a\"\n- \"1\"\n")]);
}

#[test]
fn pem_blocks_come_in_the_order_of_the_keys() {
    let block = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----");
    let (leaf, ca, key) = (block("CERTIFICATE"), block("CERTIFICATE"), block("EC PRIVATE KEY"));
    let secret = serde_json::json!({
        "private_key": key, "certificate": format!("{leaf}\r\n\n"), "ca_chain": [ca, ca],
        "serial": "aa:bb", "open": "-----BEGIN X-----\nhunter2", "other": format!("hunter2\n{ca}"),
        "crossed": "-----BEGIN X-----\n-----BEGIN X-----\n-----END X-----",
    });
    let bundle = |keys: &str| {
        let entry =
            format!(r#"{{"path":"a","from":"vault:pki/x","format":"pem","keys":[{keys}]}}"#);
        text(&entry, &secret.to_string())
    };
    let expected = format!("{leaf}\n{ca}\n{ca}\n{key}\n");
    assert_eq!(
        bundle(r#""certificate","ca_chain","private_key""#).map(|text| text.replace("\n\n", "\n")),
        Ok(expected)
    );
    for (keys, reason) in [
        (r#""serial""#, "outside of its PEM blocks"),
        (r#""other""#, "outside of its PEM blocks"),
        (r#""open""#, "does not end"),
        (r#""crossed""#, "does not end"),
    ] {
        let error = bundle(keys).expect_err(keys);
        assert!(error.contains(reason) && !error.contains("hunter2"), "{error}");
    }
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
fn the_name_of_the_agents_own_file_is_free_in_a_directory() {
    let desired = rendered(r#"{"dir":"d","from":"vault:secret/app"}"#, r#"{"status.json":"{}"}"#);
    let desired = desired.expect("files");
    let paths: Vec<&str> = desired.files.keys().map(FilePath::as_str).collect();
    assert_eq!(paths, ["d/status.json"]);
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
        (
            r#"{"path":"a.json","from":"vault:s/a"}"#,
            "hunter2",
            "plain text, no JSON; JSON needs an object",
        ),
        (r#"{"path":"a.json","from":"vault:s/a"}"#, "\"hunter2\"", "a JSON string, no object"),
        (
            r#"{"path":"a.yaml","from":"vault:s/a"}"#,
            "{\n\"a\": \"hunter2\",\n}",
            "broken JSON: key must be a string at line 3, column 1; YAML needs an object",
        ),
        (
            r#"{"path":"a.env","from":"vault:s/a"}"#,
            r#"["hunter2"]"#,
            "a JSON array, no object; dotenv",
        ),
        (
            r#"{"path":"a","from":"vault:s/a#p","optional":true}"#,
            r#"{"p":"hunter2",}"#,
            "broken JSON: key must be a string at line 1, column 16",
        ),
        (
            r#"{"path":"a.env","from":"vault:s/a"}"#,
            r#"{"A":"hunter2'\\"}"#,
            "or say who reads it: `dialect: node|python|",
        ),
        (r#"{"path":"a.env","from":"vault:s/a"}"#, r#"{"UID":"hunter2"}"#, "a shell has its own"),
        (
            r#"{"path":"a.env","from":"vault:s/a"}"#,
            r#"{"__proto__":"hunter2"}"#,
            "Node has its own",
        ),
        (
            r#"{"path":"a","from":"vault:s/a","format":"env-file"}"#,
            r#"{"A":"hunter2'"}"#,
            "the value of `A` cannot be written as dotenv: Kubernetes has no spelling for a `'`",
        ),
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
        (
            r#"{"dir":"d","from":"vault:s/a","keys":{"a":"../x"}}"#,
            r#"{"a":"hunter2"}"#,
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
    let secrets = BTreeMap::from([(&entries[0].references()[0].location, Some(&data))]);
    let desired = desired_files(&entries, &Access::default(), &secrets).expect("files");
    assert_eq!(desired.files.values().next().expect("a file").content.expose(), bytes);
}
