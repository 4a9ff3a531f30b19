#![expect(clippy::disallowed_methods, reason = "the volume is a real directory")]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{render::DesiredFile, secret::Secret};

struct Fixture {
    folder: TempDir,
    volume: Volume,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let volume = Volume::create(&folder.path().join("volume")).expect("a volume");
        Self { folder, volume }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join("volume").join(name)
    }

    fn apply(&self, files: &[(&str, &str)]) -> Result<Applied, DiskError> {
        self.volume.apply(&desired(files), None, 0)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).expect(name)
    }

    /// Everything in the directory, sorted.
    fn names(&self) -> Vec<String> {
        let mut names = entry::names(&self.volume.directory).expect("names");
        names.sort();
        names
    }

    fn generations(&self) -> usize {
        self.names().iter().filter(|name| name.parse::<GenerationName>().is_ok()).count()
    }
}

fn desired(files: &[(&str, &str)]) -> DesiredFiles {
    let file = |(path, content): &(&str, &str)| {
        let content = Secret::from(*content);
        let mode = "0440".parse().expect("a mode");
        (path.parse().expect("a path"), DesiredFile { content, mode })
    };
    DesiredFiles { files: files.iter().map(file).collect(), ..DesiredFiles::default() }
}

#[test]
fn a_generation_is_visible_through_links() {
    let fixture = Fixture::new();
    let applied = fixture.apply(&[("a", "1"), ("d/e/f", "2")]).expect("applied");
    assert_eq!(applied, Applied { generation: 1, changed: true });
    assert_eq!((fixture.read("a"), fixture.read("d/e/f")), ("1".to_owned(), "2".to_owned()));
    assert_eq!(fs::read_link(fixture.at("a")).expect("a link"), Path::new("..data/a"));
    let mode = |name: &str| fs::metadata(fixture.at(name)).expect(name).mode() & 0o7777;
    assert_eq!((mode("a"), mode("d"), mode("d/e/f"), mode("..data")), (0o440, 0o755, 0o440, 0o755));
}

#[test]
fn equal_content_writes_nothing() {
    let fixture = Fixture::new();
    fixture.apply(&[("a", "1"), ("d/b", "2")]).expect("applied");
    let before = (fixture.names(), fs::metadata(fixture.at("d/b")).expect("b").ino());
    let again = fixture.apply(&[("a", "1"), ("d/b", "2")]).expect("applied");
    assert_eq!(again, Applied { generation: 1, changed: false });
    assert_eq!((fixture.names(), fs::metadata(fixture.at("d/b")).expect("b").ino()), before);
}

#[test]
fn a_change_switches_the_set_and_the_old_one_stays_until_it_is_swept() {
    let fixture = Fixture::new();
    fixture.apply(&[("a", "1"), ("gone", "x")]).expect("applied");
    let old = fs::canonicalize(fixture.at("a")).expect("a path");
    assert_eq!(fixture.apply(&[("a", "2"), ("new", "y")]).expect("applied").generation, 2);
    assert_eq!(fixture.read("a"), "2");
    assert_eq!(fs::read_to_string(&old).expect("the old file"), "1");
    assert!(!fixture.names().contains(&"gone".to_owned()));
    fixture.volume.sweep();
    assert!(!old.exists());
    assert_eq!(fixture.generations(), 1);
}

#[test]
fn a_generation_is_adopted_only_if_it_is_whole() {
    let fixture = Fixture::new();
    let expected: Vec<mayfly_spec::FilePath> =
        ["a", "d/b"].iter().map(|path| path.parse().expect("a path")).collect();
    assert_eq!(fixture.volume.adopt(&expected), None);
    fixture.apply(&[("a", "1"), ("d/b", "2")]).expect("applied");
    assert_eq!(fixture.volume.adopt(&expected), Some(1));
    fs::remove_file(fixture.at("d/b")).expect("removed");
    assert_eq!(fixture.volume.adopt(&expected), None);
}

#[test]
fn what_a_killed_run_left_is_swept_and_nothing_else() {
    let fixture = Fixture::new();
    fixture.apply(&[("a", "1")]).expect("applied");
    fs::create_dir_all(fixture.at("..9-0badcafe/d")).expect("made");
    fs::write(fixture.at("..9-0badcafe/d/half"), "x").expect("written");
    symlink("nowhere", fixture.at("..new-0000000000000001")).expect("linked");
    fs::write(fixture.at("..2026_kubelet"), "theirs").expect("written");
    fs::write(fixture.at("mine.txt"), "a person's").expect("written");
    fixture.volume.sweep();
    let names = fixture.names();
    assert_eq!(
        names.iter().filter(|name| name.starts_with("..9") || name.starts_with("..new")).count(),
        0,
        "{names:?}"
    );
    assert!(names.contains(&"mine.txt".to_owned()) && names.contains(&"..2026_kubelet".to_owned()));
    assert_eq!(fixture.read("a"), "1");
}

#[test]
fn planted_links_are_replaced_and_never_followed() {
    let fixture = Fixture::new();
    let outside = fixture.folder.path().join("outside");
    fs::create_dir(&outside).expect("made");
    fs::write(outside.join("canary"), "alive").expect("written");
    symlink(&outside, fixture.at("..data")).expect("linked");
    symlink(outside.join("canary"), fixture.at("a")).expect("linked");
    symlink(&outside, fixture.at("..1-00000000")).expect("linked");
    fixture.apply(&[("a", "1")]).expect("applied");
    fixture.volume.sweep();
    assert_eq!(fixture.read("a"), "1");
    assert_eq!(fs::read_to_string(outside.join("canary")).expect("the canary"), "alive");
    assert_eq!(fs::read_dir(&outside).expect("a folder").count(), 1);
}

