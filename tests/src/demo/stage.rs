//! What a person sees: headings, text, and a line for each step that was verified.

use std::{
    fmt::{Debug, Display},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anstyle::{AnsiColor, Style};
use anyhow::{Result, bail};

/// The width that everything fits into.
pub(super) const WIDTH: usize = 80;

/// The left margin of all but the headings.
const MARGIN: &str = "   ";

pub(super) const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const HEADING: Style = Style::new().bold();
pub(super) const PLAIN: Style = Style::new();
pub(super) const QUIET: Style = Style::new().dimmed();

/// The stage, and the count of what was verified on it.
#[derive(Debug, Default)]
pub(super) struct Stage {
    act: usize,
    passed: usize,
    logs: PathBuf,
}

impl Stage {
    /// Where a person is sent when a step fails.
    pub(super) fn keeps_logs_in(&mut self, folder: &Path) {
        folder.clone_into(&mut self.logs);
    }

    /// Begins the next act.
    pub(super) fn act(&mut self, heading: &str) {
        self.act += 1;
        let (act, on, off) = (self.act, HEADING.render(), HEADING.render_reset());
        anstream::println!("\n{on}{act}. {heading}{off}");
    }

    /// A step: what was claimed has been seen.
    pub(super) fn passed(&mut self, claim: impl Display) {
        self.passed += 1;
        anstream::println!("{}ok{} {claim}", GOOD.render(), GOOD.render_reset());
    }

    /// A step: passed, if what was seen is what was expected.
    pub(super) fn verify<T: PartialEq + Debug>(
        &mut self,
        claim: impl Display,
        expected: &T,
        seen: &T,
    ) -> Result<()> {
        if expected != seen {
            bail!("{claim}\nexpected: {expected:?}\nseen:     {seen:?}");
        }
        self.passed(claim);
        Ok(())
    }

    /// The closing line.
    pub(super) fn close(self, performed: Result<()>) -> ExitCode {
        let (failed, code) = match performed {
            Ok(()) => (0, ExitCode::SUCCESS),
            Err(error) => {
                let (on, off) = (BAD.render(), BAD.render_reset());
                anstream::println!("\n{on}Failed{off} in act {}: {error:#}", self.act);
                anstream::println!("The logs are in {}", self.logs.display());
                (1, ExitCode::FAILURE)
            }
        };
        anstream::println!("\n{} passed, {failed} failed", self.passed);
        code
    }
}

/// Text without a margin.
pub(super) fn say(text: &str) {
    anstream::println!("{text}");
}

/// Lines of text, cut where the terminal's width ends.
pub(super) fn show(style: Style, text: &str) {
    for line in text.lines() {
        let (on, line, off) = (style.render(), cut(line), style.render_reset());
        anstream::println!("{MARGIN}{on}{line}{off}");
    }
}

fn cut(line: &str) -> String {
    let room = WIDTH - MARGIN.len();
    if line.chars().count() <= room {
        return line.to_owned();
    }
    line.chars().take(room - 1).chain(['…']).collect()
}
