//! What a folder of manifests has: its pods, and what cannot be read.
#![expect(clippy::disallowed_methods, reason = "manifests are files")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use mayfly_admission::{
    settings::PREFIX,
    workload::{Template, Templates},
};
use serde_json::{Value, json};

/// Something in a folder.
#[derive(Debug)]
pub(super) enum Found {
    /// A pod, or what would be one of a workload.
    Pod(Value),
    /// A file that is neither YAML nor JSON, such as a template of Helm's.
    Unreadable(String),
}

/// Everything below `folder`, each by its file, kind and name, in the order of the files' names.
pub(super) fn find(folder: &Path) -> Result<Vec<(String, Found)>> {
    let mut found = Vec::new();
    for path in files(folder)? {
        let label = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
        let text = fs::read_to_string(&path).with_context(|| format!("read {label}"));
        match text.and_then(|text| documents(&text)) {
            Ok(documents) => found.extend(documents.iter().flat_map(|object| pods(&label, object))),
            Err(error) => found.push((label, Found::Unreadable(format!("{error:#}")))),
        }
    }
    Ok(found)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let is_manifest = path
            .extension()
            .is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known));
        // A link may lead back to where it is.
        if path.is_dir() && !path.is_symlink() {
            files.extend(self::files(&path)?);
        } else if is_manifest {
            files.push(path);
        }
    }
    Ok(files)
}

/// As kubectl reads them, by YAML 1.1.
fn documents(text: &str) -> Result<Vec<Value>> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true, strict_booleans: false };
    Ok(serde_saphyr::from_multiple_with_options(text, options)?)
}

fn pods(file: &str, object: &Value) -> Vec<(String, Found)> {
    if let Some(items) = object["items"].as_array() {
        return items.iter().flat_map(|item| pods(file, item)).collect();
    }
    let name = ["name", "generateName"].iter().find_map(|it| object["metadata"][it].as_str());
    let kind = object["kind"].as_str().unwrap_or_default();
    let label = format!("{file}, {kind} {}", name.unwrap_or("without a name"));
    let templates = Templates::of(object).list;
    let pod = |template: &Template| {
        let pod = object.pointer(&template.pointer)?;
        let place = (templates.len() > 1).then(|| format!(" at {}", template.place()));
        Some((label.clone() + &place.unwrap_or_default(), Found::Pod(alone(pod))))
    };
    templates.iter().filter_map(pod).collect()
}

/// The pod by itself, without what has to be in the cluster before it: those are not what is tried.
fn alone(template: &Value) -> Value {
    let (mut metadata, mut spec) = (template["metadata"].clone(), template["spec"].clone());
    if let Some(annotations) = metadata["annotations"].as_object_mut() {
        // Whoever asks already is asked anew.
        annotations.retain(|key, _| !key.to_ascii_lowercase().starts_with(PREFIX));
    }
    for needed in ["serviceAccountName", "serviceAccount", "priorityClassName", "runtimeClassName"]
    {
        spec.as_object_mut().and_then(|spec| spec.remove(needed));
    }
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "wild", "labels": metadata["labels"], "annotations": metadata["annotations"],
        },
        "spec": spec,
    })
}
