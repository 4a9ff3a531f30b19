//! What a filter asks: the common half of Logs Insights' filters and of metric filters' patterns.

use std::collections::BTreeSet;

use super::event::Event;

/// A condition.
#[derive(Debug)]
pub(super) enum Expression {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Present(String),
    /// One of these; in each, a `*` is anything.
    Is(String, Vec<String>),
    Contains(String, String),
}

impl Expression {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Tokens(tokens(text)?);
        let expression = tokens.any()?;
        match tokens.0.first() {
            None => Ok(expression),
            Some(rest) => Err(format!("`{rest}` is too much in `{text}`")),
        }
    }

    pub(super) fn holds(&self, event: &Event) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.holds(event)),
            Self::Any(any) => any.iter().any(|one| one.holds(event)),
            Self::Not(one) => !one.holds(event),
            Self::Present(field) => event.get(field).is_some(),
            Self::Is(field, texts) => {
                let is = |value: &str| texts.iter().any(|text| captures(value, text).is_some());
                event.get(field).is_some_and(is)
            }
            Self::Contains(field, part) => event.get(field).is_some_and(|it| it.contains(part)),
        }
    }

    /// The fields that are asked for.
    pub(super) fn fields(&self) -> BTreeSet<String> {
        match self {
            Self::All(some) | Self::Any(some) => some.iter().flat_map(Self::fields).collect(),
            Self::Not(one) => one.fields(),
            Self::Present(field) | Self::Is(field, _) | Self::Contains(field, _) => {
                [field.clone()].into()
            }
        }
    }
}

/// What the `*` of `glob` stand for in `text`: each for as little as it can, the last for the rest.
pub(super) fn captures<'a>(text: &'a str, glob: &str) -> Option<Vec<&'a str>> {
    let mut parts = glob.split('*');
    let mut rest = text.strip_prefix(parts.next()?)?;
    let parts: Vec<&str> = parts.collect();
    let mut captures = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let is_last = at + 1 == parts.len();
        let end = if is_last { rest.len().checked_sub(part.len())? } else { rest.find(part)? };
        if !rest.get(end..)?.starts_with(part) {
            return None;
        }
        captures.push(&rest[..end]);
        rest = &rest[end + part.len()..];
    }
    rest.is_empty().then_some(captures)
}

struct Tokens(Vec<String>);

impl Tokens {
    fn any(&mut self) -> Result<Expression, String> {
        let mut some = vec![self.all()?];
        while self.take("or") || self.take("||") {
            some.push(self.all()?);
        }
        Ok(Expression::Any(some))
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut some = vec![self.one()?];
        while self.take("and") || self.take("&&") {
            some.push(self.one()?);
        }
        Ok(Expression::All(some))
    }

    fn one(&mut self) -> Result<Expression, String> {
        if self.take("not") {
            return Ok(Expression::Not(Box::new(self.one()?)));
        }
        if self.take("(") {
            let inner = self.any()?;
            return self.want(")").map(|()| inner);
        }
        if self.take("ispresent") {
            self.want("(")?;
            let field = self.field()?;
            return self.want(")").map(|()| Expression::Present(field));
        }
        let field = self.field()?;
        match self.next()?.as_str() {
            "=" => Ok(Expression::Is(field, vec![self.text('"')?])),
            "like" => Ok(Expression::Contains(field, self.text('/')?)),
            "in" => {
                self.want("[")?;
                let mut texts = vec![self.text('"')?];
                while self.take(",") {
                    texts.push(self.text('"')?);
                }
                self.want("]").map(|()| Expression::Is(field, texts))
            }
            other => Err(format!("`{other}` is no operator")),
        }
    }

    fn next(&mut self) -> Result<String, String> {
        if self.0.is_empty() { Err("it breaks off".to_owned()) } else { Ok(self.0.remove(0)) }
    }

    fn take(&mut self, token: &str) -> bool {
        let is = self.0.first().is_some_and(|first| first == token);
        if is {
            self.0.remove(0);
        }
        is
    }

    fn want(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) {
            Ok(())
        } else {
            Err(format!("`{token}` is missing before {:?}", self.0))
        }
    }

    fn field(&mut self) -> Result<String, String> {
        let token = self.next()?;
        let field = token.strip_prefix("$.").unwrap_or(&token);
        if is_field(field) { Ok(field.to_owned()) } else { Err(format!("`{field}` is no field")) }
    }

    fn text(&mut self, quote: char) -> Result<String, String> {
        let token = self.next()?;
        let text = token.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        text.map(str::to_owned).ok_or_else(|| format!("`{token}` is not between {quote}"))
    }
}

/// What can be written without backticks.
pub(super) fn is_field(text: &str) -> bool {
    let inner = text.strip_prefix('@').unwrap_or(text);
    !inner.is_empty() && inner.chars().all(|it| it.is_ascii_alphanumeric() || "._".contains(it))
}

fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '/' => {
                let end = rest[1..].find(first).ok_or_else(|| format!("`{rest}` is not closed"))?;
                end + 2
            }
            '(' | ')' | '[' | ']' | ',' | '=' => 1,
            _ => rest
                .find(|it: char| it.is_whitespace() || "()[],=".contains(it))
                .unwrap_or(rest.len()),
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}
