//! What is asked without TLS, where others could read it on the way.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether `url` is plain HTTP to anything but the loopback. It is read more strictly than by
/// clients: what is not plainly the loopback is not.
pub fn is_plain_http(url: &str) -> bool {
    // A URL's parser overlooks these.
    let seen: String = url.chars().filter(|it| !it.is_control() && !it.is_whitespace()).collect();
    let Some((scheme, rest)) = seen.split_once(':') else { return false };
    let authority = rest.strip_prefix("//").map(|rest| rest.split('/').next().unwrap_or_default());
    scheme.eq_ignore_ascii_case("http") && !authority.is_some_and(is_loopback)
}

fn is_loopback(authority: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if is_port(port) => host,
        _ => authority,
    };
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    host == "localhost"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || v6.and_then(|v6| v6.parse::<Ipv6Addr>().ok()).is_some_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_plain_http;

    #[test]
    fn only_tls_and_the_loopback_keep_a_secret() {
        for url in [
            "https://aws.example",
            "HTTPS://aws.example",
            "http://127.0.0.1",
            "http://127.0.0.1:4566/path",
            "http://127.9.9.9:1",
            "http://[::1]:8200",
            "http://localhost:8200/",
        ] {
            assert!(!is_plain_http(url), "{url}");
        }
        for url in [
            "http://10.244.0.1:4566",
            "HTTP://10.244.0.1",
            " http://10.244.0.1",
            "ht\ntp://10.244.0.1",
            "http:10.244.0.1",
            "http:/127.0.0.1",
            "http:\\\\10.0.0.1",
            "http://127.0.0.1@10.0.0.1",
            "http://127.0.0.1:80@10.0.0.1/",
            "http://127.0.0.1\\@10.0.0.1/",
            "http://127.0.0.1?@10.0.0.1/",
            "http://127.0.0.1.example/",
            "http://127.0.0.1\n.example/",
            "http://localhost.example",
            "http://169.254.170.23",
            "http://[fd00:ec2::23]/",
            "http://",
        ] {
            assert!(is_plain_http(url), "{url}");
        }
    }
}
