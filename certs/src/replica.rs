//! Whose a certificate authority in the bundle is, and how its subject says so.
//!
//! PURE.

use rcgen::{DistinguishedName, DnType};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

const ORGANIZATION: &str = "mayfly.dev";
const POD: &str = "pod";
const PROCESS: &str = "process";

/// One running webhook. Of a pod others can find out that it is gone; of a process outside the
/// cluster they cannot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Replica {
    namespace: Option<String>,
    name: String,
}

impl Replica {
    /// The pod of that name.
    pub fn pod(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: Some(namespace.into()), name: name.into() }
    }

    /// A process that is no pod.
    pub fn process(name: impl Into<String>) -> Self {
        Self { namespace: None, name: name.into() }
    }

    /// What tells it from the other replicas.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A pod's namespace.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The subject of its certificate authority.
    pub(crate) fn subject(&self) -> DistinguishedName {
        let mut subject = DistinguishedName::new();
        subject.push(DnType::OrganizationName, ORGANIZATION);
        let kind = if self.namespace.is_some() { POD } else { PROCESS };
        subject.push(DnType::OrganizationalUnitName, kind);
        if let Some(namespace) = &self.namespace {
            subject.push(DnType::LocalityName, namespace.as_str());
        }
        subject.push(DnType::CommonName, self.name.as_str());
        subject
    }

    /// The replica that a subject names, if the certificate is one of Mayfly's.
    pub(crate) fn of(subject: &X509Name<'_>) -> Option<Self> {
        if only(subject.iter_organization())? != ORGANIZATION {
            return None;
        }
        let name = only(subject.iter_common_name())?;
        match only(subject.iter_organizational_unit())? {
            POD => Some(Self::pod(only(subject.iter_locality())?, name)),
            PROCESS => Some(Self::process(name)),
            _ => None,
        }
    }
}

fn only<'a>(mut values: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> Option<&'a str> {
    let value = values.next()?.as_str().ok()?;
    values.next().is_none().then_some(value)
}
