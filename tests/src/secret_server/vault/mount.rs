//! What is mounted where: `sys/internal/ui/mounts/<path>`, which every token may ask that may read
//! anything in the mount.

use serde_json::json;

use super::{Kv, Vault, data, errors};
use crate::secret_server::{identifier::uuid, reply::Reply};

impl Vault {
    pub(super) fn mount_of(&self, path: &str) -> Reply {
        if let Some((mount, _, engine)) = self.engine_of(path) {
            return data(200, json!({"path": mount, "type": engine.name(), "options": null}));
        }
        let Some((mount, _)) = self.split(&format!("{}/", path.trim_end_matches('/'))) else {
            return errors(
                403,
                &[&format!(
                    "preflight capability check returned 403, please ensure client's policies grant access to path \"{path}/\""
                )],
            );
        };
        let version = match self.mounts[&mount].kv {
            Kv::V1 => "1",
            Kv::V2 => "2",
        };
        data(
            200,
            json!({
                "accessor": "kv_8799e19a",
                "config": {"default_lease_ttl": 0, "force_no_cache": false, "max_lease_ttl": 0},
                "deprecation_status": "supported",
                "description": "key/value secret storage",
                "external_entropy_access": false,
                "local": false,
                "options": {"version": version},
                "path": mount,
                "plugin_version": "",
                "running_plugin_version": "v0.16.1+builtin",
                "running_sha256": "",
                "seal_wrap": false,
                "type": "kv",
                "uuid": uuid(),
            }),
        )
    }
}
