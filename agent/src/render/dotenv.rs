//! `NAME="value"` lines that a shell and the dotenv libraries read alike.
//!
//! Libraries disagree about escapes, so a form is chosen that needs none wherever there is one:
//! double quotes, else single quotes, and only where a value has a `'` beside a character that is
//! special in double quotes, a shell's `'it'\''s'`. Newlines stay as they are inside the quotes.

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
    let quote = if has(b"\"\\$`") { b'\'' } else { b'"' };
    text.push(quote);
    for byte in value {
        match byte {
            b'\'' if quote == b'\'' => text.extend(br"'\''"),
            byte => text.push(*byte),
        }
    }
    text.push(quote);
}
