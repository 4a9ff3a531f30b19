//! Digests: short names for long things.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The first `digits` hexadecimal digits of the SHA-256 of `bytes`.
pub(crate) fn hex(bytes: &[u8], digits: usize) -> String {
    let mut text = digits_of(&Sha256::digest(bytes));
    text.truncate(digits);
    text
}

/// All hexadecimal digits of `hash`.
pub(crate) fn digits_of(hash: &[u8]) -> String {
    hash.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}
