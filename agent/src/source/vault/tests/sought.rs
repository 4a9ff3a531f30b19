//! Tokens: one as long as it lives, and used while the next is sought.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, timeout};

use super::{script::token, *};
use crate::fault::Class;

const DENIED: &str = "1 error occurred:\n\t* permission denied\n\n";

fn kv(script: &Script, value: &str) {
    let data = json!({"data": {"v": value}, "metadata": {"version": 1}});
    script.always("GET secret/data/app", Reply::Data(data));
}

#[tokio::test(start_paused = true)]
async fn a_role_without_the_policy_default_logs_in_once_in_ten_minutes() {
    let script = Script::new();
    for denied in [LOOK_UP_SELF, RENEW_SELF, LOOK_UP, RENEW, "GET secret/data/none"] {
        script.always(denied, Reply::Refused(403, DENIED));
    }
    let vault = vault(&script, &[USER]);
    for _ in 0..60 {
        assert_eq!(text(&vault, USER).await, r#"{"username":1}"#);
        let fault = fetch(&vault, "vault:secret/none?kv=2").await.expect_err("no rights");
        assert_eq!(fault.class, Class::Refused);
        pass(10).await;
    }
    assert_eq!((script.count(LOGIN), script.count(CREDS)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_vault_does_not_know_is_replaced_and_one_that_nobody_knows_of_is_not() {
    for (said, answer, logins) in [
        ("permission denied", Reply::Refused(403, "permission denied"), 2),
        ("2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n", Reply::Hang, 2),
        ("permission denied", Reply::Refused(503, "Vault is sealed"), 1),
        ("permission denied", Reply::Page(403, "<h1>Blocked</h1>"), 1),
        ("permission denied", Reply::Refused(403, "egp policy \"root/x\" denied"), 1),
        ("permission denied", Reply::Data(json!({})), 1),
    ] {
        let script = Script::new();
        script.always("GET secret/data/app", Reply::Refused(403, said));
        script.always(LOOK_UP_SELF, Reply::Refused(403, said));
        script.always(MOUNTS, answer.clone());
        let vault = vault(&script, &[]);
        fetch(&vault, "vault:secret/app?kv=2").await.expect_err("no rights");
        assert_eq!(script.count(LOGIN), logins, "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_costs_neither_token_nor_lease() {
    for failure in [Reply::Refused(503, "busy"), Reply::Refused(429, "quota"), Reply::Hang] {
        let script = Script::new();
        let vault = vault(&script, &[USER]);
        assert_eq!(text(&vault, USER).await, r#"{"username":1}"#);
        script.always(RENEW_SELF, failure.clone());
        script.always(RENEW, failure.clone());
        script.always(LOGIN, failure.clone());
        pass(2600).await;
        assert_eq!(text(&vault, USER).await, r#"{"username":1}"#);
        assert!(script.count(RENEW_SELF) >= 1 && script.count(RENEW) >= 1);
        script.on(RENEW_SELF, |_| token(1, 3600));
        script.always(RENEW, Reply::Whole(json!({"lease_duration": 3600})));
        pass(550).await;
        assert_eq!(text(&vault, USER).await, r#"{"username":1}"#);
        assert_eq!((script.count(CREDS), script.count(LOGIN)), (1, 1), "{failure:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_login_delays_no_read_that_the_present_token_can_do() {
    let script = Script::new();
    kv(&script, "one");
    script.always(RENEW_SELF, Reply::Refused(400, "lease is not renewable"));
    let vault = vault(&script, &[]);
    let read = "vault:secret/app?kv=2";
    text(&vault, read).await;
    script.on(LOGIN, |number| Reply::After(40, Box::new(token(number, 3600))));
    pass(2600).await;
    for _ in 0..8 {
        let began = Instant::now();
        text(&vault, read).await;
        assert!(began.elapsed() <= Duration::from_secs(2), "{:?}", began.elapsed());
        assert_eq!(script.last("GET secret/data/app").token, "hvs.1");
        pass(4).await;
    }
    // Its answer is not lost, and it is not asked for twice.
    pass(40).await;
    text(&vault, read).await;
    assert_eq!(script.count(LOGIN), 2);
    assert_eq!(script.last("GET secret/data/app").token, "hvs.2");
}

#[tokio::test(start_paused = true)]
async fn a_hanging_engine_delays_no_other_read_for_long() {
    let script = Script::new();
    kv(&script, "one");
    script.always(CREDS, Reply::Hang);
    let vault = vault(&script, &[USER]);
    let hanging = (0..20).map(|_| timeout(Duration::from_secs(50), fetch(&vault, USER)));
    let reading = async {
        pass(1).await;
        let began = Instant::now();
        text(&vault, "vault:secret/app?kv=2").await;
        began.elapsed()
    };
    let (_, took) = tokio::join!(futures_util::future::join_all(hanging), reading);
    assert!(took <= Duration::from_secs(2), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_login_wants_beside_is_said() {
    for (answer, words) in [
        (json!({"auth": {"client_token": "", "mfa_requirement": {}}}), "second factor (MFA)"),
        (json!({"auth": null, "wrap_info": {"token": "x"}}), "control group"),
    ] {
        let script = Script::new();
        script.always(LOGIN, Reply::Whole(answer));
        let fault = fetch(&vault(&script, &[]), USER).await.expect_err("no token");
        assert_eq!(fault.class, Class::Refused);
        assert!(fault.message.contains(words), "{fault}");
    }
}
