//! Golden cases: a manifest, and what is said about it.
//!
//! `golden/explain/<case>/pod.yaml` with `explanation.txt` and `roles.tf`, or `denied.txt`; perhaps `config.yaml`.
//! `MAYFLY_GOLDEN=write` writes what is expected from what is; read the difference.

use kubectl_mayfly::explain::Explanation;
use mayfly_admission::{
    config::Config,
    manifest::{ManifestError, admit},
    policy::Namespace,
};
use serde_json::Value;

use crate::golden::Folder;

fn explain(config: &str, manifest: &str) -> Result<Explanation, ManifestError> {
    let config = Config::from_yaml(config).expect("a configuration");
    let admitted = admit(&config, &Namespace::named("default"), manifest)?;
    Ok(Explanation::of(&admitted.pods).expect("an explanation"))
}

fn check(folder: &Folder) -> Vec<String> {
    let text = |file| folder.read(file).unwrap_or_default();
    let explained = explain(&text("config.yaml"), &text("pod.yaml"));
    let (text, terraform, denied) = match explained {
        Ok(explanation) => (explanation.to_string(), explanation.terraform(), String::new()),
        Err(error) => (String::new(), String::new(), format!("{error}\n")),
    };
    let files = [("explanation.txt", text), ("roles.tf", terraform), ("denied.txt", denied)];
    files.iter().filter_map(|(file, is)| folder.compare(file, is)).collect()
}

#[test]
fn every_golden_manifest_is_explained_as_expected() {
    let cases = Folder::all("explain");
    assert!(cases.len() >= 10, "{} cases", cases.len());
    let differences: Vec<String> = cases.iter().flat_map(check).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The documents of IAM in `text`: whatever begins and ends with a brace alone on its line.
fn documents(text: &str) -> Vec<Value> {
    let mut documents = Vec::new();
    let mut document: Option<(usize, String)> = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if document.is_none() && line.trim() == "{" {
            document = Some((indent, String::new()));
        }
        if let Some((begun, text)) = &mut document {
            text.push_str(line);
            if line.trim() == "}" && *begun == indent {
                documents.push(serde_json::from_str(text).expect("JSON"));
                document = None;
            }
        }
    }
    assert!(document.is_none(), "a document without an end");
    documents
}

fn is_policy(document: &Value) -> bool {
    let statements = document["Statement"].as_array();
    document["Version"] == "2012-10-17"
        && statements.is_some_and(|statements| {
            !statements.is_empty()
                && statements.iter().all(|statement| {
                    statement["Effect"] == "Allow" && !statement["Action"].is_null()
                })
        })
}

#[test]
fn every_policy_that_is_printed_is_one() {
    let mut seen = 0;
    for folder in Folder::all("explain") {
        let texts =
            ["explanation.txt", "roles.tf"].map(|file| folder.read(file).unwrap_or_default());
        for document in texts.iter().flat_map(|text| documents(text)) {
            assert!(is_policy(&document), "{}: {document}", folder.name());
            seen += 1;
        }
    }
    assert!(seen >= 30, "{seen} policies");
}

#[test]
fn the_form_for_programs_holds_the_same_policies() {
    let pod = include_str!("../golden/explain/assumed-role/pod.yaml");
    let explanation = explain("", pod).expect("an explanation");
    let json = serde_json::to_value(&explanation).expect("JSON");
    let role = &json["aws"][0];
    let of_json: Vec<&Value> = ["policy", "trust"].iter().map(|field| &role[field]).collect();
    let assumed = ["policy", "trust"].iter().map(|field| &role["assumed"][0][field]);
    let of_text = documents(&explanation.to_string());
    assert_eq!(
        of_json.into_iter().chain(assumed).collect::<Vec<_>>(),
        of_text.iter().collect::<Vec<_>>()
    );
    let workload = &json["workloads"][0];
    assert_eq!(workload["serviceAccount"], "web");
    assert_eq!(workload["files"][0]["path"], "/run/mayfly/a");
}
