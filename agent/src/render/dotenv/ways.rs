//! One spelling of a value: what stands around it, and what is written for some of its characters.

/// A spelling, and which values it holds.
#[derive(Debug)]
pub(super) struct Way {
    /// What stands before and after the value.
    quote: &'static str,
    /// What is written instead of some characters.
    escapes: &'static [(char, &'static str)],
    /// Whether the reader gets back what was written.
    holds: fn(&str) -> bool,
}

impl Way {
    /// The value as it is, between two of `quote`.
    pub(super) const fn plain(quote: &'static str, holds: fn(&str) -> bool) -> Self {
        Self { quote, escapes: &[], holds }
    }

    /// The value with escapes, between two of `quote`.
    pub(super) const fn escaped(
        quote: &'static str,
        escapes: &'static [(char, &'static str)],
        holds: fn(&str) -> bool,
    ) -> Self {
        Self { quote, escapes, holds }
    }

    /// Whether the reader gets back `value`.
    pub(super) fn holds(&self, value: &str) -> bool {
        (self.holds)(value)
    }

    /// Appends `value` in this spelling.
    pub(super) fn write(&self, value: &str, text: &mut Vec<u8>) {
        text.extend(self.quote.bytes());
        for character in value.chars() {
            match self.escapes.iter().find(|(escaped, _)| *escaped == character) {
                Some((_, spelling)) => text.extend(spelling.bytes()),
                None => text.extend(character.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        text.extend(self.quote.bytes());
    }
}
