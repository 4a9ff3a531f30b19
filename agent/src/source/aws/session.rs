//! The name of the session that CloudTrail shows: which pod of which namespace read the secret.

use crate::digest;

/// STS takes names of 2 to 64 characters.
const LONGEST: usize = 64;
/// So many hexadecimal digits tell names apart that begin alike.
const DIGITS: usize = 12;

/// `<namespace>.<pod>`; a name that is too long is cut, and ends in `-` and a hash of the whole.
pub(super) fn name(pod: Option<&(String, String)>) -> String {
    let Some((namespace, pod)) = pod else {
        return "mayfly-agent".to_owned();
    };
    let allowed =
        |character: char| character.is_ascii_alphanumeric() || "_=,.@-+".contains(character);
    let whole: String = format!("{namespace}.{pod}")
        .chars()
        .map(|character| if allowed(character) { character } else { '_' })
        .collect();
    if whole.len() <= LONGEST {
        return whole;
    }
    format!("{}-{}", &whole[..LONGEST - DIGITS - 1], digest::hex(whole.as_bytes(), DIGITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(namespace: &str, pod: &str) -> String {
        name(Some(&(namespace.to_owned(), pod.to_owned())))
    }

    #[test]
    fn the_name_tells_namespace_and_pod() {
        assert_eq!(of("default", "web-7d9f"), "default.web-7d9f");
        assert_eq!(name(None), "mayfly-agent");
        assert_eq!(of("a b", "ö"), "a_b._");
    }

    #[test]
    fn long_names_are_cut_and_stay_different() {
        let (one, two) = (of("team", &("x".repeat(70) + "1")), of("team", &("x".repeat(70) + "2")));
        assert_eq!((one.len(), two.len()), (64, 64));
        assert_ne!(one, two);
        assert!(one.starts_with("team.xxx"));
    }
}
