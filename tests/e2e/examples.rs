//! The examples of `manifests/examples/`, word for word: each is applied as it is, after what its own comment says is
//! to be done once, and does what it promises.
#![expect(clippy::disallowed_methods, reason = "the examples are files")]

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        folders,
        images::BUSYBOX,
        namespace::Namespace,
        pod::Pod,
        suite::Case,
    },
};
use serde_json::{Value, json};

use crate::canary;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases =
        cases![every_example_has_a_test].into_iter().map(Case::bare).collect::<Vec<_>>();
    cases.extend(cases![
        aws_web_server,
        vault_app,
        both_in_one_pod,
        job,
        file_variable,
        fastest_start,
        entries,
    ]);
    cases
}

/// The examples that are tested below.
const TESTED: [&str; 7] = [
    "01-aws-web-server.yaml",
    "02-vault-app.yaml",
    "03-both-in-one-pod.yaml",
    "04-job.yaml",
    "05-file-variable.yaml",
    "06-fastest-start.yaml",
    "07-entries.yaml",
];

/// The image that the examples name, and nobody can pull here.
const IMAGE: &str = "docker.io/library/busybox:1.37";

async fn every_example_has_a_test(_: &Cluster) -> Result<()> {
    let folder = folders::checkout().join("manifests/examples");
    let files = fs::read_dir(folder).context("list the examples")?;
    let names = files.map(|file| Ok(file?.file_name().to_string_lossy().into_owned()));
    let names: BTreeSet<String> = names.collect::<Result<_>>()?;
    let tested = TESTED.map(String::from).into();
    ensure!(names == tested, "there are {names:?}, and tested are {tested:?}");
    Ok(())
}

/// A namespace in which one example is at work.
struct Example<'a> {
    cluster: &'a Cluster,
    namespace: Namespace,
    text: String,
}

impl<'a> Example<'a> {
    async fn new(cluster: &'a Cluster, file: &str) -> Result<Self> {
        cluster.ctr(&["images", "tag", "--force", BUSYBOX, IMAGE]).await?;
        let path = folders::checkout().join("manifests/examples").join(file);
        let text = folders::read(&path)?;
        ensure!(text.contains(IMAGE), "{file} does not use {IMAGE}");
        Ok(Self { cluster, namespace: cluster.namespace("example").await?, text })
    }

    /// The role that the manifest names, for its service account in this namespace.
    async fn vault_role(&self, name: &str, policy: &str) -> Result<()> {
        self.cluster.vault().role(name, self.namespace.name(), name, policy).await
    }

    /// A role that reads its own secret, as that of `02-vault-app.yaml` does.
    async fn reader(&self, name: &str) -> Result<()> {
        let policy = format!("path \"secret/data/{name}\" {{ capabilities = [\"read\"] }}");
        self.vault_role(name, &policy).await
    }

    async fn put(&self, path: &str, data: Value) -> Result<()> {
        self.cluster.vault().put(path, data).await
    }

    /// The secret that the first example's comment makes, and the role that may read it.
    async fn my_secret(&self, role: &str, service_account: &str) -> Result<()> {
        let aws = self.cluster.aws();
        let login = json!({"username": "memeuser", "password": "hunter2"});
        aws.role(role, self.namespace.name(), service_account).await?;
        match aws.create_secret("MySecret", &login.to_string()).await {
            // Another example was first.
            Err(error) if error.to_string().contains("ResourceExistsException") => Ok(()),
            made => made.map(drop),
        }
    }

    async fn apply(&self) -> Result<()> {
        self.namespace.apply_all(&self.text).await.map(drop)
    }

    /// Applies the example and waits until its pod runs.
    async fn run(&self, name: &str) -> Result<Pod> {
        self.apply().await?;
        let pod = self.namespace.pod(name);
        pod.running().await?;
        Ok(pod)
    }
}

async fn aws_web_server(cluster: &Cluster) -> Result<()> {
    let example = Example::new(cluster, "01-aws-web-server.yaml").await?;
    example.my_secret("web", "web-server").await?;
    example.apply().await?;
    let available =
        ["wait", "--for=condition=Available", "--timeout=120s", "deployment/web-server"];
    example.namespace.kubectl(&available).await?;
    let cat = async |file: &str| {
        let path = format!("/run/mayfly/{file}");
        example.namespace.kubectl(&["exec", "deploy/web-server", "--", "cat", &path]).await
    };
    let (username, password) = (cat("username").await?, cat("password").await?);
    ensure!(password == "hunter2", "the password is {password:?}");
    ensure!(username == "memeuser", "the user is {username:?}");
    let whole: Value = serde_json::from_str(&cat("my-secret.json").await?)?;
    ensure!(whole == json!({"username": "memeuser", "password": "hunter2"}), "all is {whole}");
    Ok(())
}

