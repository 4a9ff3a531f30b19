//! The AppRole auth method: a role id, and a secret id that may come wrapped.

use std::path::{Path, PathBuf};

use mayfly_spec::spec::AppRoleAuth;

use super::{Granted, attempt::Attempt, method::Method, token_file, wrapping::Wrapped};
use crate::{
    fault::{Class, Fault},
    root::Root,
    secret::Secret,
    source::{contract::SourceError, vault::api::Api},
};

/// The two ids, and where they are.
#[derive(Debug)]
pub(in crate::source::vault) struct AppRole {
    mount: String,
    role_id: RoleId,
    secret_id: SecretId,
}

#[derive(Debug)]
enum RoleId {
    Given(String),
    File(PathBuf),
}

#[derive(Debug)]
enum SecretId {
    /// The role wants none.
    None,
    File(PathBuf),
    Wrapped(Wrapped),
}

impl AppRole {
    pub(super) fn new(auth: AppRoleAuth, root: &Root) -> Result<Self, SourceError> {
        let AppRoleAuth { mount, role_id, role_id_file, secret_id_file, wrapping_path } = auth;
        let file = |path: PathBuf| root.resolve(&path);
        let role_id = match (role_id, role_id_file.map(file)) {
            (Some(id), None) => RoleId::Given(id),
            (None, Some(path)) => RoleId::File(path),
            _ => return Err(wrong("give one of `role-id` and `role-id-file`")),
        };
        let secret_id = match (secret_id_file.map(file), wrapping_path) {
            (None, None) => SecretId::None,
            (Some(path), None) => SecretId::File(path),
            (Some(path), Some(made_at)) => SecretId::Wrapped(Wrapped::new(path, &made_at)),
            (None, Some(_)) => {
                return Err(wrong(
                    "`wrapping-path` speaks of the token in `secret-id-file`; give that too",
                ));
            }
        };
        Ok(Self { mount, role_id, secret_id })
    }

    pub(super) fn name(&self) -> String {
        format!("the AppRole of `auth/{}`", self.mount)
    }

    pub(super) async fn login(&self, api: &Api) -> Result<Granted, SourceError> {
        let role_id = match &self.role_id {
            RoleId::Given(id) => Secret::from(id.as_str()),
            RoleId::File(path) => read(path)?,
        };
        let secret_id = match &self.secret_id {
            SecretId::None => None,
            SecretId::File(path) => Some(read(path)?.into()),
            SecretId::Wrapped(wrapped) => Some(wrapped.secret_id(api).await?),
        };
        let secret_id = secret_id.as_deref().map(|id| ("secret_id", id));
        let attempt = Attempt {
            method: Method::AppRole,
            mount: &self.mount,
            who: self.name(),
            open: Vec::new(),
            shown: [("role_id", &role_id)].into_iter().chain(secret_id).collect(),
        };
        attempt.make(api).await
    }
}

fn read(path: &Path) -> Result<Secret, SourceError> {
    token_file::read_as("the id", path)
}

fn wrong(words: &str) -> SourceError {
    Fault::new(Class::Configuration, format_args!("`vault.auth.approle`: {words}"))
}
