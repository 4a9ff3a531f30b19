//! The real agent program against the stand-in for AWS and Vault.

mod aws_states;
mod batches;
mod check;
mod delivery;
mod endpoints;
mod failover;
mod faults;
mod groups;
mod identity;
mod leaks;
mod leases;
mod life;
mod machine;
mod parameters;
mod pod;
mod refresh;
mod report;
mod sealed;
mod strangers;
mod templates;
mod trust;
mod vault_auth;
mod vault_kinds;
mod vault_tls;
