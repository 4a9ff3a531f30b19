//! What a pod would get that a rule can forbid: its own wishes, its namespace's, and what follows
//! from them or from nobody's word.
//!
//! PURE. Computed from what the author wrote, our own container left aside but for what others may
//! put into it. What the operator's own defaults chose is left out.

mod aws;
mod origin;
mod reference;

use std::collections::BTreeMap;

use mayfly_spec::{
    reference::Source,
    spec::{Interval, Mode, Refresh},
};

use crate::{
    pod::Pod,
    quantity::Quantity,
    reach::AwsReach,
    request::Request,
    resources::Resources,
    settings::{Amount, Annotation, VaultAddress},
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
}

/// All that a pod asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// Texts.
    pub wishes: Vec<Wish>,
    /// Amounts by their annotations, each with its place; `None` where a limit is asked to be none.
    pub amounts: BTreeMap<Annotation, (String, Option<Quantity>)>,
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
        self.wishes.push(Wish { kind, place: place.into(), value: value.into() });
    }

    fn add_mode(&mut self, request: &Request) {
        if let Some(place) =
            Origin::of(request, |settings| settings.mode.is_some()).place(Annotation::Mode)
        {
            self.wish(Kind::Mode, place, request.mode().name());
        }
    }

    /// The author's choice, else Mayfly's own; nothing where the operator's default chose.
    fn add_vault(&mut self, request: &Request) {
        type Text<'a> = Option<&'a str>;
        let settings = &request.settings;
        let address: Text<'_> = settings.vault_address.as_ref().map(VaultAddress::as_str);
        let texts: [(Kind, Annotation, Text<'_>, Text<'_>); 4] = [
            (Kind::VaultAddress, Annotation::VaultAddress, address, None),
            (Kind::VaultRole, Annotation::VaultRole, settings.vault_role.as_deref(), None),
            (
                Kind::VaultAuthPath,
                Annotation::VaultAuthPath,
                settings.vault_auth_path.as_deref(),
                None,
            ),
            (
                Kind::VaultNamespace,
                Annotation::VaultNamespace,
                settings.vault_namespace.as_deref().map(|namespace| namespace.trim_matches('/')),
                Some(""),
            ),
        ];
        for (kind, annotation, text, usual) in texts {
            let origin = Origin::of(request, |settings| settings.has(annotation));
            // What is missing altogether has a fault of its own.
            if let (Some(place), Some(text)) = (origin.place(annotation), text.or(usual)) {
                self.wish(kind, place, text);
            }
        }
        if settings.vault_auth_path.is_none() {
            self.add_usual_mount(request);
        }
    }

    /// Whoever chose the auth method has chosen its usual mount.
    fn add_usual_mount(&mut self, request: &Request) {
        let method = Annotation::VaultAuthMethod;
        let origin = Origin::of(request, |settings| settings.has(method));
        let annotation = if origin == Origin::Nobody { Annotation::VaultAuthPath } else { method };
        if let Some(place) = origin.place(annotation) {
            self.wish(Kind::VaultAuthPath, place, request.vault_method().mount());
        }
    }

    fn add_amounts(&mut self, request: &Request, pod: &Pod<'_>) {
        let resources = Resources::of(request, pod);
        let amounts = [
            (Annotation::CpuRequest, resources.cpu.0),
            (Annotation::CpuLimit, resources.cpu.1),
            (Annotation::MemoryRequest, resources.memory.0),
            (Annotation::MemoryLimit, resources.memory.1),
            (Annotation::VolumeSize, Some(resources.volume)),
        ];
        for (annotation, amount) in amounts {
            let origin = Origin::of(request, |settings| settings.has(annotation));
            let is_limit = matches!(annotation, Annotation::CpuLimit | Annotation::MemoryLimit);
            let is_unset = is_limit && request.settings.amount(annotation) == Some(&Amount::Unset);
            if let Some(place) = origin.place(annotation).filter(|_| amount.is_some() || is_unset) {
                self.amounts.insert(annotation, (place, amount));
            }
        }
    }

    fn add_refresh(&mut self, request: &Request) {
        let origin = Origin::of(request, |settings| settings.refresh.is_some());
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
            Kind::AwsRole | Kind::AwsRegion => {
                self.value.contains('$').then_some("write it out, without `$` and `valueFrom`")
            }
            _ => (!self.has_one_spelling()).then_some("write it without `//`, `.`, `..` and `\\`"),
        }
    }

    fn has_one_spelling(&self) -> bool {
        let path = match self.kind {
            Kind::Reference => match self.value.strip_prefix("vault:") {
                Some(path) => path.split('?').next().unwrap_or_default(),
                None => return true,
            },
            Kind::VaultAuthPath | Kind::VaultNamespace => &self.value,
            _ => return true,
        };
        let is_name =
            |segment: &str| !matches!(segment, "" | "." | "..") && !segment.contains('\\');
        path.is_empty() || path.split('/').all(is_name)
    }
}
