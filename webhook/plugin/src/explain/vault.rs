//! The roles of Vault: the policy that each needs, and the command that makes it.

use std::collections::{BTreeMap, BTreeSet};

use mayfly_spec::{
    Location,
    reference::{KvVersion, VaultPath, VaultWrite},
};
use serde::Serialize;

use super::{Subject, VaultAccess, Workload, login};

/// A role that pods log in to.
#[derive(Debug, Serialize)]
pub struct VaultRole {
    /// Where it is.
    #[serde(flatten)]
    pub access: VaultAccess,
    /// The service accounts whose pods log in to it.
    pub subjects: BTreeSet<Subject>,
    /// What it has to be allowed, as `vault policy write` takes it.
    pub policy: String,
    /// The command that makes the role.
    pub command: String,
}

/// What else an agent asks for, and why the policy says nothing of it.
const BY_DEFAULT: &str = "\
# Vault's policy `default`, which a role has unless `token_no_default_policy` is set, allows the rest: lookup-self,
# renew-self and revoke-self of auth/token, lookup and renew of sys/leases. Whoever may use a mount may ask
# sys/internal/ui/mounts for its engine.
";

/// What engines of dynamic secrets call their credentials, right below their mount.
const DYNAMIC: [&str; 4] = ["creds/", "static-creds/", "static-cred/", "sts/"];

/// The roles that `workloads` log in to.
pub(super) fn roles(workloads: &[Workload]) -> Vec<VaultRole> {
    let mut uses: BTreeMap<&VaultAccess, (BTreeSet<Subject>, BTreeSet<&Location>)> =
        BTreeMap::new();
    for workload in workloads {
        if let Some(vault) = &workload.vault {
            let (subjects, locations) = uses.entry(vault).or_default();
            subjects.insert(workload.subject.clone());
            locations.extend(&workload.locations);
        }
    }
    uses.into_iter()
        .map(|(access, (subjects, locations))| VaultRole::new(access, subjects, &locations))
        .collect()
}

impl VaultRole {
    fn new(
        access: &VaultAccess,
        subjects: BTreeSet<Subject>,
        locations: &BTreeSet<&Location>,
    ) -> Self {
        let rules: BTreeSet<String> = locations.iter().filter_map(|it| rule(it)).collect();
        let policy = rules.into_iter().collect::<String>() + BY_DEFAULT;
        let command = login::command(access, &subjects);
        Self { access: access.clone(), subjects, policy, command }
    }
}

/// What the policy says about `location`, if it is Vault's.
fn rule(location: &Location) -> Option<String> {
    match location {
        Location::Vault(path) => Some(rule_of_read(path)),
        Location::VaultWrite(VaultWrite { path, .. }) => Some(allow(path, r#""create", "update""#)),
        _ => None,
    }
}

/// KV version 2 is assumed where the manifest leaves it to the agent to find out, except for what
/// engines of dynamic secrets call their credentials.
fn rule_of_read(VaultPath { path, kv, .. }: &VaultPath) -> String {
    let read = |path: &str| allow(path, r#""read""#);
    let (mount, below) = path.split_once('/').unwrap_or((path, ""));
    let versioned = format!("{mount}/data/{below}");
    let is_dynamic = DYNAMIC.iter().any(|name| below.starts_with(name));
    match kv {
        Some(KvVersion::V1) => read(path),
        None if mount == "cubbyhole" => read(path),
        Some(KvVersion::V2) => read(&versioned),
        None if is_dynamic => {
            read(path) + &otherwise("is a KV mount of version 2", mount, &versioned)
        }
        None => read(&versioned) + &otherwise("is no KV mount of version 2", mount, path),
    }
}

/// A path that would be a pattern in a policy, which knows no way to write it otherwise, is not granted.
fn allow(path: &str, capabilities: &str) -> String {
    if is_pattern(path) {
        return format!("# {path}: not granted, because a policy would take it for a pattern\n");
    }
    format!("path {} {{\n  capabilities = [{capabilities}]\n}}\n", quoted(path))
}

fn otherwise(condition: &str, mount: &str, path: &str) -> String {
    if is_pattern(path) {
        return String::new();
    }
    format!("# if `{mount}/` {condition}: path {}\n", quoted(path))
}

fn is_pattern(path: &str) -> bool {
    path.ends_with('*')
        || path.split('/').any(|name| name == "+")
        || path.contains("{{")
        || path.contains("${")
}

fn quoted(path: &str) -> String {
    format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule_of(reference: &str) -> String {
        let reference: mayfly_spec::Reference = reference.parse().expect(reference);
        rule(&reference.location).expect("Vault's")
    }

    #[test]
    fn a_path_is_granted_as_its_engine_calls_it() {
        let read = |path: &str| format!("path \"{path}\" {{\n  capabilities = [\"read\"]\n}}\n");
        assert_eq!(rule_of("vault:secret/a/b?kv=1"), read("secret/a/b"));
        assert_eq!(rule_of("vault:secret/a/b?kv=2"), read("secret/data/a/b"));
        let both = rule_of("vault:secret/a/b");
        assert!(both.starts_with(&read("secret/data/a/b")), "{both}");
        assert!(both.ends_with("is no KV mount of version 2: path \"secret/a/b\"\n"), "{both}");
        assert!(rule_of("vault:database/creds/web").starts_with(&read("database/creds/web")));
        assert!(rule_of("vault:aws/sts/web").starts_with(&read("aws/sts/web")));
        assert_eq!(rule_of("vault:cubbyhole/web"), read("cubbyhole/web"));
        let write = "path \"pki/issue/web\" {\n  capabilities = [\"create\", \"update\"]\n}\n";
        assert_eq!(rule_of("vault-write:pki/issue/web?common_name=web"), write);
    }

    #[test]
    fn a_pattern_in_a_path_grants_nothing() {
        for reference in ["vault:secret/*", "vault:secret/+/x", "vault:secret/{{identity}}"] {
            let rule = rule_of(reference);
            assert!(rule.lines().all(|line| line.starts_with('#')), "{rule}");
        }
    }
}
