//! How much of a stranger's template is read, decided before a tree is made of it.
//!
//! The tree's depth is bounded by its tags: chains of operators, filters and alternatives nest, and whoever
//! walks or drops them needs as much of the stack.

use minijinja::machinery::{Span, Token, tokenize};

use super::{
    Delimiters, Place, TemplateError,
    limits::{LONGEST, MOST_BRANCHES, MOST_TOKENS, MOST_TOKENS_IN_ALL},
};

/// Refuses what is too long, or would nest too deep. What is no template at all is told by its parser.
pub(super) fn check(text: &str, delimiters: Delimiters) -> Result<(), TemplateError> {
    if text.len() > LONGEST {
        return Err(TemplateError::Long(text.len()));
    }
    let (mut tokens, mut all, mut branches) = (0, 0, 0);
    for (token, span) in tokenize(text, false, delimiters.syntax()).map_while(Result::ok) {
        match token {
            Token::TemplateData(_) | Token::VariableStart | Token::BlockStart => tokens = 0,
            Token::Ident("elif") => branches += usize::from(tokens == 0),
            _ => tokens += 1,
        }
        all += 1;
        if tokens > MOST_TOKENS {
            return Err(TemplateError::Tag(place(text, span)));
        }
        if all > MOST_TOKENS_IN_ALL {
            return Err(TemplateError::Tags(place(text, span)));
        }
        if branches > MOST_BRANCHES {
            return Err(TemplateError::Branches(place(text, span)));
        }
    }
    Ok(())
}

/// Where `span` begins.
pub(super) fn place(text: &str, span: Span) -> Place {
    Place::of(text, usize::try_from(span.start_offset).unwrap_or(usize::MAX))
}
