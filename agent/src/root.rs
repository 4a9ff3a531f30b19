//! `--root`: a folder that stands in for `/`, so that a pod's configuration runs outside a pod.

use std::path::{Path, PathBuf};

/// The folder before every absolute path of the configuration; `/` unless said otherwise.
#[derive(Debug, Clone, Default)]
pub struct Root(Option<PathBuf>);

impl Root {
    /// The folder that stands in for `/`.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self(folder)
    }

    /// Where `path` really is; a relative path stays as it is.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        match (&self.0, path.strip_prefix("/")) {
            (Some(root), Ok(below)) => root.join(below),
            _ => path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_paths_move_below_the_root_and_relative_ones_stay() {
        let root = Root::new(Some("/pod".into()));
        assert_eq!(root.resolve(Path::new("/run/mayfly")), Path::new("/pod/run/mayfly"));
        assert_eq!(root.resolve(Path::new("secrets")), Path::new("secrets"));
        assert_eq!(Root::default().resolve(Path::new("/run")), Path::new("/run"));
    }
}
