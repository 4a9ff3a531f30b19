//! Whether a token still lives: yes, no, or not known.
//!
//! Vault says "permission denied" of a path that may not be read as it does of a token that is no
//! more, and newer ones add "invalid token". A token that lacks the policy `default` may not even
//! ask about itself. But which engines it may see every token may ask, whatever its policies.

use super::{api::Api, request::Request, verdict::ApiError};

/// What is known of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Vault knows it.
    Alive,
    /// Vault says that it does not.
    Dead,
    /// Nobody has said.
    Unknown,
}

impl Standing {
    /// Asks about `token`.
    pub(super) async fn of(token: &str, api: &Api) -> Self {
        match api.call(Request::look_up_self(), Some(token)).await {
            Ok(_) => Self::Alive,
            Err(ApiError::Status(refusal)) if refusal.status == 403 => {
                if refusal.says(&["invalid token", "bad token"]) {
                    return Self::Dead;
                }
                Self::by_mounts(token, api).await
            }
            Err(_) => Self::Unknown,
        }
    }

    async fn by_mounts(token: &str, api: &Api) -> Self {
        match api.call(Request::mounts(), Some(token)).await {
            Ok(_) => Self::Alive,
            Err(ApiError::Status(refusal)) if refusal.status == 403 && refusal.is_bare() => {
                Self::Dead
            }
            Err(_) => Self::Unknown,
        }
    }
}
