use clap::Parser;

use super::*;
use crate::args::{Args, Command, ServeArgs};

/// The arguments after `serve --tls self-issued`.
fn serve_args(arguments: &[&str]) -> ServeArgs {
    let serve = ["mayfly-webhook", "serve", "--tls", "self-issued"];
    let args = Args::try_parse_from(serve.iter().chain(arguments)).expect("arguments");
    let Command::Serve(args) = args.command;
    *args
}

fn args(arguments: &[&str]) -> SelfIssuedArgs {
    serve_args(arguments).identity.self_issued
}

fn settings_of(arguments: &[&str]) -> Settings {
    let args = serve_args(arguments);
    settings(args.identity.self_issued, args.kubeconfig.is_none()).expect("settings")
}

#[test]
fn a_pod_is_known_by_its_name_and_called_by_its_service() {
    let settings = settings_of(&["--replica", "a-1", "--namespace", "mayfly"]);
    assert_eq!(settings.wish.replica, Replica::pod("mayfly", "a-1"));
    assert_eq!(settings.wish.names, ["mayfly-webhook.mayfly.svc"]);
    assert_eq!(settings.wish.lifetime, Duration::from_hours(7 * 24));
    assert_eq!(settings.configuration, "mayfly-webhook");
}

#[test]
fn who_has_a_kubeconfig_is_no_pod() {
    let arguments = ["--replica", "a", "--namespace", "mayfly", "--kubeconfig", "file"];
    let settings = settings_of(&arguments);
    assert_eq!(settings.wish.replica, Replica::process("a"));
}

#[test]
fn names_that_are_given_are_all_there_are() {
    let arguments = ["--replica", "a", "--tls-name", "10.0.0.1", "--tls-name", "m.example"];
    let settings = settings_of(&arguments);
    assert_eq!(settings.wish.names, ["10.0.0.1", "m.example"]);
}

#[test]
fn what_is_missing_is_asked_for() {
    let nameless = SelfIssuedArgs { replica: None, ..args(&["--namespace", "mayfly"]) };
    let homeless = SelfIssuedArgs { namespace: None, ..args(&["--replica", "a"]) };
    for (args, missing) in [(nameless, "--replica"), (homeless, "--tls-name")] {
        let refusal = settings(args, true).expect_err("no settings").to_string();
        assert!(refusal.contains(missing), "`{refusal}` lacks `{missing}`");
    }
}

#[test]
fn every_event_is_logged_and_counted() {
    let (metrics, now) = (Arc::new(Metrics::default()), SystemTime::UNIX_EPOCH);
    let listener =
        listener(Arc::clone(&metrics), || SystemTime::UNIX_EPOCH + Duration::from_secs(7));
    listener(Event::Exchanged { not_after: now + Duration::from_secs(1_900_000_000) });
    listener(Event::Removed);
    listener(Event::Removed);
    listener(Event::Repaired);
    listener(Event::Fault("a fault".into()));
    let text = metrics.render();
    for line in [
        "mayfly_webhook_certificate_not_after_timestamp_seconds 1900000000\n",
        "mayfly_webhook_certificate_renewed_timestamp_seconds 7\n",
        "mayfly_webhook_bundle_removals_total 2\n",
        "mayfly_webhook_bundle_repairs_total 1\n",
        "mayfly_webhook_certificate_faults_total 1\n",
    ] {
        assert!(text.contains(line), "{text} lacks {line}");
    }
}
