//! Values under a data key: AES-256-GCM, with what they are bound to.
//!
//! PURE but for chance. Whoever calls has the data key, wrapped and bare; this room knows no KMS.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    error::Unspecified,
    rand,
};
use mayfly_spec::{
    reference::{NONCE, Sealed, SealedHeader},
    spec::Workload,
};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// The length of a data key.
pub const KEY: usize = 32;

/// A data key, bare; overwritten when it goes.
pub struct DataKey(Zeroizing<[u8; KEY]>);

/// A value that could not be sealed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the value cannot be sealed: {0}")]
pub struct SealError(String);

/// A sealed value that does not open: its own bytes, its data key, or for whom it is are others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Altered;

impl DataKey {
    /// A new one, by chance.
    pub fn random() -> Result<Self, SealError> {
        let mut key = Zeroizing::new([0; KEY]);
        rand::fill(&mut key[..])
            .map_err(|_| SealError("the system gives no random bytes".to_owned()))?;
        Ok(Self(key))
    }

    /// The one that KMS gave, if it is one.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        let bytes = Zeroizing::new(bytes);
        let key: &[u8; KEY] = bytes.as_slice().try_into().ok()?;
        Some(Self(Zeroizing::new(*key)))
    }

    /// The key itself, to be wrapped.
    pub fn expose(&self) -> &[u8] {
        &self.0[..]
    }

    fn cipher(&self) -> Result<LessSafeKey, Unspecified> {
        UnboundKey::new(&AES_256_GCM, self.expose()).map(LessSafeKey::new)
    }
}

/// Nothing of it.
impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// Seals `value` for `workload` under a key that is used for nothing else; `header` has it wrapped.
pub fn seal(
    value: &Secret,
    key: &DataKey,
    header: SealedHeader,
    workload: &Workload,
) -> Result<Sealed, SealError> {
    let unspecified = |_: Unspecified| SealError("AES-256-GCM failed".to_owned());
    let mut nonce = [0; NONCE];
    rand::fill(&mut nonce).map_err(unspecified)?;
    // Encrypted in place: after that there is nothing left to overwrite.
    let mut bytes = value.expose().to_vec();
    let bound = Aad::from(bound(&header, workload));
    let sealed = key.cipher().and_then(|cipher| {
        cipher.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound, &mut bytes)
    });
    sealed.map_err(unspecified)?;
    Sealed::new(header, nonce, bytes).map_err(|error| SealError(error.to_string()))
}

/// The value of `sealed`, if it was sealed for `workload` and is as it was.
pub fn open(sealed: &Sealed, key: &DataKey, workload: &Workload) -> Result<Secret, Altered> {
    let mut bytes = Zeroizing::new(sealed.ciphertext().to_vec());
    let bound = Aad::from(bound(sealed.header(), workload));
    let nonce = Nonce::assume_unique_for_key(sealed.nonce());
    let opened =
        key.cipher().and_then(|cipher| Ok(cipher.open_in_place(nonce, bound, &mut bytes)?.len()));
    bytes.truncate(opened.map_err(|_| Altered)?);
    Ok(bytes.into())
}

/// What is authenticated beside the value; the header ends where it says.
fn bound(header: &SealedHeader, Workload { namespace, service_account }: &Workload) -> Vec<u8> {
    let mut bytes = header.to_bytes();
    for name in [namespace, service_account] {
        bytes.extend((name.len() as u64).to_be_bytes());
        bytes.extend(name.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests;
