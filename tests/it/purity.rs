//! What decides about pods can do nothing about them: its manifest's closure has nobody who could.

#![expect(clippy::disallowed_methods, reason = "manifests are files")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::Deserialize;

/// Runtimes, HTTP, TLS, clients of clusters and of anything else, logs.
const FOREIGN: [&str; 18] = [
    "async-std",
    "aws-lc-rs",
    "axum",
    "h2",
    "hyper",
    "hyper-util",
    "kube",
    "kube-client",
    "kube-core",
    "mio",
    "reqwest",
    "ring",
    "rustls",
    "smol",
    "tokio",
    "tokio-rustls",
    "tower",
    "tracing",
];

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    #[serde(default)]
    dependencies: Vec<String>,
}

fn workspace(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    fs::read_to_string(root.join(file)).expect(file)
}

/// A package's own list, without what is only for its tests.
fn manifest(file: &str) -> BTreeSet<String> {
    let manifest: toml::Table = workspace(file).parse().expect(file);
    manifest["dependencies"].as_table().expect("a table").keys().cloned().collect()
}

/// Everything that is linked with the crates `names`, by the lock file: more rather than less, because a lock file
/// also knows of what only another platform or a test needs.
fn closure(names: BTreeSet<String>) -> BTreeSet<String> {
    let lock: Lock = toml::from_str(&workspace("Cargo.lock")).expect("a lock file");
    let mut packages: BTreeMap<String, Vec<&Package>> = BTreeMap::new();
    for package in &lock.package {
        packages.entry(package.name.clone()).or_default().push(package);
        packages.entry(format!("{} {}", package.name, package.version)).or_default().push(package);
    }
    let (mut open, mut seen): (Vec<String>, BTreeSet<String>) =
        (names.into_iter().collect(), BTreeSet::new());
    while let Some(name) = open.pop() {
        for package in packages.get(&name).expect("a locked package") {
            if seen.insert(format!("{} {}", package.name, package.version)) {
                open.extend(package.dependencies.iter().cloned());
            }
        }
    }
    seen.iter().filter_map(|package| Some(package.split_once(' ')?.0.to_owned())).collect()
}

#[test]
fn the_admission_crate_links_nobody_who_reads_or_asks() {
    let linked = closure(manifest("webhook/admission/Cargo.toml"));
    assert!(linked.contains("serde_json") && linked.contains("json-patch"), "{linked:?}");
    let foreign: Vec<&str> = FOREIGN.into_iter().filter(|name| linked.contains(*name)).collect();
    assert_eq!(foreign, Vec::<&str>::new(), "of {linked:?}");
}

/// The same look finds them where they are, so that the test above is known to see.
#[test]
fn the_server_links_them() {
    let linked = closure(manifest("webhook/Cargo.toml"));
    for name in ["tokio", "hyper", "axum", "rustls", "kube"] {
        assert!(linked.contains(name), "{name}");
    }
}

/// A production program does not grow by what is made once.
#[test]
fn no_program_links_what_makes_its_pages() {
    for program in ["agent", "webhook", "webhook/plugin"] {
        let linked = closure(manifest(&format!("{program}/Cargo.toml")));
        for name in ["clap_complete", "clap_mangen"] {
            assert!(!linked.contains(name), "{program}: {name}");
        }
    }
}

#[test]
fn one_version_of_json_patch_is_locked() {
    let lock: Lock = toml::from_str(&workspace("Cargo.lock")).expect("a lock file");
    assert_eq!(lock.package.iter().filter(|package| package.name == "json-patch").count(), 1);
}
