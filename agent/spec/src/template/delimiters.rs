//! What parts a template's expressions from its text, where `{{ }}` is somebody else's.

use minijinja::syntax::SyntaxConfig;
use serde::{Deserialize, Serialize};

/// The marks around expressions; statements and comments go with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub enum Delimiters {
    /// `{{ }}`, `{% %}`, `{# #}`.
    #[default]
    #[serde(rename = "{{ }}")]
    Braces,
    /// `[[ ]]`, `[% %]`, `[# #]`.
    #[serde(rename = "[[ ]]")]
    Brackets,
    /// `<< >>`, `<% %>`, `<# #>`.
    #[serde(rename = "<< >>")]
    Angles,
}

impl Delimiters {
    /// The language with these marks. A line of statements alone leaves nothing behind; everything else
    /// stays, the last newline too.
    ///
    /// # Panics
    /// Never: no two marks are alike.
    pub fn syntax(self) -> SyntaxConfig {
        let [variable, block, comment] = match self {
            Self::Braces => [("{{", "}}"), ("{%", "%}"), ("{#", "#}")],
            Self::Brackets => [("[[", "]]"), ("[%", "%]"), ("[#", "#]")],
            Self::Angles => [("<<", ">>"), ("<%", "%>"), ("<#", "#>")],
        };
        SyntaxConfig::builder()
            .variable_delimiters(variable.0, variable.1)
            .block_delimiters(block.0, block.1)
            .comment_delimiters(comment.0, comment.1)
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()
            .expect("no two marks are alike")
    }
}
