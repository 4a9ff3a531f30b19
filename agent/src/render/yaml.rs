//! A YAML mapping: one `"key": value` line for each member, values in the flow style.
//!
//! Every string is in double quotes, so that no `no`, `1e3` or `2026-01-01` changes its type.

use crate::secret::{Json, Member};

pub(super) fn write(members: &[&Member], text: &mut Vec<u8>) {
    if members.is_empty() {
        text.extend(b"{}\n");
    }
    for member in members {
        write_string(&member.name, text);
        text.extend(b": ");
        write_value(&member.value, text);
        text.push(b'\n');
    }
}

fn write_value(value: &Json, text: &mut Vec<u8>) {
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
                write_string(&member.name, text);
                text.extend(b": ");
                write_value(&member.value, text);
            }
            text.push(b'}');
        }
        scalar => scalar.write(text),
    }
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
