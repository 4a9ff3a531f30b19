//! The queries, the filter and the alarm of `manifests/aws-audit`, tried on events as CloudTrail writes them.
//!
//! There is no interpreter of either language to be had offline, so a small one is here. It knows no more than the files
//! use and takes nothing that it does not know.
#![expect(clippy::disallowed_methods, reason = "queries and events are files")]

mod event;
mod expression;
mod query;

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use self::{event::Event, expression::Expression, query::Query};

fn audit(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/aws-audit");
    fs::read_to_string(folder.join(file)).expect(file)
}

fn json(file: &str) -> Value {
    serde_json::from_str(&audit(file)).expect(file)
}

fn query(name: &str) -> Query {
    Query::parse(&audit(&format!("queries/{name}.txt"))).expect(name)
}

/// The samples that a query keeps, each with these fields.
fn kept(name: &str, fields: &[&str]) -> Vec<String> {
    let rows = Event::samples().into_iter().filter_map(|(sample, event)| {
        let event = query(name).run(event)?;
        let fields: Vec<&str> =
            fields.iter().map(|field| event.get(field).unwrap_or("-")).collect();
        Some(format!("{sample}: {}", fields.join(" ")))
    });
    rows.collect()
}

#[test]
fn every_query_is_sound_and_asks_for_what_there_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/aws-audit/queries");
    let known: BTreeSet<String> =
        Event::samples().iter().flat_map(|(_, event)| event.names()).collect();
    let mut names = 0;
    for file in fs::read_dir(folder).expect("the queries") {
        let path = file.expect("a query").path();
        let query = Query::parse(&fs::read_to_string(&path).expect("a query"));
        let query = query.unwrap_or_else(|why| Query::wrong(&path, &why));
        let asked = query.asked();
        let unknown: Vec<&String> = asked.difference(&known).collect();
        assert!(unknown.is_empty(), "{} asks for {unknown:?}", path.display());
        names += 1;
    }
    assert_eq!(names, 6);
}

#[test]
fn reads_are_told_by_secret() {
    assert_eq!(
        kept("reads-per-secret", &["secret"]),
        [
            "parameter-read: /prod/url",
            "parameters-read: /prod/url",
            "pod-identity-read: prod/db",
            "secret-read: prod/db",
            "tree-read: /prod/db/",
        ]
    );
}

#[test]
fn reads_are_told_by_pod_with_their_result() {
    let key = "arn:aws:kms:eu-central-1:123456789012:key/6f1c2b1e-0000-4000-8000-000000000001";
    assert_eq!(
        kept("reads-by-pod", &["namespace", "pod", "role", "secret", "result"]),
        [
            "parameters-read: shop web-7d9f web /prod/url ok".to_owned(),
            "secret-missing: shop web-7d9f web prod/none ResourceNotFoundException".to_owned(),
            "secret-read: shop web-7d9f web prod/db ok".to_owned(),
            "secret-refused: shop web-7d9f web - AccessDenied".to_owned(),
            "tree-read: shop web-7d9f web /prod/db/ ok".to_owned(),
            format!("value-opened: shop web-7d9f web {key} ok"),
            format!("value-refused: shop web-7d9f web {key} AccessDenied"),
        ]
    );
}

#[test]
fn under_pod_identity_the_access_key_leads_to_the_pod() {
    let key = "ASIAEXAMPLEEKS000001";
    assert_eq!(
        kept("reads-by-access-key", &["userIdentity.accessKeyId", "secret", "result"]),
        [format!("pod-identity-read: {key} prod/db ok")]
    );
    assert_eq!(
        kept(
            "sessions-of-pods",
            &["accessKey", "cluster", "namespace", "serviceAccount", "pod", "podUid"]
        ),
        [format!(
            "pod-identity-session: {key} prod shop web web-7d9f 0b1c2d3e-0000-4000-8000-000000000004"
        )]
    );
}

#[test]
fn sealed_values_are_told_by_whom_they_were_sealed_for() {
    assert_eq!(
        kept("opened-values", &["namespace", "serviceAccount", "result"]),
        ["value-opened: shop web ok"]
    );
}

#[test]
fn refusals_name_what_is_missing() {
    assert_eq!(
        kept("refused-reads", &["action", "resource"]),
        [
            "batch-refused: secretsmanager:BatchGetSecretValue *",
            "role-refused: - -",
            "secret-refused: secretsmanager:GetSecretValue prod/db",
            "value-refused: kms:Decrypt arn:aws:kms:eu-central-1:123456789012:key/6f1c2b1e-0000-4000-8000-000000000001",
        ]
    );
}

#[test]
fn the_filter_counts_what_the_query_shows() {
    let filter = json("metric-filter.json");
    let pattern = filter["filterPattern"].as_str().expect("a pattern");
    // CloudWatch takes no longer one.
    assert!(pattern.len() <= 1024);
    let inner = pattern.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let pattern = Expression::parse(inner.expect("braces")).expect("a pattern");
    let refused = kept("refused-reads", &[]);
    for (sample, event) in Event::samples() {
        let counted = pattern.holds(&event);
        assert_eq!(counted, refused.contains(&format!("{sample}: ")), "{sample}");
    }
}

#[test]
fn the_alarm_watches_the_filters_metric() {
    let (filter, alarm) = (json("metric-filter.json"), json("alarm.json"));
    let metric = &filter["metricTransformations"][0];
    assert_eq!(
        (&alarm["Namespace"], &alarm["MetricName"], &alarm["Unit"]),
        (&metric["metricNamespace"], &metric["metricName"], &metric["unit"])
    );
}
