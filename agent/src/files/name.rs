//! Temporary names: random, so that nobody could have taken one beforehand.

/// What every one begins with. No secret's name can.
const TEMPORARY: &str = "..new-";

/// A name for something that is renamed as soon as it is complete.
pub(crate) fn temporary() -> String {
    format!("{TEMPORARY}{:016x}", fastrand::u64(..))
}

/// Whether `name` is one that [`temporary`] makes.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY)
}
