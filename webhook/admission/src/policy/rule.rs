//! One rule: for whom it is, and what it allows them.
//!
//! PURE.

use std::{collections::BTreeMap, sync::Arc};

use mayfly_spec::spec::Interval;

use super::{Ask, Enforcement, Kind, Pattern, Selector, Subject, Violation, Wish};
use crate::{fault::quote, quantity::Quantity, settings::Annotation};

/// One rule. A list that is absent restricts nothing; an empty one allows nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What denials and metrics call it.
    pub name: Arc<str>,
    /// What becomes of violations, before the policy's own word.
    pub enforcement: Option<Enforcement>,
    /// For whom it is.
    pub selector: Selector,
    /// What may be asked for.
    pub allowed: BTreeMap<Kind, Vec<Pattern>>,
    /// The most that the agent and its volume may take.
    pub ceilings: Vec<Ceiling>,
    /// The shortest time between two looks.
    pub refresh_floor: Option<Interval>,
}

/// The most of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceiling {
    /// Which.
    pub of: Annotation,
    /// How much.
    pub most: Quantity,
}

impl Rule {
    pub(super) fn violations(&self, subject: &Subject<'_>, ask: &Ask) -> Vec<Violation> {
        let texts = ask.wishes.iter().filter_map(|wish| self.text(subject, wish));
        let ceilings = self.ceilings.iter().filter_map(|ceiling| self.ceiling(ceiling, ask));
        let mut violations: Vec<Violation> =
            texts.chain(ceilings).chain(self.refresh(ask)).collect();
        violations.dedup();
        violations
    }

    fn text(&self, subject: &Subject<'_>, wish: &Wish) -> Option<Violation> {
        let patterns = self.allowed.get(&wish.kind)?;
        let refuse = |remedy| {
            let value = if wish.value.is_empty() { "none" } else { &wish.value };
            Some(self.violation(&wish.place, value, remedy))
        };
        if let Some(remedy) = wish.is_vague() {
            return refuse(remedy.to_owned());
        }
        if patterns.iter().any(|pattern| pattern.matches(&wish.value, subject)) {
            return None;
        }
        let shown = patterns.iter().map(|pattern| format!("`{}`", pattern.shown(subject)));
        match shown.collect::<Vec<_>>().join(", ").as_str() {
            "" => refuse("allowed: none".to_owned()),
            shown => refuse(format!("allowed: {shown}")),
        }
    }

    fn ceiling(&self, Ceiling { of, most }: &Ceiling, ask: &Ask) -> Option<Violation> {
        let (place, amount) = ask.amounts.get(of)?;
        let remedy = format!("allowed: `{most}` or less");
        match amount {
            Some(amount) if amount <= most => None,
            Some(amount) => Some(self.violation(place, &amount.to_string(), remedy)),
            None => Some(self.violation(place, "none", remedy)),
        }
    }

    fn refresh(&self, ask: &Ask) -> Option<Violation> {
        let floor = self.refresh_floor?;
        let (place, refresh) = ask.refresh.as_ref().filter(|(_, refresh)| *refresh < floor)?;
        let remedy = format!("allowed: `{floor}` or longer");
        Some(self.violation(place, &refresh.to_string(), remedy))
    }

    fn violation(&self, place: &str, value: &str, remedy: String) -> Violation {
        let refusal = format!("rule `{}` does not allow `{}`", self.name, quote(value));
        Violation { place: place.to_owned(), refusal, remedy }
    }
}
