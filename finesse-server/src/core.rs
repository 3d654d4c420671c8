//! The task that owns the model: it ties the CTI link, the commands of the REST API and the broker together. One
//! writer, no lock; several messages and commands are taken in one wake-up.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use cti::client::{Loss, Refusal};
use cti::link::{LinkConfig, LinkEvent, LinkHandle, SendError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Sleep, sleep_until};

use crate::absence::Peer;
use crate::config::Resources;
use crate::directory::Directory;
use crate::health::Standing;
use crate::maintenance::Sessions;
use crate::model::command::{ApiError, Command, Reply, What};
use crate::model::time::Now;
use crate::model::{Link, Model, Output, Presence, Settings};
use crate::notify::Publisher;
use crate::peer::link::Event;
use crate::peer::message::Item;
pub use pairing::Pair;
use pairing::Pairing;
use presences::Presences;

mod pairing;
mod presences;

/// Most commands that wait for the model; who comes later waits to be let in.
const COMMANDS: usize = 1024;
/// Most messages or commands taken in one wake-up, so that neither starves the other.
const BATCH: usize = 64;
/// When the model has nothing due, the timer is set this far.
const IDLE: std::time::Duration = std::time::Duration::from_secs(3600);

/// A handle of the model's task. Clones share it; the task ends with [`Core::stop`] or with the last handle.
#[derive(Clone, Debug)]
pub struct Core {
    commands: mpsc::Sender<Asked>,
    serving: watch::Receiver<bool>,
    standing: watch::Receiver<Standing>,
    stop: Arc<watch::Sender<bool>>,
}

#[derive(Debug)]
enum Asked {
    Command(Box<Command>, oneshot::Sender<Reply>),
    /// Move the clients away, or let them stay: an operator of this machine wants it.
    Drain(bool),
    /// Take this directory over.
    Directory(Arc<Directory>, oneshot::Sender<()>),
}

/// What the task is made of.
#[derive(Debug)]
pub struct Parts {
    /// How the model behaves.
    pub settings: Settings,
    /// Users, teams, queues.
    pub directory: Arc<Directory>,
    /// The CTI server.
    pub link: LinkConfig,
    /// Where events go, and presence comes from.
    pub service: xmpp::Service,
    /// Which resources make a user present.
    pub counted: Resources,
    /// The other node, if there is one.
    pub pair: Option<Pair>,
}

/// Starts the link and the model's task on the current tokio runtime.
pub fn spawn(parts: Parts) -> Core {
    let Parts { settings, directory, link, service, counted, pair } = parts;
    let (commands, queue) = mpsc::channel(COMMANDS);
    let (serving, serving_receiver) = watch::channel(false);
    let (stop, stopped) = watch::channel(false);
    let pairing =
        pair.as_ref().map(|pair| Pairing::new(pair, settings.identity.clone(), link.sides.clone(), now()));
    let peer = pair.map(|pair| pair.link.1);
    let (link, events) = cti::link::spawn(link);
    let presences = Presences::new(counted);
    if !service.observe_presence(presences.clone()) {
        tracing::warn!("presence is observed by somebody else: nobody is signed out for being absent");
    }
    let publisher = Publisher::new(service.broker().clone(), service.config().pubsub_domain.clone());
    let model = Model::new(settings, directory);
    let (standing, standing_receiver) = watch::channel(standing(&model));
    let task = Task {
        model,
        link,
        publisher,
        tokens: HashMap::new(),
        failed: VecDeque::new(),
        serving,
        standing,
        presences,
        service,
        pairing,
    };
    tokio::spawn(task.run(events, queue, peer, stopped));
    Core { commands, serving: serving_receiver, standing: standing_receiver, stop: Arc::new(stop) }
}

