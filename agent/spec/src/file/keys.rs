//! Which keys of a secret are taken, in which order and by which names.

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};

/// The keys that an entry takes: `[user, password]`, or `{user: DB_USER, password: DB_PASSWORD}` to
/// give them other names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys(Vec<Choice>);

/// One key that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its name in the secret.
    pub key: String,
    /// Its name in the file, or as a file.
    pub name: String,
}

impl Keys {
    /// Whether no key is named, so that all are taken.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is taken, in order.
    pub fn choices(&self) -> &[Choice] {
        &self.0
    }

    /// The choices, unless two would be called the same.
    fn distinct(choices: Vec<Choice>) -> Result<Self, String> {
        let mut names = BTreeSet::new();
        let twice = choices.iter().find(|choice| !names.insert(choice.name.as_str()));
        if let Some(Choice { name, .. }) = twice {
            return Err(format!("`keys` gives the name `{name}` twice"));
        }
        Ok(Self(choices))
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of keys, or a mapping from each key to its name in the file")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut keys: A) -> Result<Keys, A::Error> {
        let mut choices = Vec::new();
        while let Some(key) = keys.next_element::<String>()? {
            choices.push(Choice { name: key.clone(), key });
        }
        Keys::distinct(choices).map_err(A::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut keys: A) -> Result<Keys, A::Error> {
        let mut choices = Vec::new();
        while let Some((key, name)) = keys.next_entry()? {
            choices.push(Choice { key, name });
        }
        Keys::distinct(choices).map_err(A::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeysVisitor)
    }
}

impl Serialize for Keys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.iter().all(|choice| choice.key == choice.name) {
            return serializer.collect_seq(self.0.iter().map(|choice| &choice.key));
        }
        serializer.collect_map(self.0.iter().map(|choice| (&choice.key, &choice.name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_a_list_or_a_mapping_and_keep_their_order() {
        for json in [r#"["b","a"]"#, r#"{"b":"B","a":"a"}"#, "[]"] {
            let keys: Keys = serde_json::from_str(json).expect(json);
            assert_eq!(serde_json::to_string(&keys).expect("keys"), json);
        }
    }

    #[test]
    fn what_cannot_be_is_told() {
        for (json, reason) in [
            (r#"["a","a"]"#, "the name `a` twice"),
            (r#"{"a":"X","b":"X"}"#, "the name `X` twice"),
            (r#""a""#, "a list of keys, or a mapping"),
        ] {
            let error = serde_json::from_str::<Keys>(json).expect_err(json).to_string();
            assert!(error.contains(reason), "`{error}` lacks `{reason}`");
        }
    }
}
