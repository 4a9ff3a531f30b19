//! The usual chain of a laptop: environment, profile, and what the AWS CLI knows. Never in a pod.

use aws_credential_types::{Credentials, provider::ProvideCredentials};
use aws_types::{SdkConfig, region::Region};
use tokio::sync::OnceCell;

use super::error;
use crate::source::{
    aws::{VERSION, connector::Connector},
    contract::SourceError,
};

/// The chain, loaded when it is first asked.
#[derive(Debug)]
pub(super) struct Chain {
    connector: Connector,
    region: Option<String>,
    loaded: OnceCell<SdkConfig>,
}

impl Chain {
    pub(super) fn new(connector: Connector, region: Option<String>) -> Self {
        Self { connector, region, loaded: OnceCell::new() }
    }

    pub(super) async fn credentials(&self) -> Result<Credentials, SourceError> {
        let provider = self.loaded().await.credentials_provider().ok_or_else(error::no_chain)?;
        provider.provide_credentials().await.map_err(|error| error::chain(&error))
    }

    pub(super) async fn region(&self) -> Option<String> {
        match &self.region {
            Some(region) => Some(region.clone()),
            None => self.loaded().await.region().map(ToString::to_string),
        }
    }

    async fn loaded(&self) -> &SdkConfig {
        let load = async || {
            let loader = aws_config::defaults(VERSION()).http_client(self.connector.clone());
            match &self.region {
                Some(region) => loader.region(Region::new(region.clone())).load().await,
                None => loader.load().await,
            }
        };
        self.loaded.get_or_init(load).await
    }
}
