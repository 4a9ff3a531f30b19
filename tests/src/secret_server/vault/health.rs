//! Whether the server is of use: `sys/health`.

use std::time::{Duration, SystemTime};

use serde_json::json;

use super::{JSON, Vault};
use crate::secret_server::reply::Reply;

/// What the server is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It answers.
    Active,
    /// It forwards to the active one; only its health says so.
    Standby,
    /// It answers 503.
    Sealed,
}

impl Condition {
    /// The status of `sys/health`.
    const fn status(self) -> u16 {
        match self {
            Self::Active => 200,
            Self::Standby => 429,
            Self::Sealed => 503,
        }
    }
}

impl Vault {
    pub(super) fn health(&self) -> Reply {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let answer = json!({
            "initialized": true,
            "sealed": self.condition == Condition::Sealed,
            "standby": self.condition != Condition::Active,
            "performance_standby": false,
            "replication_performance_mode": "disabled",
            "replication_dr_mode": "disabled",
            "server_time_utc": now.unwrap_or(Duration::ZERO).as_secs(),
            "version": "1.15.0",
        });
        Reply::json(self.condition.status(), JSON, &answer)
    }
}
