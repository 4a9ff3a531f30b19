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
        let locations: BTreeSet<&Location> = group::locations(entry).collect();
        let fetched: Vec<_> = locations.into_iter().filter_map(|it| read.held.get(it)).collect();
        table.row(row(entry, &fetched, result, clock));
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
    let locations: BTreeSet<&Location> = group::locations(entry).collect();
    let faults = locations.iter().filter_map(|location| read.faults.get(*location));
    let may_lack = entry.optional && faults.clone().all(|fault| fault.class == Class::Missing);
    if let Some(fault) = Fault::all(faults.cloned()) {
        return if may_lack { Ok(format!("left out: {fault}")) } else { Err(fault) };
    }
    let data = |location| read.held.get(location).map(|fetched| &*fetched.data);
    let secrets: Secrets<'_> = locations.into_iter().map(|it| (it, data(it))).collect();
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
    fetched: &[&Fetched],
    result: &Result<String, Fault>,
    clock: &impl Clock,
) -> [String; 5] {
    let nothing = || "-".to_owned();
    let versions = fetched.iter().map(|fetched| &fetched.version);
    let age = |created: Timestamp| report::age(created, clock.now());
    let age =
        versions.clone().filter_map(|version| version.created).min().map_or_else(nothing, age);
    let ids: Vec<String> = versions.filter_map(|version| version.id.clone()).collect();
    [
        entry.path.to_string(),
        entry.from.label(),
        if ids.is_empty() { nothing() } else { ids.join(", ") },
        age,
        result
            .as_ref()
            .map_or_else(|fault| format!("{}: {fault}", fault.class.name()), Clone::clone)
            + &warned(fetched),
    ]
}

/// What the backend said beside its answer.
fn warned(fetched: &[&Fetched]) -> String {
    let said: Vec<&str> =
        fetched.iter().flat_map(|fetched| &fetched.warnings).map(String::as_str).collect();
    let said = said.join("; ");
    if said.is_empty() { said } else { format!("; it warns: {said}") }
}
