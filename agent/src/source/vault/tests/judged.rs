//! Whose words are believed, where the secret is, and what is said of it.

use serde_json::json;

use super::*;
use crate::fault::Class;

#[tokio::test(start_paused = true)]
async fn nobody_but_vault_says_that_a_secret_is_missing_or_refused() {
    for (status, page) in
        [(404, "<h1>no such backend</h1>"), (200, "<h1>Sign in</h1>"), (403, "<h1>Blocked</h1>")]
    {
        let script = Script::new();
        script.always("GET secret/data/app", Reply::Page(status, page));
        let vault = vault(&script, &[]);
        let fault = fetch(&vault, "vault:secret/app?kv=2").await.expect_err("a page");
        assert_eq!(fault.class, Class::Unreachable, "{fault}");
        for words in ["https://vault:8200", &status.to_string(), &page[4..9]] {
            assert!(fault.message.contains(words), "`{fault}` lacks `{words}`");
        }
        assert_eq!(script.count(LOGIN), 1);
    }
    let script = Script::new();
    script.always("GET secret/data/app", Reply::Whole(json!({"data": null})));
    script.always(LOGIN, Reply::Page(403, "<h1>Blocked</h1>"));
    let fault = fetch(&vault(&script, &[]), "vault:secret/app?kv=2").await.expect_err("a page");
    assert_eq!(fault.class, Class::Unreachable, "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_guess_proves_nothing_and_what_is_granted_later_is_found() {
    const FROM: &str = "vault:teams/kv/app";
    const ASKED: &str = "GET sys/internal/ui/mounts/teams/kv/app";
    let script = Script::new();
    let denied = "preflight capability check returned 403, please ensure client's policies grant access to path \"teams/kv/app/\"";
    script.always(ASKED, Reply::Refused(403, denied));
    let vault = vault(&script, &[]);
    for answer in
        [Reply::Refused(404, "no handler for route"), Reply::Refused(403, "permission denied")]
    {
        script.always("GET teams/data/kv/app", answer);
        let fault = fetch(&vault, FROM).await.expect_err("a guess");
        assert_eq!(fault.class, Class::Refused, "{fault}");
        for words in
            ["preflight capability check", "a guess", "`data/` behind the mount", "?kv=2&mount="]
        {
            assert!(fault.message.contains(words), "`{fault}` lacks `{words}`");
        }
    }
    let mount = json!({"path": "teams/kv/", "type": "kv", "options": {"version": "2"}});
    script.always(ASKED, Reply::Data(mount));
    let data = json!({"data": {"v": 1}, "metadata": {"version": 1}});
    script.always("GET teams/kv/data/app", Reply::Data(data));
    assert_eq!(text(&vault, FROM).await, r#"{"v":1}"#);
    assert_eq!(script.count(LOGIN), 1);
}

#[tokio::test(start_paused = true)]
async fn vaults_own_reason_is_told_without_a_guess() {
    let script = Script::new();
    let vault = vault(&script, &[]);
    for (said, guesses) in
        [("permission denied", true), ("egp policy \"root/hours\" denied", false)]
    {
        script.always("GET secret/data/app", Reply::Refused(403, said));
        let fault = fetch(&vault, "vault:secret/app?kv=2").await.expect_err("refused");
        assert!(fault.message.contains(said), "{fault}");
        assert_eq!(fault.message.contains("grant it `read`"), guesses, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_may_ask_what_is_mounted_it_can_be_said() {
    let script = Script::new();
    script.always("GET sys/internal/ui/mounts/database/creds/web", Reply::Hang);
    let data = json!({"data": {"v": 1}, "metadata": {"version": 1}});
    script.always("GET teams/kv/data/app", Reply::Data(data));
    let vault = vault(&script, &[]);
    assert_eq!(text(&vault, USER).await, r#"{"username":1}"#);
    assert_eq!(text(&vault, "vault:teams/kv/app?kv=2&mount=teams/kv").await, r#"{"v":1}"#);
    assert_eq!(script.count("GET sys/internal/ui/mounts/database/creds/web"), 0);
    // What is said of a write counts only where Vault says nothing.
    let mount = json!({"path": "old/", "type": "kv", "options": {"version": "1"}});
    script.always("GET sys/internal/ui/mounts/old/app", Reply::Data(mount));
    let fault =
        fetch(&vault, "vault-write:old/app?a=b&vault-engine=pki").await.expect_err("a store");
    assert!(fault.message.contains("never writes"), "{fault}");
    script.always("GET sys/internal/ui/mounts/ca/issue/web", Reply::Page(403, "<h1>Blocked</h1>"));
    script.always("POST ca/issue/web", Reply::Data(json!({"certificate": "c"})));
    fetch(&vault, "vault-write:ca/issue/web?a=b").await.expect_err("nobody knows");
    let said = "vault-write:ca/issue/web?a=b&vault-engine=pki";
    assert_eq!(text(&vault, said).await, r#"{"certificate":"c"}"#);
}

#[tokio::test(start_paused = true)]
async fn a_secret_of_another_namespace_is_asked_for_there() {
    let script = Script::new();
    let data = json!({"data": {"v": 1}, "metadata": {"version": 1}});
    script.always("GET secret/data/app", Reply::Data(data));
    let settings = json!({"namespace": "login"});
    let from = "vault:secret/app?kv=2&namespace=team/web";
    let vault = vault_with(&script, &[], &settings);
    text(&vault, from).await;
    assert_eq!(script.last("GET secret/data/app").namespace, "team/web");
    assert_eq!(script.last(LOGIN).namespace, "login");
    text(&vault, "vault:secret/app?kv=2").await;
    assert_eq!(script.last("GET secret/data/app").namespace, "login");
    let user = format!("{USER}&namespace=team");
    for _ in 0..2 {
        text(&vault, &user).await;
    }
    assert_eq!(script.last(LOOK_UP).namespace, "team");
    script.always("POST auth/token/revoke-self", Reply::Data(json!({})));
    vault.give_back(crate::source::Leased::Ends).await;
    assert_eq!(script.last("POST auth/token/revoke-self").namespace, "login");
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_failed_once_is_asked_for_again() {
    const LIST: &str = "LIST secret/detailed-metadata/x/";
    let (script, froms) = (Script::new(), ["vault:secret/x/a?kv=2", "vault:secret/x/b?kv=2"]);
    for name in ["a", "b"] {
        let data = json!({"data": {"v": 1}, "metadata": {"version": 1}});
        script.always(&format!("GET secret/data/x/{name}"), Reply::Data(data));
    }
    script.always(LIST, Reply::Refused(503, "busy"));
    let vault = vault(&script, &froms);
    let look = async || {
        for from in froms {
            let Reference { location, .. } = from.parse().expect(from);
            let held = fetch(&vault, from).await.ok();
            vault.fetch(&Ask { location, held }).await.expect(from);
        }
    };
    look().await;
    assert_eq!(script.count(LIST), 1, "once a look");
    let info = json!({"current_version": 1, "versions": {}});
    script.always(LIST, Reply::Data(json!({"key_info": {"a": info, "b": info}})));
    pass(60).await;
    look().await;
    assert_eq!(script.count(LIST), 2);
    script.always(LIST, Reply::Refused(405, "unsupported operation"));
    for _ in 0..5 {
        pass(60).await;
        look().await;
    }
    assert_eq!(script.count(LIST), 3, "Vault has said that there is none");
}

#[tokio::test(start_paused = true)]
async fn what_vault_says_beside_an_answer_is_passed_on() {
    let script = Script::new();
    let said = "Endpoint ignored these unrecognized parameters: [tttl]";
    let whole = json!({"data": {"certificate": "c"}, "warnings": [said]});
    script.always("POST pki/issue/web", Reply::Whole(whole));
    let mount = json!({"path": "pki/", "type": "pki", "options": null});
    script.always("GET sys/internal/ui/mounts/pki/issue/web", Reply::Data(mount));
    let vault = vault(&script, &[]);
    let fetched = fetch(&vault, "vault-write:pki/issue/web?tttl=1h").await.expect("a certificate");
    assert_eq!(fetched.warnings, [said]);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_has_to_agree_to_first_is_said() {
    let script = Script::new();
    let wrapped = json!({"data": null, "wrap_info": {"token": "hvs.wrapping", "ttl": 86400}});
    script.always("GET secret/data/app", Reply::Whole(wrapped.clone()));
    script.always(CREDS, Reply::Whole(wrapped));
    let vault = vault(&script, &[]);
    for from in ["vault:secret/app?kv=2", USER] {
        let fault = fetch(&vault, from).await.expect_err("wrapped");
        assert!(
            fault.message.contains("control group") && !fault.message.contains("hvs."),
            "{fault}"
        );
    }
}
