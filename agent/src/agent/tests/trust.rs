//! What the agent believes, of the volume, of itself and of its backends.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_older_version_is_believed_after_a_minute_and_the_refusal_says_when() {
    let pod = Pod::new("sidecar");
    pod.backend.set("vault:s/a", 3, "a3");
    let story = async {
        sleep(MINUTE * 2).await;
        pod.backend.set("vault:s/a", 2, "a2");
        sleep(MINUTE).await;
        let error = pod.status().error.expect("an error").message;
        assert!(error.contains("version 2, which is older than 3"), "{error}");
        assert!(
            error.contains("it is believed if it is still the answer at 1970-02-11T16:03:30Z"),
            "{error}"
        );
        assert_eq!(pod.read("a"), "a3");
        sleep(Duration::from_secs(31)).await;
        assert_eq!((pod.status().state, pod.read("a")), (State::Ready, "a2".to_owned()));
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE * 60) => unreachable!("the agent goes on"),
        () = story => {}
    }
}

/// `once` in cron: each process is short, and what one has seen the next one knows.
#[tokio::test(start_paused = true)]
async fn the_patience_is_counted_across_processes() {
    let pod = Pod::new("sidecar");
    pod.backend.set("vault:s/a", 3, "a3");
    assert_eq!(pod.run(Task::Once, MINUTE).await, Some(Ok(())));
    pod.backend.set("vault:s/a", 2, "a2");
    for _ in 0..2 {
        let refused = pod.run(Task::Once, MINUTE).await.expect("an end").expect_err("refused");
        assert!(refused.message.contains("older than 3"), "{refused}");
        assert_eq!(pod.read("a"), "a3");
        sleep(Duration::from_secs(30)).await;
    }
    assert_eq!(pod.run(Task::Once, MINUTE).await, Some(Ok(())));
    assert_eq!(pod.read("a"), "a2");
}

#[tokio::test(start_paused = true)]
async fn a_label_that_is_moved_back_is_followed_at_once() {
    let pod = Pod::with("sidecar", r#"{"path":"a","from":"aws-ssm:/a?label=live"}"#);
    pod.backend.set("aws-ssm:/a?label=live", 3, "a3");
    assert_eq!(pod.run(Task::Once, MINUTE).await, Some(Ok(())));
    pod.backend.set("aws-ssm:/a?label=live", 2, "a2");
    assert_eq!(pod.run(Task::Once, MINUTE).await, Some(Ok(())));
    assert_eq!(pod.read("a"), "a2");
}

/// Whatever is written into the volume by others, between two lives or during one: what was true
/// stays true, and is shown.
#[tokio::test(start_paused = true)]
async fn what_others_write_into_the_volume_steers_nothing() {
    let pod = Pod::new("sidecar");
    let at = |name: &str| pod.folder.path().join("run").join(name);
    pod.backend.set("vault:s/a", 3, "a3");
    let plant = || {
        let planted = pod.read("status.json").replace("\"3\"", "\"99\"").replace("1970", "9999");
        std::fs::write(at("..planted"), planted).expect("planted");
        std::fs::rename(at("..planted"), at("status.json")).expect("planted");
        let _ = std::fs::remove_file(at("..data"));
        std::os::unix::fs::symlink("..18446744073709551615-00000000", at("..data"))
            .expect("planted");
    };
    assert_eq!(pod.run(Task::Once, MINUTE).await, Some(Ok(())));
    plant();
    let is_open = async || {
        gate::wait(&pod.spec, &pod.place(), Some(Duration::ZERO)).await == gate::Passage::Open
    };
    assert!(!is_open().await);
    let story = async {
        sleep(Duration::from_secs(5)).await;
        assert!(is_open().await);
        pod.backend.set("vault:s/a", 4, "a4");
        plant();
        sleep(MINUTE).await;
        assert_eq!((pod.read("a"), pod.status().state), ("a4".to_owned(), State::Ready));
        assert_eq!((pod.status().generation, pod.memory().manifest.number()), (2, 2));
        std::fs::remove_file(at("status.json")).expect("removed");
        std::fs::create_dir_all(at("status.json/x")).expect("planted");
        sleep(MINUTE).await;
        assert_eq!(pod.status().state, State::Ready);
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE * 60) => unreachable!("the agent goes on"),
        () = story => {}
    }
}

