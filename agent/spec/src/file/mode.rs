//! A file's permission bits, as a person writes them: four octal digits in quotes.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};
use thiserror::Error;

/// Permission bits that the owner can read, nobody outside owner and group can write, and that
/// carry no set-user-ID, set-group-ID or sticky bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct FileMode(u32);

/// A mode that no secret's file may have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ModeError {
    /// Not three or four octal digits.
    #[error(
        "`{0}` is no file mode; write three or four octal digits in quotes, for example \"0440\""
    )]
    Octal(String),
    /// A number, or one that was written in decimal: what YAML 1.1 makes of octal digits without quotes.
    #[error("the mode `{0}` is a decimal number; write \"{1}\", octal digits in quotes")]
    Decimal(String, FileMode),
    /// A set-user-ID, set-group-ID or sticky bit.
    #[error("the mode `{0}` has a setuid, setgid or sticky bit; allowed are 0400 to 0775")]
    Special(String),
    /// Everybody could write.
    #[error("the mode `{0}` lets everybody write; allowed are 0400 to 0775")]
    WorldWritable(String),
    /// Not even the agent could read.
    #[error("the mode `{0}` does not let the owner read; allowed are 0400 to 0775")]
    Unreadable(String),
}

impl FileMode {
    /// Readable by its owner only.
    pub const OWNER: Self = Self(0o400);
    /// Readable by its owner and its group.
    pub const GROUP: Self = Self(0o440);
    /// Readable by everybody that sees the volume.
    pub const EVERYBODY: Self = Self(0o444);

    /// The bits, as `chmod` takes them.
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl FromStr for FileMode {
    type Err = ModeError;

    fn from_str(text: &str) -> Result<Self, ModeError> {
        let mode = Self::octal(text);
        if text.starts_with('0') || mode.as_ref().is_ok_and(|mode| mode.is_likely()) {
            return mode;
        }
        let decimal = text.parse().ok().and_then(Self::of_decimal);
        decimal.map_or(mode, |meant| Err(ModeError::Decimal(text.to_owned(), meant)))
    }
}

impl FileMode {
    fn octal(text: &str) -> Result<Self, ModeError> {
        let octal =
            matches!(text.len(), 3 | 4) && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        let bits = u32::from_str_radix(text, 8).ok().filter(|_| octal);
        let mode = Self(bits.ok_or_else(|| ModeError::Octal(text.to_owned()))?);
        mode.fault().map_or(Ok(mode), |fault| Err(fault(text.to_owned())))
    }

    fn fault(self) -> Option<fn(String) -> ModeError> {
        match self.0 {
            bits if bits & !0o777 != 0 => Some(ModeError::Special),
            bits if bits & 0o002 != 0 => Some(ModeError::WorldWritable),
            bits if bits & 0o400 == 0 => Some(ModeError::Unreadable),
            _ => None,
        }
    }

    /// Whether a person would ask for it: whoever may write or execute may read.
    fn is_likely(self) -> bool {
        [6, 3, 0].iter().all(|shift| matches!(self.0 >> shift & 7, 0 | 4..))
    }

    /// The mode whose bits are this number, if a person may have meant it.
    fn of_decimal(number: u32) -> Option<Self> {
        Some(Self(number)).filter(|mode| mode.fault().is_none() && mode.is_likely())
    }

    /// The mode that was meant by a number without quotes: by its digits, or by its bits.
    fn meant(number: u32) -> Option<Self> {
        let digits = Self::octal(&format!("{number:04}")).ok().filter(|mode| mode.is_likely());
        digits.or_else(|| Self::of_decimal(number))
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

struct ModeVisitor;

impl de::Visitor<'_> for ModeVisitor {
    type Value = FileMode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file mode in quotes, for example \"0440\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<FileMode, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<FileMode, E> {
        let text = number.to_string();
        let meant = u32::try_from(number).ok().and_then(FileMode::meant);
        Err(E::custom(match meant {
            Some(mode) => ModeError::Decimal(text, mode),
            None => ModeError::Octal(text),
        }))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<FileMode, E> {
        self.visit_u64(number.unsigned_abs())
    }
}

impl<'de> Deserialize<'de> for FileMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ModeVisitor)
    }
}

impl From<FileMode> for String {
    fn from(mode: FileMode) -> Self {
        mode.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal() {
        assert_eq!("0440".parse::<FileMode>().expect("a mode").bits(), 0o440);
        assert_eq!("640".parse::<FileMode>().expect("a mode").to_string(), "0640");
    }

    #[test]
    fn dangerous_and_meaningless_modes_are_refused() {
        for text in [
            "", "08", "08888", "-1", "+444", "0x1", "0777", "7777", "4755", "1755", "0002", "0040",
            "44",
        ] {
            text.parse::<FileMode>().expect_err(text);
        }
    }

    #[test]
    fn a_number_is_refused_with_the_mode_that_was_meant() {
        for (json, spelling) in [
            ("420", "0644"),
            ("288", "0440"),
            ("384", "0600"),
            ("440", "0440"),
            ("644", "0644"),
            (r#""420""#, "0644"),
            (r#""416""#, "0640"),
            (r#""256""#, "0400"),
            ("9999999999", "0440"),
            ("-1", "0440"),
        ] {
            let error = serde_json::from_str::<FileMode>(json).expect_err(json).to_string();
            assert!(error.contains(&format!("\"{spelling}\"")), "{json}: {error}");
        }
        assert_eq!("0420".parse::<FileMode>().expect("a mode").bits(), 0o420);
    }
}
