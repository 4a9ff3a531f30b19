//! The names that images can have.
//!
//! PURE. The grammar of container runtimes: `[<host>[:<port>]/]<path>[:<tag>][@<digest>]`.

/// The longest name, without tag and digest.
const LONGEST_NAME: usize = 255;
/// The longest tag.
const LONGEST_TAG: usize = 128;
/// The shortest digest that any runtime takes, in hexadecimal digits.
const SHORTEST_DIGEST: usize = 32;

/// Whether an image could be called so.
pub(super) fn is_image(text: &str) -> bool {
    let (text, digest) = cut(text, '@');
    // A port is before the last `/`, a tag behind it.
    let last = text.rfind('/').map_or(0, |at| at + 1);
    let (path_end, tag) = cut(&text[last..], ':');
    let name = &text[..last + path_end.len()];
    name.len() <= LONGEST_NAME
        && is_name(name)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest)
}

fn cut(text: &str, separator: char) -> (&str, Option<&str>) {
    text.split_once(separator).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn is_name(name: &str) -> bool {
    let path = match name.split_once('/') {
        Some((host, path)) if looks_like_host(host) => {
            if !is_host(host) {
                return false;
            }
            path
        }
        _ => name,
    };
    path.split('/').all(is_component)
}

fn looks_like_host(text: &str) -> bool {
    text.contains(['.', ':']) || text == "localhost" || text.contains(char::is_uppercase)
}

fn is_host(text: &str) -> bool {
    let (host, port) = if let Some((address, port)) =
        text.strip_prefix('[').and_then(|rest| rest.split_once(']'))
    {
        let is_address = address.parse::<std::net::Ipv6Addr>().is_ok();
        (
            is_address.then_some("ipv6"),
            port.strip_prefix(':').or_else(|| (!port.is_empty()).then_some("")),
        )
    } else {
        let (host, port) = cut(text, ':');
        (Some(host), port)
    };
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.is_some_and(|host| host.split('.').all(is_label))
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Lower-case letters and digits, between which one `.`, one or two `_`, or any number of `-` may stand.
fn is_component(text: &str) -> bool {
    let is_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_separator = |run: &[u8]| {
        matches!(run, [] | b"." | b"_" | b"__") || run.iter().all(|byte| *byte == b'-')
    };
    let bytes = text.as_bytes();
    let ends_well = [bytes.first(), bytes.last()];
    ends_well.into_iter().all(|byte| byte.is_some_and(is_alphanumeric))
        && bytes.split(is_alphanumeric).all(is_separator)
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=LONGEST_TAG).contains(&tag.len())
        && tag.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
        && tag.bytes().next().is_some_and(is_word)
}

fn is_digest(digest: &str) -> bool {
    digest.split_once(':').is_some_and(|(algorithm, digits)| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+._-".contains(&byte);
        !algorithm.is_empty()
            && algorithm.bytes().all(allowed)
            && digits.len() >= SHORTEST_DIGEST
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_told_from_what_no_runtime_would_pull() {
        let digest = format!("sha256:{}", "a1".repeat(32));
        for image in [
            "mayfly-agent",
            "mayfly-agent:0.1.0",
            "example/agent:1",
            "localhost/agent:dev",
            "localhost:5000/agent",
            "registry.example:5000/team/mayfly-agent:v1.2_3",
            "[::1]:5000/agent:x",
            "Registry/agent",
            "a/b_c/d__e/f-g/h--i.j",
            &format!("example/agent@{digest}"),
            &format!("example/agent:1@{digest}"),
        ] {
            assert!(is_image(image), "{image}");
        }
        for image in [
            "",
            " ",
            "agent image",
            "{namespace}/agent",
            "example/agent:",
            "example//agent",
            "example/agent/",
            "/agent",
            "example/Agent",
            "example/agent:-1",
            "example/a..b",
            "example/a___b",
            "https://registry.example/agent",
            "registry.example:port/agent",
            "[::1/agent",
            "example/agent@sha256:1",
            "example/agent@",
            &"a".repeat(256),
        ] {
            assert!(!is_image(image), "{image}");
        }
    }
}
