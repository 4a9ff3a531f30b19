//! JSON that is overwritten when it goes, and whose numbers stay as they were written.

use std::fmt;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{JsonError, NoObject, Secret, json_error::Place};

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
    /// Reads JSON text.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        if text.starts_with('\u{feff}') {
            return Err(JsonError::ByteOrderMark);
        }
        let start = Place::at(text, 0);
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| {
            let begins = text.trim_start().starts_with(['{', '[']);
            if begins { JsonError::new(&error, start) } else { JsonError::Text }
        })?;
        Reader { text }.read(raw, DEEPEST)
    }

    /// The members, if this is an object.
    pub fn members(&self) -> Option<&[Member]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The members of an object, taken out of it.
    pub fn into_members(mut self) -> Result<Vec<Member>, NoObject> {
        match &mut self {
            Self::Object(members) => Ok(std::mem::take(members)),
            other => Err(NoObject::Other(other.kind())),
        }
    }

    /// The word for what it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
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

/// Reads the parts of one text, and knows where in it they are.
struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn read(&self, raw: &RawValue, depth: usize) -> Result<Json, JsonError> {
        let depth = depth.checked_sub(1).ok_or_else(|| JsonError::Deep(self.place(raw.get())))?;
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'n') => Json::Null,
            Some(b't' | b'f') => Json::Bool(text == "true"),
            Some(b'"') => Json::String(self.part(text)?),
            Some(b'[') => {
                let items: Vec<&RawValue> = self.part(text)?;
                let items = items.into_iter().map(|item| self.read(item, depth));
                Json::Array(items.collect::<Result<_, _>>()?)
            }
            Some(b'{') => {
                let members: IndexMap<String, &RawValue> = self.part(text)?;
                let members = members
                    .into_iter()
                    .map(|(name, value)| Ok(Member { name, value: self.read(value, depth)? }));
                Json::Object(members.collect::<Result<_, JsonError>>()?)
            }
            _ => Json::Number(text.to_owned()),
        })
    }

    fn part<'a, T: Deserialize<'a>>(&self, part: &'a str) -> Result<T, JsonError> {
        serde_json::from_str(part).map_err(|error| JsonError::new(&error, self.place(part)))
    }

    /// Where in the text `part`, which is borrowed from it, begins.
    fn place(&self, part: &str) -> Place {
        Place::at(self.text, part.as_ptr().addr() - self.text.as_ptr().addr())
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
        let secret = Json::parse(text).ok()?.compact();
        secret.expose_text().map(str::to_owned)
    }

    #[test]
    fn order_and_numbers_stay_as_they_were_written() {
        let text =
            r#" {"z": 1.10, "a": [ 12345678901234567890123, -0, 1E5 ], "t":true, "n": null} "#;
        let expected = r#"{"z":1.10,"a":[12345678901234567890123,-0,1E5],"t":true,"n":null}"#;
        assert_eq!(compact(text).as_deref(), Some(expected));
    }

    fn fault(text: &str) -> String {
        Json::parse(text).expect_err(text).to_string()
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        for (text, reason) in [
            ("", "plain text"),
            ("hunter2", "plain text"),
            ("123hunter2", "plain text"),
            ("NaN", "plain text"),
            ("\"hunter2", "plain text"),
            ("\u{feff}{}", "begins with a byte order mark"),
            ("{", "EOF while parsing an object at line 1, column 1"),
            (r#"{"a":}"#, "expected value at line 1, column 6"),
            (r#"{"p":"hunter2",}"#, "key must be a string at line 1, column 16"),
            ("{\n  \"p\": \"hunter2\"\n  \"q\": 1}", "at line 3, column 3"),
            ("{} {}", "trailing characters at line 1, column 4"),
            (r#"{"a": "x\ud83d"}"#, "a lone surrogate"),
            (
                "{\n \"a\": [1,\n  \"x\\udead y\"]}",
                "a lone surrogate (one of `\\ud800` to `\\udfff` without its other half) at line 3, column 10",
            ),
            ("{\n \"a\": {\"b\": 1,\n\"x\\ud83d\\u0041\": 2}}", "at line 3"),
        ] {
            let fault = fault(text);
            assert!(fault.contains(reason), "{text:?}: `{fault}` lacks `{reason}`");
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_overflow() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Json::parse(&nested(128)).is_ok());
        assert!(fault(&nested(129)).contains("deeper than 128 levels at line 1, column 129"));
        assert!(fault(&nested(100_000)).contains("deeper"));
    }
}
