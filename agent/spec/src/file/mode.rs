//! A file's permission bits, as a person writes them: four octal digits in quotes.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Permission bits that the owner can read, nobody outside owner and group can write, and that
/// carry no set-user-ID, set-group-ID or sticky bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
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
        let octal =
            matches!(text.len(), 3 | 4) && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        let bits = u32::from_str_radix(text, 8).ok().filter(|_| octal);
        let bits = bits.ok_or_else(|| ModeError::Octal(text.to_owned()))?;
        let fault: Option<fn(String) -> ModeError> = match bits {
            _ if bits & 0o7000 != 0 => Some(ModeError::Special),
            _ if bits & 0o002 != 0 => Some(ModeError::WorldWritable),
            _ if bits & 0o400 == 0 => Some(ModeError::Unreadable),
            _ => None,
        };
        fault.map_or(Ok(Self(bits)), |fault| Err(fault(text.to_owned())))
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl TryFrom<String> for FileMode {
    type Error = ModeError;

    fn try_from(text: String) -> Result<Self, ModeError> {
        text.parse()
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
}
