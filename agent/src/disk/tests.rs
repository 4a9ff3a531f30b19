#![expect(clippy::disallowed_methods, reason = "the volume is a real directory")]

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{
    manifest::WantedFile,
    render::{DesiredFile, DesiredFiles},
    secret::Secret,
};

struct Fixture {
    folder: TempDir,
    volume: Volume,
    /// What an agent would remember.
    present: RefCell<Manifest>,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let volume = Volume::create(&folder.path().join("volume")).expect("a volume");
        Self { folder, volume, present: RefCell::default() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join("volume").join(name)
    }

    /// Holds and shows; the number of the generation, and whether it is a new one.
    fn apply(&self, files: &[(&str, &str)]) -> Result<(u64, bool), DiskError> {
        self.apply_wanted(&desired(files).into())
    }

    fn apply_wanted(&self, wanted: &Wanted) -> Result<(u64, bool), DiskError> {
        let present = self.present.borrow().clone();
        let applied = self.volume.hold(wanted, None, &present, |_| Ok(()))?;
        self.volume.show(&applied.manifest)?;
        *self.present.borrow_mut() = applied.manifest.clone();
        Ok((applied.manifest.number(), applied.changed))
    }

    fn sweep(&self) {
        self.volume.sweep(&self.present.borrow(), &[]);
    }

    fn inode(&self, name: &str) -> u64 {
        fs::metadata(self.at(name)).expect(name).ino()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).expect(name)
    }

    /// Everything in the directory, sorted.
    fn names(&self) -> Vec<String> {
        let mut names = files::names(&self.volume.directory).expect("names");
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
    assert_eq!(applied, (1, true));
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
    assert_eq!(again, (1, false));
    assert_eq!((fixture.names(), fs::metadata(fixture.at("d/b")).expect("b").ino()), before);
}

#[test]
fn a_change_switches_the_set_and_the_old_one_stays_until_it_is_swept() {
    let fixture = Fixture::new();
    fixture.apply(&[("a", "1"), ("gone", "x")]).expect("applied");
    let old = fs::canonicalize(fixture.at("a")).expect("a path");
    assert_eq!(fixture.apply(&[("a", "2"), ("new", "y")]).expect("applied").0, 2);
    assert_eq!(fixture.read("a"), "2");
    assert_eq!(fs::read_to_string(&old).expect("the old file"), "1");
    assert!(!fixture.names().contains(&"gone".to_owned()));
    fixture.sweep();
    assert!(!old.exists());
    assert_eq!(fixture.generations(), 1);
}

#[test]
fn what_is_remembered_is_held_only_if_all_of_it_is_as_it_was_written() {
    let fixture = Fixture::new();
    let holds = || fixture.volume.holds(&fixture.present.borrow(), None);
    assert!(!holds());
    fixture.apply(&[("a", "1"), ("d/b", "2")]).expect("applied");
    assert!(holds());
    fs::remove_file(fixture.at("d/b")).expect("removed");
    assert!(!holds());
    fixture.apply(&[("a", "1"), ("d/b", "2")]).expect("applied");
    assert!(holds());
    fs::set_permissions(fixture.at("a"), fs::Permissions::from_mode(0o640)).expect("set");
    fs::write(fixture.at("a"), "9").expect("written");
    fs::set_permissions(fixture.at("a"), fs::Permissions::from_mode(0o440)).expect("set");
    assert!(!holds());
}

#[test]
fn what_is_unchanged_is_the_same_file_and_what_was_changed_by_others_is_not() {
    let fixture = Fixture::new();
    fixture.apply(&[("a", "1"), ("d/b", "2"), ("c", "3")]).expect("applied");
    let [b, c] = ["d/b", "c"].map(|name| fixture.inode(name));
    let set =
        |mode| fs::set_permissions(fixture.at("c"), fs::Permissions::from_mode(mode)).expect("set");
    set(0o640);
    fs::write(fixture.at("c"), "9").expect("written");
    set(0o440);
    fixture.apply(&[("a", "new"), ("d/b", "2"), ("c", "3")]).expect("applied");
    assert_eq!(fixture.inode("d/b"), b);
    assert_ne!(fixture.inode("c"), c);
    assert_eq!((fixture.read("a"), fixture.read("c")), ("new".to_owned(), "3".to_owned()));
    fixture.sweep();
    assert_eq!((fixture.read("d/b"), fixture.generations()), ("2".to_owned(), 1));
}

#[test]
fn what_is_kept_is_there_again_or_told_to_be_lost() {
    let fixture = Fixture::new();
    fixture.apply(&[("a", "1"), ("b", "2")]).expect("applied");
    let kept = |value: &str| {
        let mut wanted = fixture.present.borrow().as_wanted();
        wanted.extend(desired(&[("b", value)]).into());
        wanted
    };
    assert!(matches!(kept("3").files[&"a".parse().expect("a path")], WantedFile::Kept(_)));
    assert_eq!(fixture.apply_wanted(&kept("3")).expect("applied"), (2, true));
    assert_eq!((fixture.read("a"), fixture.read("b")), ("1".to_owned(), "3".to_owned()));
    fs::remove_file(fixture.at("..data/a")).expect("removed");
    let error = fixture.apply_wanted(&kept("4")).expect_err("lost");
    assert!(matches!(error, DiskError::Lost(path) if path == "a"));
    assert_eq!(fixture.read("b"), "3");
}

