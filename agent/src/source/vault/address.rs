//! The server's address, as the configuration gives it.

use url::Url;

use crate::{
    fault::{Class, Fault},
    http::shown,
    source::SourceError,
};

/// An `http` or `https` URL of a host, without a path.
pub(super) fn parse(text: &str) -> Result<Url, SourceError> {
    let is_plain = |url: &Url| {
        let has_host = url.host_str().is_some_and(|host| !host.is_empty());
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        matches!(url.scheme(), "http" | "https") && has_host && is_bare && is_anonymous
    };
    let wrong = || {
        let words = "is no address of a Vault server; write scheme, host and port only, as in `https://vault.example:8200`";
        Fault::new(Class::Configuration, format_args!("`vault`: `{}` {words}", shown(text)))
    };
    Url::parse(text).ok().filter(is_plain).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_addresses_are_taken() {
        for text in ["https://vault:8200", "http://127.0.0.1:8200/", "https://[::1]:8200"] {
            parse(text).expect(text);
        }
        for text in [
            "vault:8200",
            "",
            "ftp://vault",
            "https://vault/v1",
            "https://user:pass@vault",
            "https://vault?x=y",
        ] {
            let fault = parse(text).expect_err(text);
            assert!(!fault.message.contains("pass@"), "{fault}");
        }
    }
}
