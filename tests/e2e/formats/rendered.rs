//! A file as the agent makes it, without an agent.

use mayfly_agent::{
    render::desired_files,
    secret::{Secret, SecretData},
};
use mayfly_spec::{FileEntry, spec::Access};

/// The bytes of a file of that shape from a secret, JSON, or why there are none.
pub(super) fn rendered(shape: &str, secret: &str) -> Result<Vec<u8>, String> {
    let entry = format!(r#"{{"from":"vault:secret/app",{shape}}}"#);
    let entry: FileEntry = serde_json::from_str(&entry).map_err(|error| error.to_string())?;
    let data = SecretData::from(Secret::from(secret));
    let secrets = [(&entry.references()[0].location, Some(&data))].into_iter().collect();
    let entries = std::slice::from_ref(&entry);
    let desired = desired_files(entries, &Access::default(), &secrets)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    let file = desired.files.into_values().next().ok_or("no file")?;
    Ok(file.content.expose().to_vec())
}
