//! `check`: logs in, reads every reference, writes nothing, and says in a table what came of it.

use std::{collections::BTreeSet, process::ExitCode, time::Duration};

use mayfly_spec::{FileEntry, Location, Spec};
use tokio::time::timeout;

use super::{Context, exit};
use crate::{
    clock::Clock,
    fault::{Class, Fault},
    render::{self, Secrets},
    source::{Backends, Fetched},
    sync::Holdings,
    table::Table,
    timestamp::Timestamp,
};

pub(super) async fn check(context: &Context) -> Result<ExitCode, Fault> {
    let Context { spec, root, aws, clock } = context;
    let backends = Backends::new(spec, root, aws.clone())?;
    let holdings = read(spec, &backends).await;
    backends.give_back().await;
    let results: Vec<_> =
        spec.files.entries().iter().map(|entry| (entry, verdict(spec, entry, &holdings))).collect();
    let mut table = Table::new(["FILE", "FROM", "VERSION", "AGE", "RESULT"]);
    for (entry, result) in &results {
        let fetched = holdings.get(&entry.from.location);
        table.row(row(entry, fetched, result, clock));
    }
    anstream::print!("{table}");
    let worst = results.iter().filter_map(|(_, result)| Some(result.as_ref().err()?.class)).min();
    Ok(worst.map_or(ExitCode::SUCCESS, |class| exit(class.exit_code())))
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
    let age = |created: Timestamp| {
        humantime::format_duration(Duration::from_secs(created.age(clock.now()).as_secs()))
            .to_string()
    };
    let age = version.and_then(|version| version.created).map_or_else(nothing, age);
    [
        entry.path.to_string(),
        entry.from.label(),
        version.and_then(|version| version.id.clone()).unwrap_or_else(nothing),
        age,
        result
            .as_ref()
            .map_or_else(|fault| format!("{}: {fault}", fault.class.name()), Clone::clone),
    ]
}
