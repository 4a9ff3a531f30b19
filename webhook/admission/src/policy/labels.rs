//! What must hold for somebody's labels: Kubernetes' own label selector.
//!
//! PURE. As the API server has it, `NotIn` holds where the label is not there at all.

use std::collections::BTreeSet;

/// Requirements that must all hold; without any, everybody is selected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(Vec<Requirement>);

/// What must hold for one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// It has one of these values.
    In(String, BTreeSet<String>),
    /// It has none of these values, or is not there.
    NotIn(String, BTreeSet<String>),
    /// It is there.
    Exists(String),
    /// It is not there.
    DoesNotExist(String),
}

impl Labels {
    /// Whether nothing is required.
    pub fn select_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the labels that `value` looks up by their keys have all that is required.
    pub fn select<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|requirement| requirement.holds(&value))
    }
}

impl FromIterator<Requirement> for Labels {
    fn from_iter<I: IntoIterator<Item = Requirement>>(requirements: I) -> Self {
        Self(requirements.into_iter().collect())
    }
}

impl Requirement {
    /// The label `key` has this value.
    pub fn equals(key: String, value: String) -> Self {
        Self::In(key, BTreeSet::from([value]))
    }

    fn holds<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        match self {
            Self::In(key, values) => label(key).is_some_and(|value| values.contains(value)),
            Self::NotIn(key, values) => label(key).is_none_or(|value| !values.contains(value)),
            Self::Exists(key) => label(key).is_some(),
            Self::DoesNotExist(key) => label(key).is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The label `app: web`.
    fn app(key: &str) -> Option<&'static str> {
        (key == "app").then_some("web")
    }

    #[test]
    fn each_requirement_holds_and_does_not() {
        let values = |text: &str| BTreeSet::from([text.to_owned()]);
        let (web, tier) = (|| "app".to_owned(), || "tier".to_owned());
        for (requirement, holds) in [
            (Requirement::In(web(), values("web")), true),
            (Requirement::In(web(), values("db")), false),
            (Requirement::In(tier(), values("web")), false),
            (Requirement::equals(web(), "web".to_owned()), true),
            (Requirement::NotIn(web(), values("web")), false),
            (Requirement::NotIn(web(), values("db")), true),
            (Requirement::NotIn(tier(), values("web")), true),
            (Requirement::Exists(web()), true),
            (Requirement::Exists(tier()), false),
            (Requirement::DoesNotExist(web()), false),
            (Requirement::DoesNotExist(tier()), true),
        ] {
            let all: Labels = [requirement.clone()].into_iter().collect();
            assert_eq!(all.select(app), holds, "{requirement:?}");
        }
    }

    #[test]
    fn all_requirements_must_hold_and_none_selects_everybody() {
        let two = ["app", "tier"].map(|key| Requirement::Exists(key.to_owned()));
        assert!(!two.into_iter().collect::<Labels>().select(app));
        assert!(Labels::default().select(app) && Labels::default().select_all());
    }
}
