//! The most that the agent and its volume may take.
//!
//! PURE.

use crate::{quantity::Quantity, settings::Annotation};

/// The most of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceiling {
    /// Which.
    pub of: Annotation,
    /// How much.
    pub most: Quantity,
}

/// The most of each resource that has one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ceilings(Vec<Ceiling>);

impl Ceilings {
    /// The most of the resource that `of` is the annotation of.
    pub fn most(&self, of: Annotation) -> Option<&Quantity> {
        self.0.iter().find(|ceiling| ceiling.of == of).map(|ceiling| &ceiling.most)
    }

    /// Whether so much may be taken; nothing is a limit that is not there, and above any ceiling.
    pub fn allow(&self, of: Annotation, amount: Option<&Quantity>) -> bool {
        self.most(of).is_none_or(|most| amount.is_some_and(|amount| amount <= most))
    }
}

impl FromIterator<Ceiling> for Ceilings {
    fn from_iter<I: IntoIterator<Item = Ceiling>>(ceilings: I) -> Self {
        Self(ceilings.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceiling_holds_amounts_and_no_limit_at_all() {
        let quantity = |text: &str| text.parse::<Quantity>().expect(text);
        let ceilings: Ceilings =
            [Ceiling { of: Annotation::CpuLimit, most: quantity("100m") }].into_iter().collect();
        assert!(ceilings.allow(Annotation::CpuLimit, Some(&quantity("0.1"))));
        assert!(!ceilings.allow(Annotation::CpuLimit, Some(&quantity("101m"))));
        assert!(!ceilings.allow(Annotation::CpuLimit, None));
        assert!(ceilings.allow(Annotation::MemoryLimit, Some(&quantity("900Gi"))));
        assert!(Ceilings::default().allow(Annotation::CpuLimit, None));
    }
}
