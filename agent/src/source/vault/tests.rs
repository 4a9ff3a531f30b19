//! A whole day with Vault in no time: what is asked, when, and what is made of the answers.

mod granted;
mod judged;
mod script;
mod sought;

use std::{
    rc::Rc,
    time::{Duration, SystemTime},
};

use mayfly_spec::{Reference, Spec};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Vault, auth::Auth, state::State, surroundings::Surroundings};
use crate::{
    clock::Clock,
    root::Root,
    source::contract::{Ask, Fetched, SourceError},
};
use script::{Reply, Script};

const LOGIN: &str = "POST auth/cert/login";
const LOOK_UP_SELF: &str = "GET auth/token/lookup-self";
const RENEW_SELF: &str = "POST auth/token/renew-self";
const LOOK_UP: &str = "POST sys/leases/lookup";
const RENEW: &str = "POST sys/leases/renew";
const MOUNTS: &str = "GET sys/internal/ui/mounts";
const CREDS: &str = "GET database/creds/web";
const USER: &str = "vault:database/creds/web?engine=database";

/// The time of day goes with the virtual one.
struct Daytime(Instant);

impl Clock for Daytime {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(500_000) + self.0.elapsed()
    }
}

/// An agent's side of `script`, for these references.
fn vault(script: &Script, references: &[&str]) -> Rc<Vault> {
    vault_with(script, references, &json!({}))
}

fn vault_with(script: &Script, references: &[&str], settings: &Value) -> Rc<Vault> {
    let file = |(at, from): (usize, &&str)| json!({"path": format!("f{at}"), "from": from});
    let files: Vec<Value> = references.iter().enumerate().map(file).collect();
    let mut vault = json!({"address": "https://vault:8200",
        "auth": {"cert": {"certificate-file": "/c", "key-file": "/k"}}});
    let fields = settings.as_object().cloned().unwrap_or_default();
    vault.as_object_mut().expect("an object").extend(fields);
    let spec = json!({"version": 1, "directory": "/run", "files": files, "vault": vault});
    let spec = Spec::from_environment(&spec.to_string()).expect("a configuration");
    let section = spec.vault.as_ref().expect("a section");
    let auth = Auth::new(section.auth.clone(), &Root::default(), None).expect("a method");
    let (state, clock) = (State::new(None, String::new()), Daytime(Instant::now()));
    let surroundings = Surroundings::new(clock, || 0.5);
    Vault::over(script.clone(), &spec, section, auth, state, surroundings).expect("a server").into()
}

async fn fetch(vault: &Vault, reference: &str) -> Result<Fetched, SourceError> {
    let Reference { location, .. } = reference.parse().expect(reference);
    vault.fetch(&Ask { location, held: None }).await
}

async fn text(vault: &Vault, reference: &str) -> String {
    let fetched = fetch(vault, reference).await.expect(reference);
    fetched.data.whole().expose_text().expect("text").to_owned()
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
