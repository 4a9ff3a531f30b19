//! The user's interface: every annotation under [`PREFIX`], parsed into types that cannot be wrong.
//!
//! PURE. Knows what may be asked for and who asks; does not know what is in the pod.

mod entries;
mod mount_path;
mod name;
mod path_env;
mod settings;
mod value;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use mount_path::{MountPath, overlap};
pub use name::{Annotation, Kind, PREFIX};
pub use path_env::PathEnv;
pub use settings::{Gate, Settings};
pub use value::{Amount, ValueError, VaultAddress};

use crate::{config::Config, fault::Fault};
use entries::Entries;
use mayfly_spec::{file::FileEntry, suggestion::Suggestion};
use name::Key;

/// What a pod asks for.
#[derive(Debug)]
pub struct Request {
    /// The author's settings, and the operator's where the author has none.
    pub settings: Settings,
    /// The author's own settings: what is answered with a warning when it has no effect.
    pub own: Settings,
    /// What is to be written.
    pub files: Vec<FileEntry>,
}

/// Whether a pod is meant for us at all.
#[derive(Debug)]
pub enum Asked {
    /// No annotation of ours.
    Nothing,
    /// `inject: "false"`.
    Off,
    /// A request, as far as it could be read, and everything that was wrong with it.
    Injection(Box<Request>, Vec<Fault>),
}

/// Reads a pod's annotations.
pub fn parse(annotations: &Map<String, Value>, config: &Config) -> Asked {
    let ours: Vec<(&str, &Value)> =
        annotations.iter().filter_map(|(key, value)| Some((name::suffix(key)?, value))).collect();
    if ours.is_empty() {
        return Asked::Nothing;
    }
    let switch =
        ours.iter().find(|(suffix, _)| suffix.eq_ignore_ascii_case(Annotation::Inject.suffix()));
    if switch.is_some_and(|(_, value)| value.as_str() == Some("false")) {
        return Asked::Off;
    }
    let mut reader = Reader::default();
    reader.read_switch(switch.map(|(_, value)| *value));
    reader.read_all(ours);
    let (request, faults) = reader.finish(config);
    Asked::Injection(Box::new(request), faults)
}

/// Collects what is right, and what is wrong beside it.
#[derive(Debug, Default)]
struct Reader {
    own: Settings,
    entries: Entries,
    faults: Vec<Fault>,
}

impl Reader {
    fn read_switch(&mut self, value: Option<&Value>) {
        let place = Annotation::Inject.to_string();
        match value {
            None => self.faults.push(Fault::new(
                place,
                "missing beside other annotations of Mayfly; set it to \"true\", or to \"false\" to leave the pod as it is",
            )),
            Some(value) if value.as_str() == Some("true") => {}
            Some(value) => {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                self.faults.push(Fault::new(place, ValueError::Switch(value)));
            }
        }
    }

    /// In the order of the names without case, so that the faults' order does not depend on the
    /// pod's.
    fn read_all(&mut self, ours: Vec<(&str, &Value)>) {
        let mut sorted: BTreeMap<(String, &str), &Value> = BTreeMap::new();
        for (suffix, value) in ours {
            sorted.insert((suffix.to_ascii_lowercase(), suffix), value);
        }
        let mut previous = None;
        for ((folded, suffix), value) in sorted {
            let place = format!("{PREFIX}{suffix}");
            let repeated = previous.replace(folded.clone()) == Some(folded);
            match value.as_str() {
                _ if repeated && !suffix.contains('.') => {
                    let message = "given twice, in different letters; leave one of them out";
                    self.faults.push(Fault::new(place, message));
                }
                Some(text) => self.read(suffix, &place, text),
                None => self.faults.push(Fault::new(place, ValueError::NoString)),
            }
        }
    }

    fn read(&mut self, suffix: &str, place: &str, text: &str) {
        match Key::parse(suffix) {
            Key::Setting(Annotation::Inject) => {}
            Key::Setting(Annotation::Files) => {
                self.entries.add_list(place, text, &mut self.faults);
            }
            Key::Setting(name) => {
                if let Err(error) = self.own.set(name, text) {
                    self.faults.push(Fault::new(place, error));
                }
            }
            Key::Entry(kind, path) => {
                self.entries.add(kind, path, place, text, &mut self.faults);
            }
            Key::Unknown => {
                self.entries.expect_anything();
                let suggestion = Suggestion::new(suffix, name::suggestions());
                self.faults.push(Fault::new(place, format_args!("unknown annotation{suggestion}")));
            }
        }
    }

    fn finish(mut self, config: &Config) -> (Request, Vec<Fault>) {
        self.entries.check(&mut self.faults);
        self.own.check(config, &mut self.faults);
        path_env::check(&self.own.path_env, &self.entries, &mut self.faults);
        let request = Request {
            settings: self.own.clone().or(&config.defaults),
            own: self.own,
            files: self.entries.files,
        };
        (request, self.faults)
    }
}

#[cfg(test)]
mod tests;
