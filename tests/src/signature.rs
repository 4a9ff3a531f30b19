//! Signatures of AWS (version 4), computed here anew: whether a request was signed with a secret key
//! by the book, and not changed since.
//!
//! Written from AWS' own description, so that what is tested is not tested by itself.

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};

/// A signed request, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The method.
    pub method: &'a str,
    /// The path.
    pub path: &'a str,
    /// The headers, by their names in lower case.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
}

impl Signed<'_> {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The access key that it says it was signed with.
    pub fn access_key(&self) -> Option<&str> {
        self.scope()?.first().copied()
    }

    /// The region that it was signed for.
    pub fn region(&self) -> Option<&str> {
        self.scope()?.get(2).copied()
    }

    /// Whether the header is among those that are signed.
    pub fn covers(&self, name: &str) -> bool {
        self.part("SignedHeaders=").is_some_and(|names| names.split(';').any(|it| it == name))
    }

    /// Whether whoever holds `secret` signed just this.
    pub fn is_by(&self, secret: &str) -> bool {
        self.signature(secret).is_some_and(|ours| self.part("Signature=") == Some(ours.as_str()))
    }

    /// Access key, date, region, service, and the scheme's name.
    fn scope(&self) -> Option<Vec<&str>> {
        Some(self.part("Credential=")?.split('/').collect())
    }

    fn part(&self, name: &str) -> Option<&str> {
        let rest = self.header("authorization")?.strip_prefix("AWS4-HMAC-SHA256 ")?;
        rest.split(',').find_map(|part| part.trim().strip_prefix(name))
    }

    fn signature(&self, secret: &str) -> Option<String> {
        let scope = self.scope()?;
        let [_, date, region, service, "aws4_request"] = scope[..] else { return None };
        let request = hex(digest(&SHA256, self.canonical()?.as_bytes()).as_ref());
        let time = self.header("x-amz-date")?;
        let text =
            format!("AWS4-HMAC-SHA256\n{time}\n{date}/{region}/{service}/aws4_request\n{request}");
        let first = format!("AWS4{secret}").into_bytes();
        let key =
            [date, region, service, "aws4_request"].iter().fold(first, |key, part| mac(&key, part));
        Some(hex(&mac(&key, &text)))
    }

    fn canonical(&self) -> Option<String> {
        let names = self.part("SignedHeaders=")?;
        let header = |name: &str| {
            let value = self.header(name)?.split_whitespace().collect::<Vec<_>>().join(" ");
            Some(format!("{name}:{value}\n"))
        };
        let headers = names.split(';').map(header).collect::<Option<String>>()?;
        // A path is taken without empty segments.
        let path = format!("/{}", self.path.trim_matches('/'));
        let body = hex(digest(&SHA256, self.body).as_ref());
        Some(format!("{}\n{path}\n\n{headers}\n{names}\n{body}", self.method))
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key is that of the example in AWS' own description.
    #[test]
    fn a_key_is_derived_as_published_and_a_wrong_signature_is_seen() {
        let headers = [
            ("host", "iam.amazonaws.com"),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("x-amz-date", "20150830T123600Z"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date, Signature=0",
            ),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let signed = Signed { method: "GET", path: "/", headers: &headers, body: b"" };
        let key = ["20150830", "us-east-1", "iam", "aws4_request"]
            .iter()
            .fold(b"AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_vec(), |key, part| {
                mac(&key, part)
            });
        assert_eq!(hex(&key), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
        assert_eq!(
            signed.signature("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").map(|text| text.len()),
            Some(64)
        );
        assert!(!signed.is_by("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
        assert!(signed.covers("host") && !signed.covers("authorization"));
        assert_eq!(signed.access_key().zip(signed.region()), Some(("AKIDEXAMPLE", "us-east-1")));
    }
}
