//! Where the webhook's TLS identity comes from, how it stays fresh, and how it becomes trusted.
//!
//! ```text
//! files        certificate and key ─ read by content, on an interval ─→ pair that fits and is valid ─┐
//!                                                                 else: the last good pair stays     ├→ resolver ─→ rustls
//! self_issued  issue ─→ publication ─ every API server can know the authority ───────────────────────┘
//!                        │      ↑
//!                 apply  ↓      │ watch                    proof   a handshake with our own port
//!              webhook configurations: one bundle          sweep   entries of replicas that are gone
//! ```
//!
//! Invariant: what is served is always a certificate with its own key.
//! Invariant: a pair that was good is never given up for one that is not, nor for one that nobody trusts yet.
//! Invariant: no private key leaves the process, and an authority's is gone when its one certificate is signed.
//! Invariant: a webhook configuration that is missing, or that cannot be written, costs the others nothing.
//! Invariant: a replica takes no other's entry out of a bundle unless the entry is of no use to anybody.
//! Invariant: PURE modules name no `async`, clock, environment, file, socket or log.

pub mod bundle;
pub mod certificate;
pub mod event;
pub mod files;
pub mod issue;
mod ownership;
pub mod pace;
pub mod pair;
pub mod proof;
mod publication;
pub mod registration;
pub mod replica;
pub mod resolver;
pub mod self_issued;
pub mod source;
pub mod standing;
mod sweep;
pub mod timing;
pub mod view;
