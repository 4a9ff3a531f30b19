//! Shell completions and man pages of the three programs, from their own arguments.
//!
//! Here, and in no program: what is made once has no place in what runs everywhere.

#![expect(clippy::disallowed_methods, reason = "pages are files")]

use std::{fs, io, path::Path};

use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate_to};
use clap_mangen::Man;

/// The shells that there are completions for.
pub const SHELLS: [Shell; 5] =
    [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh];

/// The three programs' arguments.
pub fn programs() -> [Command; 3] {
    [
        mayfly_agent::args::Args::command(),
        mayfly_webhook::args::Args::command(),
        kubectl_mayfly::args::Args::command(),
    ]
}

/// Writes `completions/` and `man1/` of all programs into `folder`.
pub fn write(folder: &Path) -> io::Result<()> {
    let (completions, pages) = (folder.join("completions"), folder.join("man1"));
    fs::create_dir_all(&completions)?;
    fs::create_dir_all(&pages)?;
    for program in programs() {
        let name = program.get_name().to_owned();
        for shell in SHELLS {
            // A plugin is completed by its own name: `kubectl` has a completion of its own.
            generate_to(shell, &mut program.clone(), &name, &completions)?;
        }
        let mut program = program.disable_help_subcommand(true);
        program.build();
        man(&program, &name, &pages)?;
    }
    Ok(())
}

/// The page of a command, and of each below it.
fn man(command: &Command, name: &str, folder: &Path) -> io::Result<()> {
    let mut page = Vec::new();
    Man::new(command.clone()).title(name.to_uppercase()).render(&mut page)?;
    fs::write(folder.join(format!("{name}.1")), page)?;
    for below in command.get_subcommands() {
        man(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(())
}

/// Every command of a program with the words that lead to it, the program itself first.
pub fn commands(program: &Command) -> Vec<(String, &Command)> {
    let mut found = vec![(program.get_name().to_owned(), program)];
    let mut next = 0;
    while let Some((name, command)) = found.get(next).cloned() {
        found.extend(
            command.get_subcommands().map(|below| (format!("{name}-{}", below.get_name()), below)),
        );
        next += 1;
    }
    found
}
