//! `NAME="value"` lines that a shell and the dotenv libraries read alike.
//!
//! Libraries disagree about escapes, so a form is chosen that needs none wherever there is one:
//! double quotes, else single quotes, else double quotes with `\"`, `\$` and `\\`, and only for a
//! backtick beside a `'` or `\` a shell's `'it'\''s'`. Newlines stay as they are inside the quotes.

use super::Cause;
use crate::secret::Member;

pub(super) fn write(members: &[&Member], text: &mut Vec<u8>) -> Result<(), Cause> {
    members.iter().try_for_each(|member| write_member(member, text))
}

fn write_member(member: &Member, text: &mut Vec<u8>) -> Result<(), Cause> {
    if !is_name(&member.name) {
        return Err(Cause::Name(member.name.clone()));
    }
    let content = member.value.content();
    let value = content.expose();
    if value.contains(&0) {
        return Err(Cause::Value {
            key: member.name.clone(),
            format: "dotenv",
            reason: "it holds a NUL, which no environment variable can",
        });
    }
    text.extend(member.name.bytes());
    text.push(b'=');
    write_value(value, text);
    text.push(b'\n');
    Ok(())
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn write_value(value: &[u8], text: &mut Vec<u8>) {
    let has = |wanted: &[u8]| value.iter().any(|byte| wanted.contains(byte));
    if !has(b"\"\\$`") {
        write_between(b"\"", value, text, |_| None);
    } else if !has(b"'\\") {
        write_between(b"'", value, text, |_| None);
    } else if !has(b"`") {
        write_between(b"\"", value, text, |byte| match byte {
            b'"' => Some(br#"\""#),
            b'$' => Some(br"\$"),
            b'\\' => Some(br"\\"),
            _ => None,
        });
    } else {
        write_between(b"'", value, text, |byte| match byte {
            b'\'' => Some(br"'\''"),
            b'\\' => Some(br"'\\'"),
            _ => None,
        });
    }
}

fn write_between(
    quote: &[u8],
    value: &[u8],
    text: &mut Vec<u8>,
    escape: impl Fn(u8) -> Option<&'static [u8]>,
) {
    text.extend(quote);
    for byte in value {
        match escape(*byte) {
            Some(escaped) => text.extend(escaped),
            None => text.push(*byte),
        }
    }
    text.extend(quote);
}
