//! What fails, or hangs, holds back nothing but what belongs with it.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_outage_keeps_its_files_holds_back_no_others_and_is_over_without_a_restart() {
    let pod = Pod::new("sidecar");
    let outage = async {
        sleep(MINUTE * 2).await;
        pod.backend.fail("vault:s/b", Class::Unreachable);
        pod.backend.set("vault:s/a", 2, "a2");
        sleep(MINUTE * 30).await;
        let status = pod.status();
        assert_eq!((status.state, status.generation), (State::Stale, 2));
        assert_eq!((pod.read("a"), pod.read("b")), ("a2".to_owned(), "b1".to_owned()));
        let [a, b] = [0, 1].map(|at| status.references[at].clone());
        assert_eq!([a.state, b.state], [status::Standing::Fresh, status::Standing::Stale]);
        assert!(a.age_seconds < Some(61) && b.age_seconds >= Some(29 * 60), "{status:?}");
        assert_eq!(b.error.map(|fault| fault.class), Some(Class::Unreachable));
        pod.backend.set("vault:s/b", 2, "b2");
        sleep(MINUTE).await;
        assert_eq!((pod.status().state, pod.read("b")), (State::Ready, "b2".to_owned()));
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE * 60) => unreachable!("the agent goes on"),
        () = outage => {}
    }
}

/// A secret that is refused for ever keeps no other's rotation off the volume.
#[tokio::test(start_paused = true)]
async fn what_somebody_has_to_fix_holds_back_nothing_else() {
    for class in [Class::Refused, Class::Missing, Class::Configuration] {
        let pod = Pod::new("sidecar");
        let story = async {
            sleep(MINUTE * 2).await;
            pod.backend.fail("vault:s/b", class);
            for version in 2..6 {
                pod.backend.set("vault:s/a", version, &format!("a{version}"));
                sleep(MINUTE + Duration::from_secs(1)).await;
                assert_eq!(pod.read("a"), format!("a{version}"));
                assert_eq!((pod.read("a.again"), pod.read("b")), (pod.read("a"), "b1".to_owned()));
            }
        };
        tokio::select! {
            _ = pod.run(Task::KeepFresh, MINUTE * 60) => unreachable!("the agent goes on"),
            () = story => {}
        }
    }
}

