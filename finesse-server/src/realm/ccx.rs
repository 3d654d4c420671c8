//! The realm of Unified CCX: passwords are those of Unified CM, or of the LDAP directory behind it, and Unified CM is
//! asked by AXL (`doAuthenticateUser`) whether one is right. Who the agents are says the configuration file.
//!
//! Each question goes to the first node that is well; one that does not answer is left alone for a while. A password is
//! sent once: that it was refused counts in Unified CM too. What [`Realm`](super::Realm) remembers spares most
//! questions; the rest leave at a bounded rate.

mod axl;
mod nodes;
mod pace;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use hyper::header::HeaderValue;
use parking_lot::Mutex;
use zeroize::Zeroizing;

pub use axl::VERSIONS;
use axl::Verdict;
use nodes::Nodes;
use pace::Pace;

use super::outbound::{Outbound, Trust, Url};
use super::{Attempt, Backend, Case, Checking, Identity, Kind, Known, Refused, Rules};
use crate::config::CcxRealm;

/// The realm.
pub struct Ccx {
    people: HashMap<String, Arc<str>>,
    by_login_name: HashMap<String, Arc<str>>,
    login_names: bool,
    urls: Vec<Url>,
    nodes: Mutex<Nodes>,
    outbound: Outbound,
    basic: HeaderValue,
    pace: Pace,
    /// Place in [`VERSIONS`].
    version: AtomicUsize,
    questions: AtomicU64,
    /// What a question took lately, in microseconds.
    took: AtomicU64,
    /// The account of AXL was refused.
    alarmed: AtomicBool,
}

