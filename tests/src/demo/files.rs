//! The files that the app sees, read as the app reads them.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

/// The link that every visible name goes through.
const DATA: &str = "..data";

/// How often the files are looked at while they are watched.
const PAUSE: Duration = Duration::from_millis(2);

/// What is to happen will have happened by then.
const LIMIT: Duration = Duration::from_secs(20);

/// Names and contents of one generation.
pub(super) type Contents = BTreeMap<String, String>;

/// The folder of the files.
#[derive(Debug)]
pub(super) struct Files(PathBuf);

impl Files {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// All that is in the present generation, of one and the same moment.
    pub(super) fn read(&self) -> Result<Contents> {
        let generation = self.0.join(DATA).canonicalize().context("there is no generation")?;
        let mut contents = Contents::new();
        for entry in fs::read_dir(&generation).context("the generation is gone")? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let text = fs::read_to_string(entry.path());
            contents.insert(name.clone(), text.with_context(|| format!("cannot read {name}"))?);
        }
        Ok(contents)
    }

    /// Looks until the files are `wanted`, or `check` fails; gives every other set that was seen on
    /// the way.
    pub(super) async fn watch(
        &self,
        wanted: &Contents,
        mut check: impl FnMut() -> Result<()>,
    ) -> Result<Vec<Contents>> {
        let (begin, mut seen) = (Instant::now(), Vec::new());
        loop {
            match self.read() {
                Ok(contents) if contents == *wanted => return Ok(seen),
                Ok(contents) if !seen.contains(&contents) => seen.push(contents),
                // A generation may go away while it is read.
                Ok(_) | Err(_) => {}
            }
            check()?;
            ensure!(
                begin.elapsed() < LIMIT,
                "the files did not change within {LIMIT:?}\nexpected: {wanted:?}\nseen:     {seen:?}"
            );
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The permissions of each file, as `ls` writes them.
    pub(super) fn modes(&self) -> Result<BTreeMap<String, String>> {
        let mode = |name: String| {
            let metadata = fs::metadata(self.0.join(&name));
            let mode = metadata.with_context(|| format!("cannot look at {name}"))?.permissions();
            Ok((name, letters(mode.mode())))
        };
        self.read()?.into_keys().map(mode).collect()
    }

    /// Permissions, sizes, names and contents, one file a line.
    pub(super) fn listing(&self) -> Result<String> {
        let (contents, modes) = (self.read()?, self.modes()?);
        let width = contents.keys().map(String::len).max().unwrap_or(0);
        let line = |(name, text): (&String, &String)| {
            format!("{}  {:>3}  {name:width$}  {text}\n", modes[name], text.len())
        };
        Ok(contents.iter().map(line).collect())
    }
}

fn letters(mode: u32) -> String {
    let bit = |at: u32| if mode >> at & 1 == 1 { b"xwr"[at as usize % 3] as char } else { '-' };
    std::iter::once('-').chain((0..9).rev().map(bit)).collect()
}
