//! What the README says can be typed.

#![expect(clippy::disallowed_methods, reason = "the README is a file")]

use std::{fs, path::Path};

use mayfly_admission::config::Config;

#[test]
fn the_operators_configuration_of_the_readme_is_one() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(readme).expect("the README");
    let (_, section) = readme.split_once("### The operator's configuration").expect("the section");
    let (_, yaml) = section.split_once("```yaml\n").expect("an example");
    let (yaml, _) = yaml.split_once("```").expect("its end");
    let config = Config::from_yaml(yaml).expect("a configuration");
    assert!(config.needs_namespaces() && config.policy.rules.len() == 1);
}
