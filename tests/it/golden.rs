//! Golden cases: folders of files, against which is held what the code makes of them.
//!
//! `MAYFLY_GOLDEN=write` writes what is expected from what is; read the difference.

#![expect(clippy::disallowed_methods, reason = "golden cases are files")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// One folder.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The folders below `golden/<topic>`, in the order of their names.
    pub(crate) fn all(topic: &str) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(topic);
        let folders = fs::read_dir(root).expect("the golden cases");
        let mut paths: Vec<PathBuf> =
            folders.map(|folder| folder.expect("a case").path()).collect();
        paths.sort();
        paths.into_iter().map(Self).collect()
    }

    /// A file's text; nothing when there is no such file.
    pub(crate) fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.0.join(file)).ok()
    }

    /// The folder, for people.
    pub(crate) fn name(&self) -> String {
        self.0.display().to_string()
    }

    /// What is, against what is expected; an empty text is a file that there is not.
    pub(crate) fn compare(&self, file: &str, is: &str) -> Option<String> {
        if self.read(file).unwrap_or_default() == is {
            return None;
        }
        let path = self.0.join(file);
        if env::var_os("MAYFLY_GOLDEN").is_some_and(|value| value == "write") {
            if is.is_empty() {
                fs::remove_file(&path).expect("a file to remove");
            } else {
                fs::write(&path, is).expect("a file to write");
            }
        }
        Some(format!("{}:\n{is}", path.display()))
    }
}