async fn vault_app(cluster: &Cluster) -> Result<()> {
    let example = Example::new(cluster, "02-vault-app.yaml").await?;
    example.reader("app").await?;
    example.put("secret/app", json!({"password": "hunter2", "api_key": "abc"})).await?;
    let pod = example.run("app").await?;
    says(&pod, "the password has 7 characters").await?;
    ensure!(pod.file("/run/mayfly/password").await? == "hunter2");
    let environment = pod.file("/run/mayfly/app.env").await?;
    let lines = environment.lines();
    let unquoted: BTreeSet<String> = lines.map(|line| line.replace(['"', '\''], "")).collect();
    let expected = ["password=hunter2", "api_key=abc"].map(String::from).into();
    ensure!(unquoted == expected, "app.env is {environment:?}");
    Ok(())
}

async fn both_in_one_pod(cluster: &Cluster) -> Result<()> {
    let example = Example::new(cluster, "03-both-in-one-pod.yaml").await?;
    example.my_secret("both", "both").await?;
    example.vault_role("both", "path \"secret/data/tls\" { capabilities = [\"read\"] }").await?;
    let key = canary::secret();
    example.put("secret/tls", json!({"tls.crt": "certificate", "tls.key": key})).await?;
    let pod = example.run("both").await?;
    ensure!(pod.file("/run/mayfly/db-password").await? == "hunter2");
    ensure!(pod.file("/run/mayfly/tls/tls.key").await? == key);
    ensure!(pod.file("/run/mayfly/tls/tls.crt").await? == "certificate");
    says(&pod, "tls").await
}

async fn job(cluster: &Cluster) -> Result<()> {
    let example = Example::new(cluster, "04-job.yaml").await?;
    example.reader("report").await?;
    example.put("secret/report", json!({"password": canary::secret()})).await?;
    example.apply().await?;
    let complete = ["wait", "--for=condition=Complete", "--timeout=120s", "job/report"];
    example.namespace.kubectl(&complete).await?;
    let said = example.namespace.kubectl(&["logs", "job/report"]).await?;
    ensure!(said == "reported\n", "the Job said {said:?}");
    Ok(())
}

async fn file_variable(cluster: &Cluster) -> Result<()> {
    let example = Example::new(cluster, "05-file-variable.yaml").await?;
    example.reader("database").await?;
    let password = canary::secret();
    example.put("secret/database", json!({"password": password})).await?;
    let pod = example.run("database").await?;
    let seen = pod.exec(&["sh", "-c", "cat \"$POSTGRES_PASSWORD_FILE\""]).await?;
    ensure!(seen == password, "the variable leads to {seen:?}");
    Ok(())
}

async fn fastest_start(cluster: &Cluster) -> Result<()> {
    let example = Example::new(cluster, "06-fastest-start.yaml").await?;
    example.reader("fast").await?;
    let password = canary::secret();
    example.put("secret/fast", json!({"password": password})).await?;
    let pod = example.run("fast").await?;
    ensure!(pod.file_in("app", "/run/mayfly/password").await? == password);
    let first = &pod.json().await?["spec"]["containers"][0]["name"];
    ensure!(first == "mayfly-agent", "the first container is {first}");
    Ok(())
}

async fn entries(cluster: &Cluster) -> Result<()> {
    let example = Example::new(cluster, "07-entries.yaml").await?;
    let policy = "path \"secret/data/entries\" { capabilities = [\"read\"] }
        path \"secret/data/entries-licence\" { capabilities = [\"read\"] }";
    example.vault_role("entries", policy).await?;
    let password = canary::secret();
    let login = json!({"username": "memeuser", "password": password, "unused": canary::secret()});
    example.put("secret/entries", login).await?;
    let pod = example.run("entries").await?;
    ensure!(pod.file_in("app", "/etc/secrets/db/password").await? == password);
    let mode = ["stat", "-L", "-c", "%a %g", "/etc/secrets/db/password"];
    let mode = pod.exec_in("app", &mode).await?;
    ensure!(mode.trim() == "440 2000", "mode and group are {mode}");
    let login = pod.file_in("app", "/etc/secrets/db/login").await?;
    ensure!(login.contains("memeuser") && login.contains(&password), "there is no login");
    ensure!(login.lines().count() == 2, "the login has {} lines", login.lines().count());
    let licence = pod.exec_in("app", &["ls", "/etc/secrets"]).await?;
    ensure!(!licence.contains("licence"), "there is a licence: {licence}");
    pod.exec_in("bystander", &["test", "!", "-e", "/etc/secrets"]).await.map(drop)
}

/// Waits until the pod's container `app` has said it.
async fn says(pod: &Pod, words: &str) -> Result<()> {
    let said = || async {
        let said = pod.logs("app").await?;
        ensure!(said.contains(words), "it says {said:?}");
        Ok(())
    };
    eventually("the example's own words", PATIENCE, said).await
}
