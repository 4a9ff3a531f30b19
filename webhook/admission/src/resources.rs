//! How large the volume is, and how much the agent may use.
//!
//! PURE. A file in memory counts against the memory limit of the container that writes it, so
//! volume and limit are sized together.

use std::collections::{BTreeMap, BTreeSet};

use mayfly_spec::{
    FileEntry, Location,
    file::{Content, Origin},
    reference::{Key, Source},
    template::{self, Template},
};
use serde_json::Value;

use crate::{
    names::CONTAINER,
    pod::{Pod, text},
    quantity::{MEBIBYTE, Quantity},
    request::Request,
    settings::{Amount, Settings},
};

/// What the agent needs beside its files: twice the budget of its resident memory is 20 MiB, of
/// which the pages of its own program are shared and can be dropped.
const AGENT_MEMORY: u64 = 16 * MEBIBYTE;
/// The usual limit: room for the agent and 48 MiB of files.
const USUAL_MEMORY_LIMIT: u64 = 64 * MEBIBYTE;
/// The usual request for CPU: an idle agent uses none.
const USUAL_CPU_REQUEST: &str = "5m";
/// In a Guaranteed pod the request is the limit too, and 5m would make one TLS handshake last
/// seconds.
const GUARANTEED_CPU: &str = "50m";

/// The largest secret of AWS Secrets Manager.
const LARGEST_AWS_SECRET: u64 = 64 * 1024;
/// The largest parameter of the Parameter Store, of the advanced tier.
const LARGEST_PARAMETER: u64 = 8 * 1024;
/// The largest value that `mayfly-agent seal` takes.
const LARGEST_SEALED_VALUE: u64 = 64 * 1024;
/// Room for a whole tree of parameters.
const TREE: u64 = MEBIBYTE;
/// The largest entry of Vault's own storage, unless its operator raised it.
const LARGEST_VAULT_SECRET: u64 = MEBIBYTE;
/// The old generation stays until the new one is complete.
const GENERATIONS: u64 = 2;
/// Directories, links, `status.json`.
const BESIDE_FILES: u64 = 256 * 1024;
/// In memory each file begins a new page.
const PAGE: u64 = 4096;
/// Room for so many files of a directory whose keys the author does not name.
const KEYS_OF_A_DIRECTORY: u64 = 512;

/// Kubernetes' own names of the resources.
const NAMES: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// The volume's size and the agent's resources.
#[derive(Debug)]
pub(crate) struct Resources {
    /// The size limit of the files' volume.
    pub volume: Quantity,
    /// CPU.
    pub cpu: Pair,
    /// Memory.
    pub memory: Pair,
    /// Ephemeral storage, of which the agent's log takes some; the API server asks nobody for it, and a pod as a whole
    /// has none.
    pub storage: Pair,
}

/// A request and a limit.
pub(crate) type Pair = (Option<Quantity>, Option<Quantity>);

impl Resources {
    /// What `request` comes to in `pod`.
    pub(crate) fn of(request: &Request, pod: &Pod<'_>) -> Self {
        let settings = &request.settings;
        let volume = settings.volume_size.clone().unwrap_or_else(|| volume_size(&request.files));
        let (cpu_request, cpu_limit) = (settings.cpu_request.clone(), settings.cpu_limit.clone());
        let (memory_request, memory_limit) =
            (settings.memory_request.clone(), settings.memory_limit.clone());
        let limit = needed(&volume).max(USUAL_MEMORY_LIMIT).div_ceil(MEBIBYTE);
        let limit = Some(Quantity::mebibytes(limit));
        let (cpu, memory) = if has_budget(pod) {
            (
                pair(cpu_request, cpu_limit, None, None),
                pair(memory_request, memory_limit, None, None),
            )
        } else if is_guaranteed(pod) {
            let cpu = same(cpu_request, cpu_limit, fixed(GUARANTEED_CPU));
            (cpu, same(memory_request, memory_limit, limit))
        } else {
            let cpu = pair(cpu_request, cpu_limit, fixed(USUAL_CPU_REQUEST), None);
            (cpu, pair(memory_request, memory_limit, Some(Quantity::mebibytes(16)), limit))
        };
        let Settings { ephemeral_storage_request, ephemeral_storage_limit, .. } = settings.clone();
        let storage = pair(ephemeral_storage_request, ephemeral_storage_limit, None, None);
        Self { volume, cpu, memory, storage }
    }

