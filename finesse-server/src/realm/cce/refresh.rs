//! The task that talks to the database: reads everything now and then, single agents when it is asked, and goes to the other
//! host when one does not answer.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use super::database::{Connection, Rows};
use super::snapshot::{Snapshot, Tables};
use super::statements::Statements;
use super::{News, Shared};
use crate::config::CceRealm;
use crate::directory::Roster;

/// A question about one agent.
pub(super) struct Ask {
    /// Number or login name.
    pub(super) name: String,
    /// Told `true` when memory has what the database says, `false` when no database does.
    pub(super) answer: oneshot::Sender<bool>,
}

pub(super) struct Refresher {
    shared: Arc<Shared>,
    config: CceRealm,
    statements: Statements,
    news: mpsc::Sender<News>,
    connection: Option<Connection>,
    /// What the directory was told last.
    told: Option<Roster>,
    unreadable: usize,
}

impl Refresher {
    pub(super) fn new(
        shared: Arc<Shared>,
        config: CceRealm,
        peripheral: u32,
        news: mpsc::Sender<News>,
    ) -> Refresher {
        let own = [&config.agents, &config.teams, &config.supervisors, &config.queues].map(String::as_str);
        let statements = Statements::new(own, peripheral);
        Refresher { shared, config, statements, news, connection: None, told: None, unreadable: 0 }
    }

    /// Runs until the realm is gone.
    pub(super) async fn run(mut self, mut asks: mpsc::Receiver<Ask>) {
        let mut next = Instant::now();
        loop {
            tokio::select! {
                () = sleep_until(next) => {
                    let read = self.read_all().await;
                    self.note(read.as_ref().err());
                    let pause = match read {
                        Ok(()) => self.config.refresh_seconds,
                        Err(_) => self.config.retry_seconds,
                    };
                    next = Instant::now() + Duration::from_secs(pause.into());
                }
                ask = asks.recv() => {
                    let Some(Ask { name, answer }) = ask else { return };
                    // Who waits behind one that found nobody there need not find out again.
                    let known = match self.shared.down.load(Ordering::Relaxed) {
                        true => Err("no database answers".to_owned()),
                        false => self.read_one(&name).await,
                    };
                    if let Err(error) = &known {
                        self.note(Some(error));
                        next = next.min(Instant::now() + Duration::from_secs(self.config.retry_seconds.into()));
                    }
                    // Who does not wait any more does not get an answer.
                    let _ = answer.send(known.is_ok());
                }
            }
        }
    }

    /// Whether a database answers, and a line in the journal when that changes.
    fn note(&self, error: Option<&String>) {
        let was = self.shared.down.swap(error.is_some(), Ordering::Relaxed);
        match error {
            Some(error) if !was => {
                tracing::warn!(target: "journal", realm = "cce", cause = %error, "realm unavailable");
            }
            None if was => tracing::info!(target: "journal", realm = "cce", "realm available"),
            _ => {}
        }
    }

    async fn read_all(&mut self) -> Result<(), String> {
        let all = self.statements.clone();
        let tables = Tables {
            agents: self.rows(&all.agents, None).await?,
            teams: self.rows(&all.teams, None).await?,
            supervisors: self.rows(&all.supervisors, None).await?,
            queues: self.rows(&all.queues, None).await?,
        };
        let snapshot = Snapshot::new(&self.shared.key, &tables, self.shared.most);
        drop(tables);
        let agents = snapshot.len();
        if agents >= self.shared.most {
            tracing::warn!(
                realm = "cce",
                most = self.shared.most,
                "more agents than realm.users; some are left out"
            );
        }
        if snapshot.unreadable > 0 && self.unreadable != snapshot.unreadable {
            let unreadable = snapshot.unreadable;
            tracing::error!(
                realm = "cce",
                unreadable,
                agents,
                "passwords are no MD5 digests in hexadecimal or base64; these agents cannot sign in"
            );
        }
        self.unreadable = snapshot.unreadable;
        *self.shared.read.lock() = Some(std::time::Instant::now());
        self.take_over(snapshot).await;
        Ok(())
    }

    async fn read_one(&mut self, name: &str) -> Result<(), String> {
        // Before everything has been read, one agent would be told without his team.
        if self.shared.read.lock().is_none() {
            return self.read_all().await;
        }
        let statement = self.statements.agent.clone();
        let rows = self.rows(&statement, Some(name)).await?;
        let (key, most) = (self.shared.key.clone(), self.shared.most);
        if let Some(next) = self.shared.snapshot().with(&key, name, &rows, most) {
            self.take_over(next).await;
        }
        Ok(())
    }

    /// Lets nobody in any more who is gone, tells the directory, and then lets in who is new.
    async fn take_over(&mut self, snapshot: Snapshot) {
        let roster = snapshot.roster();
        if self.told.as_ref() == Some(&roster) {
            *self.shared.snapshot.write() = Arc::new(snapshot);
            return;
        }
        let known = snapshot.without_newcomers(&self.shared.snapshot());
        *self.shared.snapshot.write() = Arc::new(known);
        let (done, told) = oneshot::channel();
        self.told = Some(roster.clone());
        // An error says that the server is ending.
        if self.news.send(News { roster, done }).await.is_ok() {
            let _ = told.await;
        }
        *self.shared.snapshot.write() = Arc::new(snapshot);
    }

    /// Runs a statement on the connection there is, or on a new one to the first host that takes it.
    async fn rows(&mut self, statement: &str, name: Option<&str>) -> Result<Rows, String> {
        let limit = Duration::from_secs(self.config.query_seconds.into());
        self.shared.statements.fetch_add(1, Ordering::Relaxed);
        if let Some(connection) = &mut self.connection {
            match timeout(limit, connection.rows(statement, name)).await {
                Ok(Ok(rows)) => return Ok(rows),
                // It may have gone while nobody looked: once more on a new one.
                Ok(Err(error)) => tracing::debug!(realm = "cce", %error, "a statement failed"),
                Err(_) => tracing::debug!(realm = "cce", "a statement took too long"),
            }
            self.connection = None;
        }
        let mut cause = String::from("no host is configured");
        let hosts = [&self.config.host, &self.config.backup_host].map(String::clone);
        for host in hosts.iter().filter(|host| !host.is_empty()) {
            let tried = timeout(limit, async {
                let mut connection = Connection::open(&self.config, host).await?;
                let rows = connection.rows(statement, name).await?;
                Ok::<_, String>((connection, rows))
            });
            match tried.await {
                Ok(Ok((connection, rows))) => {
                    self.connection = Some(connection);
                    return Ok(rows);
                }
                Ok(Err(error)) => cause = format!("{host}: {error}"),
                Err(_) => cause = format!("{host}: no answer in {} s", limit.as_secs()),
            }
        }
        Err(cause)
    }
}
