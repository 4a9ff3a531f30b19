//! What a pod would get that a rule can forbid: its own wishes, its namespace's, and what follows
//! from them or from nobody's word.
//!
//! PURE. Computed from what the author wrote, our own container left aside but for what others may
//! put into it. What the operator's own defaults chose is left out.

mod amounts;
mod aws;
mod origin;
mod reference;
mod vault;

use mayfly_spec::{
    reference::Source,
    spec::{Interval, Mode, Refresh},
};

use crate::{
    pod::Pod,
    quantity::Quantity,
    reach::AwsReach,
    request::Request,
    settings::{Annotation, ValueError, region, role_arn},
};
use origin::Origin;

/// What can be allowed by patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A reference, without its key and the choice of a version.
    Reference,
    /// The URL that the pod's token is sent to.
    VaultAddress,
    /// The role that the pod logs in to.
    VaultRole,
    /// The mount of the auth method.
    VaultAuthPath,
    /// The namespace of Vault Enterprise or OpenBao; empty for the root.
    VaultNamespace,
    /// The IAM role.
    AwsRole,
    /// The region of a secret.
    AwsRegion,
    /// The agent's mode.
    Mode,
}

/// One text that a pod asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What it is.
    pub kind: Kind,
    /// Where it is asked for.
    pub place: String,
    /// In the one spelling in which it is compared.
    pub value: String,
    /// What comes with it.
    pub extent: Extent,
}

/// What comes with a text that is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Extent {
    /// Nothing.
    #[default]
    Itself,
    /// All that is below it.
    Tree,
    /// What Vault reads from there in this namespace, or in one that the path begins with.
    In(String),
}

/// One amount that would be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    /// Of what.
    pub of: Annotation,
    /// Where it is asked for.
    pub place: String,
    /// How much; `None` where a limit is asked to be none, or is none.
    pub amount: Option<Quantity>,
}

/// All that a pod asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// Texts.
    pub wishes: Vec<Wish>,
    /// Amounts.
    pub takes: Vec<Take>,
    /// The time between two looks, and its place.
    pub refresh: Option<(String, Interval)>,
}

impl Ask {
    /// What `request` comes to in `pod`, whose agent will have `aws`.
    pub(crate) fn of(request: &Request, pod: &Pod<'_>, aws: Option<&AwsReach<'_>>) -> Self {
        let mut ask = Self::default();
        ask.add_mode(request);
        ask.add_references(request);
        if request.reads(Source::is_vault) {
            ask.add_vault(request);
        }
        if let Some(aws) = aws {
            ask.add_aws(request, aws);
        }
        ask.add_amounts(request, pod);
        ask.add_refresh(request);
        ask
    }

    fn wish(&mut self, kind: Kind, place: impl Into<String>, value: impl Into<String>) {
        let (place, value) = (place.into(), value.into());
        self.wishes.push(Wish { kind, place, value, extent: Extent::Itself });
    }

    fn add_mode(&mut self, request: &Request) {
        if let Some(place) = Origin::of(request, Annotation::Mode).place(Annotation::Mode) {
            self.wish(Kind::Mode, place, request.mode().name());
        }
    }

    fn add_refresh(&mut self, request: &Request) {
        let origin = Origin::of(request, Annotation::Refresh);
        let place = origin.place(Annotation::Refresh).filter(|_| request.mode() != Mode::Init);
        let refresh = request.settings.refresh.unwrap_or_else(|| Refresh::default().interval);
        self.refresh = place.map(|place| (place, refresh));
    }
}

impl Wish {
    /// Why nobody can say what is asked for: a path with a second spelling that a backend, or what is between, takes for
    /// the same, or a variable whose value the kubelet finds out.
    pub(super) fn is_vague(&self) -> Option<&'static str> {
        match self.kind {
            Kind::AwsRole => (!is_literal(&self.value, role_arn)).then_some(LITERAL),
            Kind::AwsRegion => (!is_literal(&self.value, region)).then_some(LITERAL),
            _ => (!self.has_one_spelling()).then_some("write it without `//`, `.`, `..` and `\\`"),
        }
    }

    fn has_one_spelling(&self) -> bool {
        let path = match self.kind {
            Kind::Reference => self.path(),
            Kind::VaultAuthPath | Kind::VaultNamespace => Some(&*self.value),
            _ => None,
        };
        let is_name =
            |segment: &str| !matches!(segment, "" | "." | "..") && !segment.contains('\\');
        path.is_none_or(|path| path.is_empty() || path.split('/').all(is_name))
    }

    /// The path of a reference to Vault, without its options.
    pub(super) fn path(&self) -> Option<&str> {
        let (source, path) = self.value.split_once(':').filter(|_| self.kind == Kind::Reference)?;
        let is_vault = source.parse::<Source>().is_ok_and(Source::is_vault);
        path.split('?').next().filter(|_| is_vault)
    }
}

/// What makes a literal of a variable's value.
const LITERAL: &str = "write it out, in its own form and without `$` and `valueFrom`";

/// Whether `value` is in the one form that `parse` takes, and nothing that the kubelet would put together.
fn is_literal(value: &str, parse: fn(&str) -> Result<String, ValueError>) -> bool {
    !value.contains('$') && parse(value).is_ok_and(|parsed| parsed == value)
}