    /// What the agent and its files need together, in bytes.
    pub(crate) fn needed(&self) -> u64 {
        needed(&self.volume)
    }

    pub(crate) fn requests(&self) -> BTreeMap<&'static str, Quantity> {
        named([&self.cpu.0, &self.memory.0, &self.storage.0])
    }

    pub(crate) fn limits(&self) -> BTreeMap<&'static str, Quantity> {
        named([&self.cpu.1, &self.memory.1, &self.storage.1])
    }
}

fn needed(volume: &Quantity) -> u64 {
    AGENT_MEMORY.saturating_add(volume.units())
}

/// Two generations of the largest secrets that there can be, in whole mebibytes.
fn volume_size(entries: &[FileEntry]) -> Quantity {
    let mut secrets: BTreeMap<&Location, Vec<Option<&Key>>> = BTreeMap::new();
    let mut rendered = 0;
    for entry in entries {
        match &entry.from {
            Origin::Secret(from) => {
                secrets.entry(&from.location).or_default().push(from.key.as_ref());
            }
            Origin::Template(template) => rendered += largest_rendered(template),
        }
    }
    let copied: u64 = secrets.iter().map(|(secret, keys)| copies(keys) * largest(secret)).sum();
    let contents = rendered.saturating_add(copied);
    let pages: u64 = entries.iter().map(|entry| files(entry) * PAGE).sum();
    let generation = contents.saturating_add(pages);
    let size = GENERATIONS.saturating_mul(generation).saturating_add(BESIDE_FILES);
    Quantity::mebibytes(size.div_ceil(MEBIBYTE))
}

/// What a template may make of its secrets: its own text, and each of them twice as large, as encodings
/// make them; never more than the agent writes.
fn largest_rendered(template: &Template) -> u64 {
    let secrets: BTreeSet<&Location> =
        template.references().iter().map(|reference| &reference.location).collect();
    let text = u64::try_from(template.text().len()).unwrap_or(u64::MAX);
    let most = u64::try_from(template::LARGEST).unwrap_or(u64::MAX);
    let secrets: u64 = secrets.into_iter().map(|secret| 2 * largest(secret)).sum();
    text.saturating_add(secrets).min(most)
}

/// How often the whole of a secret may be written: by each entry that takes all of it, and once by
/// those together that pick different keys.
fn copies(keys: &[Option<&Key>]) -> u64 {
    let mut picked: BTreeMap<String, u64> = BTreeMap::new();
    let mut whole = 0;
    for key in keys {
        match key {
            Some(key) => *picked.entry(key.to_string()).or_default() += 1,
            None => whole += 1,
        }
    }
    whole + picked.into_values().max().unwrap_or_default()
}

/// How many files the entry makes.
fn files(entry: &FileEntry) -> u64 {
    match entry.content {
        Content::Directory if entry.shape.keys.is_empty() => KEYS_OF_A_DIRECTORY,
        Content::Directory => u64::try_from(entry.shape.keys.choices().len()).unwrap_or(u64::MAX),
        Content::File(_) => 1,
    }
}

/// The most that one location can hold, unless its backend's operator raised it.
fn largest(location: &Location) -> u64 {
    match location.source() {
        Source::Kms => LARGEST_SEALED_VALUE,
        Source::AwsSm => LARGEST_AWS_SECRET,
        Source::AwsSsm if location.is_tree() => TREE,
        Source::AwsSsm => LARGEST_PARAMETER,
        _ => LARGEST_VAULT_SECRET,
    }
}

/// A usual value gives way to one that the author set.
fn pair(
    request: Option<Amount>,
    limit: Option<Amount>,
    usual_request: Option<Quantity>,
    usual_limit: Option<Quantity>,
) -> Pair {
    let given = (request.is_some(), limit.is_some());
    let request = request.map_or(usual_request, Amount::quantity);
    let limit = limit.map_or(usual_limit, Amount::quantity);
    match (request, limit) {
        (Some(request), Some(limit)) if request > limit => match given {
            (false, true) => (Some(limit.clone()), Some(limit)),
            (true, false) => (Some(request.clone()), Some(request)),
            _ => (Some(request), Some(limit)),
        },
        pair => pair,
    }
}

