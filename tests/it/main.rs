//! Everything that is tested across crates, in one binary.

mod admission;
mod agent;
mod secret_server;
