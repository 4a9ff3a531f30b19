//! The outer grammar: which characters part a reference, and how they are written when meant.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::ReferenceError;

/// What [`encode`] writes as `%XX` in a path or a key: `%` itself, what parts a reference, and
/// blanks, of which the outer ones would be trimmed.
const RESERVED: &AsciiSet = &CONTROLS.add(b'%').add(b'#').add(b'?').add(b' ');

/// In an option the characters that part options, too.
const RESERVED_IN_OPTION: &AsciiSet = &RESERVED.add(b'&').add(b'=');

/// A reference cut at its separators, nothing decoded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) source: &'a str,
    pub(super) path: &'a str,
    pub(super) options: Option<&'a str>,
    pub(super) key: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Cuts `text`: the source ends at the first `:`, the key begins at the first `#`, the options
    /// at the first `?` before it.
    pub(super) fn split(text: &'a str) -> Result<Self, ReferenceError> {
        let text = text.trim();
        refuse_control(text)?;
        let (source, rest) =
            text.split_once(':').ok_or_else(|| ReferenceError::NoSource(text.to_owned()))?;
        let (rest, key) = cut(rest, '#');
        let (path, options) = cut(rest, '?');
        Ok(Self { source, path, options, key })
    }
}

fn cut(text: &str, separator: char) -> (&str, Option<&str>) {
    text.split_once(separator).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// Decodes `%XX`; `+` is itself.
pub(super) fn decode(text: &str) -> Result<String, ReferenceError> {
    if has_bad_percent(text) {
        return Err(ReferenceError::Percent(text.to_owned()));
    }
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| ReferenceError::Utf8(text.to_owned()))
}

/// Decodes, and refuses control characters that were hidden behind `%`.
pub(super) fn decode_name(text: &str) -> Result<String, ReferenceError> {
    let name = decode(text)?;
    refuse_control(&name)?;
    Ok(name)
}

fn has_bad_percent(text: &str) -> bool {
    text.split('%').skip(1).any(|after| {
        let digits = after.as_bytes();
        digits.len() < 2 || !digits[..2].iter().all(u8::is_ascii_hexdigit)
    })
}

fn refuse_control(text: &str) -> Result<(), ReferenceError> {
    text.chars()
        .find(|character| character.is_control())
        .map_or(Ok(()), |character| Err(ReferenceError::Control(character.into())))
}

/// The inverse of [`decode`] for a path or a key.
pub(super) fn encode(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, RESERVED)
}

/// The inverse of [`decode`] for an option's name or value.
pub(super) fn encode_option(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, RESERVED_IN_OPTION)
}
