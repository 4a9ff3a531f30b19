//! Whether an image is the agent's, under whatever name.
//!
//! PURE. A digest says what an image is, wherever it lies; a tag says it only in a repository that is trusted.

use std::collections::BTreeSet;

/// The registry of a name without one.
const DOCKER: &str = "docker.io";

/// `[registry/]path[:tag][@digest]`.
#[derive(Debug, Clone, Copy)]
struct Image<'a> {
    registry: &'a str,
    path: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

/// Whether `present` is the image `ours`: by its digest, or in its repository or one of its mirrors by its tag, or as a
/// digest that somebody found for the tag.
pub(super) fn is_ours(present: &str, ours: &str, mirrors: &BTreeSet<String>) -> bool {
    let (present, ours) = (Image::read(present), Image::read(ours));
    if ours.digest.is_some() {
        return present.digest == ours.digest;
    }
    let resolved = present.tag.is_none() && present.digest.is_some();
    let same_tag = present.tag.unwrap_or("latest") == ours.tag.unwrap_or("latest");
    (resolved || same_tag)
        && present.digest.is_none_or(is_digest)
        && (present.repository() == ours.repository()
            || mirrors.iter().any(|mirror| present.is_at(mirror, ours)))
}

/// Whether `present` lies where `ours` does: another release, perhaps.
pub(super) fn is_neighbour(present: &str, ours: &str) -> bool {
    Image::read(present).repository() == Image::read(ours).repository()
}

impl<'a> Image<'a> {
    fn read(text: &'a str) -> Self {
        let (name, digest) = text.split_once('@').map_or((text, None), |(n, d)| (n, Some(d)));
        let last = name.rfind('/').map_or(0, |slash| slash + 1);
        let colon = name[last..].find(':').map(|colon| last + colon);
        let (name, tag) = colon.map_or((name, None), |at| (&name[..at], Some(&name[at + 1..])));
        let (registry, path) = match name.split_once('/') {
            Some((registry, path)) if registry.contains(['.', ':']) || registry == "localhost" => {
                (registry, path)
            }
            _ => (DOCKER, name),
        };
        let registry = if registry == "index.docker.io" { DOCKER } else { registry };
        let path = path.strip_prefix("library/").filter(|_| registry == DOCKER).unwrap_or(path);
        Self { registry, path, tag, digest }
    }

    fn repository(self) -> (&'a str, &'a str) {
        (self.registry, self.path)
    }

    /// Whether it lies at `mirror`: the repository itself, or the place before the image's name, with or without its
    /// registry and Docker's `library`.
    fn is_at(self, mirror: &str, ours: Self) -> bool {
        let name = if self.registry == DOCKER {
            self.path.to_owned()
        } else {
            format!("{}/{}", self.registry, self.path)
        };
        let mirror = mirror.strip_prefix("docker.io/").unwrap_or(mirror);
        let Some(rest) = name.strip_prefix(mirror) else { return false };
        let Some(rest) = rest.strip_prefix('/') else { return rest.is_empty() };
        let path = rest.strip_prefix(ours.registry).and_then(|path| path.strip_prefix('/'));
        let path = path.unwrap_or(rest);
        let library = path.strip_prefix("library/").filter(|_| ours.registry == DOCKER);
        library.unwrap_or(path) == ours.path
    }
}

/// Whether text after `@` is one of the digests that there are.
fn is_digest(digest: &str) -> bool {
    let sound = |hex: &str, length| {
        hex.len() == length && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    match digest.split_once(':') {
        Some(("sha256", hex)) => sound(hex, 64),
        Some(("sha512", hex)) => sound(hex, 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ours: &str, mirrors: &[&str], present: &str) -> bool {
        is_ours(present, ours, &mirrors.iter().map(|&name| name.to_owned()).collect())
    }

    fn digest(digit: &str) -> String {
        format!("sha256:{}", digit.repeat(64))
    }

    #[test]
    fn a_digest_is_the_image_wherever_it_lies() {
        let ours = format!("registry.example/mayfly-agent:1@{}", digest("a"));
        let at = |place: &str, digit: &str| format!("{place}@{}", digest(digit));
        assert!(check(&ours, &[], &at("mirror.example/x", "a")));
        assert!(check(&ours, &[], &at("registry.example/mayfly-agent:2", "a")));
        assert!(!check(&ours, &["mirror.example"], &at("registry.example/mayfly-agent:1", "b")));
        assert!(!check(&ours, &["mirror.example"], "mirror.example/mayfly-agent:1"));
    }

    #[test]
    fn a_tag_may_be_resolved_in_place_and_found_at_a_mirror() {
        let resolved = |place: &str| format!("{place}@{}", digest("a"));
        for (ours, present) in [
            ("mayfly-agent:1", "docker.io/library/mayfly-agent:1".to_owned()),
            ("mayfly-agent:1", resolved("index.docker.io/library/mayfly-agent")),
            ("mayfly-agent:1", resolved("mayfly-agent:1")),
            ("mayfly-agent:1", "mirror.example/docker.io/library/mayfly-agent:1".to_owned()),
            ("mayfly-agent:1", "mirror.example/mayfly-agent:1".to_owned()),
            (
                "r.example:5000/t/mayfly-agent",
                "mirror.example/r.example:5000/t/mayfly-agent:latest".to_owned(),
            ),
            ("r.example:5000/t/mayfly-agent:1", resolved("mirror.example/t/mayfly-agent")),
            ("mayfly-agent:1", "other.example/copies/agent:1".to_owned()),
        ] {
            let mirrors = ["mirror.example", "other.example/copies/agent"];
            assert!(check(ours, &mirrors, &present), "{ours} {present}");
        }
    }

    #[test]
    fn anything_else_is_not_ours() {
        for present in [
            "",
            "evil.example/mayfly-agent:1",
            "mayfly-agent:2",
            "mayfly-agent",
            "mayfly-agent:1@sha256:x",
            "mirror.example/other:1",
            "mirror.example/a/mayfly-agent:1",
            "mirror.example.evil/mayfly-agent:1",
            "mirror.examplemayfly-agent:1",
        ] {
            assert!(!check("mayfly-agent:1", &["mirror.example"], present), "{present}");
        }
    }
}