/// A backend that hangs delays no other, neither its look nor its retries, and is told of.
#[tokio::test(start_paused = true)]
async fn what_hangs_delays_no_other_backend() {
    let vault: Vec<String> =
        (0..20).map(|at| format!(r#"{{"path":"v{at}","from":"vault:s/{at}"}},"#)).collect();
    let vault = vault.concat();
    let pod = Pod::with("sidecar", &format!(r#"{vault}{{"path":"a","from":"aws-sm:a"}}"#));
    (0..20).for_each(|at| pod.backend.set(&format!("vault:s/{at}"), 1, "1"));
    pod.backend.set("aws-sm:a", 1, "1");
    let story = async {
        sleep(MINUTE * 2 + Duration::from_secs(1)).await;
        (0..20).for_each(|at| pod.backend.hang(&format!("vault:s/{at}")));
        pod.backend.set("aws-sm:a", 2, "2");
        for version in 3..8 {
            // Rounds are half a minute after the start, and then a minute apart.
            sleep(Duration::from_secs(30)).await;
            assert_eq!(pod.read("a"), (version - 1).to_string());
            pod.backend.set("aws-sm:a", version, &version.to_string());
            sleep(Duration::from_secs(30)).await;
        }
        let status = pod.status();
        assert_eq!(status.state, State::Stale);
        let told = status.error.expect("an error").message;
        assert_eq!(told.matches("no answer within 10s").count(), 20, "{told}");
        assert_eq!(pod.read("v7"), "1");
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE * 60) => unreachable!("the agent goes on"),
        () = story => {}
    }
}

/// Files of one group are never of two looks.
#[tokio::test(start_paused = true)]
async fn a_group_changes_together_or_not_at_all() {
    let pod = Pod::with(
        "sidecar",
        r#"{"path":"crt","from":"vault:s/a","group":"tls"},{"path":"key","from":"aws-sm:b","group":"tls"}"#,
    );
    pod.backend.set("aws-sm:b", 1, "b1");
    let story = async {
        sleep(MINUTE * 2 + Duration::from_secs(1)).await;
        pod.backend.set("vault:s/a", 2, "a2");
        pod.backend.fail("aws-sm:b", Class::Unreachable);
        sleep(MINUTE * 2).await;
        assert_eq!((pod.read("crt"), pod.read("key")), ("a1".to_owned(), "b1".to_owned()));
        let states = pod.status().references.iter().map(|it| it.state).collect::<Vec<_>>();
        assert_eq!(states, [status::Standing::Stale; 2]);
        pod.backend.set("aws-sm:b", 2, "b2");
        sleep(MINUTE).await;
        assert_eq!((pod.read("crt"), pod.read("key")), ("a2".to_owned(), "b2".to_owned()));
        assert_eq!(pod.status().generation, 2);
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE * 60) => unreachable!("the agent goes on"),
        () = story => {}
    }
}

/// Secrets that are rotated together make one generation, although their backends differ in pace.
#[tokio::test(start_paused = true)]
async fn one_rotation_is_one_generation() {
    let pod =
        Pod::with("sidecar", r#"{"path":"a","from":"vault:s/a"},{"path":"b","from":"vault:s/b"}"#);
    let story = async {
        sleep(Duration::from_secs(1)).await;
        for version in 2..10 {
            pod.backend.set("vault:s/a", version, &version.to_string());
            pod.backend.set("vault:s/b", version, &version.to_string());
            sleep(MINUTE).await;
            assert_eq!((pod.read("a"), pod.status().generation), (version.to_string(), version));
        }
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE * 60) => unreachable!("the agent goes on"),
        () = story => {}
    }
}

/// What a backend asks for is heeded by everything that is read from it, and by nothing else.
#[tokio::test(start_paused = true)]
async fn a_backend_that_asks_to_be_left_alone_is() {
    let pod = Pod::with(
        "sidecar",
        r#"{"path":"a","from":"vault:s/a"},{"path":"b","from":"vault:s/b"},{"path":"c","from":"aws-sm:c"}"#,
    );
    pod.backend.set("aws-sm:c", 1, "c1");
    let paths = ["vault:s/a", "vault:s/b", "aws-sm:c"];
    let story = async {
        sleep(MINUTE * 2 + Duration::from_secs(1)).await;
        let fault = Fault::new(Class::Throttled, "slow down").not_before(Some(MINUTE * 10));
        pod.backend.fail_with("vault:s/b", fault);
        sleep(MINUTE).await;
        let before = paths.map(|path| pod.backend.calls_of(path));
        sleep(MINUTE * 9).await;
        let after = paths.map(|path| pod.backend.calls_of(path));
        assert_eq!((after[0] - before[0], after[1] - before[1], after[2] - before[2]), (0, 0, 9));
        pod.backend.set("vault:s/b", 2, "b2");
        sleep(MINUTE * 2).await;
        assert_eq!(pod.read("b"), "b2");
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE * 60) => unreachable!("the agent goes on"),
        () = story => {}
    }
}

/// A file's secret that is no more, or whose key is: the file stays, and it is told.
#[tokio::test(start_paused = true)]
async fn what_is_optional_stays_once_it_is_written() {
    let pod = Pod::with(
        "sidecar",
        r#"{"path":"a","from":"vault:s/a"},{"path":"b","from":"vault:s/b","optional":true},{"path":"p","from":"vault:s/p#p","optional":true}"#,
    );
    pod.backend.set("vault:s/p", 1, r#"{"p":"1"}"#);
    pod.backend.fail("vault:s/b", Class::Missing);
    let story = async {
        sleep(Duration::from_secs(5)).await;
        let status = pod.status();
        assert_eq!(
            (status.state, status.references[1].state),
            (State::Ready, status::Standing::Absent)
        );
        pod.backend.set("vault:s/b", 1, "b1");
        sleep(MINUTE).await;
        assert_eq!((pod.status().state, pod.read("b")), (State::Ready, "b1".to_owned()));
        pod.backend.fail("vault:s/b", Class::Missing);
        pod.backend.set("vault:s/p", 2, r#"{"p":"new",}"#);
        pod.backend.set("vault:s/a", 2, "a2");
        sleep(MINUTE * 2).await;
        assert_eq!(
            ["a", "b", "p"].map(|name| pod.read(name)),
            ["a2", "b1", "1"].map(str::to_owned)
        );
        let status = pod.status();
        let standings = [0, 1, 2].map(|at| status.references[at].state);
        assert_eq!(status.state, State::Stale);
        assert_eq!(
            standings,
            [status::Standing::Fresh, status::Standing::Stale, status::Standing::Stale]
        );
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE * 60) => unreachable!("the agent goes on"),
        () = story => {}
    }
}
