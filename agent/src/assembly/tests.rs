use proptest::prelude::*;

use super::*;
use crate::{group::groups, manifest::GenerationName, secret::Secret};

/// What one look at a secret saw, and what was written of it before.
#[derive(Debug, Clone)]
struct Told {
    sight: Seen,
    written: Option<String>,
}

#[derive(Debug, Clone)]
enum Seen {
    Read(String),
    Missing,
    Failed,
    Pending,
}

/// Entries of the secrets `a`, `b`, … in so many files each; the fault that befalls.
struct Case {
    entries: Vec<FileEntry>,
    access: Access,
    groups: Vec<Group>,
    data: BTreeMap<Location, (Seen, SecretData, Option<SecretData>)>,
    fault: Fault,
    missing: Fault,
}

impl Case {
    fn new(entries: Vec<FileEntry>, told: &[Told]) -> Self {
        let data = |text: &str| SecretData::from(Secret::from(text));
        let told = told.iter().enumerate().map(|(at, told)| {
            let text = if let Seen::Read(text) = &told.sight { text.as_str() } else { "" };
            let written = told.written.as_deref().map(data);
            (location(at), (told.sight.clone(), data(text), written))
        });
        let told = told.collect();
        Self {
            groups: groups(&entries),
            entries,
            access: Access::default(),
            data: told,
            fault: Fault::new(Class::Unreachable, "told to fail"),
            missing: Fault::new(Class::Missing, "never set"),
        }
    }

    fn order(&self) -> Order<'_> {
        Order { entries: &self.entries, access: &self.access, groups: &self.groups }
    }

    fn assemble(&self, present: &Manifest) -> Assembly {
        self.assemble_held_back(present, &BTreeMap::new())
    }

    fn assemble_held_back(&self, present: &Manifest, back: &BTreeMap<usize, Fault>) -> Assembly {
        let views = self.data.iter().map(|(location, (seen, data, written))| {
            let sight = match seen {
                Seen::Read(_) => Sight::Read(data),
                Seen::Missing => Sight::Missing(&self.missing),
                Seen::Failed => Sight::Failed(&self.fault),
                Seen::Pending => Sight::Pending,
            };
            (location, View { sight, written: written.as_ref() })
        });
        assemble(&self.order(), &views.collect(), present, back)
    }
}

fn location(at: usize) -> Location {
    reference(at, "").location
}

fn reference(at: usize, key: &str) -> mayfly_spec::Reference {
    format!("vault:s/{at}{key}").parse().expect("a reference")
}

fn entry(path: &str, secret: usize, key: &str) -> FileEntry {
    FileEntry::file(path.parse().expect(path), reference(secret, key)).expect(path)
}

fn read(text: &str) -> Told {
    Told { sight: Seen::Read(text.to_owned()), written: None }
}

fn told(sight: Seen) -> Told {
    Told { sight, written: None }
}

/// The generation as it is once it is written.
fn written(assembly: &Assembly) -> Manifest {
    assembly.wanted.manifest(GenerationName::after(0).expect("a name"))
}

fn path(text: &str) -> FilePath {
    text.parse().expect(text)
}

#[test]
fn at_the_start_all_is_there_or_it_is_not_complete() {
    let entries = || vec![entry("a", 0, ""), entry("b", 1, "")];
    let all = Case::new(entries(), &[read("1"), read("2")]).assemble(&Manifest::default());
    assert!(all.is_complete() && all.faults.is_empty());
    for sight in [Seen::Missing, Seen::Failed, Seen::Pending] {
        let case = Case::new(entries(), &[read("1"), told(sight.clone())]);
        let half = case.assemble(&Manifest::default());
        assert_eq!(half.standings, [Standing::New, Standing::Missing], "{sight:?}");
        assert!(!half.is_complete());
        assert_eq!(half.faults.is_empty(), matches!(sight, Seen::Pending), "{sight:?}");
    }
}

#[test]
fn a_failed_group_stays_and_the_others_go_on() {
    let entries = || vec![entry("a", 0, ""), entry("b", 1, ""), entry("b2", 1, "")];
    let first = Case::new(entries(), &[read("1"), read("2")]).assemble(&Manifest::default());
    let present = written(&first);
    let next = Case::new(entries(), &[read("new"), told(Seen::Failed)]).assemble(&present);
    assert_eq!(next.standings, [Standing::New, Standing::Carried]);
    let now = written(&next);
    assert_ne!(now.files[&path("a")], present.files[&path("a")]);
    for name in ["b", "b2"] {
        assert_eq!(now.files[&path(name)], present.files[&path(name)]);
    }
    assert_eq!(next.fault().expect("a fault").message, "`vault:s/1`: told to fail");
}

