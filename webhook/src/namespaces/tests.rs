use std::convert::Infallible;

use futures_util::{future, stream};
use kube::core::ObjectMeta;

use super::*;

fn met(name: &str, tier: &str) -> Met {
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        labels: Some([("tier".to_owned(), tier.to_owned())].into()),
        annotations: Some(
            [("mayfly.dev/default.mode", "init"), ("example.com/large", "x")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        ),
        ..ObjectMeta::default()
    };
    Met { metadata, ..Met::default() }
}

async fn follow(namespaces: &Namespaces, events: Vec<Event<Met>>) {
    let events = stream::iter(events.into_iter().map(Ok::<_, Infallible>));
    namespaces.follow(events, |error| match error {}).await;
}

#[tokio::test]
async fn they_are_known_when_all_of_them_are() {
    let namespaces = Namespaces::default();
    follow(&namespaces, vec![Event::Init, Event::InitApply(met("a", "gold"))]).await;
    assert!(!namespaces.are_known() && !namespaces.directory().contains("a"));
    follow(&namespaces, vec![Event::Init, Event::InitApply(met("a", "gold")), Event::InitDone])
        .await;
    assert!(namespaces.are_known());
    let directory = namespaces.directory();
    let one = directory.find("a", true).expect("a namespace");
    assert_eq!(one.labels["tier"], "gold");
    assert_eq!(one.defaults, [("mode".to_owned(), "init".to_owned())].into());
}

#[tokio::test]
async fn a_later_list_replaces_an_earlier_one_when_it_is_whole() {
    let namespaces = Namespaces::default();
    let list = |name| vec![Event::Init, Event::InitApply(met(name, "x")), Event::InitDone];
    follow(&namespaces, list("a")).await;
    follow(&namespaces, vec![Event::Init]).await;
    assert!(namespaces.directory().contains("a"), "forgotten too early");
    follow(&namespaces, list("b")).await;
    assert!(!namespaces.directory().contains("a") && namespaces.directory().contains("b"));
    follow(&namespaces, vec![Event::Delete(met("b", "x")), Event::Apply(met("c", "y"))]).await;
    assert!(!namespaces.directory().contains("b") && namespaces.directory().contains("c"));
    namespaces.forget();
    assert!(!namespaces.are_known());
}

#[tokio::test(start_paused = true)]
async fn a_new_namespace_is_waited_for_and_one_that_never_comes_is_not() {
    let namespaces = Namespaces::default();
    follow(&namespaces, vec![Event::Init, Event::InitDone]).await;
    let coming = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        follow(&namespaces, vec![Event::Apply(met("other", "x"))]).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        follow(&namespaces, vec![Event::Apply(met("new", "x"))]).await;
    };
    let (appears, never, ()) =
        future::join3(namespaces.appears("new"), namespaces.appears("never"), coming).await;
    assert!(appears && !never);
}

#[tokio::test]
async fn faults_are_reported_and_what_is_known_stays() {
    let namespaces = Namespaces::default();
    let events = [
        Ok(Event::Init),
        Ok(Event::InitApply(met("a", "x"))),
        Ok(Event::InitDone),
        Err("forbidden"),
    ];
    let mut faults = Vec::new();
    namespaces.follow(stream::iter(events), |error| faults.push(error)).await;
    assert_eq!(faults, ["forbidden"]);
    assert!(namespaces.directory().contains("a"));
}
