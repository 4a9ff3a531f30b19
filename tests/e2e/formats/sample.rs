//! Random values with what parsers trip over.

use serde_json::{Map, Value};

/// What has a meaning to some parser.
const SIGNS: &str = "'\"\\$`#=:! \t\n\r{}[]&*-?|<>%@,~()nrtx0A_ab;^+/.";
/// What has a meaning to most.
const QUOTES: &str = "'\"\\$`# \nn{}:-A=";
/// Characters that are blanks, ends of lines, letters or nothing, depending on whom one asks.
const STRANGE: &str = "\u{7f}\u{85}\u{a0}\u{2028}\u{2029}\u{feff}é😀\u{1}\u{b}\u{c}\u{1c}\u{81}\u{88}ſK\u{fffe}\u{fdd0} 'x";
/// Strings that some version of YAML takes for something else.
const WORDS: [&str; 20] = [
    "yes",
    "no",
    "On",
    "off",
    "y",
    "null",
    "~",
    "true",
    "0o17",
    "017",
    "0x1F",
    "1:20",
    "1_000",
    "2026-01-01",
    "1e3",
    ".inf",
    "<<",
    "=",
    "-",
    "1.0e+5",
];

/// A text without NUL: a password, a few hard characters, any characters, or a word.
pub(super) fn text() -> String {
    match fastrand::u32(..9) {
        0..3 => (0..32).map(|_| fastrand::char('!'..='~')).collect(),
        3 | 4 => of(SIGNS),
        5 => of(QUOTES),
        6 => of(STRANGE),
        7 => WORDS[fastrand::usize(..WORDS.len())].to_owned(),
        _ => (0..fastrand::usize(..10)).map(|_| fastrand::char('\u{1}'..)).collect(),
    }
}

fn of(characters: &str) -> String {
    let characters: Vec<char> = characters.chars().collect();
    (0..fastrand::usize(..12)).map(|_| characters[fastrand::usize(..characters.len())]).collect()
}

/// Numbers that every language has and reads exactly, in all the ways that JSON has to write one.
pub(super) fn numbers() -> String {
    (0..4).map(|_| number()).collect::<Vec<_>>().join(",")
}

fn number() -> String {
    let whole = fastrand::i64(-(1 << 53)..1 << 53);
    let short = whole % 1_000;
    let fraction = format!(".{}", fastrand::u16(..));
    let sign = ["", "+", "-"][fastrand::usize(..3)];
    let exponent = format!("{}{sign}{}", ["e", "E"][fastrand::usize(..2)], fastrand::u32(..15));
    match fastrand::u32(..4) {
        0 => whole.to_string(),
        1 => format!("{short}{fraction}"),
        2 => format!("{short}{exponent}"),
        _ => format!("{short}{fraction}{exponent}"),
    }
}

/// An object with hard names, and lists and objects in it to some depth.
pub(super) fn object(depth: u32) -> Value {
    let members = (0..fastrand::u32(1..6)).map(|_| (text(), value(depth)));
    members.filter(|(name, _)| !name.is_empty()).collect::<Map<_, _>>().into()
}

fn value(depth: u32) -> Value {
    match fastrand::u32(..5) {
        0 if depth > 0 => object(depth - 1),
        1 if depth > 0 => (0..fastrand::u32(..4)).map(|_| value(depth - 1)).collect(),
        2 if depth > 0 => fastrand::bool().into(),
        _ => text().into(),
    }
}
