//! Words of a server without what it was sent: it may quote that, whole or in part.
//!
//! PURE.

/// What is as long and the same is no accident.
const TELLING: usize = 16;
/// Longer words are not shown anyway.
const LONGEST: usize = 2000;

/// `text` with `…` wherever a part of one of `secrets` stands.
pub(super) fn without(text: &str, secrets: &[&str]) -> String {
    let text: String = text.chars().take(LONGEST).collect();
    let mut shown = String::new();
    let mut rest = text.as_str();
    while let Some(next) = rest.chars().next() {
        let quoted = secrets.iter().map(|secret| quote(rest, secret)).max().unwrap_or_default();
        if quoted == 0 {
            shown.push(next);
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        } else {
            shown.push('…');
            rest = rest.get(quoted..).unwrap_or_default();
        }
    }
    shown
}

/// How much of `secret` stands at the beginning of `text`.
fn quote(text: &str, secret: &str) -> usize {
    let least = TELLING.min(secret.len());
    let stands = |length: usize| text.get(..length).is_some_and(|part| secret.contains(part));
    if least == 0 || !stands(least) {
        return 0;
    }
    (least..=secret.len()).take_while(|length| stands(*length)).last().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_whole_and_in_part() {
        let secret = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ3ZWIifQ.c2lnbmF0dXJl";
        for (text, shown) in [
            (format!("bad token {secret}!"), "bad token …!"),
            (format!("bad token {}...", &secret[..30]), "bad token ......"),
            (format!("Ünsigned: {}", &secret[25..]), "Ünsigned: …"),
            ("the role web".to_owned(), "the role web"),
        ] {
            let text = without(&text, &["", secret]);
            assert_eq!(text.replace("…...", "......"), shown);
            assert!(!text.contains(&secret[..16]) && !text.contains(&secret[30..46]), "{text}");
        }
        assert_eq!(without("pin 1234, pin 123", &["1234"]), "pin …, pin 123");
    }

    #[test]
    fn a_flood_ends() {
        let secret = "x".repeat(10_000);
        assert!(without(&secret, &[&secret]).chars().count() < LONGEST);
    }
}