/// The agent is not ready while it could not tell the gate so.
#[tokio::test(start_paused = true)]
async fn an_agent_that_cannot_remember_is_not_ready() {
    let pod = Pod::new("sidecar");
    let volume = take_volume(&pod.spec).expect("a volume");
    let folder = memory::take(&pod.place()).expect("a folder");
    let clock = Virtual(pod.began);
    let mut agent =
        Agent::new(&pod.spec, &pod.backend, &volume, &folder, &clock, || 0.0).expect("an agent");
    // A directory that is not empty is not replaced by a file's rename unless it can be removed.
    std::fs::remove_dir_all(pod.place()).expect("removed");
    let fault = agent.work(Task::KeepFresh, &mut Inbox::closed()).await.expect_err("a fault");
    assert_eq!(fault.class, Class::Volume);
    assert!(fault.message.contains("memory.json` cannot be written"), "{fault}");
    assert_eq!(pod.read("a"), "");
}

#[tokio::test(start_paused = true)]
async fn a_person_keeps_a_status_of_their_own() {
    let mut pod = Pod::new("sidecar");
    pod.spec.mode = None;
    std::fs::create_dir(pod.folder.path().join("run")).expect("made");
    std::fs::write(pod.folder.path().join("run/status.json"), "mine").expect("written");
    assert!(matches!(take_volume(&pod.spec), Err(DiskError::ForeignStatus(_))));
    assert_eq!(pod.read("status.json"), "mine");
}

/// An older generation is read for two seconds, whatever comes next.
#[tokio::test(start_paused = true)]
async fn an_older_generation_stays_its_full_time() {
    let mut pod = Pod::with("sidecar", r#"{"path":"a","from":"vault:s/a"}"#);
    pod.spec.refresh.interval = "1s".parse().expect("an interval");
    let story = async {
        let mut kept = Vec::new();
        for version in 2..20 {
            let old = std::fs::canonicalize(pod.folder.path().join("run/a"));
            kept.extend(old.ok().map(|path| (path, Instant::now())));
            pod.backend.set("vault:s/a", version, &version.to_string());
            sleep(Duration::from_secs(1)).await;
            let young = kept.iter().filter(|(_, seen)| seen.elapsed() <= Duration::from_secs(2));
            assert!(young.into_iter().all(|(path, _)| path.exists()), "{kept:?}");
        }
        sleep(Duration::from_secs(4)).await;
        let left = kept.iter().filter(|(path, _)| path.exists()).count();
        assert_eq!(left, 0, "{kept:?}");
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE * 60) => unreachable!("the agent goes on"),
        () = story => {}
    }
}

#[tokio::test(start_paused = true)]
async fn the_gate_opens_when_the_files_are_complete_and_not_before() {
    use crate::gate::{Passage, wait};
    let pod = Pod::new("sidecar");
    pod.backend.fail("vault:s/b", Class::Unreachable);
    let story = async {
        let closed = wait(&pod.spec, &pod.place(), Some(Duration::from_secs(1))).await;
        let Passage::Closed(Some(fault)) = closed else { panic!("{closed:?}") };
        assert!(fault.message.contains("told to fail"));
        pod.backend.set("vault:s/b", 1, "b1");
        assert_eq!(wait(&pod.spec, &pod.place(), None).await, Passage::Open);
        assert_eq!(pod.read("b"), "b1");
        assert_eq!(wait(&pod.spec, &pod.place(), Some(Duration::ZERO)).await, Passage::Open);
    };
    tokio::select! {
        _ = pod.run(Task::KeepFresh, MINUTE) => unreachable!("the agent goes on"),
        () = story => {}
    }
}
