//! What the model's task has to do with the other node: it tells it how this one is, hears how that one is, and
//! carries out what follows for the CTI session, the role and absent users.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cti::failover::Side;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::absence::{Peer, Whereabouts};
use crate::model::Model;
use crate::model::system::Identity;
use crate::model::time::Now;
use crate::peer::link::{Event, Handle};
use crate::peer::message::{Item, Status};
use crate::peer::{News, Role, Roles, Sides};
use crate::realm::{LockNews, Realm};

/// How long a side may take to accept a connection before this node is moved to it.
const TRIAL: Duration = Duration::from_secs(2);

/// The other node, and how this one goes along with it.
#[derive(Debug)]
pub struct Pair {
    /// The link.
    pub link: (Handle, mpsc::Receiver<Event>),
    /// Whether this is the primary node.
    pub primary: bool,
    /// Whether this node follows the other one to its side (CCE).
    pub follow: bool,
    /// Whether one of the two stands by (CCX).
    pub standby: bool,
    /// Whose wrong passwords both count.
    pub realm: Arc<Realm>,
    /// Whether clients are told where the other node is: the configuration does not say so itself.
    pub tells_clients: bool,
}

/// The pair as the task keeps it.
pub(super) struct Pairing {
    handle: Handle,
    sides: Sides,
    roles: Option<Roles>,
    role: Role,
    primary: bool,
    realm: Arc<Realm>,
    tells_clients: bool,
    identity: Arc<Identity>,
    /// Addresses of the CTI server's sides.
    addresses: Vec<String>,
    peer: Option<Status>,
    trials: mpsc::Sender<bool>,
    tried: mpsc::Receiver<bool>,
}

impl Pairing {
    pub(super) fn new(pair: &Pair, identity: Arc<Identity>, addresses: Vec<String>, now: Now) -> Self {
        let (trials, tried) = mpsc::channel(1);
        Self {
            handle: pair.link.0.clone(),
            sides: Sides::new(pair.follow && addresses.len() > 1, pair.primary),
            roles: pair.standby.then(|| Roles::new(pair.primary, now.instant)),
            role: Role::Active,
            primary: pair.primary,
            realm: pair.realm.clone(),
            tells_clients: pair.tells_clients,
            identity,
            addresses,
            peer: None,
            trials,
            tried,
        }
    }

    /// Waits for the outcome of a trial, and tells the other node of wrong passwords meanwhile. Cancel safe.
    pub(super) async fn tried(&mut self) -> bool {
        loop {
            tokio::select! {
                // This struct holds a sender.
                Some(accepts) = self.tried.recv() => return accepts,
                news = self.realm.lock_news() => news.into_iter().for_each(|news| self.say_lock(news)),
            }
        }
    }

    /// Says something to the other node.
    pub(super) fn say(&self, item: Item) {
        self.handle.say(item);
    }

    /// A CTI session is open.
    pub(super) fn session(&mut self, now: Now, side: Side) {
        self.sides.up(now.instant, side);
    }

    /// A CTI session is over, or an attempt failed.
    pub(super) fn no_session(&mut self, now: Now, side: Side) {
        self.sides.lost(now.instant, side);
    }

    /// News of the other node.
    pub(super) fn news(&mut self, now: Now, model: &mut Model, news: News) {
        match news {
            News::Reachable => {
                model.handle_peer(now, Peer::Reachable);
                // What was said while it could not be reached was not heard.
                self.realm.all_locks(now.instant).into_iter().for_each(|news| self.say_lock(news));
            }
            News::Unreachable(_) => {
                self.peer = None;
                model.handle_peer(now, Peer::Unreachable);
            }
            News::Status(status) => {
                if !status.places.host.is_empty() {
                    let mut places = status.places.clone();
                    // Its name is configured: clients compare it.
                    places.host = self.identity.other.get().host;
                    self.identity.other.set(places);
                }
                if status.primary == self.primary {
                    tracing::warn!(
                        primary = self.primary,
                        "both nodes say that of themselves: see peer.primary"
                    );
                }
                self.peer = Some(status);
            }
            News::Item(Item::Answer { user, question, whereabouts }) => {
                model.handle_whereabouts(now, &user, question, whereabouts.into());
            }
            News::Item(Item::Came { user }) => model.handle_elsewhere(now, &user),
            News::Item(Item::Lock { user, failures, locked_ms, forgiven, unlocked }) => {
                let left = Duration::from_millis(locked_ms);
                let news = LockNews { user, failures, left, forgiven, unlocked };
                self.realm.hear_locks(&news, now.instant);
            }
            News::Item(Item::Ask { .. } | Item::Unknown) => {}
        }
    }

