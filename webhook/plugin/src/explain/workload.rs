//! One pod as it will be admitted: its files, and as whom they are read.

use std::collections::BTreeSet;

use mayfly_spec::{
    FileEntry, Location, Spec,
    file::Content,
    reference::Source,
    spec::{EnvironmentError, Identity, Mode, VaultAuth},
};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use super::Subject;
use mayfly_admission::{
    manifest::AdmittedPod,
    names::{CONFIG_VARIABLE, CONTAINER, IDENTITY_VOLUME, SECRETS_VOLUME},
    pod::{items, text},
    reach::Reach,
    settings::VaultMethod,
};

/// An admitted pod that cannot be read, which no manifest's author can cause.
#[derive(Debug, Error)]
#[error("{0}: the agent's configuration cannot be read")]
pub struct ExplainError(String, #[source] Option<EnvironmentError>);

/// A pod, or the template of one, in its author's words.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// What makes it, or `Pod`.
    pub kind: String,
    /// What a person calls that.
    pub name: String,
    /// As whom it reads.
    #[serde(flatten)]
    pub subject: Subject,
    /// How the agent is placed.
    pub mode: Mode,
    /// Where the files are.
    pub directory: String,
    /// The containers that see them.
    pub containers: Vec<String>,
    /// The user that they belong to.
    pub user: Option<u64>,
    /// The group that they are given to.
    pub group: Option<u32>,
    /// How often new versions are looked for, before jitter; never, if absent.
    pub refresh: Option<String>,
    /// The files.
    pub files: Vec<File>,
    /// How AWS is asked.
    pub aws: Option<AwsAccess>,
    /// How Vault is asked.
    pub vault: Option<VaultAccess>,
    #[serde(skip)]
    pub(super) locations: BTreeSet<Location>,
}

/// A file, or a directory of files, and one secret that it is made from: a template has several.
#[derive(Debug, Serialize)]
pub struct File {
    /// Its whole path; a directory's ends in `/`.
    pub path: String,
    /// Its permission bits.
    pub mode: String,
    /// Where the secret is.
    pub from: String,
    /// What its agent calls the secret: a file's key is none of that.
    #[serde(skip)]
    pub location: String,
    /// Whether a template puts the secret into it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub template: bool,
    /// Whether it may be missing.
    pub optional: bool,
    /// The kind of its backend.
    #[serde(skip)]
    pub source: Source,
}

/// How AWS is asked.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AwsAccess {
    /// Which proof is shown.
    pub identity: Identity,
    /// The role; absent, the service account's or the association's.
    pub role: Option<String>,
    /// The region of references that name none, and those that stand in for it.
    pub regions: Vec<String>,
}

/// How Vault is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct VaultAccess {
    /// The server.
    pub address: String,
    /// Vault's own namespace.
    pub namespace: Option<String>,
    /// Where the auth method is mounted below `auth/`.
    pub mount: String,
    /// The role.
    pub role: String,
    /// How pods log in to it.
    pub method: VaultMethod,
    /// The IAM role that logs in with the method `aws`, if the manifest says it.
    pub principal: Option<String>,
    /// The audience of the pod's token; absent, the API server's own.
    pub audience: Option<String>,
}

impl Workload {
    pub(crate) fn read(admitted: &AdmittedPod) -> Result<Self, ExplainError> {
        let AdmittedPod { kind, name, namespace, pod } = admitted;
        let fail = |error| ExplainError(format!("{kind} {name}"), error);
        let pod = pod.get("spec").unwrap_or(&Value::Null);
        let agent = containers(pod).find(|container| text(container, "name") == CONTAINER);
        let agent = agent.ok_or_else(|| fail(None))?;
        let contract = variable(agent, CONFIG_VARIABLE).unwrap_or_default();
        let spec = Spec::from_environment(contract).map_err(|error| fail(Some(error)))?;
        let account = Some(text(pod, "serviceAccountName")).filter(|name| !name.is_empty());
        let service_account = account.unwrap_or("default").to_owned();
        let user = agent.pointer("/securityContext/runAsUser").and_then(Value::as_u64);
        let mode = spec.mode.unwrap_or(Mode::Sidecar);
        let aws = AwsAccess::read(&spec, agent);
        Ok(Self {
            kind: kind.clone(),
            name: name.clone(),
            subject: Subject { namespace: namespace.clone(), service_account },
            mode,
            directory: spec.directory.display().to_string(),
            containers: readers(pod),
            user,
            group: spec.access.group,
            refresh: (mode != Mode::Init).then(|| spec.refresh.interval.to_string()),
            files: spec.files.entries().iter().flat_map(|entry| File::of(entry, &spec)).collect(),
            vault: VaultAccess::read(&spec, pod, aws.as_ref()),
            aws,
            locations: locations(&spec),
        })
    }
}

