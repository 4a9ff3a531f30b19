//! Where the webhook's TLS identity comes from, and how it stays fresh.
//!
//! ```text
//! certificate and key files ─ read by content, on an interval ─→ pair that fits ─→ resolver ─→ rustls
//!                                                         else: the last good pair stays
//! ```
//!
//! Invariant: what is served is always a certificate with its own key.
//! Invariant: a pair that was good is never given up for one that is not.

pub mod files;
pub mod pair;
pub mod resolver;
