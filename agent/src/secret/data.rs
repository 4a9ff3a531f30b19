//! What a backend answered for one location, and how a key is picked from it.

use mayfly_spec::{reference::Key, suggestion::Suggestion};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{Json, Member, Secret};

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
    /// The secret is one text or binary value.
    #[error(
        "the secret is no JSON object, so there is no key `{0}` in it; leave `#{0}` out to take it whole"
    )]
    NoJson(String),
    /// The secret has other keys.
    #[error("the secret has no key `{0}`{1}")]
    NoKey(String, Suggestion),
    /// The JSON Pointer leads nowhere.
    #[error("the JSON Pointer `{0}` leads to nothing in the secret")]
    NoPlace(String),
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
    pub fn json(&self) -> Option<Json> {
        let text = self.whole.expose_text()?;
        match self.form {
            Form::Json => Json::parse(text),
            Form::List => {
                let items = text.split(',').map(|item| Json::String(item.to_owned()));
                Some(Json::Array(items.collect()))
            }
        }
    }

    /// The value at `key`: a string's bytes, or compact JSON.
    pub fn pick(&self, key: &Key) -> Result<Secret, PickError> {
        let json = self.json().ok_or_else(|| PickError::NoJson(key.to_string()))?;
        match key {
            Key::Field(name) => pick_field(&json, name),
            Key::Pointer(pointer) => pick_place(&json, pointer),
        }
    }
}

fn pick_field(json: &Json, name: &str) -> Result<Secret, PickError> {
    let members = json.members().ok_or_else(|| PickError::NoJson(name.to_owned()))?;
    json.child(name)
        .map(Json::content)
        .ok_or_else(|| no_key(name, members.iter().map(|member| member.name.as_str())))
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
    fn what_cannot_be_picked_is_told_without_the_value() {
        for (secret, key, reason) in [
            ("hunter2", "password", "no JSON object"),
            ("[1]", "password", "no JSON object"),
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
