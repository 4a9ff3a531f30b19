//! Variables and mounts of others in our container: which of them stay.
//!
//! PURE. What stays keeps its place among ours, because others may have put it there for a reason. Only so many are
//! looked at as an honest container has.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{construction::Site, guarded};
use crate::{
    bounds,
    eks::{self, says_only},
    fault::quote,
    names::{IDENTITY_VOLUME, SECRETS_VOLUME, STATE_VOLUME},
    pod::text,
    sameness::is_same,
    settings::overlap,
};

/// The members of a mount that are known to do no harm.
const MOUNT: [&str; 6] =
    ["name", "mountPath", "readOnly", "recursiveReadOnly", "subPath", "subPathExpr"];

impl Site<'_> {
    /// `ours`, and those of `there` that the agent does not read.
    pub(super) fn variables(&mut self, ours: &[Value], there: &[Value]) -> Value {
        let mut seen = BTreeSet::new();
        let mut variables = Vec::new();
        for variable in self.first(there, "variables") {
            let name = text(variable, "name");
            let ours = ours.iter().find(|ours| text(ours, "name") == name);
            if !seen.insert(name) {
                continue;
            }
            if let Some(variable) = ours.or_else(|| self.stays(variable).then_some(variable)) {
                variables.push(variable.clone());
            } else if !name.starts_with(guarded::OURS) {
                self.miss(|| format!("the variable `{}`", quote(name)));
            }
        }
        let missing = ours.iter().filter(|ours| !seen.contains(text(ours, "name")));
        variables.extend(missing.cloned());
        Value::Array(variables)
    }

    fn stays(&self, variable: &Value) -> bool {
        let name = text(variable, "name");
        let additions = &self.config.additions;
        if name.is_empty() || name.starts_with(guarded::OURS) || additions.drop.has_variable(name) {
            return false;
        }
        if eks::is_variable(name) {
            let has_token = |token| self.tokens.contains(&token);
            return eks::value(variable).is_some() && eks::token_of(name).is_none_or(has_token);
        }
        !guarded::is_read(name) || is_of_the_cluster(variable) || additions.keep.has_variable(name)
    }

    /// Sources of variables whose names cannot be those of a variable that is read.
    pub(super) fn sources(&mut self, there: &[Value]) -> Option<Value> {
        let mut sources = Vec::new();
        for source in self.first(there, "sources of variables") {
            let prefix = text(source, "prefix");
            let additions = &self.config.additions;
            if prefix.is_empty()
                || guarded::may_be_read(prefix)
                || additions.drop.has_variable(prefix)
                || !says_only(source, &["prefix", "configMapRef", "secretRef"])
            {
                self.miss(|| format!("`envFrom` with the prefix `{}`", quote(prefix)));
            } else {
                sources.push(source.clone());
            }
        }
        (!sources.is_empty()).then_some(Value::Array(sources))
    }

    /// `ours`, and those of `there` that hide nothing.
    pub(super) fn mounts(&mut self, ours: &[Value], there: &[Value]) -> Value {
        let mut seen = BTreeSet::new();
        let mut mounts = Vec::new();
        for mount in self.first(there, "mounts") {
            let path = text(mount, "mountPath");
            let same = ours.iter().find(|ours| is_same(ours, mount));
            if let Some(mount) = same.or_else(|| self.hides_nothing(mount, ours).then_some(mount)) {
                if seen.insert(path) {
                    mounts.push(mount.clone());
                }
            } else if !is_our_volume(mount) {
                self.miss(|| format!("the mount at {}", quote(path)));
            }
        }
        let missing = ours.iter().filter(|ours| !seen.contains(text(ours, "mountPath")));
        mounts.extend(missing.cloned());
        Value::Array(mounts)
    }

    fn hides_nothing(&self, mount: &Value, ours: &[Value]) -> bool {
        let (path, additions) = (text(mount, "mountPath"), &self.config.additions);
        let is_plain = path.starts_with('/') && !path.split('/').any(|name| name == "..");
        if !is_plain || is_our_volume(mount) || additions.drop.has_mount(path) {
            return false;
        }
        let hides_ours = ours.iter().any(|ours| overlap(path, text(ours, "mountPath")));
        if hides_ours || guarded::is_fixed(path) {
            return false;
        }
        if self.tokens.iter().any(|token| token.is_mount(mount)) {
            return true;
        }
        let of_eks = |token: &&eks::Token| {
            text(mount, "name") == token.volume || overlap(path, token.directory)
        };
        says_only(mount, &MOUNT)
            && !eks::TOKENS.iter().any(of_eks)
            && (!guarded::is_believed(path) || additions.keep.has_mount(path))
    }

    /// As many as are looked at.
    fn first<'a>(&mut self, there: &'a [Value], what: &str) -> &'a [Value] {
        let Some(first) = there.get(..bounds::ADDITIONS) else { return there };
        if there.len() > bounds::ADDITIONS {
            self.miss(|| format!("what comes after {} {what}", bounds::ADDITIONS));
        }
        first
    }
}

fn is_our_volume(mount: &Value) -> bool {
    [SECRETS_VOLUME, STATE_VOLUME, IDENTITY_VOLUME].contains(&text(mount, "name"))
}

/// Whether `variable` says where the API server is: what the agent reads of it is whether it is said at all.
fn is_of_the_cluster(variable: &Value) -> bool {
    let value = text(variable, "value");
    text(variable, "name").starts_with("KUBERNETES_")
        && says_only(variable, &["name", "value"])
        && !value.is_empty()
        && !value.contains('$')
}
