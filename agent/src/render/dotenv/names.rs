//! Which keys are names of variables for whom.

use mayfly_spec::file::Dialect;

/// Variables that a shell (dash, busybox, bash) sets by itself, or that cannot be set to any text.
const OF_SHELLS: [&str; 21] = [
    "BASHOPTS",
    "BASHPID",
    "BASH_COMMAND",
    "BASH_SUBSHELL",
    "BASH_VERSINFO",
    "DIRSTACK",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "EUID",
    "FUNCNAME",
    "GROUPS",
    "HISTCMD",
    "LINENO",
    "OPTIND",
    "PPID",
    "RANDOM",
    "SECONDS",
    "SHELLOPTS",
    "SRANDOM",
    "UID",
    "_",
];

/// What a name is made of.
const POSIX: &str = "letters, digits and `_`, no digit first";

/// Checks a key, or says what a name is.
pub(super) fn check(name: &str, dialect: Dialect) -> Result<(), &'static str> {
    let made_of = |more: &[char]| {
        !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || more.contains(&it))
    };
    let starts_with_digit = name.starts_with(|first: char| first.is_ascii_digit());
    let is_posix = made_of(&['_']) && !starts_with_digit;
    let is_object = name == "__proto__";
    let is_of_shell = OF_SHELLS.contains(&name);
    match dialect {
        Dialect::Common | Dialect::Sh if is_posix && is_of_shell => {
            Err("a shell has its own variable of this name")
        }
        Dialect::Common | Dialect::Node if is_object => Err("Node has its own field of this name"),
        Dialect::Common | Dialect::Systemd | Dialect::Sh => is_posix.then_some(()).ok_or(POSIX),
        Dialect::Node => {
            made_of(&['_', '.', '-']).then_some(()).ok_or("letters, digits, `_`, `.` and `-`")
        }
        Dialect::Python => {
            is_python(name).then_some(()).ok_or("no blank, no `=`, no `#`, no `'` at the beginning")
        }
        Dialect::Go => made_of(&['_', '.']).then_some(()).ok_or("letters, digits, `_` and `.`"),
        Dialect::Compose => (made_of(&['_', '.', '-', '[', ']']) && !starts_with_digit)
            .then_some(())
            .ok_or("letters, digits, `_`, `.`, `-`, `[` and `]`, no digit first"),
        Dialect::Kubernetes => is_kubernetes(name)
            .then_some(())
            .ok_or("printable ASCII without `=`, no blank at an end, no `#` at the beginning"),
    }
}

fn is_python(name: &str) -> bool {
    let is_odd = |it: char| it.is_whitespace() || it.is_control() || matches!(it, '=' | '#');
    !name.is_empty() && !name.starts_with(['\'', '\u{feff}']) && !name.contains(is_odd)
}

fn is_kubernetes(name: &str) -> bool {
    let is_plain = |it: char| matches!(it, ' '..='~') && it != '=';
    !name.is_empty()
        && name.chars().all(is_plain)
        && !name.starts_with([' ', '#'])
        && !name.ends_with(' ')
}
