//! Text that others wrote, fit for a terminal, a table and a page.
//!
//! PURE. A pod's owner decides what an agent's container answers.

/// Enough for a sentence, too short for a flood.
const LONGEST: usize = 300;

/// `text` on one line, without anything that a terminal obeys, and cut where it has no end.
pub(crate) fn line(text: &str) -> String {
    let shown = text.chars().map(|character| if is_obeyed(character) { ' ' } else { character });
    let words: String = shown.take(LONGEST).collect();
    let is_cut = text.chars().nth(LONGEST).is_some();
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if is_cut { line + "…" } else { line }
}

/// The whole of `text`, which may have lines, without anything else that is obeyed.
pub(crate) fn plain(text: &str) -> String {
    let shown = |character| if is_obeyed(character) && character != '\n' { ' ' } else { character };
    text.chars().map(shown).collect()
}

/// Whether a terminal does something at this character instead of showing it.
fn is_obeyed(character: char) -> bool {
    // Control characters, and those that turn the direction of what follows.
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_a_terminal_obeys() {
        assert_eq!(line("a\n\x1b[31mb\u{9b}c\u{202e}ö"), "a [31mb c ö");
        assert_eq!(line("whole"), "whole");
        assert_eq!(plain("a\n\x1b[31mb\u{202e}"), "a\n [31mb ");
        let flood = line(&"x".repeat(1 << 20));
        assert!(flood.chars().count() == LONGEST + 1 && flood.ends_with('…'));
    }
}