/// Request and limit of one value: the limit's, else the request's, else the usual one.
fn same(request: Option<Amount>, limit: Option<Amount>, usual: Option<Quantity>) -> Pair {
    let quantity = match (request, limit) {
        (_, Some(Amount::Of(limit))) => Some(limit),
        (Some(Amount::Of(request)), _) => Some(request),
        (Some(Amount::Unset), Some(Amount::Unset)) => None,
        _ => usual,
    };
    (quantity.clone(), quantity)
}

fn named(amounts: [&Option<Quantity>; 3]) -> BTreeMap<&'static str, Quantity> {
    let named = NAMES.into_iter().zip(amounts);
    named.filter_map(|(name, quantity)| Some((name, quantity.clone()?))).collect()
}

fn fixed(text: &str) -> Option<Quantity> {
    text.parse().ok()
}

/// Whether the pod as a whole has resources, within which the agent runs as every other container does: a request of
/// its own would stand for those of all containers, and a limit might be above the pod's.
fn has_budget(pod: &Pod<'_>) -> bool {
    pod.field("resources").and_then(Value::as_object).is_some_and(|resources| !resources.is_empty())
}

/// Whether the author's containers make the pod one of class Guaranteed: each has limits, and
/// requests that are the same or absent.
fn is_guaranteed(pod: &Pod<'_>) -> bool {
    let mut authors =
        pod.containers().filter(|(_, container)| text(container, "name") != CONTAINER);
    authors.all(|(_, container)| ["cpu", "memory"].iter().all(|name| is_fixed(container, name)))
}

fn is_fixed(container: &Value, resource: &str) -> bool {
    let amount = |side: &str| {
        let amount = container.get("resources")?.get(side)?.get(resource)?;
        Some(amount.as_str().map_or_else(|| amount.to_string(), str::to_owned))
    };
    match (amount("requests"), amount("limits")) {
        (None, Some(_)) => true,
        (Some(request), Some(limit)) => Quantity::is_same(&request, &limit),
        (_, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(files: impl IntoIterator<Item = String>) -> String {
        let entry = |json: String| {
            serde_json::from_str::<FileEntry>(&json)
                .unwrap_or_else(|error| panic!("{json}: {error}"))
        };
        let files: Vec<FileEntry> = files.into_iter().map(entry).collect();
        volume_size(&files).to_string()
    }

    fn one(from: &str, more: &str) -> String {
        size([format!(r#"{{{more},"from":"{from}"}}"#)])
    }

    #[test]
    fn files_of_one_secret_share_its_size() {
        let picked = |at: u32| format!(r#"{{"path":"f{at}","from":"vault:secret/app#k{at}"}}"#);
        assert_eq!(size((0..40).map(picked)), "3Mi");
        let apart = |at: u32| format!(r#"{{"path":"f{at}","from":"vault:secret/{at}#k"}}"#);
        assert_eq!(size((0..40).map(apart)), "81Mi");
        let same = |at: u32| format!(r#"{{"path":"f{at}","from":"vault:secret/app#k"}}"#);
        assert_eq!(size((0..4).map(same)), "9Mi");
        let whole = |at: u32| format!(r#"{{"path":"f{at}.json","from":"vault:secret/app"}}"#);
        assert_eq!(size((0..4).map(whole)), "9Mi");
    }

    /// Three hundred short keys take two generations of three hundred pages.
    #[test]
    fn a_directory_has_room_for_pages() {
        assert_eq!(one("aws-sm:prod/app", r#""dir":"d""#), "5Mi");
        assert_eq!(one("aws-sm:prod/app", r#""dir":"d","keys":["a","b"]"#), "1Mi");
        assert_eq!(one("aws-ssm:/prod/", r#""dir":"d""#), "7Mi");
        assert_eq!(one("aws-sm:prod/app", r#""path":"a""#), "1Mi");
    }
}
