//! `status`: what a running agent says about itself.

use std::process::ExitCode;

use mayfly_spec::Reference;

use super::{Context, INTERNAL, exit};
use crate::{
    clock::Clock,
    fault::{Fault, is_obeyed, printable},
    gate, memory, output,
    status::{ReferenceStatus, State, Status},
    table::Table,
    timestamp::Timestamp,
};

pub(super) fn status(context: &Context, json: bool) -> Result<ExitCode, Fault> {
    let folder = memory::place(&context.spec, &context.root);
    let Some(status) = gate::read(&folder)? else {
        let folder = folder.display();
        output::complain(format_args!(
            "mayfly-agent: no agent has told of its state in `{folder}` yet"
        ));
        return Ok(exit(INTERNAL));
    };
    let status = status.aged(context.clock.now());
    let text =
        if json { escaped(&String::from_utf8_lossy(&status.to_json())) } else { words(&status) };
    Ok(output::result(text, ExitCode::SUCCESS))
}

/// JSON escapes some control characters by itself; a terminal obeys others too.
fn escaped(json: &str) -> String {
    let character = |character: char| match character {
        '\n' => "\n".to_owned(),
        character if is_obeyed(character) => format!("\\u{:04x}", u32::from(character)),
        character => character.to_string(),
    };
    json.chars().map(character).collect()
}

/// A sealed value's whole text would fill the screen.
fn label(reference: &str) -> String {
    let parsed = reference.parse::<Reference>();
    parsed.map_or_else(|_| reference.to_owned(), |reference| reference.label())
}

/// A line for each thing that the backend said beside the secret.
fn warnings(reference: &ReferenceStatus) -> impl Iterator<Item = String> {
    let label = label(&reference.reference);
    let line = move |words: &String| format!("warning: {label}: {}\n", printable(words));
    reference.warnings.iter().map(line)
}

fn words(status: &Status) -> String {
    let time =
        |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    let state = match status.state {
        State::Starting => "starting: no complete files yet",
        State::Ready => "ready",
        State::Stale => "stale: the files are good, but the last look failed for some",
        State::Failed => "failed: the agent has ended",
    };
    let mut table =
        Table::new(["SECRET", "STATE", "VERSION", "FETCHED", "AGE", "NEXT LOOK", "LAST ERROR"]);
    for reference in &status.references {
        table.row([
            label(&reference.reference),
            reference.state.name().to_owned(),
            reference.version.id.clone().unwrap_or_else(|| "-".to_owned()),
            time(reference.fetched),
            reference.age_seconds.map_or_else(|| "-".to_owned(), |age| format!("{age}s")),
            time(reference.next_look),
            reference.error.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        ]);
    }
    let error =
        status.error.as_ref().map(|error| format!("error       {}\n", printable(&error.message)));
    let error = error.unwrap_or_default();
    let warnings: String = status.references.iter().flat_map(warnings).collect();
    format!(
        "state       {state}\ngeneration  {}, written {}\n{error}\n{table}{warnings}",
        status.generation,
        time(status.written)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_escape_sequence_reaches_a_terminal() {
        let json = escaped("{\"a\": \"\u{1b}[31m\u{9b}31m\u{202e}\u{7f}ö\"}\n");
        assert_eq!(json, "{\"a\": \"\\u001b[31m\\u009b31m\\u202e\\u007fö\"}\n");
        let back: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(back["a"], "\u{1b}[31m\u{9b}31m\u{202e}\u{7f}ö");
    }
}
