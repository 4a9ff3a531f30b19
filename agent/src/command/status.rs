//! `status`: what a running agent says about itself.

use std::process::ExitCode;

use mayfly_spec::Reference;

use super::{Context, INTERNAL, exit};
use crate::{
    clock::Clock,
    gate, output,
    status::{State, Status},
    table::Table,
    timestamp::Timestamp,
};

pub(super) fn status(context: &Context, json: bool) -> ExitCode {
    let Some(status) = gate::read(&context.spec) else {
        let directory = context.spec.directory.display();
        output::complain(format_args!(
            "mayfly-agent: no agent has written `{directory}/status.json` yet"
        ));
        return exit(INTERNAL);
    };
    let status = status.aged(context.clock.now());
    let text =
        if json { String::from_utf8_lossy(&status.to_json()).into_owned() } else { words(&status) };
    output::result(text, ExitCode::SUCCESS)
}

/// A sealed value's whole text would fill the screen.
fn label(reference: &str) -> String {
    let parsed = reference.parse::<Reference>();
    parsed.map_or_else(|_| reference.to_owned(), |reference| reference.label())
}

fn words(status: &Status) -> String {
    let time =
        |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    let state = match status.state {
        State::Starting => "starting: no complete files yet",
        State::Ready => "ready",
        State::Stale => "stale: the files are good, but the last look failed",
        State::Failed => "failed: the agent has ended",
    };
    let mut table = Table::new(["SECRET", "VERSION", "FETCHED", "AGE", "NEXT LOOK", "LAST ERROR"]);
    for reference in &status.references {
        table.row([
            label(&reference.reference),
            reference.version.id.clone().unwrap_or_else(|| "-".to_owned()),
            time(reference.fetched),
            reference.age_seconds.map_or_else(|| "-".to_owned(), |age| format!("{age}s")),
            time(reference.next_look),
            reference.error.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        ]);
    }
    let error =
        status.error.as_ref().map(|error| format!("error       {error}\n")).unwrap_or_default();
    format!(
        "state       {state}\ngeneration  {}, written {}\n{error}\n{table}",
        status.generation,
        time(status.written)
    )
}
