//! PostgreSQL: Debian's server, for Vault's database engine. The first test that wants it starts it. It refuses to be
//! root, so it runs as its package's user, who may pass through the folders above its own but not write there.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tokio::sync::Mutex;

use super::{
    addresses::{HOST, POD_RANGE, POSTGRES_PORT},
    condition::{PATIENCE, eventually},
    control_plane::flag,
    folders,
    launch::Lab,
    program::Program,
};

/// Its superuser, as whom Vault makes others.
pub const SUPERUSER: &str = "lab";

/// The only database that tests use.
pub const DATABASE: &str = "postgres";

/// The daemon's name, and its folder's below the cluster's.
const NAME: &str = "postgres";

/// Where the superuser's password is, below the cluster's folder.
const PASSWORD_FILE: &str = "postgres-password";

/// Where Debian has one folder of programs for each version.
const PROGRAMS: &str = "/usr/lib/postgresql";

/// What is not to outlive the cluster: no sync, no segments in shared memory, no statement of Vault's in the log.
const SETTINGS: [&str; 5] = [
    "fsync=off",
    "dynamic_shared_memory_type=mmap",
    "unix_socket_directories=",
    "log_min_error_statement=panic",
    "max_connections=200",
];

/// PostgreSQL, as its superuser sees it.
#[derive(Debug, Clone)]
pub struct Postgres {
    programs: PathBuf,
    password: String,
}

impl Postgres {
    /// The lab's server, started if it does not run.
    pub async fn of(lab: &Lab) -> Result<Self> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
        let _turn = ONE_AT_A_TIME.lock().await;
        let programs = programs()?;
        if lab.daemons.pid(NAME).is_none() {
            start(lab, &programs).await.context("start PostgreSQL")?;
        }
        let password = folders::read(&lab.folders.cluster().join(PASSWORD_FILE))?;
        let postgres = Self { programs, password };
        eventually("PostgreSQL", PATIENCE, || postgres.sql("select 1")).await?;
        Ok(postgres)
    }

    /// The superuser's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Runs a statement as superuser, and hands out what it printed, without its last line's end.
    pub async fn sql(&self, statement: &str) -> Result<String> {
        self.sql_as(SUPERUSER, &self.password, statement).await
    }

    /// The same as somebody else.
    pub async fn sql_as(&self, user: &str, password: &str, statement: &str) -> Result<String> {
        let psql = Program::new(self.psql()).env("PGPASSWORD", password);
        let psql = psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--host", HOST]);
        let psql = psql.args(["--port", &POSTGRES_PORT.to_string(), "--username", user]);
        let said = psql.args(["--command", statement, DATABASE]).text().await?;
        Ok(said.trim_end_matches('\n').to_owned())
    }

    /// Its client, a program that images can be made of.
    pub fn psql(&self) -> PathBuf {
        self.programs.join("psql")
    }
}

async fn start(lab: &Lab, programs: &Path) -> Result<()> {
    let (cluster, data) = (lab.folders.cluster(), lab.folders.cluster().join(NAME));
    let password = cluster.join(PASSWORD_FILE);
    folders::write(&password, format!("{:032x}", fastrand::u128(..)))?;
    let access = cluster.join("pg_hba.conf");
    folders::render("templates/pg_hba.conf", &[("range", POD_RANGE)], &access)?;
    make_folder(&data).await?;
    let init = unprivileged(programs, "initdb").args(["--no-sync", "--no-locale"]);
    let init = init.args(["--encoding=UTF8", "--auth=scram-sha-256"]);
    let init = init.args(["--username", SUPERUSER]).args([flag("pwfile", &password)]);
    init.args([flag("pgdata", &data)]).text().await?;
    let server = unprivileged(programs, "postgres").args(["-D"]).args([data]);
    let server = server.args(["-h", HOST, "-p", &POSTGRES_PORT.to_string()]);
    let server = server.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
    lab.daemons.start(NAME, &server.args(["-c", &format!("hba_file={}", access.display())]))
}

/// A folder of the user's own; what an interrupted start has left in it is of no use.
async fn make_folder(folder: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(folder);
    let install = Program::new("install").args(["--directory", "--mode=0700", "--owner=postgres"]);
    install.args([folder]).text().await.map(drop)
}

/// A program as the package's user, with segments of shared memory that end with it.
fn unprivileged(programs: &Path, name: &str) -> Program {
    Program::new("unshare")
        .args(["--ipc", "setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"])
        .args(["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"])
        .args(["--no-new-privs"])
        .args([programs.join(name)])
}

/// The programs of the newest version.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir(PROGRAMS).with_context(|| format!("read {PROGRAMS}"))?;
    let number = |name: &OsStr| name.to_str().and_then(|name| name.parse::<u32>().ok());
    let newest = versions.flatten().filter_map(|entry| number(&entry.file_name())).max();
    let newest = newest.with_context(|| format!("there is no version in {PROGRAMS}"))?;
    Ok(PathBuf::from(PROGRAMS).join(newest.to_string()).join("bin"))
}