impl Ccx {
    /// The realm with these users: ids with their login names.
    ///
    /// # Errors
    /// An address, a certificate or the account is none.
    pub(super) fn new(
        config: &CcxRealm,
        people: impl IntoIterator<Item = (Arc<str>, String)>,
        rules: &Rules,
    ) -> Result<Ccx, String> {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let trust = Trust {
            authorities: config.authorities.clone(),
            pins: config.pins.iter().map(|pin| pin.0).collect(),
            unverified: false,
        };
        let urls = config.nodes.iter().map(|url| url.parse().map_err(|error| format!("{url} {error}")));
        let urls: Vec<Url> = urls.collect::<Result<_, _>>()?;
        let pair = Zeroizing::new(format!("{}:{}", config.user, config.password.expose()));
        let encoded = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(&*pair));
        let mut basic =
            HeaderValue::from_str(&format!("Basic {}", *encoded)).map_err(|error| error.to_string())?;
        basic.set_sensitive(true);
        let (mut ids, mut by_login_name) = (HashMap::new(), HashMap::new());
        for (id, login_name) in people {
            by_login_name.entry(login_name.to_lowercase()).or_insert_with(|| id.clone());
            ids.insert(id.to_lowercase(), id);
        }
        Ok(Ccx {
            people: ids,
            by_login_name,
            login_names: rules.login_names,
            nodes: Mutex::new(Nodes::new(urls.len(), seconds(config.node_retry_seconds))),
            urls,
            outbound: Outbound::new(&trust, seconds(config.connect_seconds), seconds(config.answer_seconds))?,
            basic,
            pace: Pace::new(config.per_second, config.at_once, seconds(config.wait_seconds)),
            version: AtomicUsize::new(VERSIONS.iter().position(|v| *v == config.version).unwrap_or(0)),
            questions: AtomicU64::new(0),
            took: AtomicU64::new(0),
            alarmed: AtomicBool::new(false),
        })
    }

    fn id(&self, name: &str, case: Case) -> Option<&Arc<str>> {
        let folded = name.to_lowercase();
        let by_id = self.people.get(&folded).filter(|id| case == Case::Folded || ***id == *name);
        by_id.or_else(|| self.by_login_name.get(&folded).filter(|_| self.login_names))
    }

    /// Asks one node after the other until one answers the question.
    async fn ask(&self, user: &str, password: &str) -> Result<(), Refused> {
        let order = self.nodes.lock().order(Instant::now());
        if order.is_empty() {
            return Err(Refused::Unavailable);
        }
        let _turn = self.pace.turn().await.ok_or(Refused::Busy)?;
        for at in order {
            let start = Instant::now();
            match self.ask_node(at, user, password).await {
                Verdict::Right => {
                    self.answered(at, start);
                    return Ok(());
                }
                Verdict::Wrong => {
                    self.answered(at, start);
                    return Err(Refused::Credentials);
                }
                Verdict::Misconfigured(status) => {
                    self.alarm(Some(status));
                    return Err(Refused::Unavailable);
                }
                Verdict::Throttled => {
                    let mut dice = [0; 1];
                    // Without dice everybody comes back in the middle of the time.
                    let dice = getrandom::fill(&mut dice).map_or(0.5, |()| f64::from(dice[0]) / 255.0);
                    self.nodes.lock().throttled(at, Instant::now(), dice);
                    tracing::info!(target: "journal", realm = "ccx", node = at, cause = "throttled", "realm node left alone");
                }
                Verdict::Version => self.failed(at, "no schema version is supported".into()),
                Verdict::Broken(cause) => self.failed(at, cause),
            }
        }
        Err(Refused::Unavailable)
    }

    fn answered(&self, at: usize, start: Instant) {
        let took = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.took.store(took, Ordering::Relaxed);
        self.nodes.lock().well(at);
        self.alarm(None);
    }

    fn failed(&self, at: usize, cause: String) {
        let is_news = self.nodes.lock().failed(at, Instant::now());
        if is_news {
            tracing::warn!(target: "journal", realm = "ccx", node = at, %cause, "realm node left alone");
        }
    }

    /// Notes that the account of AXL is refused, or not any more; said when it changes.
    fn alarm(&self, status: Option<u16>) {
        let was = self.alarmed.swap(status.is_some(), Ordering::Relaxed);
        match status {
            Some(status) if !was => {
                let cause = "the account of realm.ccx is refused by AXL: wrong, or without the role for it";
                tracing::error!(target: "journal", realm = "ccx", status, cause, "realm unavailable");
            }
            None if was => tracing::info!(target: "journal", realm = "ccx", "realm available"),
            _ => {}
        }
    }

    /// One node's verdict, in the newest version that it knows.
    async fn ask_node(&self, at: usize, user: &str, password: &str) -> Verdict {
        loop {
            let version = self.version.load(Ordering::Relaxed);
            let sequence = self.questions.fetch_add(1, Ordering::Relaxed);
            let request = axl::request(VERSIONS[version], sequence, user, password, &self.basic);
            let verdict = match self.outbound.send(&self.urls[at], request).await {
                Ok(answer) => axl::judge(answer.status, &answer.body),
                Err(cause) => Verdict::Broken(cause),
            };
            if verdict != Verdict::Version || version + 1 == VERSIONS.len() {
                return verdict;
            }
            // Somebody else may have gone on already.
            let next =
                self.version.compare_exchange(version, version + 1, Ordering::Relaxed, Ordering::Relaxed);
            if next.is_ok() {
                let (from, to) = (VERSIONS[version], VERSIONS[version + 1]);
                tracing::warn!(
                    realm = "ccx",
                    from,
                    to,
                    "AXL does not know the schema version; the next lower is used"
                );
            }
        }
    }
}

impl Backend for Ccx {
    fn name(&self) -> &'static str {
        "ccx"
    }

    fn find(&self, name: &str, case: Case) -> Option<Known> {
        self.id(name, case).map(known)
    }

    fn questions(&self) -> u64 {
        self.questions.load(Ordering::Relaxed)
    }

    fn check<'a>(&'a self, attempt: Attempt<'a>) -> Checking<'a> {
        Box::pin(async move {
            // Whoever is no agent is nobody here: his password in Unified CM is not put to the test.
            let Some(id) = self.id(attempt.name, attempt.case) else { return self.pretend(attempt).await };
            self.ask(id, attempt.password).await.map(|()| known(id))
        })
    }

    /// Waits as long as the last question took: a locked user's password is not put to the test either.
    fn pretend<'a>(&'a self, _: Attempt<'a>) -> Checking<'a> {
        let took = Duration::from_micros(self.took.load(Ordering::Relaxed));
        Box::pin(async move {
            tokio::time::sleep(took).await;
            Err(Refused::Credentials)
        })
    }
}

fn known(id: &Arc<str>) -> Known {
    Known { identity: Identity { id: id.clone(), kind: Kind::Person }, version: 0 }
}