    /// Says what has become of a user's wrong passwords.
    fn say_lock(&self, news: LockNews) {
        let LockNews { user, failures, left, forgiven, unlocked } = news;
        let locked_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        self.handle.say(Item::Lock { user, failures, locked_ms, forgiven, unlocked });
    }

    /// Whether the other node takes clients.
    pub(super) fn serves(&self) -> bool {
        self.peer.as_ref().is_some_and(|peer| peer.serving && peer.maintenance.is_empty())
    }

    /// Where clients find the other node, unless the configuration says so itself.
    pub(super) fn alternate(&self) -> Option<xmpp::Alternate> {
        let places = self.identity.other.get();
        if !self.tells_clients || self.peer.is_none() {
            return None;
        }
        let host = &places.host;
        let port = places.xmpp_port.or(places.xmpp_secure_port);
        let url = |scheme, path| places.https_port.map(|port| format!("{scheme}://{host}:{port}{path}"));
        Some(xmpp::Alternate {
            host: port.map(|port| format!("{host}:{port}")),
            websocket: url("wss", "/ws/"),
            bosh: url("https", "/http-bind/"),
        })
    }

    /// Answers the other node's questions.
    pub(super) fn answer(now: Now, model: &Model, asked: Vec<Item>) -> Vec<Item> {
        let answer = |item| match item {
            Item::Ask { user, question, away_ms } => {
                let whereabouts: Whereabouts = model.whereabouts(now, &user, Duration::from_millis(away_ms));
                Some(Item::Answer { user, question, whereabouts: whereabouts.into() })
            }
            _ => None,
        };
        asked.into_iter().filter_map(answer).collect()
    }

    /// Works out what follows from everything that has changed.
    pub(super) fn settle(&mut self, now: Now, model: &mut Model) {
        self.sides.peer(now.instant, self.peer.as_ref().map(|status| (status.cti, status.primary)));
        let cti = self.sides.status(self.local());
        if let Some(roles) = &mut self.roles {
            roles.session(now.instant, cti.side.is_some(), cti.local);
            roles.peer(now.instant, self.peer.as_ref());
            let role = roles.role(now.instant);
            if role != std::mem::replace(&mut self.role, role) {
                let names = |active| if active { "active" } else { "standby" };
                let to = names(role == Role::Active);
                let cause = match &self.peer {
                    None => "the peer is unreachable",
                    Some(peer) if peer.cti.local => "the engine beside the peer is active",
                    Some(_) => "the engine beside this node is active, or it is the primary one",
                };
                tracing::info!(target: "journal", from = names(role != Role::Active), to, cause, "role");
                model.handle_standby(now, role == Role::Standby);
            }
        }
        if let Some(side) = self.sides.wish(now.instant) {
            self.try_side(side);
        }
    }

    /// The other node's side accepts connections, or not; the side to move to, if any.
    pub(super) fn trial(&mut self, now: Now, accepts: bool) -> Option<Side> {
        let side = self.sides.tried(now.instant, accepts)?;
        tracing::info!(target: "journal", %side, to = "leaving", cause = "the peer had to move to this side", "cti");
        Some(side)
    }

    /// Tells the other node how this one is.
    pub(super) fn publish(&self, model: &Model) {
        let reason = model.service_reason();
        self.handle.set_status(Status {
            serving: model.in_service(),
            reason: reason.to_owned(),
            primary: self.primary,
            active: self.role == Role::Active,
            cti: self.sides.status(self.local()),
            maintenance: model.maintenance().to_owned(),
            places: self.identity.places(),
        });
    }

    /// When [`Pairing::settle`] has something to do by itself.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        let roles = self.roles.as_ref().and_then(|roles| roles.deadline(now));
        // A moment that is past waits for a trial.
        let sides = self.sides.deadline().filter(|at| *at > now);
        [roles, sides].into_iter().flatten().min()
    }

    /// The side of the CTI server that stands beside this node.
    fn local(&self) -> Side {
        if self.primary { Side::A } else { Side::B }
    }

    fn try_side(&self, side: Side) {
        let Some(address) = self.addresses.get(side.index()).cloned() else { return };
        let trials = self.trials.clone();
        tokio::spawn(async move {
            let accepts = tokio::time::timeout(TRIAL, TcpStream::connect(address)).await;
            // One trial at a time: there is room.
            let _ = trials.try_send(matches!(accepts, Ok(Ok(_))));
        });
    }
}
