//! The present generation: what is remembered of it, what the volume has of it, and how long the one
//! before can still be read.

use std::{collections::BTreeMap, time::Duration};

use mayfly_spec::Spec;
use tokio::time::Instant;

use crate::{
    disk::{DiskError, Volume},
    files::{Folder, FolderError},
    manifest::{Manifest, Wanted},
    memory::{Memory, Remembered},
    status,
    timestamp::Timestamp,
};

/// How long the files of an older generation can still be read: a reader that opened one of them just
/// before the switch wants its neighbours too.
const GRACE: Duration = Duration::from_secs(2);

/// Keeps the volume and the memory of one agent the same.
#[derive(Debug)]
pub(super) struct Keeper<'a> {
    volume: &'a Volume,
    folder: &'a Folder,
    group: Option<u32>,
    configuration: String,
    memory: Memory,
    saved: Memory,
    /// Whether the volume has what is remembered, and that is of this configuration.
    is_held: bool,
    /// What can be swept, and when.
    outdated: Vec<(String, Instant)>,
}

impl<'a> Keeper<'a> {
    /// What an earlier agent has left.
    pub(super) fn new(
        spec: &Spec,
        volume: &'a Volume,
        folder: &'a Folder,
    ) -> Result<Self, FolderError> {
        let memory = Memory::read(folder)?;
        let configuration = status::digest(spec);
        let group = spec.access.group;
        let is_held =
            memory.configuration == configuration && volume.holds(&memory.manifest, group);
        let over = Instant::now() + GRACE;
        let leftovers = volume.leftovers(&memory.manifest).into_iter();
        let outdated = leftovers.map(|name| (name, over)).collect();
        let saved = memory.clone();
        Ok(Self { volume, folder, group, configuration, memory, saved, is_held, outdated })
    }

    /// Whether everything is there already.
    pub(super) fn is_held(&self) -> bool {
        self.is_held
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(super) fn configuration(&self) -> &str {
        &self.configuration
    }

    /// What the volume has of this configuration.
    pub(super) fn present(&self) -> Manifest {
        if self.is_held { self.memory.manifest.clone() } else { Manifest::default() }
    }

    /// Makes the volume hold what is wanted; whether that is something new.
    pub(super) fn hold(&mut self, wanted: &Wanted, now: Timestamp) -> Result<bool, DiskError> {
        let Self { volume, folder, group, memory, .. } = self;
        let next = |manifest: &Manifest| Memory {
            configuration: self.configuration.clone(),
            manifest: manifest.clone(),
            written: Some(now),
            references: memory.references.clone(),
        };
        let remember = |manifest: &Manifest| next(manifest).write(folder);
        let applied = volume.hold(wanted, *group, &memory.manifest, remember)?;
        if applied.changed {
            let over = Instant::now() + GRACE;
            let old = memory.manifest.name.map(|name| (name.to_string(), over));
            self.outdated.extend(old);
            self.memory = next(&applied.manifest);
            self.saved = self.memory.clone();
        }
        self.memory.configuration.clone_from(&self.configuration);
        self.is_held = true;
        Ok(applied.changed)
    }

    /// Makes the present generation visible.
    pub(super) fn show(&self) -> Result<(), DiskError> {
        self.volume.show(&self.memory.manifest)
    }

    /// Takes note that a file of the present generation is not what was written; whether it was one.
    pub(super) fn lose(&mut self, path: &str) -> bool {
        let before = self.memory.manifest.files.len();
        self.memory.manifest.files.retain(|known, _| known.as_str() != path);
        self.memory.manifest.files.len() < before
    }

    /// Remembers what is known of each secret, if that is new.
    pub(super) fn remember(
        &mut self,
        references: BTreeMap<String, Remembered>,
    ) -> Result<(), FolderError> {
        self.memory.references = references;
        if self.memory != self.saved {
            self.memory.write(self.folder)?;
            self.saved = self.memory.clone();
        }
        Ok(())
    }

    /// Removes older generations whose time is over.
    pub(super) fn sweep(&mut self, now: Instant) {
        let before = self.outdated.len();
        self.outdated.retain(|(_, over)| *over > now);
        if self.outdated.len() < before {
            let young: Vec<String> = self.outdated.iter().map(|(name, _)| name.clone()).collect();
            self.volume.sweep(&self.memory.manifest, &young);
        }
    }

    /// When the next of them is over.
    pub(super) fn next_sweep(&self) -> Option<Instant> {
        self.outdated.iter().map(|(_, over)| *over).min()
    }

    /// When the last of them is over.
    pub(super) fn last_sweep(&self) -> Option<Instant> {
        self.outdated.iter().map(|(_, over)| *over).max()
    }
}
