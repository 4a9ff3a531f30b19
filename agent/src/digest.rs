//! Digests: short names for long things.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The first `digits` hexadecimal digits of the SHA-256 of `bytes`.
pub(crate) fn hex(bytes: &[u8], digits: usize) -> String {
    let hash = Sha256::digest(bytes);
    let mut text = hash.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    });
    text.truncate(digits);
    text
}
