//! The agent's image, and what others may add to its container, as the operator writes it.
//!
//! PURE.

use std::{collections::BTreeSet, num::NonZeroU32};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    config::{Additions, Config, ConfigError, Names, PullPolicy},
    settings::ValueError,
};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Agent {
    /// Its image.
    image: Option<String>,
    /// Where the same image lies besides, as `mirror.example/mayfly-agent` or as what stands before its name
    /// (`mirror.example`): an image that another webhook took from there stays.
    image_mirrors: BTreeSet<String>,
    /// When the kubelet pulls it.
    pull_policy: Option<PullPolicy>,
    /// As whom it runs where the pod's containers share no user: a number above 0 (65532), or `assigned` where the
    /// cluster gives each container one, as `OpenShift` does.
    #[schemars(with = "Option<User>")]
    user: Option<Value>,
    /// What stays of what other webhooks add to the agent's container, beyond what usually does, and what does not.
    additions: Stay,
}

/// A user, for the schema.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the schema's view of a number or a word")]
enum User {
    Number(NonZeroU32),
    Word(Assigned),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(dead_code, reason = "the schema's view of a word")]
enum Assigned {
    Assigned,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Stay {
    /// Stays, although the agent or its libraries may heed it.
    keep: Listed,
    /// Does not stay.
    drop: Listed,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Listed {
    /// Variables by their names; a `*` at the end stands for anything.
    variables: Vec<String>,
    /// Mounts by their places, with all below them.
    mounts: Vec<String>,
}

impl Agent {
    pub(super) fn into_config(self, usual: Config) -> Result<Config, ConfigError> {
        Ok(Config {
            agent_image: self.image.unwrap_or(usual.agent_image),
            image_mirrors: mirrors(self.image_mirrors)?,
            pull_policy: self.pull_policy.unwrap_or(usual.pull_policy),
            agent_user: self.user.map_or(Ok(usual.agent_user), |user| agent_user(&user))?,
            additions: Additions {
                keep: self.additions.keep.into_names("keep")?,
                drop: self.additions.drop.into_names("drop")?,
            },
            ..usual
        })
    }
}

fn agent_user(user: &Value) -> Result<Option<u32>, ConfigError> {
    let number = user.as_u64().and_then(|number| u32::try_from(number).ok());
    match number.filter(|number| *number != 0) {
        Some(number) => Ok(Some(number)),
        None if user == "assigned" => Ok(None),
        None => {
            let allowed = "the number of a user other than root, or `assigned`";
            Err(refused("agent.user", &user.to_string(), allowed))
        }
    }
}

fn mirrors(mirrors: BTreeSet<String>) -> Result<BTreeSet<String>, ConfigError> {
    let bad_byte = |byte: u8| {
        !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-:/".contains(&byte))
    };
    let bad = |name: &str| {
        let last = name.rsplit('/').next().unwrap_or_default();
        name.bytes().any(bad_byte)
            || name.split('/').any(str::is_empty)
            || name.contains('/') && last.contains(':')
    };
    match mirrors.iter().find(|name| bad(name)) {
        Some(name) => Err(refused(
            "agent.image-mirrors",
            name,
            "a registry, a path in one, or an image, without scheme, tag and digest: `mirror.example/mayfly-agent`",
        )),
        None => Ok(mirrors),
    }
}

impl Listed {
    fn into_names(self, side: &str) -> Result<Names, ConfigError> {
        let field = |list: &str| format!("agent.additions.{side}.{list}");
        let bad_byte = |byte: u8| !(byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        let bad_variable = |name: &&String| {
            let beginning = name.strip_suffix('*').unwrap_or(name);
            beginning.is_empty() || beginning.bytes().any(bad_byte)
        };
        if let Some(name) = self.variables.iter().find(bad_variable) {
            let allowed = "a variable's name, or the beginning of one and `*`: `CORP_*`";
            return Err(refused(&field("variables"), name, allowed));
        }
        let bad_name = |name: &str| matches!(name, "" | "." | "..");
        let bad_place = |path: &&String| {
            let names = path.strip_prefix('/');
            names.is_none_or(|names| names.split('/').any(bad_name))
        };
        if let Some(path) = self.mounts.iter().find(bad_place) {
            let allowed = "an absolute path below `/`, without `.`, `..` or a trailing `/`";
            return Err(refused(&field("mounts"), path, allowed));
        }
        Ok(Names { variables: self.variables, mounts: self.mounts })
    }
}

fn refused(field: &str, value: &str, allowed: &'static str) -> ConfigError {
    ConfigError::Value(field.to_owned(), ValueError::Form { value: value.to_owned(), allowed })
}
