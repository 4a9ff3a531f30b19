//! The PEM blocks of some keys, one after the other: nginx wants certificate and chain, `HAProxy` the
//! key after them, others the key first. The entry's `keys` say it.

use super::Cause;
use crate::secret::{Json, Member};

pub(super) fn write(members: &[Member], text: &mut Vec<u8>) -> Result<(), Cause> {
    for member in members {
        write_value(&member.value, text).map_err(|reason| Cause::Value {
            key: member.name.clone(),
            format: "PEM",
            reason: reason.to_owned(),
        })?;
    }
    Ok(())
}

/// A string of blocks, or a list of them, as Vault gives a chain.
fn write_value(value: &Json, text: &mut Vec<u8>) -> Result<(), &'static str> {
    match value {
        Json::String(blocks) => write_blocks(blocks.trim(), text),
        Json::Array(items) => items.iter().try_for_each(|item| write_value(item, text)),
        _ => Err("it is neither text nor a list"),
    }
}

fn write_blocks(blocks: &str, text: &mut Vec<u8>) -> Result<(), &'static str> {
    check(blocks)?;
    for line in blocks.lines() {
        text.extend(line.trim_end().bytes());
        text.push(b'\n');
    }
    Ok(())
}

/// The blocks of `text` with their labels, each line ended alike, or why there are none.
pub(super) fn blocks(text: &str) -> Result<Vec<(&str, String)>, &'static str> {
    check(text.trim())?;
    let mut blocks: Vec<(&str, String)> = Vec::new();
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if let Some(label) = label(line, "-----BEGIN ") {
            blocks.push((label, String::new()));
        }
        if let Some((_, block)) = blocks.last_mut() {
            block.push_str(line);
            block.push('\n');
        }
    }
    Ok(blocks)
}

/// Whether there are only whole blocks, with nothing around them.
fn check(blocks: &str) -> Result<(), &'static str> {
    let mut open = None;
    let mut complete = 0_usize;
    for line in blocks.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        match (open, label(line, "-----BEGIN "), label(line, "-----END ")) {
            (None, Some(label), _) => open = Some(label),
            (Some(label), None, Some(end)) if label == end => {
                open = None;
                complete += 1;
            }
            (Some(_), None, None) => {}
            (None, ..) => return Err("there is something outside of its PEM blocks"),
            (Some(_), ..) => return Err("one of its PEM blocks does not end"),
        }
    }
    match (open, complete) {
        (None, 1..) => Ok(()),
        (None, 0) => Err("it holds no PEM block (`-----BEGIN …-----`)"),
        (Some(_), _) => Err("one of its PEM blocks does not end"),
    }
}

fn label<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    line.strip_prefix(start)?.strip_suffix("-----")
}
