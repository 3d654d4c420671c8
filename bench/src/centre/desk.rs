//! An agent's desktop: it finds a server that is in service, connects, subscribes, reads everything, lives by the events
//! it gets, and when it loses the server comes back to it or goes to the other one, as the guide for desktops and
//! third-party clients says.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use memchr::memmem;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::timeout;

use super::node::{Node, SystemInfo};
use super::record::{Feed, Session};
use super::view::View;
use super::{PASSWORD, unix_us};
use crate::delivery::{deliveries, element, kind};
use crate::link::Link;
use crate::login::{login, request};
use crate::options::Transport;
use crate::rest::Rest;

/// How impatient a desktop is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Patience {
    /// Milliseconds between pings, and between looks at SystemInfo.
    pub ping_ms: u64,
    /// Milliseconds of silence after which a server is given up; beyond `wait` over BOSH.
    pub silence_ms: u64,
    /// Seconds that a BOSH request asks to be held.
    pub bosh_wait: u32,
}

/// What all desktops are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// Get ready, hold, retrieve and drop calls. Without it they only answer what rings.
    pub work: bool,
    /// How often they have been told to go somewhere.
    pub moves: u64,
    /// Where they were told to go last.
    pub node: usize,
}

/// Times of requests for a state: until 202 and until the event at the same agent, in microseconds.
pub type Waits = Vec<(u64, u64)>;

/// What a desktop shows to those outside.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Record {
    /// Agent id.
    pub id: String,
    /// What it believes.
    pub view: View,
    /// The node whose events it gets, once it has read everything there and is in service.
    pub at: Option<usize>,
    /// All its sessions; the last may live.
    pub sessions: Vec<Session>,
    /// What ended sessions and attempts, and how often.
    pub losses: BTreeMap<String, u64>,
    /// What must not be.
    pub complaints: Vec<String>,
    /// How long requests for a state took.
    pub waits: Waits,
    /// Moments at which User events arrived, in microseconds since 1970, if they are kept.
    pub arrivals: Vec<u64>,
}

impl Record {
    fn end_session(&mut self, reason: String) {
        self.at = None;
        *self.losses.entry(reason.clone()).or_default() += 1;
        if let Some(session) = self.sessions.last_mut().filter(|session| session.ended.is_none()) {
            session.ended = Some(reason);
        }
    }
}

/// A desktop.
pub struct Desk {
    /// Agent id.
    pub id: String,
    /// Phone.
    pub extension: String,
    /// How it connects.
    pub transport: Transport,
    /// The two servers.
    pub nodes: [Node; 2],
    /// The one it is at, or was last.
    pub at: usize,
    /// How long it waits.
    pub patience: Patience,
    /// Keeps the moments at which User events arrive.
    pub keeps_arrivals: bool,
    /// What it is told.
    pub orders: watch::Receiver<Orders>,
    /// What it shows.
    pub record: Rc<RefCell<Record>>,
    /// Sessions at this node that failed in a row.
    pub failures: u32,
    /// Has been signed in.
    pub signed_in: bool,
    /// Moves that were carried out.
    pub moved: u64,
    /// Number of the last request.
    pub requests: u64,
}

/// What a session knows beside the record.
struct Now {
    link: Link,
    rest: Rest,
    in_service: bool,
    /// Everything has to be read anew.
    stale: bool,
    ready_asked: bool,
    /// What has been asked for, dialog by dialog.
    asked: HashMap<u32, Vec<&'static str>>,
    /// Requests for a state that have no event yet: when sent, and when accepted.
    waiting: HashMap<String, (Instant, u64)>,
}

impl Desk {
    /// Lives for ever.
    pub async fn live(mut self) {
        loop {
            let info = self.find_node().await;
            let outcome = self.session(&info).await;
            self.failures = if outcome.is_ok() { 0 } else { self.failures + 1 };
            let reason = outcome.err().map_or_else(|| "moved".to_owned(), |error| format!("{error:#}"));
            self.record.borrow_mut().end_session(reason);
            // The first attempt is made at once.
            if self.failures > 1 {
                tokio::time::sleep(Duration::from_millis(self.patience.ping_ms)).await;
            }
        }
    }

    /// The own node if it is in service; else the other; after three failures in a row the other first.
    async fn find_node(&mut self) -> SystemInfo {
        loop {
            let other = 1 - self.at;
            let order = if self.failures > 0 && self.failures.is_multiple_of(3) {
                [other, self.at]
            } else {
                [self.at, other]
            };
            for node in order {
                let info = timeout(self.silence(), self.nodes[node].system_info()).await;
                if let Ok(Ok(info)) = info
                    && info.in_service
                {
                    self.failures = if node == self.at { self.failures } else { 0 };
                    self.at = node;
                    return info;
                }
            }
            tokio::time::sleep(Duration::from_millis(self.patience.ping_ms)).await;
        }
    }

