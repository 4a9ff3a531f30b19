//! What is written: one file, or one directory of files, each from a reference.
//!
//! This room knows which names and modes may be asked for; it does not know the volume.

mod conflict;
mod entry;
mod format;
mod mode;
mod path;

pub use conflict::{Conflict, Conflicts, Files};
pub use entry::{Content, EntryError, FileEntry};
pub use format::Format;
pub use mode::{FileMode, ModeError};
pub use path::{FilePath, PathError};
