//! How much of a stranger's text is read, decided before any work is done on it.
//!
//! PURE. A pod comes here before Kubernetes validates it; only the API server's limit for a request,
//! 3 MiB, has held until then. Where Kubernetes has a limit of its own, ours is the same; elsewhere it
//! is far above what any honest pod has, and low enough that the answer to any body takes at most twelve
//! times its size and 4 MiB.

use serde_json::{Map, Value};
use thiserror::Error;

/// All annotations of an object, names and values together, in bytes: Kubernetes' own limit.
const ANNOTATIONS: usize = 256 * 1024;
/// Containers of one pod, of both lists together.
const CONTAINERS: usize = 1000;
/// Entries of one pod; its configuration, of at most 120 KiB, would not hold more.
pub(crate) const FILES: usize = 1000;
/// References of all entries together.
pub(crate) const REFERENCES: usize = 1000;
/// Names in an annotation that is a list.
pub(crate) const NAMES: usize = 500;
/// Variables that `path-env` adds, in all containers together.
pub(crate) const VARIABLES: usize = 2000;
/// Variables, and mounts, in a container that claims to be the agent's; what comes after them is not looked at.
pub(crate) const ADDITIONS: usize = 500;
/// Values in the YAML of one annotation: so many as `FILES` entries have, with all their fields.
pub(crate) const YAML_NODES: usize = 14 * FILES;

/// A body below this size cannot hold enough values to matter.
const LIGHT: usize = 16 * 1024;
/// What an object takes at least once it is read, in bytes, whatever is in it.
const OBJECT: usize = 640;
/// What a list takes, and what any item or member does.
const ITEM: usize = 224;
/// What all values of a body may take, in bytes for each of its own, and besides.
const RATE: usize = 8;
const ALLOWANCE: usize = 3 * 1024 * 1024;

/// More of something than is read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(crate) enum Excess {
    /// So many small values that reading them costs many times their size.
    #[error(
        "{0} objects, lists and values in {1} bytes; Mayfly reads a pod of this size with at most a tenth of them"
    )]
    Values(usize, usize),
    /// Longer annotations than Kubernetes allows.
    #[error("{0} bytes; Kubernetes allows 262144 for all annotations together")]
    Annotations(usize),
    /// More containers than any pod has.
    #[error("{0} containers; at most 1000 are allowed")]
    Containers(usize),
}

/// Whether the values of `body`, which may be any bytes, can be read without taking many times its size.
pub(crate) fn weigh(body: &[u8]) -> Result<(), Excess> {
    if body.len() <= LIGHT {
        return Ok(());
    }
    let count = Count::of(body);
    let cost = count.objects * OBJECT + count.others * ITEM;
    if cost <= RATE * body.len() + ALLOWANCE {
        return Ok(());
    }
    Err(Excess::Values(count.objects + count.others, body.len()))
}

/// Whether Kubernetes would take `annotations`, as far as their size is concerned.
pub(crate) fn annotations(annotations: &Map<String, Value>) -> Result<(), Excess> {
    let text = |value: &Value| value.as_str().map_or(0, str::len);
    let bytes = annotations.iter().map(|(key, value)| key.len() + text(value)).sum();
    if bytes > ANNOTATIONS { Err(Excess::Annotations(bytes)) } else { Ok(()) }
}

/// Whether a pod can have so many containers.
pub(crate) fn containers(count: usize) -> Result<(), Excess> {
    if count > CONTAINERS { Err(Excess::Containers(count)) } else { Ok(()) }
}

/// How many values there are, by what each takes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    /// Objects that are not empty.
    objects: usize,
    /// Everything else: each item and each member has a comma or a colon.
    others: usize,
}

impl Count {
    /// Counts by the marks between values; what is inside quotes has none.
    fn of(body: &[u8]) -> Self {
        let mut count = Self::default();
        let mut bytes = body.iter();
        let mut opened = false;
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => skip_text(&mut bytes),
                b'[' | b',' | b':' => count.others += 1,
                b'}' => {}
                byte if byte.is_ascii_whitespace() => continue,
                _ => {}
            }
            count.objects +=
                usize::from(std::mem::replace(&mut opened, *byte == b'{') && *byte != b'}');
        }
        count
    }
}

/// Moves behind the end of a text that has just begun.
fn skip_text<'a>(bytes: &mut impl Iterator<Item = &'a u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_by_what_they_take() {
        let count = |text: &str| {
            let Count { objects, others } = Count::of(text.as_bytes());
            (objects, others)
        };
        assert_eq!(count("{}"), (0, 0));
        assert_eq!(count("{ }"), (0, 0));
        assert_eq!(count("[{},{},{}]"), (0, 3));
        assert_eq!(count(r#"{"a": {"b": 1}}"#), (2, 2));
        assert_eq!(count(r#"{"a\"{[,:": "\\", "b": "}{\u0022,"}"#), (1, 3));
    }

    #[test]
    fn an_honest_pod_is_light_and_a_crowd_is_not() {
        let honest = format!(
            r#"{{"env": [{}]}}"#,
            r#"{"name": "SOME_VARIABLE", "value": "some value of usual length"},"#.repeat(3000)
        );
        assert_eq!(weigh(honest.as_bytes()), Ok(()));
        let crowd = format!("[{}]", "{},".repeat(990_000));
        assert!(matches!(weigh(crowd.as_bytes()), Err(Excess::Values(990_001, _))));
        assert_eq!(weigh(&vec![b'"'; 3 * 1024 * 1024]), Ok(()));
    }
}