#[test]
fn what_cannot_be_rendered_holds_back_its_group_only() {
    let entries = || vec![entry("a", 0, "#k"), entry("b", 0, "#l"), entry("c", 1, "")];
    let first = Case::new(entries(), &[read(r#"{"k":"1","l":"1"}"#), read("1")]);
    let present = written(&first.assemble(&Manifest::default()));
    for broken in [r#"{"k":"2"}"#, r#"{"k":"2",}"#, ""] {
        let next = Case::new(entries(), &[read(broken), read("2")]).assemble(&present);
        assert_eq!(next.standings, [Standing::Carried, Standing::New], "{broken}");
        let now = written(&next);
        assert_eq!(now.files[&path("a")], present.files[&path("a")], "{broken}");
        assert_ne!(now.files[&path("c")], present.files[&path("c")], "{broken}");
        assert!(next.faults.contains_key(&location(0)), "{broken}");
    }
}

#[test]
fn a_named_group_waits_for_all_of_its_secrets() {
    let named = |entry: FileEntry| FileEntry { group: Some("tls".to_owned()), ..entry };
    let entries = || vec![named(entry("crt", 0, "")), named(entry("key", 1, ""))];
    let first = Case::new(entries(), &[read("1"), read("1")]);
    let present = written(&first.assemble(&Manifest::default()));
    for sight in [Seen::Failed, Seen::Missing, Seen::Pending] {
        let next = Case::new(entries(), &[read("2"), told(sight)]).assemble(&present);
        assert_eq!(next.standings, [Standing::Carried]);
        assert_eq!(written(&next).files, present.files);
    }
}

#[test]
fn what_is_optional_may_be_missing_and_once_written_is_kept() {
    let optional = |entry: FileEntry| FileEntry { optional: true, ..entry };
    let entries =
        || vec![entry("a", 0, "#k"), optional(entry("o", 0, "#p")), optional(entry("p", 1, ""))];
    let without = Case::new(entries(), &[read(r#"{"k":"1"}"#), told(Seen::Missing)]);
    let absent = without.assemble(&Manifest::default());
    assert!(absent.is_complete() && absent.faults.is_empty());
    assert_eq!(absent.wanted.files.len(), 1);

    let with = Case::new(entries(), &[read(r#"{"k":"1","p":"1"}"#), read("1")]);
    let present = written(&with.assemble(&Manifest::default()));
    let next =
        Case::new(entries(), &[read(r#"{"k":"2"}"#), told(Seen::Missing)]).assemble(&present);
    assert_eq!(next.standings, [Standing::New, Standing::New]);
    let now = written(&next);
    assert_ne!(now.files[&path("a")], present.files[&path("a")]);
    for name in ["o", "p"] {
        assert_eq!(now.files[&path(name)], present.files[&path(name)], "{name}");
    }
    let told = next.fault().expect("a fault").message;
    assert!(told.contains("`o` from `vault:s/0#p`: the key is no more"), "{told}");
    assert!(told.contains("`vault:s/1`: never set"), "{told}");
}

#[test]
fn what_was_written_mends_what_the_volume_has_lost() {
    let told = Told { sight: Seen::Failed, written: Some("1".to_owned()) };
    let case = Case::new(vec![entry("a", 0, "")], &[told]);
    let again = case.assemble(&Manifest::default());
    assert_eq!(again.standings, [Standing::Carried]);
    assert!(again.wanted.files[&path("a")].is(b"1"));
}

#[test]
fn what_is_too_large_is_held_back_the_largest_change_first() {
    let entries = || vec![entry("a", 0, ""), entry("b", 1, ""), entry("c", 2, "")];
    let first = Case::new(entries(), &[read("1"), read("1"), read("a long one")]);
    let present = written(&first.assemble(&Manifest::default()));
    let case = Case::new(entries(), &[read("2"), read("longer"), read("a long one")]);
    let next = case.assemble(&present);
    assert_eq!(next.largest_change(&case.order(), &present), Some(1));
    let full = Fault::new(Class::Volume, "no room");
    let back = case.assemble_held_back(&present, &BTreeMap::from([(1, full.clone())]));
    assert_eq!(back.standings, [Standing::New, Standing::Carried, Standing::New]);
    assert_eq!((back.fault(), back.largest_change(&case.order(), &present)), (Some(full), Some(0)));
}

#[test]
fn a_directory_is_kept_whole() {
    let directory = || FileEntry::directory(path("d"), reference(0, "")).expect("an entry");
    let first = Case::new(vec![directory()], &[read(r#"{"x":"1","y/z":"2"}"#)]);
    let present = written(&first.assemble(&Manifest::default()));
    let next = Case::new(vec![directory()], &[told(Seen::Failed)]).assemble(&present);
    assert_eq!(next.standings, [Standing::Carried]);
    let now = written(&next);
    assert_eq!((now.files, now.directories), (present.files, present.directories));
}

fn any_told() -> impl Strategy<Value = Told> {
    let value = || prop_oneof!["[a-z]{1,3}", r#"\{"k":"[a-z]"\}"#, r#"\{"l":"[a-z]"\}"#];
    let sight = prop_oneof![
        3 => value().prop_map(Seen::Read),
        1 => Just(Seen::Missing),
        1 => Just(Seen::Failed),
        1 => Just(Seen::Pending),
    ];
    sight.prop_map(told)
}

/// So many entries: of which secret, with a key, optional, in a group.
fn any_entries() -> impl Strategy<Value = Vec<FileEntry>> {
    let one = (0..4_usize, any::<bool>(), any::<bool>(), prop::option::weighted(0.3, 0..2_u8));
    prop::collection::vec(one, 1..7).prop_map(|all| {
        let made = all.into_iter().enumerate().map(|(at, (secret, picks, optional, group))| {
            let entry = entry(&format!("f{at}"), secret, if picks { "#k" } else { "" });
            FileEntry { optional, group: group.map(|group| group.to_string()), ..entry }
        });
        made.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is answered after a complete generation: no file disappears, a group that is not new
    /// has not changed, one that is has no file of before but what is optional, and all of it is the
    /// same each time.
    #[test]
    fn it_never_gets_worse(
        entries in any_entries(),
        first in prop::collection::vec(r#"\{"k":"[a-z]"\}"#, 4),
        next in prop::collection::vec(any_told(), 4),
    ) {
        let start: Vec<Told> = first.iter().map(|text| read(text)).collect();
        let started = Case::new(entries.clone(), &start).assemble(&Manifest::default());
        prop_assert!(started.is_complete());
        let present = written(&started);
        let case = Case::new(entries, &next);
        let assembly = case.assemble(&present);
        let now = written(&assembly);
        prop_assert!(present.files.keys().all(|path| now.files.contains_key(path)));
        prop_assert!(assembly.is_complete());
        for (group, standing) in case.groups.iter().zip(&assembly.standings) {
            for entry in group.entries.iter().map(|at| &case.entries[*at]) {
                let (before, after) = (&present.files[&entry.path], &assembly.wanted.files[&entry.path]);
                match standing {
                    Standing::Carried => prop_assert_eq!(before, &after.mark()),
                    Standing::New if !entry.optional => {
                        prop_assert!(matches!(after, WantedFile::Made(_)));
                    }
                    _ => {}
                }
            }
        }
        let again = written(&case.assemble(&present));
        prop_assert_eq!((now.files, now.directories), (again.files, again.directories));
    }

    /// Without a generation before, it is complete exactly if nothing that is needed is missing.
    #[test]
    fn a_start_is_all_or_nothing(
        entries in any_entries(),
        answers in prop::collection::vec(any_told(), 4),
    ) {
        let case = Case::new(entries, &answers);
        let assembly = case.assemble(&Manifest::default());
        if assembly.is_complete() {
            let needed = case.entries.iter().filter(|entry| !entry.optional);
            for entry in needed {
                prop_assert!(assembly.wanted.files.contains_key(&entry.path));
            }
        } else {
            let is_pending = answers.iter().any(|told| matches!(told.sight, Seen::Pending));
            prop_assert!(is_pending || !assembly.faults.is_empty());
        }
    }
}
