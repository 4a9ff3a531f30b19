//! What a backend answered for one location, and how a key is picked from it.

use mayfly_spec::{reference::Key, suggestion::Suggestion};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{Json, JsonError, Member, NoObject, Secret};

/// The whole secret: its bytes, and how they are read when somebody asks for a part.
#[derive(Debug)]
pub struct SecretData {
    whole: Secret,
    form: Form,
}

/// How a secret's parts are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As JSON, if it is JSON.
    Json,
    /// As values between commas.
    List,
}

/// A key that cannot be picked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PickError {
    /// The secret is no JSON object, so that nothing is known of its keys.
    #[error("{cause}, so `#{key}` cannot be picked from it; leave it out to take the secret whole")]
    NoObject {
        /// The key.
        key: String,
        /// What the secret is.
        cause: NoObject,
    },
    /// The secret has other keys.
    #[error("the secret has no key `{0}`{1}")]
    NoKey(String, Suggestion),
    /// The JSON Pointer leads nowhere.
    #[error("the JSON Pointer `{0}` leads to nothing in the secret")]
    NoPlace(String),
}

impl PickError {
    /// Whether the secret is readable and has no such key; anything else says nothing of the key.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::NoKey(..) | Self::NoPlace(_))
    }
}

impl SecretData {
    /// A list of values, as the Parameter Store keeps it: with commas between them. A JSON Pointer
    /// picks one of them.
    pub fn list(whole: Secret) -> Self {
        Self { whole, form: Form::List }
    }

    /// One JSON object of these members.
    pub fn object<'a>(members: impl IntoIterator<Item = &'a Member>) -> Self {
        let mut text = Zeroizing::new(Vec::new());
        super::write_members(members, &mut text);
        Secret::from(text).into()
    }

    /// The bytes as the backend keeps them.
    pub fn whole(&self) -> &Secret {
        &self.whole
    }

    /// The secret as JSON, if it is JSON or a list.
    pub fn json(&self) -> Result<Json, JsonError> {
        let text = self.whole.expose_text().ok_or(JsonError::Binary)?;
        match self.form {
            Form::Json => Json::parse(text),
            Form::List => {
                let items = text.split(',').map(|item| Json::String(item.to_owned()));
                Ok(Json::Array(items.collect()))
            }
        }
    }

    /// The value at `key`: a string's bytes, or compact JSON.
    pub fn pick(&self, key: &Key) -> Result<Secret, PickError> {
        let no_object = |cause| PickError::NoObject { key: key.to_string(), cause };
        let json = self.json().map_err(|error| no_object(error.into()))?;
        match key {
            Key::Field(name) => {
                let members =
                    json.members().ok_or_else(|| no_object(NoObject::Other(json.kind())))?;
                pick_field(members, name)
            }
            Key::Pointer(pointer) => pick_place(&json, pointer),
        }
    }
}

fn pick_field(members: &[Member], name: &str) -> Result<Secret, PickError> {
    match members.iter().find(|member| member.name == name) {
        Some(member) => Ok(member.value.content()),
        None => Err(no_key(name, members.iter().map(|member| member.name.as_str()))),
    }
}

/// The error for a key that is not among `known`.
pub(crate) fn no_key<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> PickError {
    PickError::NoKey(name.to_owned(), Suggestion::new(name, known))
}

fn pick_place(json: &Json, pointer: &str) -> Result<Secret, PickError> {
    pointer
        .split('/')
        .skip(1)
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .try_fold(json, |place, token| place.child(&token))
        .map(Json::content)
        .ok_or_else(|| PickError::NoPlace(pointer.to_owned()))
}

impl From<Secret> for SecretData {
    fn from(whole: Secret) -> Self {
        Self { whole, form: Form::Json }
    }
}

#[cfg(test)]
mod tests {
    use mayfly_spec::Reference;

    use super::*;

    fn pick(secret: &str, key: &str) -> Result<String, String> {
        let reference: Reference = format!("vault:secret/app#{key}").parse().expect(key);
        let key = reference.key.expect("a key");
        let picked = SecretData::from(Secret::from(secret)).pick(&key);
        picked
            .map(|secret| secret.expose_text().expect("text").to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_string_is_its_bytes_and_anything_else_is_compact_json() {
        let secret = r#"{"password": "a \"b\"\n", "port": 5432, "on": true, "none": null, "tls": {"a/b": [1, {"c~": "d"}]}}"#;
        for (key, value) in [
            ("password", "a \"b\"\n"),
            ("port", "5432"),
            ("on", "true"),
            ("none", "null"),
            ("tls", r#"{"a/b":[1,{"c~":"d"}]}"#),
            ("/tls/a~1b/0", "1"),
            ("/tls/a~1b/1/c~0", "d"),
        ] {
            assert_eq!(pick(secret, key).as_deref(), Ok(value), "{key}");
        }
    }

    #[test]
    fn an_item_of_a_list_is_picked_by_its_place() {
        let list = SecretData::list(Secret::from("a,b,,{}"));
        let item = |pointer: &str| {
            let picked = list.pick(&Key::Pointer(pointer.to_owned())).ok()?;
            picked.expose_text().map(str::to_owned)
        };
        assert_eq!(list.whole().expose_text(), Some("a,b,,{}"));
        assert_eq!(
            ["/0", "/2", "/3", "/4"].map(item),
            [Some("a"), Some(""), Some("{}"), None].map(|item| item.map(str::to_owned))
        );
        assert!(list.pick(&Key::Field("a".to_owned())).is_err());
    }

    #[test]
    fn only_what_is_readable_can_lack_a_key() {
        for (secret, key, missing) in [
            ("{}", "p", true),
            (r#"{"a":1}"#, "/a/b", true),
            ("{,}", "p", false),
            ("{,}", "/p", false),
            ("[]", "p", false),
            ("text", "p", false),
        ] {
            let reference: Reference = format!("vault:secret/app#{key}").parse().expect(key);
            let picked = SecretData::from(Secret::from(secret));
            let error = picked.pick(&reference.key.expect("a key")).expect_err(secret);
            assert_eq!(error.is_missing(), missing, "{secret} {key}");
        }
    }

    #[test]
    fn what_cannot_be_picked_is_told_without_the_value() {
        for (secret, key, reason) in [
            ("hunter2", "password", "plain text, no JSON, so `#password` cannot be picked"),
            ("[1]", "password", "a JSON array, no object"),
            (r#"{"password":"hunter2",}"#, "password", "key must be a string at line 1, column 23"),
            ("\u{feff}{}", "/password", "a byte order mark"),
            (r#"{"password":"hunter2"}"#, "pasword", "did you mean `password`?"),
            (r#"{"a":["hunter2"]}"#, "/a/1", "leads to nothing"),
            (r#"{"a":["hunter2"]}"#, "/a/00", "leads to nothing"),
            (r#"{"a":"hunter2"}"#, "/a/b", "leads to nothing"),
        ] {
            let error = pick(secret, key).expect_err(key);
            assert!(error.contains(reason), "`{error}` lacks `{reason}`");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
