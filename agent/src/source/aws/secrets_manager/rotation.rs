//! What Secrets Manager does to a secret by itself. PURE.

use std::time::SystemTime;

use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_smithy_types::DateTime;

use crate::timestamp::Timestamp;

/// Whether a secret is rotated, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Whether it is.
    pub is_on: bool,
    /// When it was last.
    pub last: Option<Timestamp>,
    /// When it will be next: by the end of this day, says AWS.
    pub next: Option<Timestamp>,
    /// When the secret was marked for deletion.
    pub deleted: Option<Timestamp>,
}

impl Rotation {
    /// Whether it should have been rotated since.
    pub fn is_overdue(&self, now: SystemTime) -> bool {
        self.is_on && self.next.is_some_and(|next| next < Timestamp::from(now))
    }
}

impl From<DescribeSecretOutput> for Rotation {
    fn from(output: DescribeSecretOutput) -> Self {
        let point = |date: Option<DateTime>| {
            let time: Option<SystemTime> = date.and_then(|date| date.try_into().ok());
            time.map(Timestamp::from)
        };
        Self {
            is_on: output.rotation_enabled == Some(true),
            last: point(output.last_rotated_date),
            next: point(output.next_rotation_date),
            deleted: point(output.deleted_date),
        }
    }
}
