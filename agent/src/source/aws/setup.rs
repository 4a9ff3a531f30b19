//! What every client of AWS is made from.

use aws_config::{
    BehaviorVersion, stalled_stream_protection::StalledStreamProtectionConfig as StalledStreams,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region, sdk_config};
use mayfly_spec::spec;

use super::{
    clock::Clock, connector::Connector, errands::Errands, failure::Failure, regions::Regions,
};

/// The SDK's defaults as of this date, so that an update of the SDK changes none of them unseen.
pub(super) const VERSION: fn() -> BehaviorVersion = BehaviorVersion::v2026_01_12;

/// What every client of AWS is made from.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) connector: Connector,
    pub(super) aws: spec::Aws,
    /// The name of every session that the agent opens.
    pub(super) session: String,
    pub(super) regions: Regions,
    pub(super) clock: Clock,
    /// What is done while nobody waits for it.
    pub(super) errands: Errands,
}

impl Setup {
    /// The SDK's settings for a service in `region`.
    pub(super) fn sdk(&self, region: &str, endpoint: Option<&String>) -> sdk_config::Builder {
        let mut sdk = SdkConfig::builder()
            .behavior_version(VERSION())
            .http_client(self.connector.clone())
            .region(Region::new(region.to_owned()))
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreams::disabled())
            .identity_cache(aws_sdk_secretsmanager::config::IdentityCache::no_cache());
        sdk.set_endpoint_url(endpoint.map(|endpoint| endpoint.replace("{region}", region)));
        sdk.use_fips(self.aws.fips).use_dual_stack(self.aws.dual_stack)
    }

    /// The settings for STS in `region`.
    pub(super) fn sts(&self, region: &str) -> sdk_config::Builder {
        self.sdk(region, self.aws.sts_endpoint.as_ref().or(self.aws.endpoint.as_ref()))
    }

    /// Whether this machine's clock may be why AWS did not take a signature. The next one of the
    /// same client is made by AWS's clock.
    pub(super) fn is_clocks_fault(&self, failure: &Failure) -> bool {
        failure.their_time().is_some_and(|theirs| self.clock.set_by(theirs))
    }
}
