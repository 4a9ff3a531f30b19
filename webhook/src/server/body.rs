//! A request's body: looked at before it comes, bounded while it comes, and no slower than it may be.
//!
//! EDGE: bytes.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout_at};

use super::{limits::Pace, refusal::Refusal};

/// Refuses what is no JSON, or not as it is.
pub(super) fn look(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Err(Refusal::KIND);
    }
    let encoding = headers.get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return Err(Refusal::COMPRESSED);
    }
    Ok(())
}

/// How long it says it is.
pub(super) fn length(body: &Incoming) -> Option<u64> {
    body.size_hint().exact()
}

/// All of it, unless it is longer than `most` or slower than `pace`. What comes in one piece is not copied.
pub(super) async fn read(mut body: Incoming, most: usize, pace: Pace) -> Result<Bytes, Refusal> {
    let start = Instant::now();
    let mut gathered = BytesMut::new();
    loop {
        let deadline = start + pace.allows(gathered.len());
        let frame = timeout_at(deadline, body.frame()).await.map_err(|_| Refusal::SLOW)?;
        let Some(frame) = frame else { return Ok(gathered.freeze()) };
        // Trailers say nothing.
        let Ok(data) = frame.map_err(|_| Refusal::BROKEN)?.into_data() else { continue };
        if gathered.is_empty() && body.is_end_stream() && data.len() <= most {
            return Ok(data);
        }
        if gathered.len() + data.len() > most {
            return Err(Refusal::TOO_LARGE);
        }
        if gathered.is_empty() && body.size_hint().exact().is_some() {
            gathered.reserve(most);
        }
        gathered.extend_from_slice(&data);
    }
}
