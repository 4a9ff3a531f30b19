//! What `check` tells beside the references: as whom AWS was asked, what rotates by itself, and
//! what is old. None of it fails a check. PURE: what there is to tell is read elsewhere.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use mayfly_spec::{Location, Spec};

use crate::{
    fault::{Fault, printable},
    group,
    source::{Fetched, IdentityReport, Rotation},
    table::Table,
    timestamp::Timestamp,
};

/// What is known of each secret's rotation.
pub(super) type Rotations = BTreeMap<Location, Result<Rotation, Fault>>;

/// Every identity with account, role and session, as far as the backends have them.
pub(super) fn identities(spec: &Spec, reports: Vec<IdentityReport>) -> Option<Table<4>> {
    let mut table = Table::new(["IDENTITY", "ACCOUNT", "ROLE", "SESSION"]);
    let vault = login(spec);
    let is_empty = reports.is_empty() && vault.is_none();
    for IdentityReport { proof, principal } in reports {
        let cells = match principal {
            Ok(it) => [it.account, it.role, it.session.unwrap_or_else(nothing)],
            Err(fault) => [nothing(), nothing(), format!("{}: {fault}", fault.class.name())],
        };
        let [account, role, session] = cells;
        table.row([proof, account, role, session]);
    }
    if let Some([method, role]) = vault {
        table.row([method, nothing(), role, nothing()]);
    }
    (!is_empty).then_some(table)
}

/// How Vault is logged in to, and to which role.
fn login(spec: &Spec) -> Option<[String; 2]> {
    let mut read = spec.files.entries().iter().flat_map(group::locations);
    let is_read = read.any(|location| location.source().is_vault());
    let auth = &spec.vault.as_ref().filter(|_| is_read)?.auth;
    Some([format!("vault: {}", auth.method()), auth.role().map_or_else(nothing, str::to_owned)])
}

/// Whether each secret rotates, when it last did and when it will.
pub(super) fn rotation_table(rotations: &Rotations, now: SystemTime) -> Option<Table<4>> {
    let mut table = Table::new(["SECRET", "ROTATION", "LAST RUN", "NEXT DUE"]);
    let date = |date: Option<Timestamp>| date.map_or_else(nothing, |date| date.to_string());
    for (location, rotation) in rotations {
        let cells = match rotation {
            Ok(it) => {
                let late = if it.is_overdue(now) { ", overdue" } else { "" };
                [state(it).to_owned(), date(it.last), date(it.next) + late]
            }
            Err(fault) => [fault.to_string(), nothing(), nothing()],
        };
        let [state, last, next] = cells;
        table.row([location.label(), state, last, next]);
    }
    (!rotations.is_empty()).then_some(table)
}

fn state(rotation: &Rotation) -> &'static str {
    match rotation {
        Rotation { deleted: Some(_), .. } => "marked for deletion",
        Rotation { is_on: true, .. } => "on",
        _ => "off",
    }
}

/// A line for each thing that a backend said beside a secret.
pub(super) fn warnings(held: &BTreeMap<Location, Fetched>) -> Vec<String> {
    let line = |label: &str, words: &String| format!("warning: {label}: {}", printable(words));
    let lines = held.iter().flat_map(|(location, fetched)| {
        let label = location.label();
        fetched.warnings.iter().map(move |words| line(&label, words))
    });
    lines.collect()
}

/// A line for each of `made` that is older than `limit`.
pub(super) fn too_old<'a>(
    made: impl Iterator<Item = (&'a Location, Timestamp)>,
    limit: Duration,
    now: SystemTime,
) -> Vec<String> {
    let old = made.filter(|(_, made)| made.age(now) > limit);
    let line = |(location, made): (&Location, Timestamp)| {
        format!(
            "warning: {} is {} old, older than `--warn-age` allows: made at {made}",
            location.label(),
            age(made, now)
        )
    };
    old.map(line).collect()
}

/// How long ago, as people say it.
pub(super) fn age(made: Timestamp, now: SystemTime) -> String {
    humantime::format_duration(Duration::from_secs(made.age(now).as_secs())).to_string()
}

fn nothing() -> String {
    "-".to_owned()
}

#[cfg(test)]
mod tests {
    use mayfly_spec::Reference;

    use super::*;

    fn location() -> Location {
        "aws-sm:prod/db".parse::<Reference>().expect("a reference").location
    }

    #[test]
    fn a_rotation_that_did_not_come_is_overdue() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(48);
        let at =
            |hours| Some(Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_hours(hours)));
        let location = location();
        let told = |next, is_on| {
            let rotation = Rotation { is_on, last: at(1), next, deleted: None };
            let rotations = [(location.clone(), Ok(rotation))].into();
            rotation_table(&rotations, now).expect("a table").to_string()
        };
        assert!(told(at(24), true).contains("1970-01-02T00:00:00Z, overdue"));
        assert!(!told(at(72), true).contains("overdue"));
        assert!(!told(at(24), false).contains("overdue"));
    }

    #[test]
    fn the_limit_itself_is_not_too_old() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(48);
        let location = location();
        let told = |hours| {
            let made = [(&location, Timestamp::from(SystemTime::UNIX_EPOCH))];
            too_old(made.into_iter(), Duration::from_hours(hours), now)
        };
        assert!(told(48).is_empty());
        assert!(told(47)[0].starts_with("warning: aws-sm:prod/db is 2days old"), "{:?}", told(47));
    }
}
