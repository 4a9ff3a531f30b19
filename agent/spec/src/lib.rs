//! The contract that the webhook writes and the agent reads.
//!
//! ```text
//! annotations ─ webhook ─┐
//!                        ├→ Spec { files: Files { FileEntry { FilePath, Reference, … } }, aws, vault, refresh }
//! config file ─ agent ───┘
//! ```
//!
//! Everything here is parsed once into types that cannot be wrong; nothing here knows where a
//! configuration came from or how a secret is fetched.
//!
//! Invariant: pure. No `async`, clock, environment, file, socket or log.
//! Invariant: `Display` is the inverse of `FromStr`: `parse(display(x)) = x`.
//! Invariant: a [`FilePath`] cannot name anything outside the directory it is joined to.
//! Invariant: an unknown field is an error that names it.
//! Invariant: there are references here, never values.

pub mod file;
pub mod reference;
pub mod spec;
pub mod suggestion;
pub mod template;

pub use file::{FileEntry, FilePath, Files, Format};
pub use reference::{Location, Reference};
pub use spec::Spec;
pub use template::Template;
