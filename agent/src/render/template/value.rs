//! Secrets as the language's values, and its values as JSON.

use std::{fmt, sync::Arc};

use mayfly_spec::{reference::Key, template::LARGEST};
use minijinja::{
    ErrorKind, State, Value,
    value::{Object, ObjectRepr, ValueKind},
};
use thiserror::Error;

use super::refusal::refuse;
use crate::secret::{Json, Member, PickError, Secret, SecretData};

/// The deepest nesting that is written, as the deepest that is read.
const DEEPEST: usize = 128;
/// What one value of JSON costs beside its text, and how much of both one unit of fuel pays for.
const NODE: usize = 16;
const FUEL_RATE: usize = 16;

/// A secret that the language has no value for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Refused {
    #[error(transparent)]
    Key(#[from] PickError),
    #[error("the secret is no text, which a template cannot hold; give it a file of its own")]
    Binary,
}

/// A secret as the language has it: the value of a key is text; a whole secret is its fields, or a list, or else
/// text.
pub(super) fn of_secret(data: &SecretData, key: Option<&Key>) -> Result<Value, Refused> {
    if let Some(key) = key {
        return of_text(&data.pick(key)?);
    }
    match data.json() {
        Ok(json @ (Json::Object(_) | Json::Array(_))) => Ok(of_json(&json)),
        _ => of_text(data.whole()),
    }
}

fn of_text(secret: &Secret) -> Result<Value, Refused> {
    secret.expose_text().map(Value::from).ok_or(Refused::Binary)
}

fn of_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(it) => Value::from(*it),
        Json::Number(text) => of_number(text),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(of_json).collect(),
        Json::Object(members) => Value::from_pairs(
            members.iter().map(|member| (member.name.as_str(), of_json(&member.value))),
        ),
    }
}

/// A whole number to count with, or one that stays as it was written.
fn of_number(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => Value::from(number),
        _ => Value::from_object(Numeral(text.to_owned())),
    }
}

/// A number as it was written: `1.10`, `1e400`, twenty digits.
struct Numeral(String);

impl fmt::Debug for Numeral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Numeral(…)")
    }
}

impl Object for Numeral {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text of a value that is text, a number or a truth.
pub(super) fn text(value: &Value) -> Result<String, minijinja::Error> {
    match value.kind() {
        ValueKind::Undefined => Err(ErrorKind::UndefinedError.into()),
        ValueKind::String | ValueKind::Number | ValueKind::Bool => Ok(value.to_string()),
        _ if value.downcast_object_ref::<Numeral>().is_some() => Ok(value.to_string()),
        kind => {
            Err(refuse(format!("a {kind} is no text; pick one of its values, or use `| json`")))
        }
    }
}

/// Compact JSON.
pub(super) fn compact(state: &State<'_, '_>, value: &Value) -> Result<String, minijinja::Error> {
    let mut text = zeroize::Zeroizing::new(Vec::new());
    json(state, value)?.write(&mut text);
    written(&text)
}

/// What a format's writer has written.
pub(super) fn written(text: &[u8]) -> Result<String, minijinja::Error> {
    std::str::from_utf8(text).map(str::to_owned).map_err(|_| refuse("it is no text"))
}

/// A value as JSON, of no more than a file may have; what a list has many times counts as often.
pub(super) fn json(state: &State<'_, '_>, value: &Value) -> Result<Json, minijinja::Error> {
    let mut budget = Budget { left: LARGEST, state };
    budget.json(value, DEEPEST)
}

struct Budget<'a, 'b, 'c> {
    left: usize,
    state: &'a State<'b, 'c>,
}

impl Budget<'_, '_, '_> {
    fn pay(&mut self, bytes: usize) -> Result<(), minijinja::Error> {
        let cost = NODE + bytes;
        let left = self.left.checked_sub(cost);
        self.left = left.ok_or_else(|| refuse("it is too large"))?;
        self.state.consume_fuel(u64::try_from(cost / FUEL_RATE).unwrap_or(u64::MAX))
    }

    fn json(&mut self, value: &Value, depth: usize) -> Result<Json, minijinja::Error> {
        let depth = depth.checked_sub(1).ok_or_else(|| refuse("it is too deep"))?;
        Ok(match value.kind() {
            ValueKind::Undefined => return Err(ErrorKind::UndefinedError.into()),
            ValueKind::None => self.pay(0).map(|()| Json::Null)?,
            ValueKind::Bool => self.pay(0).map(|()| Json::Bool(value.is_true()))?,
            ValueKind::Number => Json::Number(self.number(value)?),
            ValueKind::String => Json::String(self.string(value.as_str().unwrap_or_default())?),
            ValueKind::Seq | ValueKind::Iterable => {
                self.pay(0)?;
                let items = value.try_iter()?.map(|item| self.json(&item, depth));
                Json::Array(items.collect::<Result<_, _>>()?)
            }
            ValueKind::Map => {
                self.pay(0)?;
                let members = value.try_iter()?.map(|key| self.member(value, &key, depth));
                Json::Object(members.collect::<Result<_, _>>()?)
            }
            _ if value.downcast_object_ref::<Numeral>().is_some() => {
                Json::Number(self.string(&value.to_string())?)
            }
            kind => return Err(refuse(format!("a {kind} is no JSON"))),
        })
    }

    fn member(
        &mut self,
        map: &Value,
        key: &Value,
        depth: usize,
    ) -> Result<Member, minijinja::Error> {
        let name = text(key)?;
        self.pay(name.len())?;
        Ok(Member { name, value: self.json(&map.get_item(key)?, depth)? })
    }

    fn string(&mut self, text: &str) -> Result<String, minijinja::Error> {
        self.pay(text.len())?;
        Ok(text.to_owned())
    }

    /// Not every number of the language is one of JSON's.
    fn number(&mut self, value: &Value) -> Result<String, minijinja::Error> {
        let text = self.string(&value.to_string())?;
        let is_json = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
        if is_json { Ok(text) } else { Err(refuse("the number is no number of JSON")) }
    }
}