#[test]
fn a_link_inside_an_old_generation_is_removed_and_not_what_it_leads_to() {
    let fixture = Fixture::new();
    let outside = fixture.folder.path().join("outside");
    fs::create_dir_all(outside.join("deep")).expect("made");
    fixture.apply(&[("d/a", "1")]).expect("applied");
    let old = fs::canonicalize(fixture.at("..data")).expect("a path");
    symlink(&outside, old.join("d/planted")).expect("linked");
    // A tampered generation is not the wanted one: it is written anew.
    assert!(fixture.apply(&[("d/a", "1")]).expect("applied").changed);
    fixture.volume.sweep();
    assert!(!old.exists() && outside.join("deep").exists());
}

#[test]
fn planted_directories_and_fifos_neither_stop_nor_stall() {
    let fixture = Fixture::new();
    fs::create_dir_all(fixture.at("..data/x/y")).expect("made");
    fixture.apply(&[("a", "1")]).expect("applied");
    let file = fs::canonicalize(fixture.at("a")).expect("a path");
    fs::remove_file(&file).expect("removed");
    let parent = fs::File::open(file.parent().expect("a parent")).expect("opened");
    rustix::fs::mkfifoat(&parent, "a", Mode::RUSR | Mode::WUSR).expect("a fifo");
    rustix::fs::mkfifoat(&fixture.volume.directory, "status.json", Mode::RUSR).expect("a fifo");
    assert_eq!(fixture.volume.read_status(), None);
    assert!(fixture.apply(&[("a", "1")]).expect("applied").changed);
    fixture.volume.write_status(b"{}").expect("written");
    assert_eq!((fixture.read("a"), fixture.read("status.json")), ("1".to_owned(), "{}".to_owned()));
}

#[test]
fn a_persons_own_file_is_in_the_way_and_stays() {
    let fixture = Fixture::new();
    fixture.apply(&[("a", "1")]).expect("applied");
    fs::write(fixture.at("b"), "a person's").expect("written");
    let error = fixture.apply(&[("a", "2"), ("b", "3")]).expect_err("in the way");
    assert!(matches!(error, DiskError::InTheWay(name) if name == "b"));
    assert_eq!((fixture.read("a"), fixture.read("b")), ("1".to_owned(), "a person's".to_owned()));
}

#[test]
fn a_generation_that_others_may_write_to_is_not_trusted() {
    let fixture = Fixture::new();
    fixture.apply(&[("a", "1")]).expect("applied");
    fs::set_permissions(fixture.at("..data"), fs::Permissions::from_mode(0o777)).expect("set");
    assert_eq!(fixture.volume.adopt(&["a".parse().expect("a path")]), None);
    assert!(fixture.apply(&[("a", "1")]).expect("applied").changed);
}

#[test]
fn a_changed_mode_is_repaired() {
    let fixture = Fixture::new();
    fixture.apply(&[("a", "1")]).expect("applied");
    fs::set_permissions(fixture.at("a"), fs::Permissions::from_mode(0o444)).expect("set");
    assert!(fixture.apply(&[("a", "1")]).expect("applied").changed);
}

#[test]
fn a_failed_write_leaves_the_last_generation_and_nothing_else() {
    let fixture = Fixture::new();
    fixture.apply(&[("a", "1")]).expect("applied");
    let before = fixture.names();
    // A file where a directory is wanted: the types of the specification make it impossible.
    let error = fixture.apply(&[("a", "2"), ("a/b", "3")]).expect_err("impossible");
    assert!(matches!(error, DiskError::Write { .. }), "{error}");
    assert_eq!((fixture.names(), fixture.read("a")), (before, "1".to_owned()));
}

#[test]
fn two_agents_do_not_share_a_directory() {
    let fixture = Fixture::new();
    fixture.volume.lock().expect("locked");
    let other = Volume::open(&fixture.at("")).expect("opened");
    assert!(matches!(other.lock(), Err(DiskError::Taken(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever sets follow one another, and whatever was planted between them, exactly the last
    /// one is visible, and one generation is left.
    #[test]
    fn the_volume_always_shows_the_last_set(
        sets in prop::collection::vec(prop::collection::btree_map("[a-c](/[d-f]){0,2}", "[x-z]{0,3}", 0..4), 1..6),
        planted in prop::collection::vec(0..4_usize, 6),
    ) {
        let fixture = Fixture::new();
        for (set, planted) in sets.iter().zip(&planted) {
            plant(&fixture, *planted);
            let set = without_conflicts(set);
            let files: Vec<(&str, &str)> = set.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect();
            fixture.apply(&files).expect("applied");
            fixture.volume.sweep();
            for (path, content) in &files {
                prop_assert_eq!(&fixture.read(path), content);
            }
            prop_assert_eq!(fixture.generations(), 1);
            let tops = desired(&files).tops().len();
            let visible = fixture.names().iter().filter(|name| !name.starts_with("..")).count();
            prop_assert_eq!(visible, tops);
        }
    }
}

fn plant(fixture: &Fixture, what: usize) {
    let data = fixture.at("..data");
    let _ = match what {
        0 => fs::remove_file(&data),
        1 => fs::remove_file(&data).and_then(|()| symlink("/", &data)),
        2 => fs::remove_file(&data).and_then(|()| fs::create_dir_all(data.join("x"))),
        _ => symlink("/nowhere", fixture.at("..5-00000005")),
    };
}

/// The specification's types allow no file above another.
fn without_conflicts(set: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let is_below = |path: &str, other: &str| {
        path.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
    };
    set.iter()
        .filter(|(path, _)| !set.keys().any(|other| is_below(path, other)))
        .map(|(path, content)| (path.clone(), content.clone()))
        .collect()
}
