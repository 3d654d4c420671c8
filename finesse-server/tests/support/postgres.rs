//! A PostgreSQL of its own for a test: on a free port, in a directory that goes with it, with the tables of the AWDB
//! that the realm reads. It is what `tests/setup` installs (Debian: `postgresql`).

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use md5::{Digest as _, Md5};

pub struct Postgres {
    directory: PathBuf,
    port: u16,
    server: Option<Child>,
}

const SCHEMA: &str = "
CREATE TABLE Person (PersonID int PRIMARY KEY, LoginName varchar(128), FirstName varchar(32), LastName varchar(32),
    Password varchar(64), LoginEnabled char(1));
CREATE TABLE Agent (SkillTargetID int PRIMARY KEY, PeripheralID smallint, PeripheralNumber varchar(128), PersonID int,
    SupervisorAgent char(1), Deleted char(1));
CREATE TABLE Agent_Team (AgentTeamID int PRIMARY KEY, PeripheralID smallint, EnterpriseName varchar(32));
CREATE TABLE Agent_Team_Member (AgentTeamID int, SkillTargetID int);
CREATE TABLE Agent_Team_Supervisor (AgentTeamID int, SupervisorSkillTargetID int);
CREATE TABLE Skill_Group (SkillTargetID int PRIMARY KEY, PeripheralID smallint, PeripheralNumber int,
    EnterpriseName varchar(32), Deleted char(1));
CREATE TABLE Skill_Group_Member (SkillTargetID int, AgentSkillTargetID int);
INSERT INTO Agent_Team VALUES (1, 5000, 'Sales'), (2, 5000, 'Billing');
INSERT INTO Skill_Group VALUES (900, 5000, 10, 'Sales_EN', 'N');
";

/// Where Debian keeps the programs.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed (tests/setup)");
    let newest =
        versions.filter_map(|entry| Some(entry.ok()?.path())).max().expect("a version of PostgreSQL");
    newest.join("bin")
}

/// The server does not run as root.
fn as_somebody(program: &Path) -> Command {
    let id = Command::new("id").arg("-u").output().expect("id").stdout;
    if id.trim_ascii() != b"0" {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}

fn md5(password: &str) -> String {
    Md5::digest(password).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Postgres {
    /// With these agents: number, login name, password, whether they may sign in. The first is a supervisor.
    pub async fn start(agents: &[(&str, &str, &str, &str)]) -> Postgres {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let name = format!("finesse-awdb-{}-{port}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join("password"), "db secret").unwrap();
        let _ = Command::new("chown").args(["-R", "postgres"]).arg(&directory).status();
        let made = as_somebody(&programs().join("initdb"))
            .args([
                "--username=awdb",
                "--auth=scram-sha-256",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
                "-D",
            ])
            .arg(directory.join("data"))
            .arg("--pwfile")
            .arg(directory.join("password"))
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut postgres = Postgres { directory, port, server: None };
        postgres.start_again().await;
        postgres.run_in("postgres", "CREATE DATABASE awdb").await;
        postgres.run(SCHEMA).await;
        for (at, (id, login_name, password, enabled)) in agents.iter().enumerate() {
            let (key, supervisor) = (at + 100, if at == 0 { 'Y' } else { 'N' });
            let (id, login_name, password) = (quoted(id), quoted(login_name), md5(password));
            postgres
                .run(&format!(
                    "INSERT INTO Person VALUES ({key}, '{login_name}', 'F{at}', 'L{at}', '{password}', '{enabled}');
                     INSERT INTO Agent VALUES ({key}, 5000, '{id}', {key}, '{supervisor}', 'N');
                     INSERT INTO Agent_Team_Member VALUES (1, {key});
                     INSERT INTO Skill_Group_Member VALUES (900, {key})"
                ))
                .await;
        }
        postgres.run("INSERT INTO Agent_Team_Supervisor VALUES (1, 100)").await;
        postgres
    }

    /// `host` and `port` for the configuration.
    pub fn keys(&self) -> String {
        format!("host = \"127.0.0.1\"\nport = {}", self.port)
    }

    pub async fn start_again(&mut self) {
        let server = as_somebody(&programs().join("postgres"))
            .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-k"])
            .arg(&self.directory)
            .arg("-D")
            .arg(self.directory.join("data"))
            .stderr(Stdio::null())
            .spawn();
        self.server = Some(server.expect("postgres runs"));
        let limit = tokio::time::Instant::now() + Duration::from_secs(60);
        while self.connect("postgres").await.is_err() {
            assert!(tokio::time::Instant::now() < limit, "PostgreSQL does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends the server at once; its data stay.
    pub async fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = Command::new("kill").args(["-QUIT", &server.id().to_string()]).status();
            server.wait().unwrap();
        }
    }

    async fn connect(&self, database: &str) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.port).user("awdb").password("db secret").dbname(database);
        let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    async fn run_in(&self, database: &str, statements: &str) {
        self.connect(database).await.unwrap().batch_execute(statements).await.unwrap();
    }

    pub async fn run(&self, statements: &str) {
        self.run_in("awdb", statements).await;
    }

    pub async fn password(&self, id: &str, password: &str) {
        let (id, password) = (quoted(id), md5(password));
        self.run(&format!(
            "UPDATE Person SET Password = '{password}' WHERE PersonID = \
             (SELECT PersonID FROM Agent WHERE PeripheralNumber = '{id}')"
        ))
        .await;
    }

    pub async fn add(&self, id: &str, password: &str) {
        let (id, password) = (quoted(id), md5(password));
        self.run(&format!(
            "INSERT INTO Person VALUES (7000, 'x{id}', '', '', '{password}', 'Y');
             INSERT INTO Agent VALUES (7000, 5000, '{id}', 7000, 'N', 'N')"
        ))
        .await;
    }

    /// So many agents from 50000 on, all with the password `storm`.
    pub async fn many(&self, count: usize) {
        let (password, last) = (md5("storm"), 50_000 + count - 1);
        self.run(&format!(
            "INSERT INTO Person SELECT n, 'login' || n, 'First', 'Last', '{password}', 'Y' \
             FROM generate_series(50000, {last}) n;
             INSERT INTO Agent SELECT n, 5000, n::text, n, 'N', 'N' FROM generate_series(50000, {last}) n;
             INSERT INTO Agent_Team_Member SELECT 2, n FROM generate_series(50000, {last}) n"
        ))
        .await;
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = Command::new("kill").args(["-QUIT", &server.id().to_string()]).status();
            let _ = server.wait();
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
