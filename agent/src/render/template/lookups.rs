//! What `secret` and `secrets` give: what has been read, by its reference, and nothing beside it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use mayfly_spec::Reference;
use minijinja::{Error, Value};

use super::{
    refusal,
    value::{self, Refused},
};
use crate::secret::SecretData;

/// Every value that a template may ask for, and what it asked for in vain.
#[derive(Clone)]
pub(super) struct Lookups {
    values: Arc<BTreeMap<Reference, Result<Value, Refused>>>,
    misses: Arc<Mutex<Vec<Miss>>>,
}

/// A key that is not there.
struct Miss {
    /// The reference as the template has it.
    written: String,
    reason: String,
}

impl Lookups {
    pub(super) fn new<'a>(
        references: &[Reference],
        read: impl Fn(&Reference) -> Option<&'a SecretData>,
    ) -> Self {
        let values = references.iter().filter_map(|reference| {
            let data = read(reference)?;
            Some((reference.clone(), value::of_secret(data, reference.key.as_ref())))
        });
        Self { values: Arc::new(values.collect()), misses: Arc::default() }
    }

    /// The value of `written`. One that lacks the key is undefined, so that `default` can stand in for it.
    pub(super) fn get(&self, written: &str) -> Result<Value, Error> {
        let reference: Option<Reference> = written.parse().ok();
        match reference.and_then(|reference| self.values.get(&reference)) {
            Some(Ok(value)) => Ok(value.clone()),
            Some(Err(Refused::Key(reason))) if reason.is_missing() => {
                let mut misses = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
                let written = written.to_owned();
                if misses.iter().all(|miss| miss.written != written) {
                    misses.push(Miss { written, reason: reason.to_string() });
                }
                Ok(Value::UNDEFINED)
            }
            Some(Err(reason)) => Err(refusal::refuse(reason.to_string())),
            None => Err(refusal::refuse("this reference was not known before the start")),
        }
    }

    /// Why a reference in `words`, the template's own, gave nothing.
    pub(super) fn miss(&self, words: &str) -> Option<String> {
        let misses = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
        let miss = misses.iter().find(|miss| words.contains(&miss.written))?;
        Some(miss.reason.clone())
    }
}
