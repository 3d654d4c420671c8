//! The realm of Unified CCE: the agents of one peripheral, from the Administration & Data Server's database (AWDB).
//!
//! All of them are in memory, their passwords sealed. A task of its own reads the tables anew in the background; what it
//! reads is exchanged as a whole, so that nobody waits for it. A password that fits is right without a question. One
//! that does not fit, or a name that is not known, is asked about once in a while (one row), so that a new password
//! and a new agent are right at once. While no database answers, memory serves on, and whoever is not in it is told that he
//! cannot be verified at present.

mod database;
mod refresh;
mod sealed;
mod snapshot;
mod statements;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, oneshot};

use super::digest::Keyed;
use super::{Attempt, Backend, Case, Checking, Known, Refused, Rules};
use crate::config::CceRealm;
use crate::directory::Roster;
use refresh::{Ask, Refresher};
use snapshot::Snapshot;

/// Questions about single agents that wait for the database at once.
const ASKS: usize = 256;

/// Names whose last question is remembered.
const ASKED: usize = 4096;

/// People, teams and queues for the directory.
#[derive(Debug)]
pub struct News {
    /// All of them.
    pub roster: Roster,
    /// To be told when everybody knows them.
    pub done: oneshot::Sender<()>,
}

/// The realm. Its task ends when it is dropped.
pub struct Cce {
    shared: Arc<Shared>,
    asks: mpsc::Sender<Ask>,
    patience: Duration,
    negative: Duration,
    login_names: bool,
    asked: Mutex<HashMap<String, Instant>>,
}

/// What the realm and its task share.
struct Shared {
    key: Arc<Keyed>,
    snapshot: RwLock<Arc<Snapshot>>,
    /// When the database last said all of it.
    read: Mutex<Option<Instant>>,
    /// No database answers.
    down: AtomicBool,
    statements: AtomicU64,
    stale: Duration,
    most: usize,
}

impl Shared {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().clone()
    }

    /// Whether what is in memory is too old to go by.
    fn is_stale(&self) -> bool {
        self.read.lock().is_none_or(|at| at.elapsed() >= self.stale)
    }
}

impl Cce {
    /// Starts the realm's task on the current tokio runtime. What it reads goes into `news` as well; whoever takes it
    /// out has to answer.
    pub(super) fn spawn(
        key: Arc<Keyed>,
        config: &CceRealm,
        peripheral: u32,
        rules: &Rules,
        news: mpsc::Sender<News>,
    ) -> Cce {
        let shared = Arc::new(Shared {
            key,
            snapshot: RwLock::default(),
            read: Mutex::new(None),
            down: AtomicBool::new(false),
            statements: AtomicU64::new(0),
            stale: rules.stale,
            most: rules.users,
        });
        let (asks, queue) = mpsc::channel(ASKS);
        tokio::spawn(Refresher::new(shared.clone(), config.clone(), peripheral, news).run(queue));
        Cce {
            shared,
            asks,
            // One connection and one question on each host.
            patience: Duration::from_secs(u64::from(config.query_seconds) * 4),
            negative: rules.negative,
            login_names: rules.login_names,
            asked: Mutex::default(),
        }
    }

    fn judge(&self, attempt: Attempt<'_>) -> Option<Known> {
        let snapshot = self.shared.snapshot();
        let person = snapshot.find(attempt.name, attempt.case, self.login_names)?;
        (!person.sso && person.has(&self.shared.key, attempt.password)).then(|| person.known())
    }

    /// Whether the database is to be asked about a name: not again within a moment, whatever the password.
    fn may_ask(&self, name: &str) -> bool {
        let now = Instant::now();
        let recent = |at: &Instant| now.saturating_duration_since(*at) < self.negative;
        let asked = &mut *self.asked.lock();
        let name = name.to_lowercase();
        if asked.get(&name).is_some_and(recent) {
            return false;
        }
        if asked.len() >= ASKED {
            asked.retain(|_, at| recent(at));
        }
        asked.len() < ASKED && asked.insert(name, now).is_none_or(|at| !recent(&at))
    }

    async fn ask(&self, name: &str) -> Result<(), Refused> {
        let (answer, answered) = oneshot::channel();
        let ask = Ask { name: name.to_owned(), answer };
        self.asks.try_send(ask).map_err(|_| Refused::Busy)?;
        match tokio::time::timeout(self.patience, answered).await {
            Ok(Ok(true)) => Ok(()),
            _ => Err(Refused::Unavailable),
        }
    }
}

impl Backend for Cce {
    fn name(&self) -> &'static str {
        "cce"
    }

    fn find(&self, name: &str, case: Case) -> Option<Known> {
        self.shared.snapshot().find(name, case, self.login_names).map(snapshot::Person::known)
    }

    fn questions(&self) -> u64 {
        self.shared.statements.load(Ordering::Relaxed)
    }

    fn check<'a>(&'a self, attempt: Attempt<'a>) -> Checking<'a> {
        Box::pin(async move {
            let stale = self.shared.is_stale();
            if !stale && let Some(known) = self.judge(attempt) {
                return Ok(known);
            }
            let known = self.shared.snapshot().find(attempt.name, attempt.case, self.login_names).is_some();
            if self.shared.down.load(Ordering::Relaxed) {
                // A known agent's wrong password is wrong as far as anybody can tell.
                return Err(if known && !stale { Refused::Credentials } else { Refused::Unavailable });
            }
            if !stale && !self.may_ask(attempt.name) {
                return Err(Refused::Credentials);
            }
            match self.ask(attempt.name).await {
                Ok(()) => self.judge(attempt).ok_or(Refused::Credentials),
                Err(Refused::Unavailable) if known && !stale => Err(Refused::Credentials),
                Err(refused) => Err(refused),
            }
        })
    }
}
