//! What happens, act by act.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    backends::Backends,
    child::Cast,
    difference::Difference,
    files::Files,
    ground::Ground,
    kubelet::{self, Container},
    pod::{MANIFEST, Pod},
    programs::Programs,
    stage::{PLAIN, QUIET, Stage, say, show},
    webhook::{self, Webhook},
};

const OVERTURE: &str = "\
Mayfly: from an annotated pod to refreshed files, on this machine. The webhook
and the agent are the real programs; AWS and Vault are a stand-in that speaks
their protocols on a loopback port; this demo plays the API server and the
kubelet. Nothing leaves the machine.";

const FINALE: &str = "
What to try next:
   cargo e2e                               the same on a real cluster
   cargo run -p mayfly-agent -- --help     the agent alone, on your laptop
   README.md                               every annotation, the modes, the why";

/// What is to happen will have happened by then.
const LIMIT: Duration = Duration::from_secs(30);

/// How often the agent is asked how it is.
const PAUSE: Duration = Duration::from_millis(50);

/// The demo under way.
#[derive(Debug)]
pub(super) struct Story<'a> {
    pub(super) stage: &'a mut Stage,
    pub(super) cast: &'a mut Cast,
    pub(super) ground: &'a Ground,
}

/// What the acts after the start have in common.
struct Running {
    backends: Backends,
    container: Container,
    files: Files,
}

