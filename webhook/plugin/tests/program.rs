//! The program's own manners: its two streams and its exit codes.

#![expect(clippy::disallowed_methods, reason = "the program is what is tested")]

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

const POD: &str = r#"apiVersion: v1
kind: Pod
metadata: {name: web, annotations: {mayfly.dev/inject: "true", mayfly.dev/file.a: "aws-sm:a"}}
spec: {shareProcessNamespace: true, containers: [{name: app, image: "app:1"}]}
"#;

fn run(arguments: &[&str], stdin: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_kubectl-mayfly"));
    let piped =
        program.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the program");
    // A program that refuses its arguments does not read.
    let _unread = child.stdin.take().expect("a pipe").write_all(stdin.as_bytes());
    child.wait_with_output().expect("an end")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[test]
fn a_manifest_goes_to_one_stream_and_its_warnings_to_the_other() {
    let output = run(&["inject", "-f", "-", "--agent-image", "example/agent:2"], POD);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("image: example/agent:2\n"));
    assert!(
        text(&output.stderr)
            .starts_with("warning: document 1, Pod web: mayfly: shareProcessNamespace")
    );
    let again =
        run(&["inject", "-f", "-", "--agent-image", "example/agent:2"], &text(&output.stdout));
    assert_eq!(text(&again.stdout), text(&output.stdout));
}

#[test]
fn a_denied_manifest_prints_nothing_and_names_its_object() {
    let two = format!("{POD}---\n{}", POD.replace("file.a", "fiel.a"));
    let output = run(&["inject", "-f", "-"], &two);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    let message = text(&output.stderr);
    assert!(
        message.starts_with("document 2, Pod web: mayfly: `mayfly.dev/fiel.a`: unknown annotation"),
        "{message}"
    );
}

#[test]
fn what_cannot_be_read_is_named() {
    for (arguments, reason) in [
        (&["inject", "-f", "/nowhere/pod.yaml"][..], "reading /nowhere/pod.yaml"),
        (
            &["inject", "-f", "-", "--config", "/nowhere/config.yaml"],
            "reading /nowhere/config.yaml",
        ),
        (&["inject", "-f", "-", "--agent-image", ""], "--agent-image"),
        (&["injekt"], "inject"),
    ] {
        let output = run(arguments, POD);
        assert_ne!(output.status.code(), Some(0), "{arguments:?}");
        let message = text(&output.stderr);
        assert!(message.contains(reason), "`{message}` lacks `{reason}`");
    }
}

#[test]
fn a_configuration_is_checked_and_its_fault_named() {
    let good =
        run(&["check-config", "-"], "policy: {rules: [{name: own, references: ['vault:**']}]}");
    assert_eq!(
        (good.status.code(), text(&good.stdout), text(&good.stderr)),
        (Some(0), String::new(), String::new())
    );
    let doubtful = run(&["check-config", "-"], "policy: {mode: enforce, rules: []}");
    assert_eq!(doubtful.status.code(), Some(0));
    let message = text(&doubtful.stderr);
    assert!(message.starts_with("-: warning: `policy` has no rules"), "{message}");
    let bad = run(&["check-config", "-"], "policy:\n  rules:\n  - name: own\n    refs: []\n");
    assert_eq!(bad.status.code(), Some(2));
    let message = text(&bad.stderr);
    assert!(
        message.starts_with("-: ") && message.contains("refs") && message.contains("line 4"),
        "{message}"
    );
    let bad = run(&["check-config", "-"], "policy: {rules: [{name: own, references: [a]}]}");
    assert!(text(&bad.stderr).contains("`policy.rules[0].references[0]`"));
}

#[test]
fn the_schema_is_printed_as_json() {
    let output = run(&["check-config", "--schema"], "");
    assert_eq!(output.status.code(), Some(0));
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(schema["properties"]["policy"].is_object());
}