    fn silence(&self) -> Duration {
        Duration::from_millis(self.patience.silence_ms)
    }

    /// How long nothing may come.
    fn longest_silence(&self) -> Duration {
        let held = if self.transport == Transport::Bosh { self.patience.bosh_wait } else { 0 };
        self.silence() + Duration::from_secs(held.into())
    }

    /// One connection, until it breaks (an error) or the desktop is told to go elsewhere.
    async fn session(&mut self, info: &SystemInfo) -> Result<()> {
        let options = self.nodes[self.at].options(info, self.patience.bosh_wait);
        let mut link = timeout(self.longest_silence(), login(&options, self.transport, &self.id))
            .await
            .context("log-in takes too long")??;
        self.record.borrow_mut().sessions.push(Session { node: self.at, ..Session::default() });
        // Stanzas are handled in order: once this is answered presence has been, and no event is missed.
        let ping = "<iq xmlns='jabber:client' type='get' id='here'><ping xmlns='urn:xmpp:ping'/></iq>";
        timeout(self.longest_silence(), request(&mut link, "here", ping)).await.context("no answer")??;
        let rest = Rest::connect(&self.nodes[self.at].http.to_string(), &self.id, PASSWORD).await?;
        let (asked, waiting) = (HashMap::new(), HashMap::new());
        let mut now = Now { link, rest, in_service: true, stale: true, ready_asked: false, asked, waiting };
        let mut pulse = tokio::time::interval(Duration::from_millis(self.patience.ping_ms));
        pulse.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            self.read(&mut now)?;
            if now.in_service && now.stale {
                self.read_anew(&mut now).await?;
                continue;
            }
            if now.in_service {
                self.act(&mut now).await?;
            }
            let orders = *self.orders.borrow_and_update();
            if orders.moves > self.moved {
                self.moved = orders.moves;
                if orders.node != self.at {
                    return self.leave(now, orders.node).await;
                }
            }
            tokio::select! {
                received = now.link.receive() => { received?; heard = Instant::now(); }
                changed = self.orders.changed() => changed?,
                _ = pulse.tick() => {
                    ensure!(heard.elapsed() < self.longest_silence(), "the server is silent");
                    if self.transport != Transport::Bosh {
                        let ping = ping.replace("here", "ping");
                        timeout(self.silence(), now.link.send(&ping)).await.context("cannot write")??;
                    }
                }
            }
        }
    }

    /// Goes without a sign-out, to connect elsewhere.
    async fn leave(&mut self, mut now: Now, node: usize) -> Result<()> {
        self.record.borrow_mut().at = None;
        self.at = node;
        let away = "<presence xmlns='jabber:client' type='unavailable'/>";
        timeout(self.silence(), now.link.send(away)).await.context("cannot write")?
    }

    /// Takes in what has come.
    fn read(&mut self, now: &mut Now) -> Result<()> {
        let input = &mut now.link.input;
        for end in ["terminate", "</stream:stream>", "<close "] {
            ensure!(memmem::find(input, end.as_bytes()).is_none(), "the server ended the session");
        }
        let new = deliveries(input)?;
        if memmem::find(input, b"<message").is_none() && input.len() > 16 << 10 {
            // Presence and answers to pings. The last tag may be the beginning of something.
            let last = memchr::memrchr(b'<', input).unwrap_or(input.len());
            input.drain(..last);
        }
        let record = self.record.clone();
        let mut record = record.borrow_mut();
        for delivery in new {
            let Some(feed) = Feed::of(&delivery.node, &self.id) else { continue };
            let session = record.sessions.last_mut().context("a session was begun")?;
            session.enter(feed, &delivery);
            match feed {
                Feed::System => {
                    let in_service = element(&delivery.update, "status") == Some("IN_SERVICE");
                    session.status.push(in_service);
                    (now.in_service, now.stale) = (in_service, true);
                    record.at = None;
                }
                Feed::Dialogs => record.view.dialog_event(&delivery.update)?,
                Feed::User if kind(&delivery.update) == "PUT" && delivery.update.contains("<user>") => {
                    let before = record.view.state.clone();
                    record.view.user(&delivery.update)?;
                    if self.keeps_arrivals {
                        record.arrivals.push(unix_us());
                    }
                    let request = element(&delivery.update, "requestId").unwrap_or_default();
                    if let Some((sent, accepted)) = now.waiting.remove(request) {
                        record.waits.push((accepted, micros(sent)));
                    }
                    now.ready_asked &= record.view.state == before;
                    self.judge(&mut record, &delivery.update);
                }
                Feed::User => now.ready_asked = false,
            }
        }
        Ok(())
    }

    /// Nobody asks for the sign-out of anybody.
    fn judge(&mut self, record: &mut Record, update: &str) {
        let out = record.view.state == "LOGOUT";
        if out && self.signed_in {
            record.complaints.push(format!("{} was signed out: {update}", self.id));
        }
        self.signed_in |= !out;
        for code in ["50002", "255"] {
            if update.contains(&format!("<code>{code}</code>")) {
                record.complaints.push(format!("{} has reason {code}: {update}", self.id));
            }
        }
    }

    /// GET of everything. Events that come meanwhile wait, and are newer or already in.
    async fn read_anew(&mut self, now: &mut Now) -> Result<()> {
        let (limit, user) = (self.longest_silence(), format!("User/{}", self.id));
        let mut documents = Vec::new();
        for path in [user.clone(), user + "/Dialogs"] {
            let answer = timeout(limit, now.rest.request("GET", &path, "get", "")).await;
            let (status, text) = answer.with_context(|| format!("GET {path} takes too long"))??;
            if status == 503 {
                // Out of service since; the event that says so is on its way.
                now.in_service = false;
                return Ok(());
            }
            ensure!(status == 200, "GET {path}: {status} {text}");
            documents.push(text);
        }
        let mut record = self.record.borrow_mut();
        record.view.user(&documents[0])?;
        record.view.dialogs(&documents[1])?;
        if record.view.state == "LOGOUT" && self.signed_in {
            record.complaints.push(format!("{} was signed out meanwhile", self.id));
        }
        self.signed_in |= record.view.state != "LOGOUT";
        record.at = Some(self.at);
        let session = record.sessions.last_mut().context("a session was begun")?;
        session.ready_us.get_or_insert_with(unix_us);
        if session.status.contains(&false) {
            session.back_us = Some(unix_us());
        }
        self.failures = 0;
        now.stale = false;
        now.asked.clear();
        now.waiting.clear();
        now.ready_asked = false;
        Ok(())
    }

    /// Does what an agent does who sees this.
    async fn act(&mut self, now: &mut Now) -> Result<()> {
        let view = self.record.borrow().view.clone();
        let work = self.orders.borrow().work;
        if !now.ready_asked && view.dialogs.is_empty() {
            let body = match view.state.as_str() {
                "LOGOUT" if !self.signed_in => {
                    format!("<User><state>LOGIN</state><extension>{}</extension></User>", self.extension)
                }
                "NOT_READY" if work => "<User><state>READY</state></User>".to_owned(),
                _ => String::new(),
            };
            if !body.is_empty() {
                now.ready_asked = true;
                let path = format!("User/{}", self.id);
                self.put(now, &path, &body).await?;
            }
        }
        now.asked.retain(|dialog, _| view.dialogs.contains_key(dialog));
        for &dialog in view.dialogs.keys() {
            let asked = now.asked.entry(dialog).or_default();
            let action = match (view.leg(dialog), asked.last()) {
                ("ALERTING", None) => "ANSWER",
                ("ACTIVE", None | Some(&"ANSWER")) if work && dialog.is_multiple_of(3) => "HOLD",
                ("HELD", None | Some(&"HOLD")) if work => "RETRIEVE",
                ("ACTIVE", None | Some(&"ANSWER" | &"RETRIEVE")) if work && dialog.is_multiple_of(2) => {
                    "DROP"
                }
                _ => continue,
            };
            asked.push(action);
            let body = format!(
                "<Dialog><requestedAction>{action}</requestedAction><targetMediaAddress>{}</targetMediaAddress></Dialog>",
                self.extension
            );
            self.put(now, &format!("Dialog/{dialog}"), &body).await?;
        }
        Ok(())
    }

    async fn put(&mut self, now: &mut Now, path: &str, body: &str) -> Result<()> {
        self.requests += 1;
        let id = format!("{}-{}", self.id, self.requests);
        let sent = Instant::now();
        let answer = timeout(self.longest_silence(), now.rest.request("PUT", path, &id, body)).await;
        let (status, text) = answer.with_context(|| format!("PUT {path} takes too long"))??;
        match status {
            202 if body.starts_with("<User>") => drop(now.waiting.insert(id, (sent, micros(sent)))),
            202 => {}
            503 => now.in_service = false,
            // What the agent saw may be over.
            400 | 404 | 409 | 500 if path.starts_with("Dialog/") => {}
            _ => bail!("PUT {path}: {status} {text}"),
        }
        Ok(())
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
