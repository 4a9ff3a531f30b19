//! An event as Logs Insights sees it: every member by its path, absent where it is null.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

/// The fields of an event, and what a query has made of them.
#[derive(Debug, Clone)]
pub(super) struct Event(BTreeMap<String, String>);

impl Event {
    /// All samples, by name.
    pub(super) fn samples() -> Vec<(String, Self)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/cloudtrail");
        let files = fs::read_dir(folder).expect("the samples");
        let mut samples: Vec<_> =
            files.map(|file| Self::read(&file.expect("a sample").path())).collect();
        samples.sort_by(|(one, _), (other, _)| one.cmp(other));
        samples
    }

    fn read(path: &Path) -> (String, Self) {
        let text = fs::read_to_string(path).expect("a sample");
        let json: Value = serde_json::from_str(&text).expect("JSON");
        let mut fields = BTreeMap::from([("@message".to_owned(), json.to_string())]);
        flatten("", &json, &mut fields);
        (path.file_stem().expect("a name").to_string_lossy().into_owned(), Self(fields))
    }

    pub(super) fn get(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    pub(super) fn set(&mut self, field: &str, value: &str) {
        self.0.insert(field.to_owned(), value.to_owned());
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

fn flatten(path: &str, value: &Value, fields: &mut BTreeMap<String, String>) {
    let below =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Null => {}
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| flatten(&below(name), value, fields));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(at, value)| flatten(&below(&at.to_string()), value, fields));
        }
        Value::String(text) => drop(fields.insert(path.to_owned(), text.clone())),
        other => drop(fields.insert(path.to_owned(), other.to_string())),
    }
}
