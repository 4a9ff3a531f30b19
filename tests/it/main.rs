//! Everything that is tested across crates, in one binary.

mod admission;
mod agent;
mod cloudtrail;
mod explain;
mod golden;
mod inject;
mod mutation;
mod properties;
mod readme;
mod secret_server;
mod server;
