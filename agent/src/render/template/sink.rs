//! Where a template writes to: memory that is overwritten when it goes, and no more of it than a file may have.

use std::io::{Error, Result, Write};

use mayfly_spec::template::LARGEST;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// What has been written so far.
#[derive(Default)]
pub(super) struct Sink(Zeroizing<Vec<u8>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.0.len() + bytes.len() > LARGEST {
            return Err(Error::other("too large"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl From<Sink> for Secret {
    fn from(sink: Sink) -> Self {
        sink.0.into()
    }
}
