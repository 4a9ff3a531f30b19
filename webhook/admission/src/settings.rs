//! The settings of a pod, or the operator's defaults for them: the same type for both, and for every value in it.
//!
//! PURE. Knows what can be said; does not know who says it, and what of it is allowed.

mod mount_path;
mod name;
mod path_env;
mod value;
mod vault_method;

use mayfly_spec::spec::{Identity, Interval, Mode};

use crate::{
    bounds,
    quantity::{MEBIBYTE, Quantity},
};
pub use mount_path::{MountPath, overlap};
pub use name::{Annotation, Kind, PREFIX};
pub(crate) use name::{DEFAULT_PREFIX, Key, defaultable, of_namespace, suffix, suggestions};
pub use path_env::PathEnv;
pub use value::{Amount, ValueError, VaultAddress};
pub(crate) use value::{host_name, line, list_addresses, region, role_arn};
pub use vault_method::VaultMethod;

/// About as many as AWS has.
const MOST_REGIONS: usize = 32;

/// How the app is held back until its files are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// A `postStart` hook.
    Hook,
    /// A startup probe.
    Probe,
}

/// One optional value for each annotation. Their meaning is that of [`Annotation`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the annotation of its name")]
pub struct Settings {
    pub mode: Option<Mode>,
    pub gate: Option<Gate>,
    pub start_deadline: Option<Interval>,
    pub refresh: Option<Interval>,
    pub mount_path: Option<MountPath>,
    pub containers: Option<Vec<String>>,
    pub path_env: Vec<PathEnv>,
    pub vault_address: Option<VaultAddress>,
    pub vault_role: Option<String>,
    pub vault_auth_method: Option<VaultMethod>,
    pub vault_auth_path: Option<String>,
    pub vault_namespace: Option<String>,
    pub vault_audience: Option<String>,
    pub aws_region: Option<String>,
    pub aws_failover_regions: Option<Vec<String>>,
    pub aws_role_arn: Option<String>,
    pub aws_identity: Option<Identity>,
    pub cpu_request: Option<Amount>,
    pub cpu_limit: Option<Amount>,
    pub memory_request: Option<Amount>,
    pub memory_limit: Option<Amount>,
    pub ephemeral_storage_request: Option<Amount>,
    pub ephemeral_storage_limit: Option<Amount>,
    pub volume_size: Option<Quantity>,
}

impl Settings {
    /// Reads the value of one annotation.
    pub fn set(&mut self, name: Annotation, text: &str) -> Result<(), ValueError> {
        match name {
            Annotation::Inject | Annotation::Files => {}
            Annotation::Mode => put(&mut self.mode, mode(text))?,
            Annotation::Gate => put(&mut self.gate, gate(text))?,
            Annotation::StartDeadline => put(&mut self.start_deadline, interval(text))?,
            Annotation::Refresh => put(&mut self.refresh, interval(text))?,
            Annotation::OnChange => return Err(ValueError::Later("on-change")),
            Annotation::MountPath => put(&mut self.mount_path, MountPath::parse(text))?,
            Annotation::Containers => put(&mut self.containers, names(text))?,
            Annotation::PathEnv => self.path_env = PathEnv::parse_list(text)?,
            Annotation::VaultAddress => put(&mut self.vault_address, VaultAddress::parse(text))?,
            Annotation::VaultRole => put(&mut self.vault_role, value::line(text))?,
            Annotation::VaultAuthMethod => put(&mut self.vault_auth_method, vault_method(text))?,
            Annotation::VaultAuthPath => put(&mut self.vault_auth_path, value::auth_path(text))?,
            Annotation::VaultNamespace => put(&mut self.vault_namespace, value::line(text))?,
            Annotation::VaultAudience => put(&mut self.vault_audience, value::line(text))?,
            Annotation::AwsRegion => put(&mut self.aws_region, value::region(text))?,
            Annotation::AwsFailoverRegions => put(&mut self.aws_failover_regions, regions(text))?,
            Annotation::AwsRoleArn => put(&mut self.aws_role_arn, value::role_arn(text))?,
            Annotation::AwsIdentity => put(&mut self.aws_identity, identity(text))?,
            Annotation::CpuRequest => put(&mut self.cpu_request, Amount::parse(text))?,
            Annotation::CpuLimit => put(&mut self.cpu_limit, Amount::parse(text))?,
            Annotation::MemoryRequest => put(&mut self.memory_request, Amount::parse(text))?,
            Annotation::MemoryLimit => put(&mut self.memory_limit, Amount::parse(text))?,
            Annotation::EphemeralStorageRequest => {
                put(&mut self.ephemeral_storage_request, Amount::parse(text))?;
            }
            Annotation::EphemeralStorageLimit => {
                put(&mut self.ephemeral_storage_limit, Amount::parse(text))?;
            }
            Annotation::VolumeSize => put(&mut self.volume_size, volume_size(text))?,
        }
        Ok(())
    }

