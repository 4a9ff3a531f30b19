//! `check`: logs in, reads every reference, writes nothing, and says in a table what came of it.

mod report;

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
    time::Duration,
};

use futures_util::{StreamExt, stream};
use mayfly_spec::{FileEntry, Location, Spec};
use tokio::time::{Instant, timeout_at};

use super::{Context, exit};
use crate::{
    clock::Clock,
    fault::{Class, Fault},
    group,
    lanes::Lanes,
    output,
    render::{self, Secrets},
    source::{Backends, Fetched, Leased},
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
    let read = read(spec, &backends).await;
    let identities = report::identities(spec, backends.aws_identities().await);
    let rotations = rotations(&backends, &read).await;
    backends.give_back(Leased::Ends).await;
    let results: Vec<_> =
        spec.files.entries().iter().map(|entry| (entry, verdict(spec, entry, &read))).collect();
    let mut table = Table::new(["FILE", "FROM", "VERSION", "AGE", "RESULT"]);
    for (entry, result) in &results {
        let fetched = read.held.get(&entry.from.location);
        table.row(row(entry, fetched, result, clock));
    }
    let rotations = report::rotation_table(&rotations, clock.now());
    let before = identities.map(|table| format!("{table}\n")).unwrap_or_default();
    let after = rotations.map(|table| format!("\n{table}")).unwrap_or_default();
    let worst = results.iter().filter_map(|(_, result)| Some(result.as_ref().err()?.class)).min();
    let code = worst.map_or(ExitCode::SUCCESS, |class| exit(class.exit_code()));
    let code = output::result(format_args!("{before}{table}{after}"), code);
    let made = read.held.iter();
    let made = made.filter_map(|(location, fetched)| Some((location, fetched.version.created?)));
    for line in report::warnings(&read.held) {
        output::complain(line);
    }
    for line in report::too_old(made, warn_age.unwrap_or(Duration::MAX), clock.now()) {
        output::complain(line);
    }
    Ok(code)
}

/// What was read, and what was not.
#[derive(Debug, Default)]
struct Read {
    held: BTreeMap<Location, Fetched>,
    faults: BTreeMap<Location, Fault>,
}

/// Reads every location once, as long as a start may take.
async fn read(spec: &Spec, backends: &Backends) -> Read {
    let limit = spec.start.deadline;
    let entries = spec.files.entries().iter();
    let locations: BTreeSet<&Location> = entries.flat_map(group::locations).collect();
    let mut read = Read::default();
    let mut lanes = Lanes::new(backends);
    lanes.ask(locations.iter().copied().cloned().collect(), |_| None);
    let deadline = Instant::now() + limit.duration();
    while !lanes.is_idle() {
        let Ok(answers) = timeout_at(deadline, lanes.next()).await else { break };
        for (location, answer) in answers {
            match answer {
                Ok(fetched) => drop(read.held.insert(location, fetched)),
                Err(fault) => drop(read.faults.insert(location, fault)),
            }
        }
    }
    for location in locations.into_iter().filter(|it| !read.held.contains_key(it)) {
        let silence = || Fault::new(Class::Unreachable, format_args!("no answer within {limit}"));
        read.faults.entry(location.clone()).or_insert_with(silence);
    }
    read
}

/// Asks about the rotation of each secret that was read and can have one.
async fn rotations(backends: &Backends, read: &Read) -> Rotations {
    let ask =
        async |location: &Location| Some((location.clone(), backends.rotation(location).await?));
    let asked = stream::iter(read.held.keys()).map(ask).buffer_unordered(CONCURRENT);
    asked.filter_map(async |answer| answer).collect().await
}

/// Whether the entry's file could be written: with how many bytes, or why not.
fn verdict(spec: &Spec, entry: &FileEntry, read: &Read) -> Result<String, Fault> {
    let location = &entry.from.location;
    if let Some(fault) = read.faults.get(location) {
        return match fault.class {
            Class::Missing if entry.optional => Ok(format!("left out: {fault}")),
            _ => Err(fault.clone()),
        };
    }
    let data = read.held.get(location).map(|fetched| &*fetched.data);
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
