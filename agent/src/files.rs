//! Files below a directory descriptor: one step at a time, one way to write, one way to remove.
//!
//! ```text
//! folder     a folder that only this agent may write to, and its files
//! writer     the one atomic writer: a new file under a random name, then a rename
//! removal    a whole tree, however deep, without the stack
//! name       temporary names
//! step       open, make, read, list; never through a link
//! ```
//! This room knows names, owners and modes. It knows neither what the files say nor whose they are.

mod folder;
mod name;
mod removal;
mod step;
mod writer;

pub use folder::{Folder, FolderError};
pub(crate) use name::{is_temporary, temporary};
pub(crate) use removal::remove;
pub(crate) use step::{
    is_own, is_there, make_directory, names, open_own_directory, parent_of, read,
};
pub(crate) use writer::{create, move_over, replace};
