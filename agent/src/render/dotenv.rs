//! `NAME='value'` lines that the readers of `.env` files understand alike, or that one of them does.
//!
//! Readers disagree about every escape, so a value is written by the first [`Way`](ways::Way) that
//! holds it in the file's dialect; a value without one is refused by its key, because a reader that
//! trips over one line may lose the others with it.

mod dialects;
mod names;
mod ways;

use mayfly_spec::file::Dialect;

use super::Cause;
use crate::secret::Member;

pub(super) fn write(members: &[Member], dialect: Dialect, text: &mut Vec<u8>) -> Result<(), Cause> {
    members.iter().try_for_each(|member| write_member(member, dialect, text))
}

fn write_member(member: &Member, dialect: Dialect, text: &mut Vec<u8>) -> Result<(), Cause> {
    let name = &member.name;
    names::check(name, dialect).map_err(|reason| Cause::Name {
        key: name.clone(),
        dialect,
        reason,
    })?;
    let content = member.value.content();
    let value = content.expose_text().expect("JSON is UTF-8");
    let way = dialects::way(value, dialect).ok_or_else(|| refusal(name, value, dialect))?;
    text.extend(name.bytes());
    text.push(b'=');
    way.write(value, text);
    text.push(b'\n');
    Ok(())
}

/// Why there is no way, and what to do.
fn refusal(name: &str, value: &str, dialect: Dialect) -> Cause {
    let why = match dialect {
        _ if value.contains('\0') => "it holds a NUL, which no variable can",
        Dialect::Common => {
            "Node, Python, Go, Compose, systemd and sh have no spelling in common for its quotes, `\\`, `$` or control characters"
        }
        Dialect::Kubernetes if value.is_empty() => {
            "Kubernetes takes an empty value for a missing one"
        }
        Dialect::Kubernetes => {
            "Kubernetes has no spelling for a `'`, a CR before a line's end, or a line beyond 65,000 bytes"
        }
        _ => "this reader has no spelling for its quotes, `\\` or control characters",
    };
    let reason = format!("{why}; {}", remedy(value, dialect));
    Cause::Value { key: name.to_owned(), format: "dotenv", reason }
}

fn remedy(value: &str, dialect: Dialect) -> String {
    let holds = |reader: &Dialect| {
        *reader != Dialect::Kubernetes && dialects::way(value, *reader).is_some()
    };
    let holders: Vec<&str> =
        Dialect::ONE_READER.into_iter().filter(holds).map(Dialect::name).collect();
    if dialect != Dialect::Common || holders.is_empty() {
        return "use a `.json` file or keep it in base64".to_owned();
    }
    let holders = holders.join("|");
    format!("use a `.json` file, keep it in base64, or say who reads it: `dialect: {holders}`")
}
