//! What is written: one file, or one directory of files, each from a reference or
//! from a template.
//!
//! This room knows which names and modes may be asked for; it does not know the volume.

mod conflict;
mod dialect;
mod entry;
mod format;
mod keys;
mod mode;
mod origin;
mod path;
mod shape;

pub use conflict::{Conflict, Conflicts, Files};
pub use dialect::Dialect;
pub use entry::{Content, EntryError, FileEntry};
pub use format::Format;
pub use keys::{Choice, Keys};
pub use mode::{FileMode, ModeError};
pub use origin::Origin;
pub use path::{FilePath, PathError};
pub use shape::{Decode, Shape, Trim};
