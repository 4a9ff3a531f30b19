//! The language with its limits: just the words that the webhook knows.

use mayfly_spec::template::{Delimiters, SECRET, SECRETS};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
    value::ValueKind,
};

use super::{filters, lookups::Lookups, value};

/// How much work a template may do: one for each step and for each 64 bytes that it makes or looks at, so that
/// what it holds at once is bounded too.
const FUEL: u64 = 400_000;
/// How deep blocks may lie in each other.
const DEEPEST: usize = 150;

/// Words of minijinja that are not of the language: what trusts, prints, repeats or nests without end.
const FOREIGN_FILTERS: [&str; 4] = ["safe", "pprint", "batch", "slice"];
const FOREIGN_FUNCTIONS: [&str; 2] = ["debug", "namespace"];

/// The language, with `lookups` to ask for.
pub(super) fn environment<'a>(delimiters: Delimiters, lookups: &Lookups) -> Environment<'a> {
    let mut environment = Environment::new();
    environment.set_syntax(delimiters.syntax());
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEEPEST);
    // Faults know their places only so; what else they know is never told.
    environment.set_debug(true);
    environment.set_formatter(write);
    for foreign in FOREIGN_FILTERS {
        environment.remove_filter(foreign);
    }
    for foreign in FOREIGN_FUNCTIONS {
        environment.remove_global(foreign);
    }
    filters::add(&mut environment);
    for function in [SECRET, SECRETS] {
        let lookups = lookups.clone();
        environment.add_function(function, move |written: &str| lookups.get(written));
    }
    environment
}

/// Text as it is, anything else as compact JSON, as it is in all files.
fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, it: &Value) -> Result<(), Error> {
    match it.kind() {
        ValueKind::Undefined => Err(ErrorKind::UndefinedError.into()),
        ValueKind::String => Ok(out.write_str(it.as_str().unwrap_or_default())?),
        _ => Ok(out.write_str(&value::compact(state, it)?)?),
    }
}
