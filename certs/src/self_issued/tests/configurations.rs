//! The two configurations: neither harms the other, and what an older release had in one is given up.

use super::*;

#[tokio::test(start_paused = true)]
async fn both_configurations_trust_every_replica() {
    let api = Api::new();
    let replicas = ["a", "b"].map(|name| run(&api, pod(name), DAY));
    for replica in &replicas {
        replica.ready().await;
    }
    assert_eq!(api.names_in(PODS), ["a", "b"]);
    assert_eq!(api.names_in(WARNINGS), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn without_the_warnings_configuration_all_is_well_until_it_comes() {
    let api = Api::new();
    api.uninstall(WARNINGS);
    let replica = run(&api, pod("a"), DAY);
    replica.ready().await;
    sleep(MINUTE).await;
    assert_eq!(replica.events(), ["Exchanged", "Proven"], "nobody misses it");
    api.install();
    sleep(Duration::from_secs(12)).await;
    assert_eq!(api.names_in(WARNINGS), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn the_deletion_of_one_configuration_leaves_the_other_as_it_is() {
    let api = Api::new();
    let replica = run(&api, pod("a"), DAY);
    replica.ready().await;
    let (writes, events) = (api.writes(), replica.events());
    api.uninstall(WARNINGS);
    sleep(MINUTE).await;
    assert_eq!((api.writes(), replica.obstacle()), (writes, None));
    assert_eq!(replica.events(), events);
    api.install();
    let _back = replica.ready().await;
    sleep(Duration::from_secs(12)).await;
    let writes = api.writes_to(WARNINGS);
    api.uninstall(PODS);
    sleep(MINUTE).await;
    assert_eq!(replica.obstacle(), Some(Obstacle::Unregistered));
    assert_eq!((api.names_in(WARNINGS), api.writes_to(WARNINGS)), (vec!["a".to_owned()], writes));
}

#[tokio::test(start_paused = true)]
async fn a_warnings_configuration_that_cannot_be_written_is_complained_of_and_costs_nothing() {
    let api = Api::new();
    api.lock(WARNINGS);
    let replica = run(&api, pod("a"), MINUTE * 10);
    assert!(replica.ready().await < Duration::from_secs(5));
    sleep(MINUTE * 6).await;
    assert_eq!(replica.obstacle(), None);
    assert_eq!(replica.count("Exchanged"), 2, "{:?}", replica.events());
    assert_eq!(api.names_in(WARNINGS), Vec::<String>::new());
    assert!(replica.count("Fault the API server refuses (403)") > 10);
}

#[tokio::test(start_paused = true)]
async fn an_emptied_bundle_of_one_is_repaired_there_alone() {
    let api = Api::new();
    let replica = run(&api, pod("a"), DAY);
    replica.ready().await;
    let writes = api.writes();
    api.overwrite_one(WARNINGS, "");
    sleep(Duration::from_millis(20)).await;
    assert_eq!((api.names_in(WARNINGS), api.writes()), (vec!["a".to_owned()], writes));
    assert_eq!(replica.count("Repaired(\"mayfly-webhook-warnings\")"), 1);
    assert_eq!(replica.count("Repaired(\"mayfly-webhook\")"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_an_older_release_owned_is_given_up_and_can_be_taken_out() {
    let api = Api::new();
    // Its replicas' last word: they own both bundles.
    api.install_as_one();
    assert!(api.drop_workloads().is_err(), "the replicas own a part of it");
    let replica = run(&api, pod("a"), DAY);
    replica.ready().await;
    assert_eq!(api.drop_workloads(), Ok(()));
    assert_eq!((api.names_in(PODS), replica.obstacle()), (vec!["a".to_owned()], None));
}

#[tokio::test(start_paused = true)]
async fn an_older_replica_that_takes_it_back_is_not_fought_but_outlived() {
    let api = Api::new();
    let replicas = ["a", "b"].map(|name| run(&api, pod(name), DAY));
    for replica in &replicas {
        replica.ready().await;
    }
    let bundle = api.bundle().to_string();
    api.install_as_one();
    api.overwrite_one(PODS, &bundle);
    let writes = api.writes();
    sleep(Duration::from_secs(25)).await;
    assert_eq!(api.writes(), writes, "it may still be there");
    assert!(api.drop_workloads().is_err());
    sleep(MINUTE * 2).await;
    assert_eq!(api.drop_workloads(), Ok(()));
    assert!(api.writes() <= writes + 2, "{} writes", api.writes() - writes);
    assert!(replicas.iter().all(|replica| replica.is_accepted(&api)));
}
