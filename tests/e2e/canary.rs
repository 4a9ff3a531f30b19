//! The secrets of all tests: unique random strings that are remembered, so that the last test can look for them
//! where none may be.

use std::sync::{Mutex, PoisonError};

static ALL: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A secret that nobody has ever had. Letters and digits only, so that it looks the same in every encoding but base64.
pub(crate) fn secret() -> String {
    let secret = format!("canary{:032x}", fastrand::u128(..));
    ALL.lock().unwrap_or_else(PoisonError::into_inner).push(secret.clone());
    secret
}

/// Takes in a secret that somebody else has made, such as Vault.
pub(crate) fn remember(secret: &str) {
    ALL.lock().unwrap_or_else(PoisonError::into_inner).push(secret.to_owned());
}

/// Every secret of this run.
pub(crate) fn all() -> Vec<String> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