impl Core {
    /// Puts a command to the model. Waits while too many are before it. A model that is gone answers as one out
    /// of service. Cancel safe: a command that has been let in is carried out all the same.
    pub async fn ask(&self, command: Command) -> Reply {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Asked::Command(Box::new(command), reply)).await.is_err() {
            return Reply::Refused(ApiError::out_of_service());
        }
        answer.await.unwrap_or_else(|_| Reply::Refused(ApiError::out_of_service()))
    }

    /// Has the model take another directory over, built after the one before; returns when it has. Cancel safe: the
    /// exchange is carried out all the same.
    pub async fn exchange(&self, directory: Arc<Directory>) {
        let (done, exchanged) = oneshot::channel();
        if self.commands.send(Asked::Directory(directory, done)).await.is_ok() {
            // An error says that the model is gone, with its directory.
            let _ = exchanged.await;
        }
    }

    /// Begins to move the clients to the other node, or stops doing so. Waits while too many commands are before it.
    pub async fn drain(&self, start: bool) {
        // Where there is no task any more there are no clients either.
        let _ = self.commands.send(Asked::Drain(start)).await;
    }

    /// Waits until commands are served. Never returns when the task is gone before. Cancel safe.
    pub async fn in_service(&self) {
        if self.serving.clone().wait_for(|serving| *serving).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether commands are served at this moment.
    pub fn serving(&self) -> bool {
        *self.serving.borrow()
    }

    /// Whether commands are served, to be watched.
    pub fn status(&self) -> watch::Receiver<bool> {
        self.serving.clone()
    }

    /// How the model stands, to be looked at; closed when its task has ended.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Ends the CTI session in order and the task with it. Cancel safe: the end goes on without the waiting.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let mut serving = self.serving.clone();
        // The task's end closes the channel.
        while serving.changed().await.is_ok() {}
    }
}

struct Task {
    model: Model,
    link: LinkHandle,
    publisher: Publisher,
    /// Requests on their way: InvokeID of the link, token of the model.
    tokens: HashMap<u32, u64>,
    /// Requests that the link did not take.
    failed: VecDeque<(u64, Refusal)>,
    serving: watch::Sender<bool>,
    standing: watch::Sender<Standing>,
    presences: Arc<Presences>,
    service: xmpp::Service,
    pairing: Option<Pairing>,
}

impl Task {
    async fn run(
        mut self,
        mut events: mpsc::Receiver<LinkEvent>,
        mut queue: mpsc::Receiver<Asked>,
        mut peer: Option<mpsc::Receiver<Event>>,
        mut stopped: watch::Receiver<bool>,
    ) {
        let mut news = Vec::with_capacity(BATCH);
        let mut asked = Vec::with_capacity(BATCH);
        let presences = self.presences.clone();
        let mut timer = Box::pin(sleep_until((Instant::now() + IDLE).into()));
        if self.pairing.is_some() {
            self.model.handle_peer(now(), Peer::Unreachable);
        }
        self.model.handle_refuge(self.refuge());
        loop {
            self.settle();
            self.arm(timer.as_mut());
            tokio::select! {
                count = events.recv_many(&mut news, BATCH) => {
                    let ended = news.drain(..).fold(count == 0, |ended, event| ended | self.event(event));
                    if ended {
                        return;
                    }
                }
                count = queue.recv_many(&mut asked, BATCH) => {
                    // All handles are gone: nobody asks any more.
                    if count == 0 {
                        self.link.close();
                        return;
                    }
                    asked.drain(..).for_each(|asked| self.answer(asked));
                }
                changed = presences.take() => {
                    for (user, presence) in changed {
                        if let (Some(pairing), Presence::Came) = (&self.pairing, &presence) {
                            pairing.say(Item::Came { user: user.clone() });
                        }
                        self.model.handle_presence(now(), &user, presence);
                    }
                    self.carry_out();
                }
                event = next(&mut peer) => self.peer(event),
                accepts = trial(&mut self.pairing) => {
                    let side = self.pairing.as_mut().and_then(|pairing| pairing.trial(now(), accepts));
                    if let Some(side) = side && self.link.prefer(side).is_err() {
                        tracing::debug!("too much is asked of the CTI link to move it");
                    }
                }
                () = &mut timer => {
                    self.model.handle_timeout(now());
                    self.carry_out();
                }
                () = ended(&mut stopped) => {
                    self.link.close();
                    while let Some(event) = events.recv().await {
                        if self.event(event) {
                            return;
                        }
                    }
                    return;
                }
            }
        }
    }

