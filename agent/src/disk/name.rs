//! The names that the agent makes in the volume. All begin with `..`, so that no secret's can.

use std::{fmt, str::FromStr};

/// The link to the present generation.
pub(super) const DATA: &str = "..data";

/// A generation's directory: `..<number>-<eight random hexadecimal digits>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GenerationName {
    pub(super) number: u64,
    salt: u32,
}

impl GenerationName {
    /// A name that nobody could have taken beforehand.
    pub(super) fn new(number: u64) -> Self {
        Self { number, salt: fastrand::u32(..) }
    }
}

impl fmt::Display for GenerationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "..{}-{:08x}", self.number, self.salt)
    }
}

impl FromStr for GenerationName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (number, salt) =
            text.strip_prefix("..").and_then(|rest| rest.split_once('-')).ok_or(())?;
        let name = Self {
            number: number.parse().map_err(drop)?,
            salt: u32::from_str_radix(salt, 16).map_err(drop)?,
        };
        (name.to_string() == text).then_some(name).ok_or(())
    }
}

/// A name for something that is renamed as soon as it is complete.
pub(super) fn temporary() -> String {
    format!("..new-{:016x}", fastrand::u64(..))
}

/// Whether `name` is one that this agent makes and may remove.
pub(super) fn is_disposable(name: &str) -> bool {
    name.parse::<GenerationName>().is_ok() || name.starts_with("..new-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_known_by_its_name() {
        let name = GenerationName::new(7);
        assert_eq!(name.to_string().parse(), Ok(name));
        for other in [
            "..data",
            "7-00000000",
            "..7",
            "..7-0",
            "..07-00000000",
            "../etc",
            "..7-0000000G",
            "..7-00000000/x",
        ] {
            assert_eq!(other.parse::<GenerationName>(), Err(()), "{other}");
        }
    }

    #[test]
    fn only_our_own_names_are_disposable() {
        assert!(is_disposable(&temporary()) && is_disposable("..1-00000000"));
        assert!(!is_disposable(DATA) && !is_disposable("..2026_01_01") && !is_disposable("db"));
    }
}
