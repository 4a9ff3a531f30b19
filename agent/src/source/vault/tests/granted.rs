//! What engines give: asked for once, kept while it is good, followed where it changes.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, timeout};

use super::{script::user, *};

const ISSUE: &str = "POST pki/issue/web";
const CERTIFICATE: &str = "vault-write:pki/issue/web?common_name=web";

fn pki(script: &Script, path: &str) {
    let mount = json!({"path": "pki/", "type": "pki", "options": null});
    script.always(&format!("GET sys/internal/ui/mounts/{path}"), Reply::Data(mount));
}

#[tokio::test(start_paused = true)]
async fn a_slow_engine_makes_one_of_it_and_delivers_it() {
    let script = Script::new();
    script.on(CREDS, |number| Reply::After(12, Box::new(user(number, 3600))));
    let vault = vault(&script, &[USER]);
    // Three looks are broken off; what they asked for is still on its way.
    for _ in 0..3 {
        timeout(Duration::from_secs(3), fetch(&vault, USER)).await.expect_err("it takes longer");
    }
    assert_eq!(text(&vault, USER).await, r#"{"username":1}"#);
    assert_eq!(script.count(CREDS), 1);
    timeout(Duration::from_secs(30), vault.give_back(crate::source::Leased::Ends))
        .await
        .expect("an end");
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_a_setting() {
    for (settings, limit) in [(json!({}), 60), (json!({"timeout": "5s"}), 5)] {
        let script = Script::new();
        script.always(CREDS, Reply::Hang);
        let (vault, began) = (vault_with(&script, &[USER], &settings), Instant::now());
        let fault = fetch(&vault, USER).await.expect_err("no answer");
        assert_eq!(began.elapsed().as_secs(), limit, "{fault}");
        assert!(fault.message.contains("did not answer in time"), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_fails_does_not_fail_the_look() {
    let script = Script::new();
    let vault = vault(&script, &[USER]);
    text(&vault, USER).await;
    for failure in
        [Reply::Refused(429, "quota"), Reply::Refused(503, "busy"), Reply::Page(404, "x")]
    {
        script.always(LOOK_UP, failure);
        pass(60).await;
        assert_eq!(text(&vault, USER).await, r#"{"username":1}"#);
    }
    script.always(LOOK_UP, Reply::Refused(400, "invalid lease"));
    assert_eq!(text(&vault, USER).await, r#"{"username":2}"#);
}

#[tokio::test(start_paused = true)]
async fn what_an_engine_says_of_a_role_is_no_end_of_it() {
    let script = Script::new();
    pki(&script, "pki/roles/web");
    script.on("GET pki/roles/web", |number| Reply::Data(json!({"ttl": 86400, "n": number})));
    let vault = vault(&script, &[]);
    for number in 1..4 {
        let read = text(&vault, "vault:pki/roles/web").await;
        assert!(read.contains(&format!("\"n\":{number}")), "{read}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_ends_at_once_is_not_asked_for_again_at_once() {
    let script = Script::new();
    pki(&script, "pki/issue/web");
    let began = Instant::now();
    script.on(ISSUE, move |number| {
        let ends = 1_800_000_000 + began.elapsed().as_secs() + 2;
        Reply::Data(json!({"expiration": ends, "serial_number": number.to_string()}))
    });
    let vault = vault(&script, &[CERTIFICATE]);
    for _ in 0..20 {
        let fetched = fetch(&vault, CERTIFICATE).await.expect("a certificate");
        assert!(fetched.warnings.join("").contains("ends after"), "{:?}", fetched.warnings);
        pass(1).await;
    }
    assert_eq!(script.count(ISSUE), 1);
}

#[tokio::test(start_paused = true)]
async fn no_number_of_vaults_ends_the_agent() {
    for number in [json!(u64::MAX), json!(1_800_000_000_000_u64), json!(-1), json!(1e300)] {
        let script = Script::new();
        pki(&script, "pki/issue/web");
        script.always(ISSUE, Reply::Data(json!({"expiration": number})));
        let lease =
            json!({"lease_id": "x", "lease_duration": number, "renewable": true, "data": {}});
        script.always(CREDS, Reply::Whole(lease));
        let login = json!({"auth": {"client_token": "hvs.1", "lease_duration": number}});
        script.always(LOGIN, Reply::Whole(login));
        script.always(RENEW, Reply::Whole(json!({"lease_duration": number})));
        let vault = vault(&script, &[USER, CERTIFICATE]);
        for _ in 0..3 {
            text(&vault, USER).await;
            text(&vault, CERTIFICATE).await;
            pass(7200).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rotation_is_followed_within_seconds() {
    const ROLE: &str = "GET database/static-creds/web";
    const FROM: &str = "vault:database/static-creds/web?engine=database";
    let (script, began) = (Script::new(), Instant::now());
    // Every 37 seconds, on the next tick of five.
    let password = |seconds: u64| {
        let (mut rotation, mut number) = (0_u64, 0_u64);
        while (rotation + 37).next_multiple_of(5) <= seconds {
            (rotation, number) = ((rotation + 37).next_multiple_of(5), number + 1);
        }
        (number, (rotation + 37).saturating_sub(seconds))
    };
    script.on(ROLE, move |_| {
        let (number, ttl) = password(began.elapsed().as_secs());
        Reply::Data(
            json!({"password": number, "ttl": ttl, "last_vault_rotation": "2027-01-01T00:00:00Z"}),
        )
    });
    let vault = vault(&script, &[FROM]);
    let mut wrong = 0;
    let mut held = fetch(&vault, FROM).await.expect("a password");
    for second in 0..600 {
        if held.due.is_some_and(|due| due <= Instant::now()) {
            held = fetch(&vault, FROM).await.expect("a password");
        }
        let (number, _) = password(second);
        let is_right = held
            .data
            .whole()
            .expose_text()
            .is_some_and(|it| it.contains(&format!("\"password\":{number},")));
        wrong += u32::from(!is_right);
        pass(1).await;
    }
    assert!(wrong < 30, "wrong for {wrong} of 600 seconds");
    assert!(script.count(ROLE) < 100, "{} looks", script.count(ROLE));
}

#[tokio::test(start_paused = true)]
async fn a_secret_id_is_taken_once_in_its_life() {
    const MADE: &str = "POST auth/approle/role/web/secret-id";
    const FROM: &str = "vault-write:auth/approle/role/web/secret-id";
    let script = Script::new();
    script.always(
        "GET sys/internal/ui/mounts/auth/approle/role/web/secret-id",
        Reply::Refused(403, "permission denied"),
    );
    script.always(MADE, Reply::Data(json!({"secret_id": "s", "secret_id_ttl": 3600})));
    let vault = vault(&script, &[FROM]);
    for _ in 0..24 {
        text(&vault, FROM).await;
        pass(300).await;
    }
    assert!((3..=4).contains(&script.count(MADE)), "{}", script.count(MADE));
}