/// What is planted where the agent's own link belongs says nothing, whatever number it pretends.
#[test]
fn a_planted_generation_is_not_the_present_one() {
    let fixture = Fixture::new();
    fixture.apply(&[("a", "1")]).expect("applied");
    for planted in ["..18446744073709551615-00000000", "..99-00000000", "/etc", "..1-0badcafe"] {
        fs::remove_file(fixture.at("..data")).expect("removed");
        symlink(planted, fixture.at("..data")).expect("linked");
        assert!(!fixture.volume.shows(&fixture.present.borrow()), "{planted}");
        assert_eq!(fixture.apply(&[("a", "1")]).expect("applied"), (1, false), "{planted}");
        assert_eq!(fixture.read("a"), "1");
        assert!(fixture.volume.shows(&fixture.present.borrow()), "{planted}");
    }
    let (next, _) = fixture.apply(&[("a", "2")]).expect("applied");
    assert_eq!(next, 2);
}

#[test]
fn what_is_remembered_first_is_never_half_there() {
    let fixture = Fixture::new();
    fixture.apply(&[("a", "1")]).expect("applied");
    let full = FolderError::Taken("state".into());
    let present = fixture.present.borrow().clone();
    let wanted = desired(&[("a", "2")]).into();
    let error = fixture.volume.hold(&wanted, None, &present, |_| Err(full));
    assert!(matches!(error, Err(DiskError::Memory(_))));
    assert_eq!((fixture.read("a"), fixture.generations()), ("1".to_owned(), 1));
}

#[test]
fn the_young_stay_and_the_old_go() {
    let fixture = Fixture::new();
    for value in ["1", "2", "3"] {
        fixture.apply(&[("a", value)]).expect("applied");
    }
    let old = fixture.volume.leftovers(&fixture.present.borrow());
    assert_eq!(old.len(), 2);
    fixture.volume.sweep(&fixture.present.borrow(), &old[..1]);
    assert_eq!(fixture.volume.leftovers(&fixture.present.borrow()), old[..1]);
}

#[test]
fn a_persons_own_status_stays() {
    let fixture = Fixture::new();
    let refused = || fixture.volume.refuse_foreign_status(|json| json == b"{}");
    refused().expect("there is none");
    fixture.volume.write_status(b"{}").expect("written");
    refused().expect("it is our own");
    fs::remove_file(fixture.at("status.json")).expect("removed");
    fs::write(fixture.at("status.json"), "a person's").expect("written");
    assert!(matches!(refused(), Err(DiskError::ForeignStatus(_))));
    fs::remove_file(fixture.at("status.json")).expect("removed");
    fs::create_dir(fixture.at("status.json")).expect("made");
    assert!(matches!(refused(), Err(DiskError::ForeignStatus(_))));
    fixture.volume.write_status(b"{}").expect_err("a person's directory stays");
    assert!(fixture.at("status.json").is_dir());
    let pods = Volume::open(&fixture.at("")).expect("opened").whole();
    pods.write_status(b"{}").expect("what was planted goes");
}

#[test]
fn a_deep_tree_in_a_generation_is_seen_and_swept() {
    let fixture = Fixture::new();
    fixture.apply(&[("d/a", "1")]).expect("applied");
    let opened = fs::File::open(fixture.at("..data/d")).expect("opened");
    let mut deepest = files::make_directory(&opened, "deep").expect("made");
    for _ in 0..2_000 {
        deepest = files::make_directory(&deepest, "x").expect("made");
    }
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let fixture = small.spawn(move || {
        assert!(fixture.apply(&[("d/a", "1")]).expect("applied").1);
        fixture.sweep();
        fixture
    });
    let fixture = fixture.expect("a thread").join().expect("no overflow");
    assert_eq!((fixture.generations(), fixture.read("d/a")), (1, "1".to_owned()));
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
    fixture.sweep();
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
    fixture.sweep();
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
    assert!(fixture.apply(&[("d/a", "1")]).expect("applied").1);
    fixture.sweep();
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
    assert!(fixture.apply(&[("a", "1")]).expect("applied").1);
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
    assert!(!fixture.volume.holds(&fixture.present.borrow(), None));
    assert!(fixture.apply(&[("a", "1")]).expect("applied").1);
}

#[test]
fn a_changed_mode_is_repaired() {
    let fixture = Fixture::new();
    fixture.apply(&[("a", "1")]).expect("applied");
    fs::set_permissions(fixture.at("a"), fs::Permissions::from_mode(0o444)).expect("set");
    assert!(fixture.apply(&[("a", "1")]).expect("applied").1);
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
            fixture.sweep();
            for (path, content) in &files {
                prop_assert_eq!(&fixture.read(path), content);
            }
            prop_assert_eq!(fixture.generations(), 1);
            let tops = Wanted::from(desired(&files)).tops().len();
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
