//! What went wrong, in words for a person, and of which class it is.
//!
//! A fault's words name what to change and never hold a value. This room does not know backends,
//! files or processes; it only knows how grave each class is.

use std::{error::Error, fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// What kind of thing went wrong; the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The configuration cannot be, or does not fit what is there.
    Configuration,
    /// The identity could not be proven, or may not read.
    Refused,
    /// A secret or a key is not there.
    Missing,
    /// A backend does not answer, or not now.
    Unreachable,
    /// A backend asks for fewer calls.
    Throttled,
    /// The volume cannot be written.
    Volume,
}

impl Class {
    /// The exit code of a run that ends for this reason. 0 is success, 1 an internal error.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Configuration => 2,
            Self::Refused => 3,
            Self::Missing => 4,
            Self::Unreachable | Self::Throttled => 5,
            Self::Volume => 6,
        }
    }

    /// The word for it in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Refused => "refused",
            Self::Missing => "missing",
            Self::Unreachable => "unreachable",
            Self::Throttled => "throttled",
            Self::Volume => "volume",
        }
    }

    /// Whether trying again soon may help.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Unreachable | Self::Throttled)
    }
}

/// One thing that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fault {
    /// Its kind.
    pub class: Class,
    /// What it is and what to change.
    pub message: String,
    /// How long the backend asks not to be asked again.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
    /// Whether it is known to pass by itself, grave as its class may be: rights that were granted
    /// a moment ago, keys that are still on their way. A start then tries on until its deadline.
    #[serde(skip)]
    pub passing: bool,
}

impl Fault {
    /// The fault of `class` with these words.
    pub fn new(class: Class, message: impl fmt::Display) -> Self {
        let message = message.to_string();
        Self { class, message, retry_after: None, passing: false }
    }

    /// The same fault, of a backend that asks to be left alone for `wait`.
    #[must_use]
    pub fn not_before(self, wait: Option<Duration>) -> Self {
        Self { retry_after: wait, ..self }
    }

    /// The same fault, known to pass by itself.
    #[must_use]
    pub fn that_passes(self) -> Self {
        Self { passing: true, ..self }
    }

    /// Whether trying again soon may help.
    pub fn is_transient(&self) -> bool {
        self.passing || self.class.is_transient()
    }

    /// All faults as one: the class of the gravest, every message, the gravest first.
    pub fn all(faults: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut faults: Vec<Self> = faults.into_iter().collect();
        faults.sort_by_key(|fault| fault.class);
        let class = faults.first()?.class;
        let retry_after = faults.iter().filter_map(|fault| fault.retry_after).max();
        let passing = faults.iter().all(Self::is_transient);
        let messages: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
        Some(Self { passing, ..Self::new(class, messages.join("; ")).not_before(retry_after) })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Fault {}

/// The error and what caused it, the innermost last.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// The words of the error's first cause.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    quoted(&causes(error).last().unwrap_or(error).to_string())
}

/// Text that others wrote, fit for a log: one line, no control characters, and not without end.
pub(crate) fn quoted(text: &str) -> String {
    /// Enough for a sentence, too short for a flood.
    const LONGEST: usize = 300;
    let line: String = text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(LONGEST)
        .collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a terminal would do something at this character instead of showing it.
pub(crate) fn is_obeyed(character: char) -> bool {
    // Control characters, and those that turn the direction of what follows.
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text that others may have written, fit for a terminal: on one line, and nothing that it obeys.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|character| if is_obeyed(character) { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_fault_gives_the_class_and_comes_first() {
        let faults = [(Class::Unreachable, "a"), (Class::Missing, "b"), (Class::Refused, "c")];
        let all =
            Fault::all(faults.map(|(class, message)| Fault::new(class, message))).expect("faults");
        assert_eq!(all, Fault::new(Class::Refused, "c; b; a"));
        let passing = Fault::new(Class::Refused, "a").that_passes();
        let all = Fault::all([passing.clone(), Fault::new(Class::Throttled, "b")]);
        assert!(all.is_some_and(|fault| fault.is_transient() && fault.class == Class::Refused));
        let all = Fault::all([passing, Fault::new(Class::Missing, "b")]);
        assert!(all.is_some_and(|fault| !fault.is_transient()));
        assert_eq!(Fault::all([]), None);
    }

    #[test]
    fn foreign_words_stay_on_one_line_and_end() {
        assert_eq!(quoted("a\n\x1b[31mb\t c"), "a [31mb c");
        assert_eq!(quoted(&"x".repeat(10_000)).len(), 300);
        assert_eq!(printable("a\n\x1b]0;b\u{9b}\u{202e}ö"), "a  ]0;b  ö");
    }
}
