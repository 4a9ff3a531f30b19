//! The annotations' names: the reference of the user's interface.
//!
//! PURE. Letters are compared in lower case, as the webhook's registration does.

use std::fmt;

/// What every annotation of ours begins with.
pub const PREFIX: &str = "mayfly.dev/";

/// What the name of a namespace's annotation begins with behind [`PREFIX`] to be a default for its pods.
pub(crate) const DEFAULT_PREFIX: &str = "default.";

/// An annotation that sets one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Annotation {
    /// The switch: `"true"` or `"false"`.
    Inject,
    /// A YAML list of file entries.
    Files,
    /// How the agent is placed: `sidecar`, `init`, `parallel`.
    Mode,
    /// How the app is held back: `hook`, `probe`.
    Gate,
    /// How long the start may take.
    StartDeadline,
    /// How often to look for new versions.
    Refresh,
    /// What to do after a new generation.
    OnChange,
    /// Where every chosen container sees the volume.
    MountPath,
    /// The containers that get the mount.
    Containers,
    /// Environment variables that name a file's path.
    PathEnv,
    /// Vault's URL, from the operator's list.
    VaultAddress,
    /// The role to log in to.
    VaultRole,
    /// How to log in: `kubernetes`, `jwt`, `aws`.
    VaultAuthMethod,
    /// Where that auth method is mounted.
    VaultAuthPath,
    /// The namespace of Vault Enterprise or OpenBao.
    VaultNamespace,
    /// The audience of the token that Vault is shown.
    VaultAudience,
    /// The region of references that name none.
    AwsRegion,
    /// The regions that stand in for it while it is down.
    AwsFailoverRegions,
    /// The IAM role of the pod.
    AwsRoleArn,
    /// Which proof of identity AWS is shown.
    AwsIdentity,
    /// The agent's request for CPU.
    CpuRequest,
    /// The agent's limit of CPU.
    CpuLimit,
    /// The agent's request for memory.
    MemoryRequest,
    /// The agent's limit of memory.
    MemoryLimit,
    /// The agent's request for ephemeral storage.
    EphemeralStorageRequest,
    /// The agent's limit of ephemeral storage.
    EphemeralStorageLimit,
    /// The size limit of the in-memory volume.
    VolumeSize,
}

impl Annotation {
    /// Every annotation that sets one thing, in the order of the documentation.
    pub const ALL: [Self; 27] = [
        Self::Inject,
        Self::Files,
        Self::Mode,
        Self::Gate,
        Self::StartDeadline,
        Self::Refresh,
        Self::OnChange,
        Self::MountPath,
        Self::Containers,
        Self::PathEnv,
        Self::VaultAddress,
        Self::VaultRole,
        Self::VaultAuthMethod,
        Self::VaultAuthPath,
        Self::VaultNamespace,
        Self::VaultAudience,
        Self::AwsRegion,
        Self::AwsFailoverRegions,
        Self::AwsRoleArn,
        Self::AwsIdentity,
        Self::CpuRequest,
        Self::CpuLimit,
        Self::MemoryRequest,
        Self::MemoryLimit,
        Self::EphemeralStorageRequest,
        Self::EphemeralStorageLimit,
        Self::VolumeSize,
    ];

    /// The name behind [`PREFIX`].
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Inject => "inject",
            Self::Files => "files",
            Self::Mode => "mode",
            Self::Gate => "gate",
            Self::StartDeadline => "start-deadline",
            Self::Refresh => "refresh",
            Self::OnChange => "on-change",
            Self::MountPath => "mount-path",
            Self::Containers => "containers",
            Self::PathEnv => "path-env",
            Self::VaultAddress => "vault-address",
            Self::VaultRole => "vault-role",
            Self::VaultAuthMethod => "vault-auth-method",
            Self::VaultAuthPath => "vault-auth-path",
            Self::VaultNamespace => "vault-namespace",
            Self::VaultAudience => "vault-audience",
            Self::AwsRegion => "aws-region",
            Self::AwsFailoverRegions => "aws-failover-regions",
            Self::AwsRoleArn => "aws-role-arn",
            Self::AwsIdentity => "aws-identity",
            Self::CpuRequest => "cpu-request",
            Self::CpuLimit => "cpu-limit",
            Self::MemoryRequest => "memory-request",
            Self::MemoryLimit => "memory-limit",
            Self::EphemeralStorageRequest => "ephemeral-storage-request",
            Self::EphemeralStorageLimit => "ephemeral-storage-limit",
            Self::VolumeSize => "volume-size",
        }
    }

    /// The annotation of the name `suffix`.
    pub fn find(suffix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.suffix().eq_ignore_ascii_case(suffix))
    }

    /// Whether an operator may give it a default: what says how, not what or whether.
    pub const fn has_default(self) -> bool {
        !matches!(
            self,
            Self::Inject | Self::Files | Self::OnChange | Self::Containers | Self::PathEnv
        )
    }

    /// Whether the operator's default may be made of the pod's own names.
    pub const fn takes_names(self) -> bool {
        matches!(
            self,
            Self::VaultRole
                | Self::VaultAuthPath
                | Self::VaultNamespace
                | Self::VaultAudience
                | Self::AwsRoleArn
        )
    }
}

/// The whole name, as a person writes it.
impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.suffix())
    }
}

/// The kinds of annotation of which there can be many: `<kind>.<name>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One file.
    File,
    /// A directory with one file for each key.
    Dir,
    /// One rendered file.
    Template,
}

impl Kind {
    const ALL: [Self; 3] = [Self::File, Self::Dir, Self::Template];

    /// The word before the first dot.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Dir => "dir",
            Self::Template => "template",
        }
    }
}

/// What is behind the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    Setting(Annotation),
    Entry(Kind, &'a str),
    Unknown,
}

impl<'a> Key<'a> {
    pub(crate) fn parse(suffix: &'a str) -> Self {
        if let Some(name) = Annotation::find(suffix) {
            return Self::Setting(name);
        }
        let entry = suffix.split_once('.').and_then(|(word, path)| {
            let kind = Kind::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(word))?;
            Some(Self::Entry(kind, path))
        });
        entry.unwrap_or(Self::Unknown)
    }
}

/// What follows the prefix in `key`, if it is one of ours.
pub(crate) fn suffix(key: &str) -> Option<&str> {
    let (start, rest) = key.split_at_checked(PREFIX.len())?;
    start.eq_ignore_ascii_case(PREFIX).then_some(rest)
}

/// The names of annotations that can have a default.
pub(crate) fn defaultable() -> impl Iterator<Item = &'static str> {
    Annotation::ALL.into_iter().filter(|name| name.has_default()).map(Annotation::suffix)
}

/// What an unknown name may have been meant for.
pub(crate) fn suggestions() -> impl Iterator<Item = &'static str> {
    let kinds = ["file.<name>", "dir.<name>", "template.<name>"];
    Annotation::ALL.into_iter().map(Annotation::suffix).chain(kinds)
}

/// What a namespace calls its default for the annotation `suffix`.
pub(crate) fn of_namespace(suffix: &str) -> String {
    format!("{PREFIX}{DEFAULT_PREFIX}{suffix} (of the namespace)")
}
