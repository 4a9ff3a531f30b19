//! What an entry does to each value before it is written: `decode`, then `trim`.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use mayfly_spec::file::{Decode, Shape, Trim};
use zeroize::Zeroizing;

use super::Cause;
use crate::secret::{Json, Secret};

/// The bytes of `content` as the entry wants them; `key` is its name, if it has one.
pub(super) fn refined(content: &Secret, shape: &Shape, key: &str) -> Result<Secret, Cause> {
    let bytes = match shape.decode {
        None => Zeroizing::new(content.expose().to_vec()),
        Some(Decode::Base64) => {
            base64(content.expose()).ok_or_else(|| Cause::Base64(subject(key)))?
        }
    };
    Ok(match shape.trim {
        None => bytes.into(),
        Some(Trim::Newline) => without_newline(&bytes).to_vec().into(),
    })
}

/// Does the same to a string within JSON, which stays text; other values have nothing to decode.
pub(super) fn refine(value: &mut Json, shape: &Shape, key: &str) -> Result<(), Cause> {
    let is_plain = shape.decode.is_none() && shape.trim.is_none();
    if let Json::String(text) = value
        && !is_plain
    {
        let refined = refined(&text.as_str().into(), shape, key)?;
        let refined = refined.expose_text().ok_or_else(|| Cause::Binary(subject(key)))?;
        *value = Json::String(refined.to_owned());
    }
    Ok(())
}

/// Does the same to each item of a list.
pub(super) fn list(mut list: Json, shape: &Shape) -> Result<Json, Cause> {
    if let Json::Array(items) = &mut list {
        for (at, item) in items.iter_mut().enumerate() {
            refine(item, shape, &format!("/{at}"))?;
        }
    }
    Ok(list)
}

fn subject(key: &str) -> String {
    if key.is_empty() { "the secret".to_owned() } else { format!("the value of `{key}`") }
}

/// Both alphabets, with or without padding, blanks and line breaks anywhere.
pub(super) fn base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let standard = |byte: &u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => *other,
    };
    let is_digit = |byte: &&u8| !byte.is_ascii_whitespace();
    let mut digits: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.iter().filter(is_digit).map(standard).collect());
    let padding = digits.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    let length = digits.len() - padding;
    digits.truncate(length);
    STANDARD_NO_PAD.decode(&*digits).ok().map(Zeroizing::new)
}

fn without_newline(bytes: &[u8]) -> &[u8] {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if line.len() < bytes.len() { line.strip_suffix(b"\r").unwrap_or(line) } else { line }
}
