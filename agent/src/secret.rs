//! The value of a secret, and what a backend answered.
//!
//! A [`Secret`] says nothing when it is printed, cannot be serialised, and is overwritten when it
//! goes. This room does not know where values come from or where they are written.

mod data;
mod json;
mod json_error;

use std::fmt;

use zeroize::Zeroizing;

pub use data::{PickError, SecretData};
pub use json::{Json, Member};
pub use json_error::{JsonError, NoObject, Place};

pub(crate) use data::no_key;
pub(crate) use json::{write_members, write_string};

/// Bytes that leave the process through the file writers only: the volume's, and that of the state
/// which the agent alone sees.
///
/// # Design
/// There is neither `Display` nor `Serialize`, and no `Clone`: whoever wants the bytes has to write
/// [`Secret::expose`], which is easy to search for.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The bytes themselves, for the file writer and for a backend's own protocol.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, if they are UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl From<Zeroizing<Vec<u8>>> for Secret {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        text.as_bytes().to_vec().into()
    }
}

/// Not even its length is told.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_told_by_printing() {
        let data = SecretData::from(Secret::from(r#"{"password":"hunter2"}"#));
        let json = data.json().expect("JSON");
        for printed in [format!("{data:?}"), format!("{json:?}"), format!("{:#?}", data.whole())] {
            assert!(!printed.contains("hunter2") && !printed.contains("password"), "{printed}");
        }
    }
}
