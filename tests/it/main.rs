//! Everything that is tested across crates, in one binary.

mod admission;
mod secret_server;
