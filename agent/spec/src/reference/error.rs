//! What can be wrong with a reference, each with what to write instead.

use thiserror::Error;

use crate::suggestion::Suggestion;

/// A reference that cannot be. The message quotes the reference's own words, which are not secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// No `:` at all.
    #[error(
        "`{0}` names no source; write `<source>:<path>`, for example `aws-sm:prod/db#password`"
    )]
    NoSource(String),
    /// The word before the first `:` is no source.
    #[error("unknown source `{0}`{1}")]
    UnknownSource(String, Suggestion),
    /// Nothing between the source and the options or key.
    #[error("the path after `{0}:` is empty")]
    EmptyPath(String),
    /// A `#` with nothing behind it.
    #[error("the key after `#` is empty; leave the `#` out to take the whole secret")]
    EmptyKey,
    /// A control character, as it is or percent-encoded.
    #[error("a control character (U+{0:04X}) is not allowed")]
    Control(u32),
    /// A `%` without two hexadecimal digits.
    #[error(
        "`%` in `{0}` needs two hexadecimal digits behind it; write `%25` for the character itself"
    )]
    Percent(String),
    /// Percent-decoding gave bytes that are not UTF-8.
    #[error("`{0}` is not UTF-8 once its `%` sequences are decoded")]
    Utf8(String),
    /// A `~` in a JSON Pointer that RFC 6901 does not allow.
    #[error("`~` in the JSON Pointer `{0}` must be `~0` (for `~`) or `~1` (for `/`)")]
    Pointer(String),
    /// An option without `=`.
    #[error("the option `{0}` has no value; write `{0}=…`")]
    OptionWithoutValue(String),
    /// An option that this source does not have.
    #[error("`{source_name}` has no option `{option}`{suggestion}")]
    UnknownOption {
        /// The source's name.
        source_name: &'static str,
        /// The option's name as written.
        option: String,
        /// The nearest that there is.
        suggestion: Suggestion,
    },
    /// An option of a source that has none.
    #[error("`{0}` takes no options, but `{1}` is given")]
    NoOptions(&'static str, String),
    /// The same option twice.
    #[error("the option `{0}` is given twice")]
    RepeatedOption(String),
    /// Two options of which only one can hold.
    #[error("the options `{0}` and `{1}` exclude each other")]
    Exclusive(&'static str, &'static str),
    /// An option's value of the wrong form.
    #[error("`{value}` is no value for the option `{option}`; allowed: {allowed}")]
    OptionValue {
        /// The option's name.
        option: &'static str,
        /// The value as written.
        value: String,
        /// What would have been right.
        allowed: &'static str,
    },
    /// `?region=` against the region inside the ARN.
    #[error(
        "the option `region={option}` contradicts the ARN's region `{arn}`; leave the option out"
    )]
    RegionContradiction {
        /// The option's value.
        option: String,
        /// The ARN's region.
        arn: String,
    },
    /// Text that begins with `arn:` and is not an ARN.
    #[error(
        "`{0}` is not an ARN of the form `arn:<partition>:<service>:<region>:<account>:<resource>`"
    )]
    Arn(String),
    /// An ARN of a service that holds no secrets for us.
    #[error(
        "the ARN is of the service `{0}`; allowed: `secretsmanager` (…:secret:<name>) and `ssm` (…:parameter/<name>)"
    )]
    ArnService(String),
    /// ECS's way to pick from a secret.
    #[error(
        "`{0}` has ECS's `:key:stage:version` suffix; write `#<key>`, `?stage=` and `?version=` instead"
    )]
    EcsSuffix(String),
    /// SSM's own way to pick a version or label.
    #[error("`{0}` has a `:version` suffix; write `?version=<number>` or `?label=<label>` instead")]
    SsmSuffix(String),
    /// A trailing `/` where only one secret can be.
    #[error("a trailing `/` names a tree, which only `aws-ssm` has; name one secret of `{0}`")]
    Tree(&'static str),
    /// A trailing `/` behind a secret of Secrets Manager.
    #[error(
        "a trailing `/` names a tree, which only `aws-ssm` has; if the secret's own name ends in `/`, write `%2F` for it"
    )]
    SecretTree,
    /// A tree of parameters with a version, by ARN, or without its leading `/`.
    #[error(
        "`{0}` ends in `/` and so names a tree; write its path as `aws-ssm:/<path>/`, without `version` or `label`, and not as an ARN"
    )]
    ParameterTree(String),
    /// A name in a Vault path that HTTP would not keep.
    #[error(
        "`{0}` has the name `{1}` in it, which is no name of Vault's and could lead to another secret; write the path as Vault has it, each name once between two `/`"
    )]
    VaultName(String, String),
    /// `?mount=` where nothing goes by it.
    #[error(
        "the option `mount` needs the option `kv`, the version of the store that is mounted there"
    )]
    MountWithoutKv,
    /// `?external-id=` and nobody to tell it to.
    #[error("the option `external-id` needs the option `role`, the role that asks for it")]
    ExternalIdWithoutRole,
    /// Something that cannot be a sealed value.
    #[error("the `kms:` reference {0}; copy the whole line that `mayfly-agent seal` printed")]
    Sealed(&'static str),
    /// An envelope that another version has made.
    #[error(
        "the `kms:` reference has version {0}; this program reads version 1, so seal the value with its own `mayfly-agent seal`"
    )]
    SealedVersion(u8),
    /// A `file:` path that depends on where the agent was started.
    #[error("`file:{0}` must be an absolute path")]
    RelativeFile(String),
}