    fn answer(&mut self, asked: Asked) {
        match asked {
            Asked::Command(command, reply) => {
                if matches!(command.what, What::Maintenance(_)) {
                    // A reload may have changed it.
                    self.model.handle_refuge(self.refuge());
                }
                let answer = self.model.handle_command(now(), *command);
                self.carry_out();
                // Who does not wait any more does not get an answer.
                let _ = reply.send(answer);
            }
            Asked::Drain(start) => {
                self.model.handle_refuge(self.refuge());
                self.model.drain(now(), start, "operator");
                self.carry_out();
            }
            Asked::Directory(directory, done) => {
                self.model.handle_directory(now(), directory);
                self.carry_out();
                let _ = done.send(());
            }
        }
    }

    fn arm(&self, timer: std::pin::Pin<&mut Sleep>) {
        let now = Instant::now();
        let pairing = self.pairing.as_ref().and_then(|pairing| pairing.deadline(now));
        let deadline = [self.model.deadline(), pairing].into_iter().flatten().min();
        let deadline = deadline.unwrap_or(now + IDLE).into();
        // An idle model moves its far deadline with every event; only a nearer one needs the timer set.
        if timer.is_elapsed() || deadline < timer.deadline() {
            timer.reset(deadline);
        }
    }

    /// Takes an event of the link in; tells whether it was the last.
    fn event(&mut self, event: LinkEvent) -> bool {
        let now = now();
        let mut last = false;
        match event {
            LinkEvent::Message(message) => self.model.handle_cti(now, &message),
            LinkEvent::Up { side, health, .. } => {
                tracing::info!(target: "journal", %side, to = "up", cause = "session open", "cti");
                if let Some(pairing) = &mut self.pairing {
                    pairing.session(now, side);
                }
                self.model.handle_link(now, Link::Up { healthy: health.in_service() });
            }
            LinkEvent::Health(health) => {
                tracing::info!(?health, "CTI health changed");
                self.model.handle_link(now, Link::Health { healthy: health.in_service() });
            }
            LinkEvent::Down { side, reason } => {
                last = reason == Loss::Closed;
                tracing::info!(target: "journal", %side, to = "down", cause = %reason, "cti");
                if let Some(pairing) = &mut self.pairing {
                    pairing.no_session(now, side);
                }
                self.tokens.clear();
                self.model.handle_link(now, Link::Down);
            }
            LinkEvent::Confirm { invoke_id, message } => {
                if let Some(token) = self.tokens.remove(&invoke_id) {
                    self.model.handle_link(now, Link::Confirmed { token, message });
                }
            }
            LinkEvent::Refused { invoke_id, refusal } => {
                if let Some(token) = self.tokens.remove(&invoke_id) {
                    self.model.handle_link(now, Link::Refused { token, refusal });
                }
            }
            LinkEvent::TimedOut { invoke_id } => {
                if let Some(token) = self.tokens.remove(&invoke_id) {
                    self.model.handle_link(now, Link::TimedOut { token });
                }
            }
            LinkEvent::Skipped(bad) => tracing::warn!(%bad, "a CTI message was skipped"),
        }
        self.carry_out();
        last
    }

    /// Whether clients have somewhere to go: the other node while it serves, or where the configuration says.
    fn refuge(&self) -> bool {
        match &self.pairing {
            Some(pairing) => pairing.serves(),
            None => self.service.alternate().is_some(),
        }
    }

