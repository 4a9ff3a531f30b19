//! The usual chain of a person's machine: environment, profile, and what the AWS CLI knows. Never in a
//! pod.
//!
//! It is loaded anew whenever credentials are wanted, and the AWS CLI's files are looked at before
//! each use: whoever logs in writes them and tells nobody.
#![expect(clippy::disallowed_methods, reason = "a file's date is looked at")]

use std::{cell::RefCell, fs, os::unix::fs::MetadataExt, path::PathBuf, time::SystemTime};

use aws_credential_types::{Credentials, provider::ProvideCredentials};
use aws_types::{SdkConfig, region};

use crate::source::{
    aws::{connector::Connector, error, setup::VERSION},
    contract::SourceError,
};

/// The chain, and the files that it is made from.
#[derive(Debug)]
pub(super) struct Chain {
    connector: Connector,
    region: Option<String>,
    files: Vec<PathBuf>,
    seen: RefCell<Seen>,
}

/// The files as they were last seen, and the region that was in them then.
#[derive(Debug)]
struct Seen {
    stamps: Vec<Stamp>,
    region: Region,
}

/// The region that the files say, as far as they were asked.
#[derive(Debug, Clone)]
enum Region {
    Unasked,
    Is(Option<String>),
}

/// What changes when a file is written: its date, its length, its number. None without a file.
type Stamp = Option<(SystemTime, u64, u64)>;

impl Chain {
    pub(super) fn new(connector: Connector, region: Option<String>, files: Vec<PathBuf>) -> Self {
        let seen = RefCell::new(Seen { stamps: stamps(&files), region: Region::Unasked });
        Self { connector, region, files, seen }
    }

    /// Whether the files are others than when this was last asked.
    pub(super) fn has_changed(&self) -> bool {
        let now = stamps(&self.files);
        let mut seen = self.seen.borrow_mut();
        let has_changed = seen.stamps != now;
        if has_changed {
            *seen = Seen { stamps: now, region: Region::Unasked };
        }
        has_changed
    }

    pub(super) async fn credentials(&self) -> Result<Credentials, SourceError> {
        let loaded = self.load().await;
        let provider = loaded.credentials_provider().ok_or_else(error::no_chain)?;
        provider.provide_credentials().await.map_err(|error| error::chain(&error))
    }

    pub(super) async fn region(&self) -> Option<String> {
        if self.region.is_some() {
            return self.region.clone();
        }
        let known = self.seen.borrow().region.clone();
        if let Region::Is(region) = known {
            return region;
        }
        let region = self.load().await.region().map(ToString::to_string);
        self.seen.borrow_mut().region = Region::Is(region.clone());
        region
    }

    async fn load(&self) -> SdkConfig {
        let loader = aws_config::defaults(VERSION()).http_client(self.connector.clone());
        match &self.region {
            Some(region) => loader.region(region::Region::new(region.clone())).load().await,
            None => loader.load().await,
        }
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Stamp> {
    let stamp = |file: &PathBuf| {
        let file = fs::metadata(file).ok()?;
        Some((file.modified().ok()?, file.len(), file.ino()))
    };
    files.iter().map(stamp).collect()
}
