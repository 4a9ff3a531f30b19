//! One rule: for whom it is, and what it allows them.
//!
//! PURE. Whether something is allowed is found out first; words are made only of what will be told.

use std::{collections::BTreeMap, sync::Arc};

use mayfly_spec::spec::Interval;

use super::{
    Ask, Ceilings, Enforcement, Extent, Kind, Pattern, Selector, Subject, Take, Violation,
    Violations, Wish,
};
use crate::fault::quote;

/// The longest list of what is allowed, in bytes: a message is cut soon behind it.
const LONGEST_LIST: usize = 1000;

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
    pub ceilings: Ceilings,
    /// The shortest time between two looks.
    pub refresh_floor: Option<Interval>,
}

/// Why a text is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Objection {
    /// Nobody can say what is asked for.
    Vague(&'static str),
    /// No pattern matches.
    NotListed,
    /// No pattern covers all that is below.
    Tree,
    /// It may be in a namespace of Vault's that is not allowed.
    Namespace,
}

impl Rule {
    pub(super) fn violations(&self, subject: &Subject<'_>, ask: &Ask) -> Violations {
        let mut violations = Violations::default();
        for wish in &ask.wishes {
            if let Some(objection) = self.objection(subject, wish) {
                violations.push_with(|| {
                    let value = if wish.value.is_empty() { "none" } else { &wish.value };
                    self.violation(&wish.place, value, self.remedy(subject, wish.kind, objection))
                });
            }
        }
        for take in ask.takes.iter().filter(|take| !self.has_room(take)) {
            violations.push_with(|| self.excess(take));
        }
        if let Some((place, refresh, floor)) = self.haste(ask) {
            let remedy = format!("allowed: `{floor}` or longer");
            violations.push_with(|| self.violation(place, &refresh.to_string(), remedy));
        }
        violations
    }

    fn objection(&self, subject: &Subject<'_>, wish: &Wish) -> Option<Objection> {
        let listed = self.allowed.get(&wish.kind).and_then(|patterns| {
            if let Some(remedy) = wish.is_vague() {
                return Some(Objection::Vague(remedy));
            }
            let is_tree = wish.extent == Extent::Tree;
            let (allows, objection): (fn(&Pattern, &str, &Subject<'_>) -> bool, _) = if is_tree {
                (Pattern::covers, Objection::Tree)
            } else {
                (Pattern::matches, Objection::NotListed)
            };
            let is_allowed = patterns.iter().any(|pattern| allows(pattern, &wish.value, subject));
            (!is_allowed).then_some(objection)
        });
        listed.or_else(|| self.hidden_namespace(subject, wish))
    }

    /// Vault takes the first names of a path for a namespace, where there is one of these names. Where namespaces are
    /// listed, either a pattern for references says what the first name is, or each beginning is an allowed namespace.
    fn hidden_namespace(&self, subject: &Subject<'_>, wish: &Wish) -> Option<Objection> {
        let Extent::In(namespace) = &wish.extent else { return None };
        let namespaces = self.allowed.get(&Kind::VaultNamespace)?;
        if let Some(remedy) = wish.is_vague() {
            return Some(Objection::Vague(remedy));
        }
        let mut references = self.allowed.get(&Kind::Reference).into_iter().flatten();
        let is_named =
            references.any(|pattern| pattern.pins('/') && pattern.matches(&wish.value, subject));
        let are_allowed = || {
            let path = wish.path().unwrap_or_default();
            every_beginning_is_allowed(namespaces, namespace, path, subject)
        };
        (!is_named && !are_allowed()).then_some(Objection::Namespace)
    }

    fn has_room(&self, Take { of, amount, .. }: &Take) -> bool {
        self.ceilings.allow(*of, amount.as_ref())
    }

    fn excess(&self, Take { of, place, amount }: &Take) -> Violation {
        let most = self.ceilings.most(*of).map(|most| format!("allowed: `{most}` or less"));
        let amount = amount.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        self.violation(place, &amount, most.unwrap_or_default())
    }

    fn haste<'a>(&self, ask: &'a Ask) -> Option<(&'a str, Interval, Interval)> {
        let floor = self.refresh_floor?;
        let (place, refresh) = ask.refresh.as_ref().filter(|(_, refresh)| *refresh < floor)?;
        Some((place, *refresh, floor))
    }

    fn remedy(&self, subject: &Subject<'_>, kind: Kind, objection: Objection) -> String {
        match objection {
            Objection::Vague(remedy) => remedy.to_owned(),
            Objection::NotListed => self.list(subject, kind),
            Objection::Tree => format!(
                "all that is below a tree is read, which needs a pattern that ends in `**`; {}",
                self.list(subject, kind)
            ),
            Objection::Namespace => "its beginning may be a namespace of Vault's, and not one of the rule's \
                 `vault-namespaces`; the operator can name the mount in the rule's `references`, as in `vault:secret/**`"
                .to_owned(),
        }
    }

    fn list(&self, subject: &Subject<'_>, kind: Kind) -> String {
        let mut list = String::new();
        for pattern in self.allowed.get(&kind).into_iter().flatten() {
            if list.len() > LONGEST_LIST {
                break;
            }
            let separator = if list.is_empty() { "" } else { ", " };
            list = format!("{list}{separator}`{}`", pattern.shown(subject));
        }
        format!("allowed: {}", if list.is_empty() { "none" } else { &list })
    }

    fn violation(&self, place: &str, value: &str, remedy: String) -> Violation {
        let refusal = format!("rule `{}` does not allow `{}`", self.name, quote(value));
        Violation { place: place.to_owned(), refusal, remedy }
    }
}

/// Whether each beginning of `path` that could be a namespace below `namespace` is one of `allowed`.
fn every_beginning_is_allowed(
    allowed: &[Pattern],
    namespace: &str,
    path: &str,
    subject: &Subject<'_>,
) -> bool {
    let text = if namespace.is_empty() { path.to_owned() } else { format!("{namespace}/{path}") };
    let mut reached = vec![false; text.len() + 1];
    for pattern in allowed {
        for (reached, more) in reached.iter_mut().zip(pattern.reached(&text, subject)) {
            *reached |= more;
        }
    }
    let mut ends = text.match_indices('/').map(|(at, _)| at).filter(|at| *at > namespace.len());
    ends.all(|at| reached[at])
}
