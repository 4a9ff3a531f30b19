//! What the README says can be typed.

#![expect(clippy::disallowed_methods, reason = "the README is a file")]

use std::{fs, path::Path};

use mayfly_admission::config::Config;
use mayfly_spec::{Template, template::Delimiters};

fn readme() -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    fs::read_to_string(readme).expect("the README")
}

#[test]
fn the_operators_configuration_of_the_readme_is_one() {
    let readme = readme();
    let (_, section) = readme.split_once("### The operator's configuration").expect("the section");
    let (_, yaml) = section.split_once("```yaml\n").expect("an example");
    let (yaml, _) = yaml.split_once("```").expect("its end");
    let config = Config::from_yaml(yaml).expect("a configuration");
    assert!(config.needs_namespaces() && config.policy.rules.len() == 1);
}

#[test]
fn the_templates_of_the_readme_are_some() {
    let readme = readme();
    let (_, section) = readme.split_once("### Templates").expect("the section");
    let (section, _) = section.split_once("\n### ").expect("its end");
    let example = |start: &str, end: &str| {
        let (_, text) = section.split_once(start).expect(start);
        text.split_once(end).expect(end).0.to_owned()
    };
    let references = |text: String, delimiters| {
        Template::parse(text, delimiters).expect("a template").references().len()
    };
    let first = example("template.app.conf: |\n", "\n    mayfly");
    assert_eq!(references(first, Delimiters::Braces), 1);
    assert_eq!(references(example("```jinja\n", "```"), Delimiters::Braces), 1);
    assert_eq!(references(example("    template: |\n", "```"), Delimiters::Angles), 1);
}
