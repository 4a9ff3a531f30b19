//! Completions and man pages have every command and every option.

#![expect(clippy::disallowed_methods, reason = "pages are files")]

use std::{fs, path::Path};

use clap::{Arg, Command};
use mayfly_tests::pages::{SHELLS, commands, programs, write};

fn read(file: &Path) -> String {
    assert!(file.exists(), "{} is not written", file.display());
    fs::read_to_string(file).expect("text")
}

fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|argument| argument.get_long().is_some())
}

#[test]
fn every_command_and_every_option_has_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path()).expect("pages");
    let (mut seen_commands, mut seen_options) = (0, 0);
    for mut program in programs() {
        program.build();
        let name = program.get_name().to_owned();
        for (page, command) in commands(&program) {
            if command.get_name() == "help" || page.contains("-help-") {
                continue;
            }
            let text =
                read(&folder.path().join("man1").join(format!("{page}.1"))).replace('\\', "");
            for option in options(command) {
                let long = option.get_long().expect("a name");
                assert!(text.contains(&format!("--{long}")), "{page}.1 lacks --{long}");
                seen_options += 1;
            }
            for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
                assert!(text.contains(below.get_name()), "{page}.1 lacks {}", below.get_name());
            }
            seen_commands += 1;
        }
        for shell in SHELLS {
            let file = clap_complete::Generator::file_name(&shell, &name);
            let text = read(&folder.path().join("completions").join(file));
            for (page, command) in commands(&program) {
                assert!(text.contains(command.get_name()), "{shell}: {page}");
                for option in options(command).filter(|option| !option.is_hide_set()) {
                    let long = option.get_long().expect("a name");
                    // Fish and Elvish write the name without its dashes.
                    assert!(text.contains(long), "{shell} lacks --{long} of {page}");
                }
            }
        }
    }
    assert!(seen_commands >= 12 && seen_options >= 40, "{seen_commands} {seen_options}");
}
