//! What each reader does with a line, as its source says and `cargo e2e formats` sees, and so which
//! spellings hold which values. The first that holds a value is taken.
//!
//! | reader | `'…'` | `"…"` | without quotes |
//! |---|---|---|---|
//! | dotenv, `--env-file` | as it is; also `` `…` `` | `\n` is a line's end, other `\` stay | to `#`, trimmed |
//! | python-dotenv | `\\` and `\'`; `${…}` is replaced | nine escapes; `${…}` is replaced | to a blank with `#`, trimmed |
//! | godotenv | as it is; a `\` before the end is none | every `\` goes; `$NAME` is replaced | `$NAME` is replaced |
//! | compose-go | `\'` | thirteen escapes; `$NAME` is replaced | `$NAME` is replaced |
//! | systemd, sh | as it is | `\` before `"`, `` ` ``, `$` and `\` | (not used) |
//! | Kubernetes | as it is, not empty | no | no |

use mayfly_spec::file::Dialect;

use super::ways::Way;

/// The first spelling of `dialect` that holds `value`.
pub(super) fn way(value: &str, dialect: Dialect) -> Option<&'static Way> {
    let ways: &'static [Way] = match dialect {
        Dialect::Common => COMMON,
        Dialect::Node => NODE,
        Dialect::Python => PYTHON,
        Dialect::Go => GO,
        Dialect::Compose => COMPOSE,
        Dialect::Systemd => SYSTEMD,
        Dialect::Sh => SH,
        Dialect::Kubernetes => KUBERNETES,
    };
    // No variable of any process holds a NUL.
    ways.iter().find(|way| !value.contains('\0') && way.holds(value))
}

const COMMON: &[Way] = &[
    Way::plain("'", |value| {
        is_closed(value, &['\'', '\r'])
            && !value.contains(r"\\")
            && !is_interpolated(value)
            && is_text(value)
    }),
    Way::plain("\"", |value| {
        !value.contains(['"', '\\', '`', '\r']) && has_idle_dollars(value) && is_text(value)
    }),
];

const NODE: &[Way] = &[
    Way::plain("'", |value| is_closed(value, &['\'', '\r'])),
    Way::plain("\"", |value| {
        is_closed(value, &['"', '\r']) && !value.contains(r"\n") && !value.contains(r"\r")
    }),
    Way::plain("`", |value| is_closed(value, &['`', '\r'])),
    Way::plain("", |value| {
        is_bare(value) && !value.starts_with('`') && !value.contains(['#', '\u{2028}', '\u{2029}'])
    }),
];

/// An escape before the closing quote is misread by its older versions, so none is written there.
const PYTHON: &[Way] = &[
    Way::escaped("'", &[BACKSLASH, ('\'', r"\'")], |value| {
        !is_interpolated(value) && is_python_single(value)
    }),
    Way::escaped("\"", &[BACKSLASH, QUOTE, RETURN], |value| {
        !is_interpolated(value) && is_python_double(value)
    }),
    Way::plain("", |value| !is_interpolated(value) && is_python_bare(value)),
    Way::escaped("'", &[BACKSLASH, ('\'', r"\'"), NO_VARIABLE], is_python_single),
    Way::escaped("\"", &[BACKSLASH, QUOTE, RETURN, NO_VARIABLE], is_python_double),
    Way::escaped("", &[NO_VARIABLE], is_python_bare),
];

const GO: &[Way] = &[
    Way::plain("'", |value| is_closed(value, &['\'']) && !value.contains("\r\n")),
    Way::escaped("\"", &[BACKSLASH, QUOTE, DOLLAR, RETURN], |value| !value.ends_with(['\\', '"'])),
    Way::escaped("", &[DOLLAR], |value| is_bare(value) && !has_comment(value)),
];

const COMPOSE: &[Way] = &[
    Way::plain("'", |value| is_closed(value, &['\''])),
    Way::escaped("\"", &[BACKSLASH, QUOTE, DOLLAR], |_| true),
];

const SYSTEMD: &[Way] = &[
    Way::plain("'", |value| !value.contains('\'') && is_text(value)),
    Way::escaped("\"", &[BACKSLASH, QUOTE, DOLLAR, BACKTICK], is_text),
];

const SH: &[Way] = &[
    Way::plain("'", |value| !value.contains('\'')),
    Way::escaped("\"", &[BACKSLASH, QUOTE, DOLLAR, BACKTICK], |_| true),
];

const KUBERNETES: &[Way] = &[Way::plain("'", |value| {
    let fits = |line: &str| line.len() <= LONGEST_LINE;
    !value.is_empty()
        && !value.contains('\'')
        && !value.contains("\r\n")
        && value.split('\n').all(fits)
})];

/// The kubelet reads lines of up to 64 KiB, the name among it.
const LONGEST_LINE: usize = 65_000;

const BACKSLASH: (char, &str) = ('\\', r"\\");
const QUOTE: (char, &str) = ('"', "\\\"");
const DOLLAR: (char, &str) = ('$', r"\$");
const BACKTICK: (char, &str) = ('`', r"\`");
const RETURN: (char, &str) = ('\r', r"\r");
/// The default of a variable without a name, which there cannot be.
const NO_VARIABLE: (char, &str) = ('$', "${:-$}");

/// Whether `value` holds nothing of `forbidden` and no `\` that could hide the quote after it.
fn is_closed(value: &str, forbidden: &[char]) -> bool {
    !value.contains(forbidden) && !value.ends_with('\\')
}

/// Whether `value` is on one line and whole without quotes.
fn is_bare(value: &str) -> bool {
    let is_blank = |character: char| character.is_whitespace() || character == '\u{feff}';
    !value.starts_with(['\'', '"'])
        && !value.contains(|character: char| character.is_control() && character != '\t')
        && !value.starts_with(is_blank)
        && !value.is_empty()
        && !value.ends_with(is_blank)
}

/// Whether a part of a value without quotes would be a comment.
fn has_comment(value: &str) -> bool {
    value.match_indices('#').any(|(at, _)| value[..at].ends_with(char::is_whitespace))
}

/// Whether systemd takes it for text: it refuses the code points that are no characters.
fn is_text(value: &str) -> bool {
    let is_character = |character: char| {
        let point = u32::from(character);
        point & 0xfffe != 0xfffe && !(0xfdd0..=0xfdef).contains(&point)
    };
    value.chars().all(is_character)
}

/// Whether every `$` stands before something that makes no variable of it anywhere.
fn has_idle_dollars(value: &str) -> bool {
    let is_idle = |after: &str| {
        after.is_empty()
            || after.starts_with([
                ' ', '\n', '%', '+', ',', '.', '/', ':', ';', '=', '^', '~', ')', '}', ']',
            ])
    };
    value.match_indices('$').all(|(at, _)| is_idle(&value[at + 1..]))
}

/// Whether Python finds a `${name}` or `${name:-default}`, which it replaces within any quotes.
fn is_interpolated(value: &str) -> bool {
    value.match_indices("${").any(|(at, _)| {
        let name = &value[at + 2..];
        name.split_once(['}', ':']).is_some_and(|(before, after)| {
            name[before.len()..].starts_with('}') || after.starts_with('-') && after.contains('}')
        })
    })
}

fn is_python_single(value: &str) -> bool {
    is_closed(value, &['\r']) && !value.contains(r"\'")
}

fn is_python_double(value: &str) -> bool {
    is_closed(value, &[]) && !value.contains("\\\"")
}

fn is_python_bare(value: &str) -> bool {
    is_bare(value) && !has_comment(value)
}
