//! Identifiers as the real services make them: long enough, and never twice the same.

use std::iter;

/// A UUID's text.
pub(super) fn uuid() -> String {
    let bits = fastrand::u128(..);
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        bits >> 96,
        bits >> 80 & 0xffff,
        bits >> 64 & 0xfff,
        bits >> 48 & 0xfff,
        bits & 0xffff_ffff_ffff,
    )
}

/// So many letters and digits.
pub(super) fn alphanumeric(length: usize) -> String {
    iter::repeat_with(fastrand::alphanumeric).take(length).collect()
}
