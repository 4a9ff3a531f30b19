//! The user's interface: every annotation under [`PREFIX`], parsed into types that cannot be wrong.
//!
//! PURE. Knows what may be asked for and who asks; does not know what is in the pod.

mod checks;
mod entries;

use mayfly_spec::suggestion::Suggestion;
use serde_json::{Map, Value};

use crate::{
    config::{Chosen, Config},
    fault::{Fault, Faults},
    policy::{Namespace, Subject},
    request::Request,
    settings::{
        Annotation, Key, PREFIX, Settings, ValueError, defaultable, of_namespace, suffix,
        suggestions,
    },
};
use entries::Entries;

/// Whether a pod is meant for us at all.
#[derive(Debug)]
pub enum Asked {
    /// No annotation of ours.
    Nothing,
    /// `inject: "false"`.
    Off,
    /// A request, as far as it could be read, and everything that was wrong with it.
    Injection(Box<Request>, Faults),
}

/// Reads the annotations of `subject`.
pub fn parse(annotations: &Map<String, Value>, config: &Config, subject: &Subject<'_>) -> Asked {
    let ours: Vec<(&str, &Value)> =
        annotations.iter().filter_map(|(key, value)| Some((suffix(key)?, value))).collect();
    if ours.is_empty() {
        return Asked::Nothing;
    }
    let is_switch = |suffix: &str| suffix.eq_ignore_ascii_case(Annotation::Inject.suffix());
    let switches = ours.iter().filter(|(suffix, _)| is_switch(suffix)).map(|(_, value)| *value);
    let is_off = |value: &&Value| value.as_str().map(str::trim) == Some("false");
    // Two switches in different letters that do not agree are told below to be given twice.
    let switch = switches.clone().find(|value| !is_off(value));
    if switch.is_none() && switches.clone().next().is_some() {
        return Asked::Off;
    }
    let mut reader = Reader::default();
    reader.read_switch(switch);
    reader.read_all(ours);
    let (request, faults) = reader.finish(config, subject);
    Asked::Injection(Box::new(request), faults)
}

/// Whether `key` is the switch.
pub fn is_switch(key: &str) -> bool {
    suffix(key).is_some_and(|suffix| Annotation::find(suffix) == Some(Annotation::Inject))
}

/// What is wrong with a key of ours that means nothing, and what it may have been meant for.
pub fn unknown(key: &str) -> Option<String> {
    let suffix = suffix(key)?;
    (Key::parse(suffix) == Key::Unknown).then(|| unknown_suffix(suffix))
}

fn unknown_suffix(suffix: &str) -> String {
    format!("unknown annotation{}", Suggestion::new(suffix, suggestions()))
}

/// Collects what is right, and what is wrong beside it.
#[derive(Debug, Default)]
struct Reader {
    own: Settings,
    entries: Entries,
    faults: Faults,
}

impl Reader {
    fn read_switch(&mut self, value: Option<&Value>) {
        let place = Annotation::Inject.to_string();
        match value {
            None => self.faults.push(Fault::new(
                place,
                "missing beside other annotations of Mayfly; set it to \"true\", or to \"false\" to leave the pod as it is",
            )),
            Some(value) if value.as_str().map(str::trim) == Some("true") => {}
            Some(value) => {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                self.faults.push(Fault::new(place, ValueError::Switch(value)));
            }
        }
    }

    /// In the order of the names without case, so that the faults' order does not depend on the
    /// pod's.
    fn read_all(&mut self, mut ours: Vec<(&str, &Value)>) {
        let folded = |name: &str| name.bytes().map(|byte| byte.to_ascii_lowercase()).collect();
        ours.sort_by_cached_key(|(suffix, _)| -> (Vec<u8>, &str) { (folded(suffix), suffix) });
        let mut previous = "";
        for (suffix, value) in ours {
            let repeated = suffix.eq_ignore_ascii_case(previous) && !suffix.contains('.');
            previous = suffix;
            match value.as_str() {
                _ if repeated => {
                    let message = "given twice, in different letters; leave one of them out";
                    self.fault(suffix, message);
                }
                Some(text) => self.read(suffix, text),
                None => self.fault(suffix, ValueError::NoString),
            }
        }
    }

    fn fault(&mut self, suffix: &str, message: impl std::fmt::Display) {
        self.faults.push_with(|| Fault::new(format!("{PREFIX}{suffix}"), message));
    }

    fn read(&mut self, suffix: &str, text: &str) {
        match Key::parse(suffix) {
            Key::Setting(Annotation::Inject) => {}
            Key::Setting(Annotation::Files) => {
                for message in self.entries.add_list(text) {
                    self.fault(suffix, message);
                }
            }
            Key::Setting(name) => {
                if let Err(error) = self.own.set(name, text) {
                    self.fault(suffix, error);
                }
            }
            Key::Entry(kind, path) => {
                if let Err(message) = self.entries.add(kind, path, text) {
                    self.fault(suffix, message);
                }
            }
            Key::Unknown => {
                self.entries.expect_anything();
                self.faults
                    .push_with(|| Fault::new(format!("{PREFIX}{suffix}"), unknown_suffix(suffix)));
            }
        }
    }

    fn finish(mut self, config: &Config, subject: &Subject<'_>) -> (Request, Faults) {
        let operator = config.defaults_for(subject);
        let namespaces = self.read_namespace(config, subject.namespace);
        let faults = &mut self.faults;
        self.entries.check(faults);
        for (name, error) in &operator.faults {
            faults.push(Fault::new(format!("{name} (the operator's default)"), error));
        }
        let Chosen { settings: operator, by_labels, .. } = operator;
        checks::settings(&self.own, config, &operator, |name| name.to_string(), faults);
        checks::settings(
            &namespaces,
            config,
            &operator,
            |name| of_namespace(name.suffix()),
            faults,
        );
        checks::path_env(&self.own.path_env, &self.entries, faults);
        let request = Request {
            settings: self.own.clone().or(&namespaces).or(&operator),
            own: self.own,
            namespaces,
            by_labels,
            files: self.entries.files,
        };
        (request, self.faults)
    }

    /// The defaults that the namespace's annotations carry, if the operator lets them.
    fn read_namespace(&mut self, config: &Config, namespace: &Namespace) -> Settings {
        let mut settings = Settings::default();
        if !config.namespace_annotations {
            return settings;
        }
        for (suffix, value) in &namespace.defaults {
            let name = Annotation::find(suffix).filter(|name| name.has_default());
            let outcome = if let Some(name) = name {
                settings.set(name, value).map_err(|error| error.to_string())
            } else {
                let suggestion = Suggestion::new(suffix, defaultable());
                Err(format!("no annotation that can have a default{suggestion}"))
            };
            if let Err(message) = outcome {
                self.faults.push(Fault::new(of_namespace(suffix), message));
            }
        }
        settings
    }
}

#[cfg(test)]
mod tests;
