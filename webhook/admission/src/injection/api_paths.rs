//! Paths of Vault's HTTP API where a reference has the path that a person gives to `vault kv get`.
//!
//! PURE. Such a path may be meant: a warning, with the form that is right otherwise.

use mayfly_spec::{Location, Reference, reference::VaultPath};

use crate::{fault::quote, settings::Annotation};

/// What KV version 2 has between a mount and a secret's name.
const BETWEEN: [&str; 2] = ["data", "metadata"];

/// What is doubtful in `reference`, and what may have been meant.
pub(super) fn doubt(reference: &Reference) -> Option<String> {
    let path = match &reference.location {
        Location::Vault(vault) => &vault.path,
        Location::VaultWrite(write) => &write.path,
        _ => return None,
    };
    of_login(path).or_else(|| of_data(&reference.location))
}

fn of_login(path: &str) -> Option<String> {
    let (mount, _) = names(path).strip_prefix("auth/")?.split_once("/login")?;
    Some(format!(
        "`{}: {}` has the agent log in; `{}` is no secret",
        Annotation::VaultAuthPath,
        quote(mount),
        quote(path)
    ))
}

/// A path whose author says what the engine is says what its names are too.
fn of_data(location: &Location) -> Option<String> {
    let Location::Vault(vault) = location else { return None };
    if vault.kv.is_some() || vault.engine.is_some() {
        return None;
    }
    let (mount, rest) = names(&vault.path).split_once('/')?;
    let (_, name) = rest.split_once('/').filter(|(between, _)| BETWEEN.contains(between))?;
    let path = format!("{mount}/{name}");
    let meant = Location::Vault(VaultPath { path, ..vault.clone() });
    Some(format!(
        "write `{}`; `{}` is Vault's API path (or add `?kv=`, if it is meant)",
        quote(&meant.to_string()),
        quote(&location.to_string())
    ))
}

/// The path without the API's version before it.
fn names(path: &str) -> &str {
    path.strip_prefix("v1/").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubt_of(text: &str) -> Option<String> {
        doubt(&text.parse().unwrap_or_else(|error| panic!("{text}: {error}")))
    }

    #[test]
    fn a_path_of_the_api_is_told_with_the_right_form() {
        for (text, meant) in [
            ("vault:secret/data/app#password", "write `vault:secret/app`;"),
            ("vault:secret/metadata/app", "write `vault:secret/app`;"),
            ("vault:v1/secret/data/a/b", "write `vault:secret/a/b`;"),
            ("vault:secret/data/app?version=3", "write `vault:secret/app?version=3`;"),
            ("vault:auth/kubernetes/login", "`mayfly.dev/vault-auth-path: kubernetes` has"),
            (
                "vault:v1/auth/clusters/eu/jwt/login",
                "`mayfly.dev/vault-auth-path: clusters/eu/jwt` has",
            ),
            ("vault-write:auth/userpass/login/me?password=x#a", "vault-auth-path: userpass` has"),
        ] {
            let doubt = doubt_of(text).unwrap_or_else(|| panic!("{text}: no doubt"));
            assert!(doubt.contains(meant), "{text}: {doubt}");
        }
    }

    #[test]
    fn a_path_that_may_be_meant_is_not() {
        for text in [
            "vault:secret/app",
            "vault:secret/data",
            "vault:secret/app/data/x",
            "vault:secret/data/app?kv=1",
            "vault:secret/data/app?kv=2",
            "vault:x/data/app?engine=database",
            "vault:auth/token/lookup-self",
            "vault:login/auth/login",
            "vault-write:pki/data/web",
            "aws-sm:secret/data/app",
        ] {
            assert_eq!(doubt_of(text), None, "{text}");
        }
    }
}
