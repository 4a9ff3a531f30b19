//! "Did you mean …": the closest of the known words, for every error about an unknown one.

use std::fmt;

/// How alike two words must be (Jaro–Winkler, 0 to 1) before one is suggested for the other.
const ALIKE: f64 = 0.75;

/// The longest word that can be a typing error of one of ours, in bytes: Kubernetes' names end there too.
const LONGEST_WORD: usize = 63;
/// So many bytes of known words are listed.
const LONGEST_LIST: usize = 1000;

/// Ends an error message about an unknown word: prints ``; did you mean `x`?``, or, when nothing
/// is close, `; allowed: …` with every known word, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion(String);

impl Suggestion {
    /// The suggestion for `word`, taken from `known`.
    pub fn new<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        Self(closest(word, &known).map_or_else(
            || format!("; allowed: {}", listed(&known)),
            |near| format!("; did you mean `{near}`?"),
        ))
    }
}

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if word.len() > LONGEST_WORD {
        return None;
    }
    let word = word.to_lowercase();
    let likeness = |known: &&str| strsim::jaro_winkler(&word, known);
    known
        .iter()
        .filter(|known| known.len() <= LONGEST_WORD)
        .map(|&known| (likeness(&known), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, known)| known)
}

fn listed(known: &[&str]) -> String {
    let mut list = String::new();
    for word in known {
        if list.len() + word.len() > LONGEST_LIST {
            list.push_str(", …");
            break;
        }
        list.push_str(if list.is_empty() { "" } else { ", " });
        list.push_str(word);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_not_compared_and_long_lists_end() {
        let (long, longer) = ("a".repeat(160_000), "b".repeat(160_000));
        let text = Suggestion::new(&long, [longer.as_str(), "stage"]).to_string();
        assert_eq!(text, "; allowed: , …");
        let many = vec!["stage"; 1000];
        assert!(Suggestion::new(&long, many).to_string().len() < 1100);
    }

    #[test]
    fn a_typo_is_answered_with_the_nearest_word() {
        let text = Suggestion::new("ragion", ["stage", "version", "region"]).to_string();
        assert_eq!(text, "; did you mean `region`?");
    }

    #[test]
    fn a_word_like_none_is_answered_with_all() {
        let text = Suggestion::new("zzz", ["stage", "version"]).to_string();
        assert_eq!(text, "; allowed: stage, version");
    }
}
