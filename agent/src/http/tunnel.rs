//! Why a proxy opens no tunnel. The HTTP client keeps the proxy's answer to itself, so the proxy is
//! asked once more, for its words only.

use std::{io, time::Duration};

use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use url::Url;
use zeroize::Zeroizing;

use super::Stranger;

/// Words are not waited for any longer.
const LIMIT: Duration = Duration::from_secs(1);
/// So much of an answer is read.
const MOST: usize = 4096;

/// What the proxy says to whoever wants a tunnel to `to`; nothing, if it is not to be heard in the
/// clear, or opens one.
pub(super) async fn refusal(proxy: &Url, to: &Url) -> Option<Stranger> {
    if proxy.scheme() != "http" {
        return None;
    }
    let to = format!("{}:{}", to.host_str()?, to.port_or_known_default()?);
    let at = (proxy.host_str()?.trim_matches(['[', ']']), proxy.port_or_known_default()?);
    let deadline = Instant::now() + LIMIT;
    let stream = timeout_at(deadline, TcpStream::connect(at)).await.ok()?.ok()?;
    let mut answer = Vec::new();
    let _ = timeout_at(deadline, ask(&stream, &to, &mut answer)).await;
    stranger(&answer)
}

/// Asks, and reads until there is a head and the beginning of a body.
async fn ask(stream: &TcpStream, to: &str, answer: &mut Vec<u8>) -> io::Result<()> {
    let request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n");
    stream.writable().await?;
    stream.try_write(request.as_bytes())?;
    let mut buffer = [0; MOST];
    while answer.len() < MOST && parted(answer).is_none_or(|(_, body)| body.is_empty()) {
        stream.readable().await?;
        match stream.try_read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn parted(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((&answer[..at], &answer[at + 4..]))
}

fn stranger(answer: &[u8]) -> Option<Stranger> {
    let (head, body) = parted(answer)?;
    let head = String::from_utf8_lossy(head);
    let status: http::StatusCode = head.split(' ').nth(1)?.parse().ok()?;
    let mut answer = http::Response::new(Zeroizing::new(body.to_vec()));
    *answer.status_mut() = status;
    (!status.is_success()).then(|| Stranger::of(&answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_by_its_status_and_first_words() {
        let told = |answer: &str| stranger(answer.as_bytes()).map(|told| told.to_string());
        let page = "HTTP/1.1 403 Forbidden\r\nServer: x\r\n\r\n<h1>No</h1>";
        assert_eq!(told(page), Some("HTTP status 403, `No`".to_owned()));
        assert_eq!(told("HTTP/1.1 407 \r\n\r\n"), Some("HTTP status 407".to_owned()));
        for answer in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 403 Forbidden\r\n", "", "x\r\n\r\n"] {
            assert_eq!(told(answer), None, "{answer}");
        }
    }
}
