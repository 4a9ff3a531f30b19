//! Java's `name=value` lines, in ASCII, as `java.util.Properties` writes and reads them.

use crate::secret::Member;

pub(super) fn write(members: &[Member], text: &mut Vec<u8>) {
    for member in members {
        let content = member.value.content();
        let value = content.expose_text().expect("JSON is UTF-8");
        escape(&member.name, Blanks::All, text);
        text.push(b'=');
        escape(value, Blanks::Leading, text);
        text.push(b'\n');
    }
}

/// A value alone.
pub(super) fn write_value(value: &str, text: &mut Vec<u8>) {
    escape(value, Blanks::Leading, text);
}

/// Which blanks are escaped: in a name they all would end it, in a value only the first are lost.
#[derive(Clone, Copy, PartialEq)]
enum Blanks {
    All,
    Leading,
}

fn escape(string: &str, blanks: Blanks, text: &mut Vec<u8>) {
    let mut leading = true;
    for character in string.chars() {
        match character {
            ' ' if leading || blanks == Blanks::All => text.extend(b"\\ "),
            '\t' => text.extend(b"\\t"),
            '\n' => text.extend(b"\\n"),
            '\r' => text.extend(b"\\r"),
            '\u{c}' => text.extend(b"\\f"),
            '\\' | '=' | ':' | '#' | '!' => text.extend([b'\\', character as u8]),
            ' '..='~' => text.push(character as u8),
            other => escape_units(other, text),
        }
        leading = leading && character == ' ';
    }
}

fn escape_units(character: char, text: &mut Vec<u8>) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        text.extend(format!("\\u{unit:04x}").bytes());
    }
}
