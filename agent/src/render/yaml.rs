//! A YAML mapping: one `"key": value` line for each member, values in the flow style.
//!
//! Loaders of YAML 1.1 (Python's, Ruby's, much of Go's) and 1.2 read the same: every string is in
//! double quotes, so that no `no`, `0o17`, `1:20` or `2026-01-01` changes its type, and a number
//! with an exponent has the dot and the sign without which YAML 1.1 takes it for a string.

use crate::secret::{Json, Member};

/// How long a key may be without a mark, quotes and escapes included.
const LONGEST_NAME: usize = 1024;

pub(super) fn write(members: &[Member], text: &mut Vec<u8>) {
    if members.is_empty() {
        text.extend(b"{}\n");
    }
    for member in members {
        write_name(&member.name, b"\n: ", text);
        write_value(&member.value, text);
        text.push(b'\n');
    }
}

/// A sequence: one `- item` line for each item of a list.
pub(super) fn write_list(list: &Json, text: &mut Vec<u8>) {
    match list {
        Json::Array(items) if !items.is_empty() => {
            for item in items {
                text.extend(b"- ");
                write_value(item, text);
                text.push(b'\n');
            }
        }
        other => {
            write_value(other, text);
            text.push(b'\n');
        }
    }
}

pub(super) fn write_value(value: &Json, text: &mut Vec<u8>) {
    match value {
        Json::String(string) => write_string(string, text),
        Json::Array(items) => {
            text.push(b'[');
            for (at, item) in items.iter().enumerate() {
                separate(at, text);
                write_value(item, text);
            }
            text.push(b']');
        }
        Json::Object(members) => {
            text.push(b'{');
            for (at, member) in members.iter().enumerate() {
                separate(at, text);
                write_name(&member.name, b" : ", text);
                write_value(&member.value, text);
            }
            text.push(b'}');
        }
        Json::Number(number) => write_number(number, text),
        scalar => scalar.write(text),
    }
}

/// A key with its colon. Beyond 1024 characters YAML wants it marked as one.
fn write_name(name: &str, after_marked: &[u8], text: &mut Vec<u8>) {
    let start = text.len();
    write_string(name, text);
    if text.len() - start < LONGEST_NAME {
        text.extend(b": ");
    } else {
        text.splice(start..start, *b"? ");
        text.extend(after_marked);
    }
}

/// `1e5` as `1.0e+5`, which is the same number in YAML 1.1 and 1.2.
fn write_number(number: &str, text: &mut Vec<u8>) {
    let Some((mantissa, exponent)) = number.split_once(['e', 'E']) else {
        text.extend(number.bytes());
        return;
    };
    text.extend(mantissa.bytes());
    if !mantissa.contains('.') {
        text.extend(b".0");
    }
    text.push(b'e');
    if !exponent.starts_with(['+', '-']) {
        text.push(b'+');
    }
    text.extend(exponent.bytes());
}

fn separate(at: usize, text: &mut Vec<u8>) {
    if at > 0 {
        text.extend(b", ");
    }
}

/// JSON's quoting, and escapes for what YAML does not take as it is: DEL, the C1 controls, the
/// line separators that JSON allows, and the byte order mark.
fn write_string(string: &str, text: &mut Vec<u8>) {
    let mut quoted = zeroize::Zeroizing::new(Vec::new());
    crate::secret::write_string(string, &mut quoted);
    let quoted = std::str::from_utf8(&quoted).expect("JSON is UTF-8");
    for character in quoted.chars() {
        match character {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                text.extend(format!("\\u{:04x}", u32::from(character)).bytes());
            }
            plain => text.extend(plain.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
}