/// Everything that is fetched, each once.
fn locations(spec: &Spec) -> BTreeSet<Location> {
    let references = spec.files.entries().iter().flat_map(FileEntry::references);
    references.map(|reference| reference.location.clone()).collect()
}

impl File {
    /// What the entry makes, once for each reference that it is made from.
    fn of<'a>(entry: &'a FileEntry, spec: &'a Spec) -> impl Iterator<Item = Self> {
        let slash = if entry.content == Content::Directory { "/" } else { "" };
        entry.references().iter().map(move |reference| Self {
            path: format!("{}/{}{slash}", spec.directory.display(), entry.path),
            mode: entry.mode.unwrap_or(spec.access.mode).to_string(),
            from: reference.label(),
            location: reference.location.label(),
            template: entry.from.secret().is_none(),
            optional: entry.optional,
            source: reference.location.source(),
        })
    }
}

impl AwsAccess {
    fn read(spec: &Spec, agent: &Value) -> Option<Self> {
        let aws = spec.aws.as_ref()?;
        let Reach { identity, role, region } = Reach::of_agent(aws, agent);
        let region = region.unwrap_or(super::aws::REGION).to_owned();
        Some(Self {
            identity,
            role: role.map(str::to_owned),
            regions: std::iter::once(region).chain(aws.failover_regions.clone()).collect(),
        })
    }
}

impl VaultAccess {
    fn read(spec: &Spec, pod: &Value, aws: Option<&AwsAccess>) -> Option<Self> {
        let vault = spec.vault.as_ref()?;
        let (method, mount, role, token) = match &vault.auth {
            VaultAuth::Kubernetes(auth) => {
                (VaultMethod::Kubernetes, &auth.mount, &auth.role, Some(&auth.token_file))
            }
            VaultAuth::Jwt(auth) => {
                (VaultMethod::Jwt, &auth.mount, &auth.role, Some(&auth.token_file))
            }
            VaultAuth::Aws(auth) => (VaultMethod::Aws, &auth.mount, &auth.role, None),
            _ => return None,
        };
        let token = token.and_then(|path| path.file_name()?.to_str());
        let principal = aws.and_then(|aws| aws.role.clone());
        Some(Self {
            address: vault.address.clone(),
            namespace: vault.namespace.clone(),
            mount: mount.clone(),
            role: role.clone(),
            method,
            principal: principal.filter(|_| method == VaultMethod::Aws),
            audience: token.and_then(|token| audience(pod, token)),
        })
    }
}

/// The audience of our own token `file`.
fn audience(pod: &Value, file: &str) -> Option<String> {
    let volumes = items(pod, "volumes").iter();
    let mut tokens = volumes
        .filter(|volume| text(volume, "name") == IDENTITY_VOLUME)
        .filter_map(|volume| volume.get("projected"))
        .flat_map(|projected| items(projected, "sources"))
        .filter_map(|source| source.get("serviceAccountToken"));
    let token = tokens.find(|token| text(token, "path") == file)?;
    token.get("audience")?.as_str().map(str::to_owned)
}

/// The containers beside our own that see the files.
fn readers(pod: &Value) -> Vec<String> {
    let sees = |container: &&Value| {
        let mut mounts = items(container, "volumeMounts").iter();
        mounts.any(|mount| text(mount, "name") == SECRETS_VOLUME)
    };
    let names = containers(pod).filter(sees).map(|container| text(container, "name"));
    names.filter(|name| *name != CONTAINER).map(str::to_owned).collect()
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers"].into_iter().flat_map(|list| items(pod, list))
}

fn variable<'a>(container: &'a Value, name: &str) -> Option<&'a str> {
    let mut env = items(container, "env").iter();
    env.find(|variable| text(variable, "name") == name)?.get("value")?.as_str()
}
