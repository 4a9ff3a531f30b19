//! A TOML table: one `"key" = value` line for each member, inner objects as inline tables.

use super::Cause;
use crate::secret::{Json, Member};

pub(super) fn write(members: &[Member], text: &mut Vec<u8>) -> Result<(), Cause> {
    for member in members {
        write_member(member, text).map_err(|reason| Cause::Value {
            key: member.name.clone(),
            format: "TOML",
            reason: reason.to_owned(),
        })?;
        text.push(b'\n');
    }
    Ok(())
}

fn write_member(member: &Member, text: &mut Vec<u8>) -> Result<(), &'static str> {
    write_string(&member.name, text);
    text.extend(b" = ");
    write_value(&member.value, text)
}

pub(super) fn write_value(value: &Json, text: &mut Vec<u8>) -> Result<(), &'static str> {
    match value {
        Json::Null => Err("TOML has no null"),
        Json::Bool(_) => {
            value.write(text);
            Ok(())
        }
        Json::Number(number) => write_number(number, text),
        Json::String(string) => {
            write_string(string, text);
            Ok(())
        }
        Json::Array(items) => write_items(text, (b"[", b"]"), items, write_value),
        Json::Object(members) => write_items(text, (b"{ ", b" }"), members, write_member),
    }
}

fn write_items<T>(
    text: &mut Vec<u8>,
    (open, close): (&[u8], &[u8]),
    items: &[T],
    write: fn(&T, &mut Vec<u8>) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    text.extend(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.extend(b", ");
        }
        write(item, text)?;
    }
    text.extend(close);
    Ok(())
}

/// Whole numbers of 64 bits and floats are spelled as in JSON.
fn write_number(number: &str, text: &mut Vec<u8>) -> Result<(), &'static str> {
    let is_float = number.contains(['.', 'e', 'E']);
    if !is_float && number.parse::<i64>().is_err() {
        return Err("the number does not fit into 64 bits");
    }
    text.extend(number.bytes());
    Ok(())
}

/// JSON's quoting, and an escape for DEL, which TOML does not take as it is.
fn write_string(string: &str, text: &mut Vec<u8>) {
    let start = text.len();
    crate::secret::write_string(string, text);
    while let Some(at) = text[start..].iter().position(|byte| *byte == 0x7f) {
        text.splice(start + at..=start + at, *b"\\u007F");
    }
}
