//! Addresses as messages show them. PURE.

use crate::fault::quoted;

/// `url` as anybody may read it: without user and password, and without its query, whether or not
/// the rest is a URL at all.
pub(crate) fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    // A password may hold `/` and `?` where nobody has encoded them.
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = host.split(['?', '#']).next().unwrap_or_default();
    let separator = if scheme.is_empty() { "" } else { "://" };
    quoted(&format!("{scheme}{separator}{}", host.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_reads_user_or_password() {
        for (url, expected) in [
            ("http://proxy:3128", "http://proxy:3128"),
            ("https://user:hunter2@proxy:3128/a?b=hunter2#c", "https://proxy:3128/a"),
            ("http://user:hun/ter?2@proxy", "http://proxy"),
            ("http://hunter2@[::1]:1/", "http://[::1]:1"),
            ("user:hunter2@proxy:3128", "proxy:3128"),
            ("http://a\nb", "http://a b"),
            ("", ""),
        ] {
            assert_eq!(shown(url), expected, "{url}");
        }
    }
}
