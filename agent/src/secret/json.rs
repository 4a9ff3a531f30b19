//! JSON that is overwritten when it goes, and whose numbers stay as they were written.

use std::fmt;

use indexmap::IndexMap;
use serde_json::value::RawValue;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Secret;

/// The deepest nesting that is read, as in `serde_json`: a stack is finite.
const DEEPEST: usize = 128;

/// A JSON value. Members keep their order, numbers their text.
#[derive(Zeroize, ZeroizeOnDrop)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it was written.
    Number(String),
    /// A string, decoded.
    String(String),
    /// An array.
    Array(Vec<Self>),
    /// An object.
    Object(Vec<Member>),
}

/// One member of an object.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Json,
}

impl Json {
    /// Reads JSON text; `None` if it is none, or nested too deeply.
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(serde_json::from_str(text).ok()?, DEEPEST)
    }

    fn read(raw: &RawValue, depth: usize) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        let text = raw.get();
        Some(match text.as_bytes().first()? {
            b'n' => Self::Null,
            b't' | b'f' => Self::Bool(text == "true"),
            b'"' => Self::String(serde_json::from_str(text).ok()?),
            b'[' => Self::Array(
                serde_json::from_str::<Vec<&RawValue>>(text)
                    .ok()?
                    .into_iter()
                    .map(|item| Self::read(item, depth))
                    .collect::<Option<_>>()?,
            ),
            b'{' => Self::Object(
                serde_json::from_str::<IndexMap<String, &RawValue>>(text)
                    .ok()?
                    .into_iter()
                    .map(|(name, value)| {
                        let value = Self::read(value, depth)?;
                        Some(Member { name, value })
                    })
                    .collect::<Option<_>>()?,
            ),
            _ => Self::Number(text.to_owned()),
        })
    }

    /// The members, if this is an object.
    pub fn members(&self) -> Option<&[Member]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The member or item that one reference token of a JSON Pointer names.
    pub fn child(&self, token: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().find(|member| member.name == token).map(|member| &member.value)
            }
            Self::Array(items) if token == "0" || !token.starts_with(['0', '+']) => {
                items.get(token.parse::<usize>().ok()?)
            }
            _ => None,
        }
    }

    /// What a file holds: a string is its bytes, anything else compact JSON.
    pub fn content(&self) -> Secret {
        match self {
            Self::String(text) => Secret::from(text.as_str()),
            other => other.compact(),
        }
    }

    /// JSON text without any blanks.
    pub fn compact(&self) -> Secret {
        let mut text = zeroize::Zeroizing::new(Vec::new());
        self.write(&mut text);
        text.into()
    }

    /// Appends [`Json::compact`] to `text`.
    pub fn write(&self, text: &mut Vec<u8>) {
        match self {
            Self::Null => text.extend(b"null"),
            Self::Bool(true) => text.extend(b"true"),
            Self::Bool(false) => text.extend(b"false"),
            Self::Number(number) => text.extend(number.bytes()),
            Self::String(string) => write_string(string, text),
            Self::Array(items) => {
                write_list(text, (b'[', b']'), items, Self::write);
            }
            Self::Object(members) => write_members(members.iter(), text),
        }
    }
}

/// Appends the members as one object.
pub(crate) fn write_members<'a>(members: impl IntoIterator<Item = &'a Member>, text: &mut Vec<u8>) {
    write_list(text, (b'{', b'}'), members, |member, text| {
        write_string(&member.name, text);
        text.push(b':');
        member.value.write(text);
    });
}

fn write_list<T>(
    text: &mut Vec<u8>,
    (open, close): (u8, u8),
    items: impl IntoIterator<Item = T>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    text.push(open);
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        write(item, text);
    }
    text.push(close);
}

/// Appends `string` in double quotes.
pub(crate) fn write_string(string: &str, text: &mut Vec<u8>) {
    serde_json::to_writer(text, string).expect("a string is always JSON, and a vector takes it");
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Json(…)")
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Member(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compact(text: &str) -> Option<String> {
        let secret = Json::parse(text)?.compact();
        secret.expose_text().map(str::to_owned)
    }

    #[test]
    fn order_and_numbers_stay_as_they_were_written() {
        let text =
            r#" {"z": 1.10, "a": [ 12345678901234567890123, -0, 1E5 ], "t":true, "n": null} "#;
        let expected = r#"{"z":1.10,"a":[12345678901234567890123,-0,1E5],"t":true,"n":null}"#;
        assert_eq!(compact(text).as_deref(), Some(expected));
    }

    #[test]
    fn what_is_no_json_is_none() {
        for text in ["", "hunter2", "{", r#"{"a":}"#, "{} {}", "NaN", "\u{feff}{}"] {
            assert!(Json::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_overflow() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Json::parse(&nested(128)).is_some());
        assert!(Json::parse(&nested(129)).is_none());
        assert!(Json::parse(&nested(100_000)).is_none());
    }
}
