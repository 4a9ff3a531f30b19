//! Waiting: always for a condition, with a limit, and with the last reason when the limit has passed.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

/// Long enough for a slow, shared machine; a healthy one needs a few seconds.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// How often a condition is looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// Tries until it works. `what` continues the sentence "waited for …".
pub async fn eventually<T, F, Attempt>(what: &str, limit: Duration, mut attempt: F) -> Result<T>
where
    F: FnMut() -> Attempt,
    Attempt: Future<Output = Result<T>>,
{
    let start = Instant::now();
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) if start.elapsed() >= limit => {
                return Err(error).with_context(|| format!("waited {limit:?} for {what}"));
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
