//! What is wrong with a pod, told to its author: where, what, and what is allowed instead.
//!
//! PURE. Quotes nothing of a pod but what its author wrote into Mayfly's own annotations, and names.

use std::fmt;

/// The most faults that one answer lists: enough for any honest pod, and a bound for the others.
pub(crate) const MOST_LISTED: usize = 50;

/// The longest quotation of an author's text, in characters.
const LONGEST_QUOTATION: usize = 120;

/// The longest message of one fault, in characters: room for every list of what is allowed.
const LONGEST_MESSAGE: usize = 1000;

/// The API server's advice for the length of a warning, in bytes.
const LONGEST_WARNING: usize = 120;

/// The most warnings of one answer: the API server cuts them at 4096 bytes together.
pub const MOST_WARNINGS: usize = 20;

/// One fault and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    place: String,
    message: String,
}

impl Fault {
    /// The fault `message` at `place`: an annotation's name or a field's path.
    pub fn new(place: impl Into<String>, message: impl fmt::Display) -> Self {
        Self { place: place.into(), message: cut(&message.to_string(), LONGEST_MESSAGE) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", quote(&self.place), self.message)
    }
}

/// All faults of a pod, in a stable order: the annotations' first. Those that no answer would list are
/// only counted, so that a pod of a million faults costs no more than one of fifty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    listed: Vec<Fault>,
    more: usize,
}

impl Faults {
    /// Takes one more.
    pub fn push(&mut self, fault: Fault) {
        self.push_with(|| fault);
    }

    /// Takes one more, which is only made if it will be listed.
    pub fn push_with(&mut self, fault: impl FnOnce() -> Fault) {
        if self.listed.len() < MOST_LISTED {
            self.listed.push(fault());
        } else {
            self.more += 1;
        }
    }

    /// Counts so many more, of which nothing is known but their number.
    pub(crate) fn count_more(&mut self, unlisted: usize) {
        self.more += unlisted;
    }

    /// Takes all of `others`.
    pub fn append(&mut self, others: Self) {
        self.extend(others.listed);
        self.more += others.more;
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Those that are listed.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.listed.iter()
    }
}

impl Extend<Fault> for Faults {
    fn extend<T: IntoIterator<Item = Fault>>(&mut self, faults: T) {
        faults.into_iter().for_each(|fault| self.push(fault));
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self { listed: vec![fault], more: 0 }
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<T: IntoIterator<Item = Fault>>(faults: T) -> Self {
        let mut all = Self::default();
        all.extend(faults);
        all
    }
}

/// One fault on one line, several as a list below a line that counts them.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listed, more } = self;
        if let [fault] = listed.as_slice() {
            return write!(f, "mayfly: {fault}");
        }
        write!(f, "mayfly: {} faults", listed.len() + more)?;
        for fault in listed {
            write!(f, "\n- {fault}")?;
        }
        match more {
            0 => Ok(()),
            more => write!(f, "\n- and {more} more"),
        }
    }
}

impl std::error::Error for Faults {}

/// `text` without control characters, and cut when it is long.
pub fn quote(text: &str) -> String {
    cut(text, LONGEST_QUOTATION)
}

/// `text` without control characters, and whole unless it is longer than any message of ours.
pub fn line(text: &str) -> String {
    cut(text, LONGEST_MESSAGE)
}

/// `text` as a warning of ours, cut to what the API server passes on whole.
pub fn warning(text: impl fmt::Display) -> String {
    let mut warning = format!("mayfly: {text}");
    if warning.len() > LONGEST_WARNING {
        warning.truncate(warning.floor_char_boundary(LONGEST_WARNING - '…'.len_utf8()));
        warning.push('…');
    }
    warning
}

fn cut(text: &str, longest: usize) -> String {
    let mut printable = String::with_capacity(text.len().min(longest));
    for character in text.chars().take(longest) {
        if character.is_control() {
            printable.extend(character.escape_debug());
        } else {
            printable.push(character);
        }
    }
    if text.chars().nth(longest).is_some() {
        printable.push('…');
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fault_is_one_line_and_several_are_a_list() {
        let fault = || Fault::new("mayfly.dev/mode", "wrong");
        assert_eq!(Faults::from(fault()).to_string(), "mayfly: `mayfly.dev/mode`: wrong");
        let two = Faults::from_iter([fault(), fault()]).to_string();
        assert_eq!(two, "mayfly: 2 faults\n- `mayfly.dev/mode`: wrong\n- `mayfly.dev/mode`: wrong");
        let mut faults: Faults = std::iter::repeat_with(fault).take(30).collect();
        faults.append(faults.clone());
        let many = faults.to_string();
        assert!(many.starts_with("mayfly: 60 faults\n"), "{many}");
        assert!(many.ends_with("\n- and 10 more"), "{many}");
    }

    #[test]
    fn quotations_are_short_and_printable() {
        assert_eq!(quote("a\n\u{1b}[31m"), "a\\n\\u{1b}[31m");
        assert_eq!(quote(&"é".repeat(200)).chars().count(), 121);
    }
}