impl Story<'_> {
    /// Plays it to its end, or to the first step that fails.
    pub(super) async fn play(mut self) -> Result<()> {
        say(OVERTURE);
        let programs = Programs::build().await?;
        let backends = Backends::start().await?;
        let parts = (&programs, &backends.server);
        let webhook = Webhook::start(self.cast, self.ground, parts).await?;
        let pod = self.asking()?;
        let admitted = self.admission(&webhook, &pod, &backends).await?;
        let container = Container::of(&admitted, &programs, self.ground)?;
        let files = Files::new(self.ground.pod().join("run/mayfly"));
        let mut running = Running { backends, container, files };
        self.start(&admitted, &running).await?;
        self.rotation(&mut running).await?;
        self.outage(&running).await?;
        self.again(&webhook, &admitted).await?;
        self.end(&running).await?;
        say(FINALE);
        Ok(())
    }

    fn asking(&mut self) -> Result<Pod> {
        self.stage.act("A pod asks for secrets, with annotations");
        show(PLAIN, MANIFEST);
        Pod::example()
    }

    async fn admission(
        &mut self,
        webhook: &Webhook,
        pod: &Pod,
        backends: &Backends,
    ) -> Result<Pod> {
        self.stage.act("The webhook answers the API server with a patch");
        let answer = webhook.review(pod).await?;
        let claim = format!("allowed, over TLS, at {}", webhook.url());
        ensure!(answer.response["allowed"] == true, "{claim}\nseen: {}", answer.text);
        self.stage.passed(claim);
        let (admitted, operations) = pod.patched(&answer.response)?;
        let (before, after) = (pod.yaml()?, admitted.yaml()?);
        let difference = Difference::new(&before, &after);
        difference.show();
        let claim = format!("{operations} operations; every line of the author's is still there");
        self.stage.verify(claim, &Vec::new(), &difference.removed())?;
        let leaked = backends.values().iter().any(|value| after.contains(value));
        self.stage.verify("the pod carries references, and no value", &false, &leaked)?;
        Ok(admitted)
    }

    async fn start(&mut self, admitted: &Pod, running: &Running) -> Result<()> {
        let Running { backends, container, files } = running;
        self.stage.act("The agent starts, as the patch says, and holds the app back");
        for token in kubelet::make_volumes(admitted, &self.ground.pod())? {
            backends.trust(&token.audience, &token.token);
        }
        let [command, gate] = container.commands();
        show(QUIET, &format!("$ {command}\n$ {gate}"));
        let begin = Instant::now();
        self.cast.start(kubelet::NAME, container.run()?, self.ground.logs().join("agent.log"))?;
        let opened = container.gate().await?;
        let complaint = String::from_utf8_lossy(&opened.stderr);
        ensure!(opened.status.success(), "the gate stays closed: {complaint}");
        let milliseconds = begin.elapsed().as_millis();
        self.stage.passed(format!("the gate opened after {milliseconds} ms: the app may start"));
        show(QUIET, "$ ls -l /run/mayfly, and what is in the files");
        show(PLAIN, &files.listing()?);
        self.stage.verify(
            "the files are what the pod asked for",
            &backends.files(),
            &files.read()?,
        )?;
        self.modes(files)?;
        self.frugality(backends)
    }

    /// The agent runs as the app's user, so nobody else needs to read.
    fn modes(&mut self, files: &Files) -> Result<()> {
        let modes = files.modes()?;
        let open: Vec<_> = modes.iter().filter(|(_, mode)| *mode != "-r--------").collect();
        self.stage.verify("only the app's own user may read them", &Vec::new(), &open)
    }

    fn frugality(&mut self, backends: &Backends) -> Result<()> {
        let session = backends.session_name().unwrap_or_default();
        let names_pod = session.contains("shop") && session.contains("web-7d4b9");
        let claim = format!("CloudTrail would name the pod: `{session}`");
        self.stage.verify(claim, &true, &names_pod)?;
        self.stage.verify("one exchange at STS, one login to Vault", &[1, 1], &backends.proofs())
    }

    async fn rotation(&mut self, running: &mut Running) -> Result<()> {
        let Running { backends, container, files } = running;
        self.stage.act("The database's login is rotated in Secrets Manager");
        let (old, generation) = (files.read()?, generation(&container.status().await?));
        backends.rotate();
        let (begin, new) = (Instant::now(), backends.files());
        let mut seen = files.watch(&new, || self.cast.check()).await?;
        let seconds = begin.elapsed().as_secs_f32();
        for (name, old) in old.iter().filter(|(name, old)| new[*name] != **old) {
            show(PLAIN, &format!("{name:11}  {old} -> {}", new[name]));
        }
        self.stage.passed(format!("the new files were there {seconds:.1} s later, by themselves"));
        seen.retain(|seen| *seen != old);
        self.stage.verify("name and password changed together: one rename", &Vec::new(), &seen)?;
        let is_new = |status: &Value| self::generation(status) > generation;
        let now = self.status(container, "ready, and new", is_new).await?;
        let claim = format!("`status`: ready, generation {generation} -> {}", generation + 1);
        self.stage.verify(claim, &(generation + 1), &self::generation(&now))
    }

    async fn outage(&mut self, running: &Running) -> Result<()> {
        let Running { backends, container, files } = running;
        self.stage.act("Vault is sealed for a while");
        backends.server.vault().seal();
        let status = self.status(container, "stale", is("stale")).await?;
        show(PLAIN, &format!("status: {}", reason(&status)));
        self.stage.passed("`status` says so: stale, and why");
        self.stage.verify("the files stay as they were", &backends.files(), &files.read()?)?;
        backends.server.vault().unseal();
        self.status(container, "ready", is("ready")).await?;
        self.stage.passed("unsealed: ready again, without a restart");
        Ok(())
    }

    /// What the agent says of itself, as soon as that is as `wanted`.
    async fn status(
        &mut self,
        container: &Container,
        wanted: &str,
        is_wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let begin = Instant::now();
        loop {
            self.cast.check()?;
            let status = container.status().await?;
            if is_wanted(&status) {
                return Ok(status);
            }
            let late = begin.elapsed() >= LIMIT;
            ensure!(!late, "`status` after {LIMIT:?}\nexpected: {wanted}\nseen:     {status:#}");
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn again(&mut self, webhook: &Webhook, admitted: &Pod) -> Result<()> {
        self.stage.act("The webhook is asked again, about its own work");
        let answer = webhook.review(admitted).await?;
        let claim = "allowed, and nothing to change";
        let seen = (&answer.response["allowed"], answer.response.get("patch"));
        self.stage.verify(claim, &(&Value::Bool(true), None), &seen)
    }

    async fn end(&mut self, running: &Running) -> Result<()> {
        self.stage.act("The pod ends");
        let ended = self.cast.end(kubelet::NAME).await?;
        self.stage.verify("SIGTERM ends the agent with exit code 0", &Some(0), &ended.code())?;
        let tokens = running.backends.server.vault().live_tokens();
        self.stage.verify("its Vault token is revoked", &0, &tokens.len())?;
        let ended = self.cast.end(webhook::NAME).await?;
        self.stage.verify("SIGTERM ends the webhook with exit code 0", &Some(0), &ended.code())?;
        self.discretion(&running.backends)
    }

    fn discretion(&mut self, backends: &Backends) -> Result<()> {
        let mut leaks = Vec::new();
        for log in ["agent.log", "webhook.log"] {
            let text = fs::read_to_string(self.ground.logs().join(log))
                .with_context(|| format!("cannot read {log}"))?;
            leaks.extend(
                backends.values().iter().filter(|value| text.contains(**value)).map(|_| log),
            );
        }
        self.stage.verify("no value is in either log", &Vec::new(), &leaks)
    }
}

/// Whether the agent is in that state.
fn is(state: &str) -> impl Fn(&Value) -> bool {
    move |status| status["state"] == state
}

fn generation(status: &Value) -> u64 {
    status["generation"].as_u64().unwrap_or_default()
}

fn reason(status: &Value) -> &str {
    status["error"]["message"].as_str().unwrap_or_default()
}
