//! A template's file: the language of `mayfly_spec::template`, with the secrets that it names and nothing else.
//!
//! ```text
//! secrets ─ value ─→ Lookups ─┐
//! text ─ language (words) ────┴→ Sink (limited) ─→ Secret, or one fault with its place
//! ```
//! PURE. There is no loader, environment, file, clock or chance; work, depth and size are limited. minijinja's own
//! messages can quote values, so none of them is ever told: a fault has a place, the template's own words there, and
//! ours.

mod diagnosis;
mod filters;
mod language;
mod lookups;
mod refusal;
mod sink;
mod value;

use mayfly_spec::{Reference, Template};
use minijinja::Environment;

use super::Cause;
use crate::secret::{Secret, SecretData};
use lookups::Lookups;
use sink::Sink;

/// The file that `template` makes of what `read` gives.
pub(super) fn render<'a>(
    template: &Template,
    read: impl Fn(&Reference) -> Option<&'a SecretData>,
) -> Result<Secret, Cause> {
    let lookups = Lookups::new(template.references(), read);
    let environment = language::environment(template.delimiters(), &lookups);
    let mut sink = Sink::default();
    match evaluate(&environment, template.text(), &mut sink) {
        Ok(()) => Ok(sink.into()),
        Err(error) => Err(diagnosis::cause(template.text(), &error, &lookups)),
    }
}

fn evaluate(
    environment: &Environment<'_>,
    text: &str,
    sink: &mut Sink,
) -> Result<(), minijinja::Error> {
    let compiled = environment.template_from_named_str("", text)?;
    compiled.render_captured_to((), sink).map(drop)
}

#[cfg(test)]
mod tests;