    /// These settings, and `defaults` where there are none.
    #[must_use]
    pub fn or(self, defaults: &Self) -> Self {
        let text = |own: Option<String>, default: &Option<String>| own.or_else(|| default.clone());
        let amount =
            |own: Option<Amount>, default: &Option<Amount>| own.or_else(|| default.clone());
        Self {
            mode: self.mode.or(defaults.mode),
            gate: self.gate.or(defaults.gate),
            start_deadline: self.start_deadline.or(defaults.start_deadline),
            refresh: self.refresh.or(defaults.refresh),
            mount_path: self.mount_path.or_else(|| defaults.mount_path.clone()),
            containers: self.containers,
            path_env: self.path_env,
            vault_address: self.vault_address.or_else(|| defaults.vault_address.clone()),
            vault_role: text(self.vault_role, &defaults.vault_role),
            vault_auth_method: self.vault_auth_method.or(defaults.vault_auth_method),
            vault_auth_path: text(self.vault_auth_path, &defaults.vault_auth_path),
            vault_namespace: text(self.vault_namespace, &defaults.vault_namespace),
            vault_audience: text(self.vault_audience, &defaults.vault_audience),
            aws_region: text(self.aws_region, &defaults.aws_region),
            aws_failover_regions: self
                .aws_failover_regions
                .or_else(|| defaults.aws_failover_regions.clone()),
            aws_role_arn: text(self.aws_role_arn, &defaults.aws_role_arn),
            aws_identity: self.aws_identity.or(defaults.aws_identity),
            cpu_request: amount(self.cpu_request, &defaults.cpu_request),
            cpu_limit: amount(self.cpu_limit, &defaults.cpu_limit),
            memory_request: amount(self.memory_request, &defaults.memory_request),
            memory_limit: amount(self.memory_limit, &defaults.memory_limit),
            ephemeral_storage_request: amount(
                self.ephemeral_storage_request,
                &defaults.ephemeral_storage_request,
            ),
            ephemeral_storage_limit: amount(
                self.ephemeral_storage_limit,
                &defaults.ephemeral_storage_limit,
            ),
            volume_size: self.volume_size.or_else(|| defaults.volume_size.clone()),
        }
    }

    /// Whether the setting of this name has a value.
    pub fn has(&self, name: Annotation) -> bool {
        match name {
            Annotation::Inject | Annotation::Files | Annotation::OnChange => false,
            Annotation::Mode => self.mode.is_some(),
            Annotation::Gate => self.gate.is_some(),
            Annotation::StartDeadline => self.start_deadline.is_some(),
            Annotation::Refresh => self.refresh.is_some(),
            Annotation::MountPath => self.mount_path.is_some(),
            Annotation::Containers => self.containers.is_some(),
            Annotation::PathEnv => !self.path_env.is_empty(),
            Annotation::VaultAddress => self.vault_address.is_some(),
            Annotation::VaultRole => self.vault_role.is_some(),
            Annotation::VaultAuthMethod => self.vault_auth_method.is_some(),
            Annotation::VaultAuthPath => self.vault_auth_path.is_some(),
            Annotation::VaultNamespace => self.vault_namespace.is_some(),
            Annotation::VaultAudience => self.vault_audience.is_some(),
            Annotation::AwsRegion => self.aws_region.is_some(),
            Annotation::AwsFailoverRegions => self.aws_failover_regions.is_some(),
            Annotation::AwsRoleArn => self.aws_role_arn.is_some(),
            Annotation::AwsIdentity => self.aws_identity.is_some(),
            Annotation::VolumeSize => self.volume_size.is_some(),
            Annotation::CpuRequest
            | Annotation::CpuLimit
            | Annotation::MemoryRequest
            | Annotation::MemoryLimit
            | Annotation::EphemeralStorageRequest
            | Annotation::EphemeralStorageLimit => self.amount(name).is_some(),
        }
    }

    /// The amount that the setting of this name says.
    pub fn amount(&self, name: Annotation) -> Option<&Amount> {
        match name {
            Annotation::CpuRequest => self.cpu_request.as_ref(),
            Annotation::CpuLimit => self.cpu_limit.as_ref(),
            Annotation::MemoryRequest => self.memory_request.as_ref(),
            Annotation::MemoryLimit => self.memory_limit.as_ref(),
            Annotation::EphemeralStorageRequest => self.ephemeral_storage_request.as_ref(),
            Annotation::EphemeralStorageLimit => self.ephemeral_storage_limit.as_ref(),
            _ => None,
        }
    }
}

fn put<T>(place: &mut Option<T>, parsed: Result<T, ValueError>) -> Result<(), ValueError> {
    *place = Some(parsed?);
    Ok(())
}

fn mode(text: &str) -> Result<Mode, ValueError> {
    let modes = [Mode::Sidecar, Mode::Init, Mode::Parallel];
    value::word(text.trim(), &modes.map(|mode| (mode.name(), mode)))
}

fn gate(text: &str) -> Result<Gate, ValueError> {
    value::word(text.trim(), &[("hook", Gate::Hook), ("probe", Gate::Probe)])
}

fn identity(text: &str) -> Result<Identity, ValueError> {
    let known = [("irsa", Identity::Irsa), ("pod-identity", Identity::PodIdentity)];
    value::word(text.trim(), &known)
}

fn vault_method(text: &str) -> Result<VaultMethod, ValueError> {
    value::word(text.trim(), &VaultMethod::ALL.map(|method| (method.name(), method)))
}

fn interval(text: &str) -> Result<Interval, ValueError> {
    Ok(text.trim().parse()?)
}

fn names(text: &str) -> Result<Vec<String>, ValueError> {
    if text.split(',').count() > bounds::NAMES {
        return Err(value::form(text, "at most 500 names"));
    }
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    if names.iter().any(String::is_empty) {
        return Err(value::form(text, "names of containers, parted by commas"));
    }
    Ok(names)
}

fn regions(text: &str) -> Result<Vec<String>, ValueError> {
    if text.split(',').count() > MOST_REGIONS {
        return Err(value::form(text, "at most 32 regions"));
    }
    text.split(',').map(value::region).collect()
}

fn volume_size(text: &str) -> Result<Quantity, ValueError> {
    let size = value::quantity(text)?;
    if size.units() < MEBIBYTE {
        return Err(value::form(text, "a quantity of at least `1Mi`"));
    }
    Ok(size)
}
