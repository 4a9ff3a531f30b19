//! `kms:<base64url>`: a value sealed with AWS KMS, as `mayfly-agent seal` prints it.
//!
//! The text is base64url without padding; behind it is an envelope, every number big-endian:
//!
//! ```text
//! ┌─────────┬──────────┬─────────┬─────────┬────────────┬──────────┬───────┬───────────────────┐
//! │ version │ wrapping │ key ARN │ key ARN │ data key,  │ data key,│ nonce │ ciphertext, then  │
//! │ 1       │ 1 or 2   │ length  │         │ wrapped:   │ wrapped  │       │ a tag of 16 bytes │
//! │         │          │         │         │ its length │          │       │                   │
//! │ 1 byte  │ 1 byte   │ 2 bytes │ …       │ 2 bytes    │ …        │ 12    │ to the end        │
//! └─────────┴──────────┴─────────┴─────────┴────────────┴──────────┴───────┴───────────────────┘
//! └───────────────────────── header ───────────────────────────────┘
//! ```
//!
//! The value is encrypted with AES-256-GCM under a data key of its own, which only KMS can unwrap: with a
//! symmetric key (wrapping 1), bound to namespace and service account by KMS's encryption context, or with a
//! pair of RSA keys (wrapping 2). What GCM authenticates beside the value is the header, and namespace and
//! service account, each behind its length in 8 bytes. This room reads the envelope; it opens nothing.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{Arn, ReferenceError};

const VERSION: u8 = 1;
/// The length of AES-GCM's nonce.
pub const NONCE: usize = 12;
/// The length of AES-GCM's tag, with which every ciphertext ends.
const TAG: usize = 16;

/// A sealed value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sealed {
    header: SealedHeader,
    nonce: [u8; NONCE],
    ciphertext: Vec<u8>,
}

/// What is before the value: by which key, and how, its data key can be unwrapped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SealedHeader {
    wrapping: Wrapping,
    key: Arn,
    data_key: Vec<u8>,
}

/// How the data key is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wrapping {
    /// By a symmetric KMS key, with an encryption context.
    Symmetric,
    /// By the public half of a pair of RSA keys: `RSAES_OAEP_SHA_256`.
    RsaOaepSha256,
}

impl Sealed {
    /// A value that is encrypted already.
    pub fn new(
        header: SealedHeader,
        nonce: [u8; NONCE],
        ciphertext: Vec<u8>,
    ) -> Result<Self, ReferenceError> {
        let whole = ciphertext.len() >= TAG;
        let sealed = Self { header, nonce, ciphertext };
        whole.then_some(sealed).ok_or(ReferenceError::Sealed("is cut off"))
    }

    /// How its data key can be unwrapped.
    pub fn header(&self) -> &SealedHeader {
        &self.header
    }

    /// What the value was encrypted with beside the data key.
    pub fn nonce(&self) -> [u8; NONCE] {
        self.nonce
    }

    /// The value, encrypted, and its tag.
    pub fn ciphertext(&self) -> &[u8] {
        &self.ciphertext
    }

    pub(super) fn parse(text: &str) -> Result<Self, ReferenceError> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text);
        let bytes = bytes.map_err(|_| ReferenceError::Sealed("is not base64url"))?;
        let mut rest = Reader(&bytes);
        let header = SealedHeader::read(&mut rest)?;
        let nonce = *rest.take_array()?;
        Self::new(header, nonce, rest.0.to_vec())
    }
}

impl SealedHeader {
    /// A data key, wrapped by the KMS key of this ARN.
    pub fn new(wrapping: Wrapping, key: Arn, data_key: Vec<u8>) -> Result<Self, ReferenceError> {
        let fits = |length: usize| (1..=usize::from(u16::MAX)).contains(&length);
        if !is_key(&key) || !fits(key.as_str().len()) {
            return Err(ReferenceError::Sealed("names no KMS key by its ARN"));
        }
        let header = Self { wrapping, key, data_key };
        fits(header.data_key.len()).then_some(header).ok_or(ReferenceError::Sealed("is cut off"))
    }

    /// How the data key is wrapped.
    pub fn wrapping(&self) -> Wrapping {
        self.wrapping
    }

    /// The KMS key that can unwrap it.
    pub fn key(&self) -> &Arn {
        &self.key
    }

    /// The wrapped data key.
    pub fn data_key(&self) -> &[u8] {
        &self.data_key
    }

    /// The header as it is in the envelope.
    pub fn to_bytes(&self) -> Vec<u8> {
        let wrapping = match self.wrapping {
            Wrapping::Symmetric => 1,
            Wrapping::RsaOaepSha256 => 2,
        };
        let mut bytes = vec![VERSION, wrapping];
        for part in [self.key.as_str().as_bytes(), &self.data_key] {
            // The constructor has seen to it that it fits.
            let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
            bytes.extend(length.to_be_bytes());
            bytes.extend(part);
        }
        bytes
    }

    fn read(rest: &mut Reader<'_>) -> Result<Self, ReferenceError> {
        let [version] = *rest.take_array()?;
        if version != VERSION {
            return Err(ReferenceError::SealedVersion(version));
        }
        let wrapping = match *rest.take_array()? {
            [1] => Wrapping::Symmetric,
            [2] => Wrapping::RsaOaepSha256,
            [_] => return Err(ReferenceError::Sealed("is sealed in a way that is not known")),
        };
        let key = std::str::from_utf8(rest.take_part()?).ok().and_then(|key| Arn::parse(key).ok());
        let key = key.ok_or(ReferenceError::Sealed("names no KMS key by its ARN"))?;
        Self::new(wrapping, key, rest.take_part()?.to_vec())
    }
}

/// A key's own ARN: an alias can be pointed at another key.
fn is_key(arn: &Arn) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/-_".contains(&byte);
    let id = arn.resource().strip_prefix("key/");
    arn.service() == "kms"
        && id.is_some_and(|id| !id.is_empty() && !id.contains('/'))
        && arn.as_str().bytes().all(plain)
}

/// What is left of an envelope.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], ReferenceError> {
        let cut_off = ReferenceError::Sealed("is cut off");
        let (taken, rest) = self.0.split_at_checked(length).ok_or(cut_off)?;
        self.0 = rest;
        Ok(taken)
    }

    fn take_array<const N: usize>(&mut self) -> Result<&'a [u8; N], ReferenceError> {
        self.take(N)?.try_into().map_err(|_| ReferenceError::Sealed("is cut off"))
    }

    /// What is behind its own length.
    fn take_part(&mut self) -> Result<&'a [u8], ReferenceError> {
        let length = u16::from_be_bytes(*self.take_array()?);
        self.take(length.into())
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.header.to_bytes(), &self.nonce[..], &self.ciphertext].concat();
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }
}

#[cfg(test)]
mod tests;
