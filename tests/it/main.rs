//! Everything that is tested across crates, in one binary.

mod admission;
mod agent;
mod certificates;
mod cloudtrail;
mod explain;
mod golden;
mod inject;
mod mutation;
mod pages;
mod properties;
mod purity;
mod readme;
mod secret_server;
mod server;
