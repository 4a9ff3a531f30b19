//! What Mayfly writes is what others read: random values in every format, through the parsers that applications have.
//! No cluster is needed.

mod rendered;
mod sample;

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    free_cases,
    lab::{
        folders::{self, Folders},
        suite::Case,
        tools::readers::Readers,
    },
};
use serde_json::{Map, Value};
use tempfile::TempDir;

use rendered::rendered;

pub(super) fn cases() -> Vec<Case> {
    free_cases![
        a_dotenv_is_read_alike_by_everybody,
        a_dotenv_of_a_dialect_is_read_by_whom_it_is_for,
        a_yaml_is_the_same_in_both_versions_of_yaml,
        a_toml_and_a_properties_file_are_what_was_meant,
    ]
}

/// How many values each dialect is asked to hold.
const VALUES: usize = 4_000;
/// How many values share a file, so that one can harm the others.
const IN_A_FILE: usize = 7;

async fn a_dotenv_is_read_alike_by_everybody(folders: &Folders) -> Result<()> {
    let readers = Readers::prepare(folders).await?;
    let written = dotenv("common", VALUES)?;
    for reader in
        ["dotenv", "env-file", "python-dotenv", "godotenv", "compose", "systemd", "dash", "busybox"]
    {
        written.read_by(&readers, reader).await?;
    }
    Ok(())
}

async fn a_dotenv_of_a_dialect_is_read_by_whom_it_is_for(folders: &Folders) -> Result<()> {
    let readers = Readers::prepare(folders).await?;
    for (dialect, its) in [
        ("node", ["dotenv", "env-file"].as_slice()),
        ("python", &["python-dotenv"]),
        ("go", &["godotenv"]),
        ("compose", &["compose"]),
        ("systemd", &["systemd"]),
        ("sh", &["dash", "busybox"]),
        ("kubernetes", &["kubelet"]),
    ] {
        let written = dotenv(dialect, VALUES)?;
        for reader in its {
            written.read_by(&readers, reader).await?;
        }
    }
    Ok(())
}

async fn a_yaml_is_the_same_in_both_versions_of_yaml(folders: &Folders) -> Result<()> {
    let readers = Readers::prepare(folders).await?;
    let written = Written::new("yaml", nested)?;
    for reader in ["pyyaml", "ruamel-1.1", "ruamel-1.2", "js-yaml", "yaml", "go-yaml", "sigs-yaml"]
    {
        written.read_by(&readers, reader).await?;
    }
    Ok(())
}

async fn a_toml_and_a_properties_file_are_what_was_meant(folders: &Folders) -> Result<()> {
    let readers = Readers::prepare(folders).await?;
    let toml = Written::new("toml", nested)?;
    toml.read_by(&readers, "tomllib").await?;
    toml.read_by(&readers, "go-toml").await?;
    let properties = Written::new("properties", || sample::object(0).to_string())?;
    properties.read_by(&readers, "javaproperties").await
}

/// JSON with everything in it.
fn nested() -> String {
    format!(r#"{{"object":{},"numbers":[{}]}}"#, sample::object(3), sample::numbers())
}

/// Files of one format, and what they were made from.
struct Written {
    folder: TempDir,
    expected: BTreeMap<String, Value>,
}

/// The values that the dialect holds, some in each file; a refusal must name the key.
fn dotenv(dialect: &str, values: usize) -> Result<Written> {
    let shape = format!(r#""path":"a.env","dialect":"{dialect}""#);
    let mut held = vec![];
    for _ in 0..values {
        let value = sample::text();
        match rendered(&shape, &serde_json::json!({ "K0": value }).to_string()) {
            Ok(_) => held.push(value),
            Err(error) => ensure!(error.contains("the value of `K0`"), "{error}"),
        }
    }
    ensure!(held.len() > values / 2, "{dialect} holds only {} of {values}", held.len());
    let mut written = Written { folder: TempDir::new()?, expected: BTreeMap::new() };
    for values in held.chunks(IN_A_FILE) {
        let members = values.iter().enumerate();
        let members: Map<String, Value> =
            members.map(|(at, value)| (format!("K{at}"), value.clone().into())).collect();
        written.add(&shape, &Value::from(members).to_string())?;
    }
    Ok(written)
}

impl Written {
    fn new(ending: &str, make: impl Fn() -> String) -> Result<Self> {
        let mut written = Self { folder: TempDir::new()?, expected: BTreeMap::new() };
        for _ in 0..VALUES / IN_A_FILE {
            written.add(&format!(r#""path":"a.{ending}""#), &make())?;
        }
        Ok(written)
    }

    fn add(&mut self, shape: &str, secret: &str) -> Result<()> {
        let name = format!("{:05}", self.expected.len());
        let text = rendered(shape, secret).map_err(anyhow::Error::msg)?;
        folders::write(&self.folder.path().join(&name), text)?;
        self.expected.insert(name, serde_json::from_str(secret)?);
        Ok(())
    }

    async fn read_by(&self, readers: &Readers, reader: &str) -> Result<()> {
        let read = answers(readers, reader, self.folder.path()).await?;
        for (name, expected) in &self.expected {
            let got = read.get(name).with_context(|| format!("{reader} has not read {name}"))?;
            ensure!(
                same(got, expected),
                "{reader} read {got} for {expected} from:\n{}",
                folders::read(&self.folder.path().join(name))?
            );
        }
        Ok(())
    }
}

/// What a reader got from each file of a folder.
async fn answers(
    readers: &Readers,
    reader: &str,
    folder: &Path,
) -> Result<BTreeMap<String, Value>> {
    let output = readers.program(reader, folder)?.output().await?;
    ensure!(
        output.status.success(),
        "{reader}: {}",
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    if matches!(reader, "dash" | "busybox") {
        return variables(&output.stdout);
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("{reader}'s answer"))
}

/// A shell's answer: a name and K0 to K6, a NUL after each.
fn variables(output: &[u8]) -> Result<BTreeMap<String, Value>> {
    let text = std::str::from_utf8(output).context("a shell's answer")?;
    let parts: Vec<&str> = text.split_terminator('\0').collect();
    let file = |parts: &[&str]| {
        let set = parts[1..].iter().enumerate();
        let set = set.filter_map(|(at, part)| Some((format!("K{at}"), part.strip_prefix('=')?)));
        let set: Map<String, Value> = set.map(|(key, value)| (key, value.into())).collect();
        (parts[0].to_owned(), set.into())
    };
    Ok(parts.chunks(IN_A_FILE + 1).map(file).collect())
}

/// Whether two values are the same; 1.0 and 1 are the same number to some.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, left)| right.get(key).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}
