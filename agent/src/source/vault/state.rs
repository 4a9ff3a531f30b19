//! What survives the agent's own end: tokens and leases, in a folder that only the agent sees.
//!
//! In a pod the folder is an in-memory volume of the agent's container alone. Without it each crash
//! would leave a token and a pile of leases behind. Nothing here is needed: what cannot be read is
//! as if it were not there.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use mayfly_spec::{Location, Reference};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tracing::warn;
use zeroize::Zeroizing;

use super::{
    lease::{Lease, Leases},
    life::Life,
    surroundings::Moment,
    token::{Token, Tokens},
};
use crate::{
    digest,
    files::{Folder, FolderError},
    secret::Secret,
    source::{contract::Fetched, version::Version},
    timestamp::Timestamp,
};

/// The file's name.
const NAME: &str = "vault.json";
/// Longer than the state of thousands of leases.
const LONGEST: usize = 16 << 20;

/// Where the state is kept, if it is kept, and as whose.
#[derive(Debug)]
pub(super) struct State {
    folder: Option<PathBuf>,
    /// A digest of server, namespace and login: another's tokens are of no use.
    owner: String,
    /// A digest of what was written last.
    written: RefCell<Option<String>>,
}

#[derive(Deserialize, Serialize)]
struct Saved {
    owner: String,
    /// The one in use first.
    tokens: Vec<SavedToken>,
    leases: Vec<SavedLease>,
}

#[derive(Deserialize, Serialize)]
struct SavedToken {
    text: Zeroizing<String>,
    renewable: bool,
    life: Option<SavedLife>,
}

#[derive(Deserialize, Serialize)]
struct SavedLease {
    reference: String,
    id: Option<String>,
    renewable: bool,
    life: Option<SavedLife>,
    version: Version,
    data: Zeroizing<String>,
}

/// Times of day, because the machine's other clock means nothing to another process; to the second,
/// so that the same moment is always written the same.
#[derive(Deserialize, Serialize)]
struct SavedLife {
    granted: Duration,
    due: Timestamp,
    end: Timestamp,
}

impl State {
    pub(super) fn new(folder: Option<PathBuf>, owner: String) -> Self {
        Self { folder, owner, written: RefCell::default() }
    }

    /// What an earlier run has left that is still good.
    pub(super) fn load(&self, now: Moment) -> (Tokens, Leases) {
        let saved = self.folder.as_deref().and_then(read);
        let Some(saved) = saved.filter(|saved| saved.owner == self.owner) else {
            return Default::default();
        };
        let mut tokens = saved.tokens.into_iter().map(|token| Rc::new(token.revived(now)));
        let held = tokens.next();
        let leases = held.iter().flat_map(|token| {
            saved.leases.iter().filter_map(|lease| lease.revived(token.clone(), now))
        });
        let leases = leases.collect();
        (Tokens { held, replaced: tokens.collect() }, leases)
    }

    /// Writes what is held now, if it is not written yet.
    pub(super) fn save(&self, tokens: &Tokens, leases: &Leases, now: Moment) {
        let Some(folder) = &self.folder else { return };
        let own = |(location, lease): (&Location, &Lease)| {
            let current = tokens.held.as_ref().is_some_and(|token| lease.is_of(token));
            current.then(|| SavedLease::new(location, lease, now)).flatten()
        };
        let saved = Saved {
            owner: self.owner.clone(),
            tokens: tokens.iter().map(|token| SavedToken::new(token, now)).collect(),
            leases: leases.iter().filter_map(own).collect(),
        };
        let Ok(json) = serde_json::to_vec(&saved).map(Zeroizing::new) else { return };
        let digest = Some(digest::hex(&json, 16));
        if self.written.replace(digest.clone()) == digest {
            return;
        }
        if let Err(error) = write(folder, &json) {
            self.written.replace(None);
            warn!(%error, folder = %folder.display(), "the state cannot be kept; a restart takes new leases");
        }
    }

    /// Leaves nothing behind: what it names has been given back.
    pub(super) fn remove(&self) {
        if let Some(folder) = &self.folder {
            // Who finds what stays is refused by Vault, and takes everything anew.
            if let Ok(Some(folder)) = Folder::open(folder) {
                folder.remove(NAME);
            }
        }
    }
}

/// What others could have written is not believed, and told.
fn read(folder: &Path) -> Option<Saved> {
    let json = Folder::open(folder)
        .and_then(|folder| folder.map_or(Ok(None), |folder| folder.read(NAME, LONGEST)));
    let refused = |error| warn!(%error, "the state is not used");
    serde_json::from_slice(&json.map_err(refused).ok()??).ok()
}

/// One rename, so that a crash leaves the old or the new file.
fn write(folder: &Path, json: &[u8]) -> Result<(), FolderError> {
    Folder::make(folder)?.write(NAME, json)
}

impl SavedToken {
    fn new(token: &Token, now: Moment) -> Self {
        let life = token.life.get().map(|life| SavedLife::new(life, now));
        let text = Zeroizing::new(token.text().to_owned());
        Self { text, renewable: token.renewable, life }
    }

    fn revived(self, now: Moment) -> Token {
        let life = self.life.map(|life| life.revived(now));
        Token::new(Secret::from(self.text.as_str()), self.renewable, life)
    }
}

impl SavedLease {
    fn new(location: &Location, lease: &Lease, now: Moment) -> Option<Self> {
        let Lease { id, renewable, life, fetched, .. } = lease;
        Some(Self {
            reference: location.to_string(),
            id: id.clone(),
            renewable: *renewable,
            life: life.map(|life| SavedLife::new(life, now)),
            version: fetched.version.clone(),
            data: Zeroizing::new(fetched.data.whole().expose_text()?.to_owned()),
        })
    }

    fn revived(&self, token: Rc<Token>, now: Moment) -> Option<(Location, Lease)> {
        let Reference { location, .. } = self.reference.parse().ok()?;
        let data = Secret::from(self.data.as_str()).into();
        let lease = Lease {
            id: self.id.clone(),
            renewable: self.renewable,
            life: self.life.as_ref().map(|life| life.revived(now)),
            token,
            fetched: Fetched::new(data, self.version.clone()),
        };
        Some((location, lease))
    }
}

impl SavedLife {
    fn new(life: Life, now: Moment) -> Self {
        // A life is bounded, and so is its end.
        let time = |instant: Instant| {
            let ahead = instant.saturating_duration_since(now.instant);
            Timestamp::from(now.time.checked_add(ahead).unwrap_or(now.time))
        };
        Self { granted: life.granted, due: time(life.due), end: time(life.end) }
    }

    fn revived(&self, now: Moment) -> Life {
        let instant = |time: Timestamp| {
            now.instant.checked_add(time.lies_ahead(now.time)).unwrap_or(now.instant)
        };
        Life { granted: self.granted, due: instant(self.due), end: instant(self.end) }
    }
}