    /// Takes an event of the link to the other node in.
    fn peer(&mut self, event: Event) {
        let Some(pairing) = &mut self.pairing else { return };
        match event {
            Event::News(news) => {
                pairing.news(now(), &mut self.model, news);
                if let Some(alternate) = pairing.alternate() {
                    self.service.redirect(Some(alternate));
                }
            }
            Event::Asked(asked, reply) => {
                // Whoever does not wait any more does not get an answer.
                let _ = reply.send(Pairing::answer(now(), &self.model, asked));
            }
        }
        self.carry_out();
    }

    /// Works out what everything so far means for the pair, and tells the other node.
    fn settle(&mut self) {
        if let Some(pairing) = &mut self.pairing {
            pairing.settle(now(), &mut self.model);
            self.carry_out();
        }
        if let Some(pairing) = &self.pairing {
            pairing.publish(&self.model);
            self.model.handle_refuge(self.refuge());
        }
        self.tell();
    }

    /// Lets probes see how the model stands.
    fn tell(&self) {
        let now = standing(&self.model);
        self.standing.send_if_modified(|told| std::mem::replace(told, now) != now);
    }

    /// Does what the model wants, until it wants nothing more.
    fn carry_out(&mut self) {
        loop {
            while let Some(output) = self.model.poll_output() {
                match output {
                    Output::Cti { token, message } => match self.link.send(message) {
                        Ok(invoke_id) => {
                            self.tokens.insert(invoke_id, token);
                        }
                        Err(SendError::Full) => self.failed.push_back((token, Refusal::Busy)),
                        Err(SendError::Closed) => self.failed.push_back((token, Refusal::NotConnected)),
                    },
                    Output::Publish { node, update } => {
                        self.publisher.publish(&node, &update);
                    }
                    Output::Note(note, team) => note.write(team),
                    Output::MoveSessions(most) => {
                        self.service.move_sessions(most);
                        let resources = self.service.resources();
                        let desktop = resources.iter().filter(|name| ***name == *"desktop").count();
                        let left = Sessions { desktop, others: resources.len() - desktop };
                        self.model.handle_sessions(now(), left);
                    }
                    Output::Journal(entry) => entry.write(),
                    Output::AskPeer { user, question, away } => {
                        let away_ms = u64::try_from(away.as_millis()).unwrap_or(u64::MAX);
                        if let Some(pairing) = &self.pairing {
                            pairing.say(Item::Ask { user, question, away_ms });
                        }
                    }
                    Output::Service { in_service } => {
                        let reason = self.model.service_reason();
                        let names = ["OUT_OF_SERVICE", "IN_SERVICE"];
                        let (from, to) = (names[usize::from(!in_service)], names[usize::from(in_service)]);
                        tracing::info!(target: "journal", from, to, cause = reason, "service");
                        // Who waits for the service and asks then whether it is ready is told that it is.
                        self.tell();
                        self.serving.send_replace(in_service);
                    }
                }
            }
            let Some((token, refusal)) = self.failed.pop_front() else { return };
            self.model.handle_link(now(), Link::Refused { token, refusal });
        }
    }
}

fn standing(model: &Model) -> Standing {
    Standing {
        in_service: model.in_service(),
        reason: model.service_reason(),
        maintenance: model.maintenance(),
    }
}

/// The next event of the link to the other node; never without one.
async fn next(peer: &mut Option<mpsc::Receiver<Event>>) -> Event {
    if let Some(events) = peer {
        if let Some(event) = events.recv().await {
            return event;
        }
        *peer = None;
    }
    std::future::pending().await
}

/// The outcome of the next trial of a side; never on a single node.
async fn trial(pairing: &mut Option<Pairing>) -> bool {
    match pairing {
        Some(pairing) => pairing.tried().await,
        None => std::future::pending().await,
    }
}

/// Resolves when the task has to end: it was told to, or the last handle is gone.
async fn ended(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// The present moment on both clocks.
fn now() -> Now {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { instant: Instant::now(), utc_ms: i64::try_from(since.as_millis()).unwrap_or(i64::MAX) }
}
