//! What an operator writes for many names at once: `*`, `**`, `{namespace}`, `{serviceaccount}`.
//!
//! PURE. The placeholders stand for names, whatever characters these have: they are put into the
//! comparison, never into the pattern's text.

use std::{fmt, str::FromStr};

use thiserror::Error;

use super::Subject;

/// A pattern. `*` is anything within one segment between `/`, `**` anything, both nothing as well;
/// neither goes beyond a `?`, behind which a reference has its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(String),
    Namespace,
    ServiceAccount,
    Segment,
    Anything,
}

/// Text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PatternError {
    /// A placeholder that there is not.
    #[error("`{{{0}}}` is no placeholder; allowed: `{{namespace}}`, `{{serviceaccount}}`")]
    Placeholder(String),
    /// A brace without its other half.
    #[error("a brace without its other half; allowed: `{{namespace}}`, `{{serviceaccount}}`")]
    Brace,
    /// Three stars or more.
    #[error("`***` is no wildcard; write `*` (within one segment) or `**` (anything)")]
    Stars,
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let (mut tokens, mut rest) = (Vec::new(), text);
        while let Some(first) = rest.chars().next() {
            let (token, length) = match first {
                '*' => wildcard(rest)?,
                '{' => placeholder(rest)?,
                '}' => return Err(PatternError::Brace),
                _ => {
                    let length = rest.find(['*', '{', '}']).unwrap_or(rest.len());
                    (Token::Literal(rest[..length].to_owned()), length)
                }
            };
            tokens.push(token);
            rest = &rest[length..];
        }
        Ok(Self { text: text.to_owned(), tokens })
    }
}

fn wildcard(text: &str) -> Result<(Token, usize), PatternError> {
    match text.len() - text.trim_start_matches('*').len() {
        1 => Ok((Token::Segment, 1)),
        2 => Ok((Token::Anything, 2)),
        _ => Err(PatternError::Stars),
    }
}

fn placeholder(text: &str) -> Result<(Token, usize), PatternError> {
    let (name, _) = text[1..].split_once('}').ok_or(PatternError::Brace)?;
    let token = match name {
        "namespace" => Token::Namespace,
        "serviceaccount" => Token::ServiceAccount,
        _ => return Err(PatternError::Placeholder(name.to_owned())),
    };
    Ok((token, name.len() + 2))
}

impl Pattern {
    /// The pattern that only `text` itself matches.
    pub fn literal(text: &str) -> Self {
        Self { text: text.to_owned(), tokens: vec![Token::Literal(text.to_owned())] }
    }

    /// Whether only one text matches, whoever asks.
    pub fn is_literal(&self) -> bool {
        self.tokens.iter().all(|token| matches!(token, Token::Literal(_)))
    }

    /// Whether it names nothing: wildcards and the asker's own names match everybody's.
    pub fn is_open(&self) -> bool {
        !self.tokens.is_empty()
            && !self.tokens.iter().any(|token| matches!(token, Token::Literal(_)))
    }

    /// Whether only one text matches for each who asks.
    pub fn is_definite(&self) -> bool {
        !self.tokens.iter().any(Token::is_wildcard)
    }

    /// Whether what is before the first `separator` is written out, names of who asks included.
    pub fn pins(&self, separator: char) -> bool {
        let mut tokens = self.tokens.iter();
        tokens
            .find_map(|token| match token {
                Token::Literal(text) => text.contains(separator).then_some(true),
                token => token.is_wildcard().then_some(false),
            })
            .unwrap_or(false)
    }

    /// The text before the first wildcard or placeholder.
    pub fn start(&self) -> &str {
        match self.tokens.first() {
            Some(Token::Literal(text)) => text,
            _ => "",
        }
    }

    /// The pattern as the operator wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `text` is one of what this pattern allows to `subject`. Takes time in proportion to
    /// the text's length, whatever an author has written.
    pub fn matches(&self, text: &str, subject: &Subject<'_>) -> bool {
        self.reached(text, subject).last() == Some(&true)
    }

    /// Whether `text`, and whatever may follow it, is among what this pattern allows to `subject`.
    pub(super) fn covers(&self, text: &str, subject: &Subject<'_>) -> bool {
        self.tokens.last() == Some(&Token::Anything) && self.matches(text, subject)
    }

    /// For each length, whether so much of `text` is allowed; nothing, when no beginning is.
    pub(super) fn reached(&self, text: &str, subject: &Subject<'_>) -> Vec<bool> {
        // Most patterns are for something else, and that is seen without any of the work below.
        let first = self.tokens.first().and_then(|token| token.name(subject));
        if first.is_some_and(|name| !text.starts_with(name)) {
            return Vec::new();
        }
        let mut reached = vec![false; text.len() + 1];
        reached[0] = true;
        for token in &self.tokens {
            reached = match token.name(subject) {
                Some(name) => after_name(text.as_bytes(), &reached, name.as_bytes()),
                None => after_wildcard(text.as_bytes(), &reached, *token == Token::Segment),
            };
            if !reached.contains(&true) {
                return Vec::new();
            }
        }
        reached
    }

    /// The pattern as it reads for `subject`.
    pub fn shown(&self, subject: &Subject<'_>) -> String {
        let show = |token: &Token| match (token.name(subject), token) {
            (Some(name), _) => name.to_owned(),
            (None, Token::Segment) => "*".to_owned(),
            (None, _) => "**".to_owned(),
        };
        self.tokens.iter().map(show).collect()
    }
}

impl Token {
    fn is_wildcard(&self) -> bool {
        matches!(self, Self::Segment | Self::Anything)
    }

    /// The one text that it stands for, unless it is a wildcard.
    fn name<'a>(&'a self, subject: &Subject<'a>) -> Option<&'a str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Namespace => Some(&subject.namespace.name),
            Self::ServiceAccount => Some(subject.service_account()),
            Self::Segment | Self::Anything => None,
        }
    }
}

/// The places behind `name`, where it follows a place that was reached.
fn after_name(text: &[u8], reached: &[bool], name: &[u8]) -> Vec<bool> {
    let mut next = vec![false; reached.len()];
    for (at, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
        if text[at..].starts_with(name) {
            next[at + name.len()] = true;
        }
    }
    next
}

/// Every place that was reached, and those behind it up to where the wildcard ends.
fn after_wildcard(text: &[u8], reached: &[bool], within_segment: bool) -> Vec<bool> {
    let mut next = reached.to_vec();
    for (at, byte) in text.iter().enumerate() {
        let ends = *byte == b'?' || within_segment && *byte == b'/';
        if next[at] && !ends {
            next[at + 1] = true;
        }
    }
    next
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
