//! A query of Logs Insights: commands that follow each other.

use std::{collections::BTreeSet, path::Path};

use super::{
    event::Event,
    expression::{Expression, captures, is_field},
};

#[derive(Debug)]
pub(super) struct Query(Vec<Command>);

#[derive(Debug)]
enum Command {
    Filter(Expression),
    /// Of a field, by a glob, into fields.
    Parse(String, String, Vec<String>),
    /// The first of these that is there, as a field.
    Field(Vec<String>, String),
    /// What is counted over, what it is counted by, and what it makes.
    Stats(Vec<String>, Vec<String>, Vec<String>),
    Sort(String),
    Limit,
}

impl Query {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        // Here, a command is a line.
        let lines = lines.map(|line| line.strip_prefix("| ").unwrap_or(line));
        let commands: Vec<Vec<Command>> = lines.map(command).collect::<Result<_, _>>()?;
        let query = Self(commands.into_iter().flatten().collect());
        query.check_sort().map(|()| query)
    }

    /// For a test that has to end here.
    pub(super) fn wrong(path: &Path, why: &str) -> Self {
        assert!(why.is_empty(), "{}: {why}", path.display());
        Self(Vec::new())
    }

    /// After `stats` there is nothing but what it makes.
    fn check_sort(&self) -> Result<(), String> {
        let mut made: Option<&Vec<String>> = None;
        for command in &self.0 {
            match (command, made) {
                (Command::Stats(_, _, makes), _) => made = Some(makes),
                (Command::Sort(field), Some(made)) if !made.contains(field) => {
                    return Err(format!("`{field}` is gone after `stats`"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The event with what is made of it, unless it is filtered out.
    pub(super) fn run(&self, mut event: Event) -> Option<Event> {
        for command in &self.0 {
            match command {
                Command::Filter(expression) if !expression.holds(&event) => return None,
                Command::Parse(field, glob, names) => {
                    let text = event.get(field).unwrap_or_default().to_owned();
                    for (name, value) in names.iter().zip(found(&text, glob)) {
                        event.set(name, value);
                    }
                }
                Command::Field(sources, name) => {
                    let value = |source: &String| match source.strip_prefix('"') {
                        Some(text) => Some(text.trim_end_matches('"').to_owned()),
                        None => event.get(source).map(str::to_owned),
                    };
                    if let Some(value) = sources.iter().find_map(value) {
                        event.set(name, &value);
                    }
                }
                _ => {}
            }
        }
        Some(event)
    }

    /// The fields that an event has to have, because no earlier command makes them.
    pub(super) fn asked(&self) -> BTreeSet<String> {
        let (mut asked, mut made) = (BTreeSet::new(), BTreeSet::new());
        for command in &self.0 {
            let (needs, makes): (Vec<String>, Vec<String>) = match command {
                Command::Filter(expression) => (expression.fields().into_iter().collect(), vec![]),
                Command::Parse(field, _, names) => (vec![field.clone()], names.clone()),
                Command::Field(sources, name) => {
                    let fields = sources.iter().filter(|source| !source.starts_with('"'));
                    (fields.cloned().collect(), vec![name.clone()])
                }
                Command::Stats(over, by, makes) => {
                    ([over.clone(), by.clone()].concat(), makes.clone())
                }
                Command::Sort(field) => (vec![field.clone()], vec![]),
                Command::Limit => (vec![], vec![]),
            };
            asked.extend(needs.into_iter().filter(|field| !made.contains(field)));
            made.extend(makes);
        }
        asked
    }
}

/// What a glob, which may begin and end anywhere in the text, has found.
fn found<'a>(text: &'a str, glob: &str) -> Vec<&'a str> {
    let before = if glob.starts_with('*') { "" } else { "*" };
    let after = if glob.ends_with('*') { "" } else { "*" };
    let found = captures(text, &format!("{before}{glob}{after}")).unwrap_or_default();
    found.into_iter().skip(before.len()).collect()
}

fn command(line: &str) -> Result<Vec<Command>, String> {
    let (name, rest) = line.split_once(' ').ok_or_else(|| format!("`{line}` is no command"))?;
    match name {
        "filter" => Ok(vec![Command::Filter(Expression::parse(rest)?)]),
        "parse" => parse(rest).map(|command| vec![command]),
        "fields" => items(rest).into_iter().map(field).collect(),
        "stats" => stats(rest).map(|command| vec![command]),
        "sort" => {
            let field = rest.strip_suffix(" desc").or_else(|| rest.strip_suffix(" asc"));
            Ok(vec![Command::Sort(named(field.unwrap_or(rest))?)])
        }
        "limit" => {
            let limit: u32 = rest.parse().map_err(|_| format!("`{rest}` is no limit"))?;
            (1..=10_000)
                .contains(&limit)
                .then(|| vec![Command::Limit])
                .ok_or_else(|| rest.to_owned())
        }
        other => Err(format!("`{other}` is not known here")),
    }
}

/// `<field> "<glob>" as <name>, …`
fn parse(text: &str) -> Result<Command, String> {
    let wrong = || format!("`{text}` is no `parse`");
    let (field, rest) = text.split_once(' ').ok_or_else(wrong)?;
    let (glob, names) = rest.rsplit_once(" as ").ok_or_else(wrong)?;
    let quote = glob.chars().next().filter(|quote| "\"'".contains(*quote)).ok_or_else(wrong)?;
    let glob =
        glob[1..].strip_suffix(quote).filter(|glob| !glob.contains(quote)).ok_or_else(wrong)?;
    let names: Vec<String> = items(names).into_iter().map(named).collect::<Result<_, _>>()?;
    if glob.matches('*').count() == names.len() {
        Ok(Command::Parse(named(field)?, glob.to_owned(), names))
    } else {
        Err(format!("`{text}` has not as many `*` as names"))
    }
}

/// `<field>`, or `coalesce(<field or text>, …)`, `as <name>`.
fn field(text: &str) -> Result<Command, String> {
    let (value, name) = text.split_once(" as ").unwrap_or((text, text));
    let sources = match value.strip_prefix("coalesce(").and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => items(inner).into_iter().map(source).collect::<Result<_, _>>()?,
        None => vec![named(value)?],
    };
    Ok(Command::Field(sources, named(name)?))
}

fn source(text: &str) -> Result<String, String> {
    let is_text = text.len() > 1 && text.starts_with('"') && text.ends_with('"');
    if is_text { Ok(text.to_owned()) } else { named(text) }
}

/// `<function>(<field>) as <name>, … by <field>, …`
fn stats(text: &str) -> Result<Command, String> {
    let (makes, by) = text.split_once(" by ").ok_or_else(|| format!("`{text}` has no `by`"))?;
    let by: Vec<String> = items(by).into_iter().map(named).collect::<Result<_, _>>()?;
    let (mut over, mut made) = (Vec::new(), by.clone());
    for item in items(makes) {
        let wrong = || format!("`{item}` is no aggregate");
        let (call, name) = item.split_once(" as ").ok_or_else(wrong)?;
        let (function, argument) =
            call.strip_suffix(')').and_then(|call| call.split_once('(')).ok_or_else(wrong)?;
        match (function, argument) {
            ("count", "*") => {}
            ("count_distinct" | "max", field) => over.push(named(field)?),
            _ => return Err(wrong()),
        }
        made.push(named(name)?);
    }
    Ok(Command::Stats(over, by, made))
}

/// Parted by commas that are in no parentheses.
fn items(text: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    let parts = text.split(move |it| {
        depth = match it {
            '(' => depth + 1,
            ')' => depth.saturating_sub(1),
            _ => depth,
        };
        it == ',' && depth == 0
    });
    parts.map(str::trim).collect()
}

fn named(text: &str) -> Result<String, String> {
    if is_field(text) { Ok(text.to_owned()) } else { Err(format!("`{text}` is no field")) }
}
