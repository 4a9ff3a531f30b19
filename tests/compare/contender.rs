//! Either agent: how it is told to want the ten secrets, and started.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use mayfly_tests::measure::process::Process;
use serde_json::{Value, json};

use crate::server::{SECRETS, Server};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    VaultAgent,
    Mayfly,
}

impl Kind {
    /// Its name, which is also its role's.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::VaultAgent => "vault-agent",
            Self::Mayfly => "mayfly-agent",
        }
    }
}

/// One of the two, with what it has to be told.
#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) kind: Kind,
    program: PathBuf,
    folder: PathBuf,
    address: String,
    authority: PathBuf,
    token: PathBuf,
}

impl Contender {
    /// The program of that kind, which keeps what it has in `folder`.
    pub(crate) fn new(kind: Kind, program: PathBuf, folder: &Path, server: &Server) -> Self {
        let (address, authority) = (server.address.clone(), server.authority.clone());
        let folder = folder.join(kind.name());
        Self { kind, program, folder, address, authority, token: server.token.clone() }
    }

    /// Starts it, to write its files into the folder of that name.
    pub(crate) fn start(&self, name: &str, look: Duration) -> Result<(Process, PathBuf)> {
        let files = self.folder.join(name);
        fs::create_dir_all(&files)?;
        let mut command = match self.kind {
            Kind::VaultAgent => self.vault_agent(&files, look)?,
            Kind::Mayfly => self.mayfly(&files, look)?,
        };
        // Both have variables of their own that say more than a configuration does.
        command.env_clear().env("HOME", &self.folder);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Ok((Process(child.with_context(|| format!("cannot start {command:?}"))?), files))
    }

    fn vault_agent(&self, files: &Path, look: Duration) -> Result<Command> {
        let (authority, token) = (self.authority.display(), self.token.display());
        let mut config = format!(
            r#"
            vault {{ address = "{}" ca_cert = "{authority}" }}
            auto_auth {{ method {{
              type = "kubernetes"
              config = {{ role = "{}" token_path = "{token}" }}
            }} }}
            template_config {{ static_secret_render_interval = "{}s" }}
            "#,
            self.address,
            self.kind.name(),
            look.as_secs(),
        );
        for number in 0..SECRETS {
            let secret = format!(r#"secret \"secret/data/secret-{number}\""#);
            let contents =
                format!("{{{{ with {secret} }}}}{{{{ .Data.data.value }}}}{{{{ end }}}}");
            let to = files.join(file(number));
            let to = to.display();
            writeln!(config, r#"template {{ contents = "{contents}" destination = "{to}" }}"#)?;
        }
        let path = files.with_extension("hcl");
        fs::write(&path, config)?;
        let mut command = Command::new(&self.program);
        command.arg("agent").arg(format!("-config={}", path.display()));
        Ok(command)
    }

    fn mayfly(&self, files: &Path, look: Duration) -> Result<Command> {
        let entry = |number| json!({"path": file(number), "from": format!("vault:secret/secret-{number}#value")});
        let auth = json!({"kubernetes": {"role": self.kind.name(), "token-file": self.token}});
        let config = json!({
            "version": 1, "directory": files, "files": (0..SECRETS).map(entry).collect::<Vec<Value>>(),
            "refresh": {"interval": format!("{}s", look.as_secs())},
            "vault": {"address": self.address, "ca": {"pem": fs::read_to_string(&self.authority)?}, "auth": auth},
        });
        let path = files.with_extension("json");
        fs::write(&path, config.to_string())?;
        let mut command = Command::new(&self.program);
        command.arg("run").arg("--config").arg(path);
        Ok(command)
    }
}

/// The name of a secret's file.
pub(crate) fn file(number: usize) -> String {
    format!("file-{number}")
}
