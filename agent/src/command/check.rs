//! `check`: logs in, reads every reference, writes nothing, and says in a table what came of it.

mod report;

use std::{collections::BTreeSet, process::ExitCode, time::Duration};

use futures_util::{StreamExt, stream};
use mayfly_spec::{FileEntry, Location, Spec};
use tokio::time::timeout;

use super::{Context, exit};
use crate::{
    clock::Clock,
    fault::{Class, Fault},
    output,
    render::{self, Secrets},
    source::{Backends, Fetched, Leased},
    sync::Holdings,
    table::Table,
    timestamp::Timestamp,
};
use report::Rotations;

/// So many secrets are asked about at once.
const CONCURRENT: usize = 4;

pub(super) async fn check(
    context: &Context,
    warn_age: Option<Duration>,
) -> Result<ExitCode, Fault> {
    let Context { spec, root, aws, clock } = context;
    // What a running agent keeps is its own; it would be given back below.
    let spec = &Spec { state: None, ..spec.clone() };
    let backends = Backends::new(spec, root, aws.clone())?;
    let holdings = read(spec, &backends).await;
    let identities = report::identities(spec, backends.aws_identities().await);
    let rotations = rotations(&backends, &holdings).await;
    backends.give_back(Leased::Ends).await;
    let results: Vec<_> =
        spec.files.entries().iter().map(|entry| (entry, verdict(spec, entry, &holdings))).collect();
    let mut table = Table::new(["FILE", "FROM", "VERSION", "AGE", "RESULT"]);
    for (entry, result) in &results {
        let fetched = holdings.get(&entry.from.location);
        table.row(row(entry, fetched, result, clock));
    }
    let rotations = report::rotation_table(&rotations, clock.now());
    let before = identities.map(|table| format!("{table}\n")).unwrap_or_default();
    let after = rotations.map(|table| format!("\n{table}")).unwrap_or_default();
    let worst = results.iter().filter_map(|(_, result)| Some(result.as_ref().err()?.class)).min();
    let code = worst.map_or(ExitCode::SUCCESS, |class| exit(class.exit_code()));
    let code = output::result(format_args!("{before}{table}{after}"), code);
    let made = holdings.iter();
    let made = made.filter_map(|(location, fetched)| Some((location, fetched.version.created?)));
    for line in report::too_old(made, warn_age.unwrap_or(Duration::MAX), clock.now()) {
        output::complain(line);
    }
    Ok(code)
}

/// Reads every location once, as long as a start may take.
async fn read(spec: &Spec, backends: &Backends) -> Holdings {
    let limit = spec.start.deadline;
    let locations: BTreeSet<&Location> =
        spec.files.entries().iter().map(|entry| &entry.from.location).collect();
    let mut holdings = Holdings::default();
    // What has not answered by then is told below as such.
    let _ = timeout(limit.duration(), holdings.fetch(backends, locations.iter().copied())).await;
    for location in locations {
        holdings.miss(location, || {
            Fault::new(Class::Unreachable, format_args!("no answer within {limit}"))
        });
    }
    holdings.hold_all();
    holdings
}

/// Asks about the rotation of each secret that was read and can have one.
async fn rotations(backends: &Backends, holdings: &Holdings) -> Rotations {
    let ask =
        async |location: &Location| Some((location.clone(), backends.rotation(location).await?));
    let read = holdings.iter().map(|(location, _)| location);
    let asked = stream::iter(read).map(ask).buffer_unordered(CONCURRENT);
    asked.filter_map(async |answer| answer).collect().await
}

/// Whether the entry's file could be written: with how many bytes, or why not.
fn verdict(spec: &Spec, entry: &FileEntry, holdings: &Holdings) -> Result<String, Fault> {
    let location = &entry.from.location;
    if let Some(fault) = holdings.faults.get(location) {
        return match fault.class {
            Class::Missing if entry.optional => Ok(format!("left out: {fault}")),
            _ => Err(fault.clone()),
        };
    }
    let data = holdings.get(location).map(|fetched| &*fetched.data);
    let secrets = Secrets::from([(location, data)]);
    let desired = render::desired_files(std::slice::from_ref(entry), &spec.access, &secrets);
    let fault = |errors: Vec<render::RenderError>| Fault::all(errors.into_iter().map(Fault::from));
    match desired.map_err(fault) {
        Ok(desired) if desired.tops().is_empty() => Ok("left out: the key is missing".to_owned()),
        Ok(desired) => Ok(format!("ok, {} file(s)", desired.files.len())),
        Err(fault) => {
            Err(fault.unwrap_or_else(|| Fault::new(Class::Configuration, "it cannot be rendered")))
        }
    }
}

fn row(
    entry: &FileEntry,
    fetched: Option<&Fetched>,
    result: &Result<String, Fault>,
    clock: &impl Clock,
) -> [String; 5] {
    let nothing = || "-".to_owned();
    let version = fetched.map(|fetched| &fetched.version);
    let age = |created: Timestamp| report::age(created, clock.now());
    let age = version.and_then(|version| version.created).map_or_else(nothing, age);
    [
        entry.path.to_string(),
        entry.from.label(),
        version.and_then(|version| version.id.clone()).unwrap_or_else(nothing),
        age,
        result
            .as_ref()
            .map_or_else(|fault| format!("{}: {fault}", fault.class.name()), Clone::clone)
            + &warned(fetched),
    ]
}

/// What the backend said beside its answer.
fn warned(fetched: Option<&Fetched>) -> String {
    let said = fetched.map(|fetched| fetched.warnings.join("; ")).unwrap_or_default();
    if said.is_empty() { said } else { format!("; it warns: {said}") }
}
