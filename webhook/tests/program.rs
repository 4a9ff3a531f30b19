//! The program's own manners: what it says of arguments that cannot be.

#![expect(clippy::disallowed_methods, reason = "the program is what is tested")]

use std::process::Command;

#[test]
fn what_cannot_be_served_with_is_named() {
    for (arguments, reason) in [
        (&["serve", "--tls-cert", "c", "--tls-key", "k", "--listen", "nowhere"][..], "--listen"),
        (&["serve"], "--tls-cert"),
        (&["serve"], "--tls <SOURCE>"),
        (&["serve", "--tls", "self-issued", "--tls-cert", "c", "--tls-key", "k"], "--tls-cert"),
        (&["serve", "--tls-cert", "c"], "--tls-key"),
        (&["serve", "--tls", "self-issued", "--certificate-lifetime", "5s"], "at least 30 s"),
        (&["serve", "--tls", "self-issued", "--kubeconfig", "/nowhere/config"], "/nowhere/config"),
        (&["serf"], "serve"),
    ] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_mayfly-webhook"));
        let output = program.args(arguments).output().expect("the program");
        assert_ne!(output.status.code(), Some(0), "{arguments:?}");
        let message = String::from_utf8(output.stderr).expect("text");
        assert!(message.contains(reason), "`{message}` lacks `{reason}`");
    }
}

/// What people ask is another program's; an old script learns it from the answer.
#[test]
fn it_serves_and_does_nothing_else() {
    for command in ["inject", "explain", "audit", "check-config"] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_mayfly-webhook"));
        let output = program.args([command, "--help"]).output().expect("the program");
        assert_eq!(output.status.code(), Some(2), "{command}");
    }
}
