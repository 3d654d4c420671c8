//! The state of the contact centre: agents, calls and queues as the CTI server tells of them, and what clients may
//! ask of them.
//!
//! [`Model`] is a single-writer core without I/O, clock or lock. Its owner feeds it CTI messages, outcomes of
//! requests, changes of the link, commands and time, and takes [`Output`]s out until there are none: requests for the
//! CTI server and updates for the feeds, in the order in which they have to happen.
//!
//! Truth is what events say. A confirmation only frees the queue of its object; the event that follows changes
//! the state and carries the `requestId` of the request that it closes.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cti::client::Refusal;
use cti::failover::Damping;
use cti::{Dialect, Message};

use crate::absence::{self, Absences};
use crate::directory::Directory;
use crate::maintenance::{self, Drain};

pub mod actions;
pub mod command;
pub mod dialog;
pub mod error;
pub mod journal;
pub mod output;
pub mod queue;
pub mod state;
pub mod system;
pub mod time;
pub mod user;
pub mod variables;
pub mod xml;

mod absent;
mod act;
mod agents;
mod calls;
mod change_user;
mod commands;
mod exchange;
mod maintain;
mod merge;
pub mod outbound;
mod publish;
mod record;
mod requests;
mod seat;
mod service;
mod snapshot;
mod statistics;
mod supervise;

pub use absent::Presence;
use calls::Calls;
use command::{Command, Reply};
pub use output::Output;
use requests::Requests;
use seat::Seat;
use service::Service;
use statistics::Readings;
use system::Identity;
use time::Now;

/// How the model behaves; [`Settings::new`] has the values of an ordinary deployment.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Dialect of the CTI server; CCX also means deployment type UCCX.
    pub dialect: Dialect,
    /// Version of the CTI protocol.
    pub version: u32,
    /// Peripheral of the agents.
    pub peripheral_id: u32,
    /// Seconds between CTI heartbeats, shown in SystemInfo.
    pub heartbeat_interval: u32,
    /// Who the server is.
    pub identity: Arc<Identity>,
    /// How long the CTI server may take to answer a request.
    pub request_timeout: Duration,
    /// Most requests that wait behind the one in progress, for each agent's state and each agent's phone.
    pub waiting_requests: usize,
    /// Most queries outstanding while the state is being rebuilt.
    pub resync_window: usize,
    /// How often the statistics of each queue are read; zero for never.
    pub statistics_interval: Duration,
    /// How long a call without participants is kept when its end is never announced.
    pub abandoned_after: Duration,
    /// Most calls; further ones are ignored until some end.
    pub max_calls: usize,
    /// Who may take others out of a conference (CCE).
    pub drop_participant_for: DropParticipantFor,
    /// Whether agents and supervisors may have calls recorded (CCX).
    pub recording: bool,
    /// When a CTI session that comes and goes has to hold for a while before the server is in service again.
    pub damping: Damping,
    /// How clients are moved to the other node.
    pub maintenance: maintenance::Rules,
    /// When those who have gone are signed out.
    pub absence: absence::Rules,
}

/// Who may take others out of a conference: the property `enableDropParticipantFor` (Finesse guide, "Drop Participant
/// from Conference").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DropParticipantFor {
    /// A supervisor on the call, agents only.
    #[default]
    SupervisorOnly,
    /// The conference's controller and supervisors on the call.
    ConferenceControllerAndSupervisor,
    /// Everybody on the call.
    All,
}

impl Settings {
    /// Defaults for a dialect and protocol version.
    pub fn new(dialect: Dialect, version: u32, identity: Identity) -> Self {
        Self {
            dialect,
            version,
            peripheral_id: if dialect == Dialect::Ccx { 1 } else { 5000 },
            heartbeat_interval: 5,
            identity: Arc::new(identity),
            request_timeout: Duration::from_secs(20),
            waiting_requests: 16,
            resync_window: 100,
            statistics_interval: Duration::from_secs(10),
            abandoned_after: Duration::from_secs(180),
            max_calls: 100_000,
            drop_participant_for: DropParticipantFor::default(),
            recording: true,
            damping: Damping::default(),
            maintenance: maintenance::Rules::default(),
            absence: absence::Rules::default(),
        }
    }

    fn ccx(&self) -> bool {
        self.dialect == Dialect::Ccx
    }
}

/// What the CTI link reports beside messages.
#[derive(Clone, Debug)]
pub enum Link {
    /// A session is open; `healthy` when the peripheral is on line already.
    Up {
        /// Whether agents can be served.
        healthy: bool,
    },
    /// The health of the peripheral changed.
    Health {
        /// Whether agents can be served.
        healthy: bool,
    },
    /// The session is over.
    Down,
    /// A request was confirmed.
    Confirmed {
        /// Token of the request.
        token: u64,
        /// The confirmation.
        message: Message,
    },
    /// A request was refused.
    Refused {
        /// Token of the request.
        token: u64,
        /// Why.
        refusal: Refusal,
    },
    /// A request was not answered in time.
    TimedOut {
        /// Token of the request.
        token: u64,
    },
}

/// The model. See the module's documentation.
#[derive(Debug)]
pub struct Model {
    settings: Settings,
    directory: Arc<Directory>,
    seats: Vec<Seat>,
    by_device: HashMap<String, usize>,
    calls: Calls,
    requests: Requests,
    service: Service,
    readings: Readings,
    absences: Absences,
    drain: Drain,
    /// Clients have somewhere to go.
    refuge: bool,
    /// Agents whose standing may have changed while somebody is absent.
    moved: Vec<usize>,
    out: VecDeque<Output>,
}

impl Model {
    /// A model of which the CTI server has told nothing yet: out of service.
    pub fn new(settings: Settings, directory: Arc<Directory>) -> Self {
        let seats = directory.positions().map(|user| exchange::seat(user, &directory));
        Self {
            seats: seats.collect(),
            by_device: HashMap::new(),
            calls: Calls::default(),
            requests: Requests::default(),
            service: Service::new(settings.damping),
            readings: Readings::new(&directory),
            absences: Absences::new(settings.absence),
            drain: Drain::new(settings.maintenance),
            refuge: false,
            moved: Vec::new(),
            out: VecDeque::new(),
            settings,
            directory,
        }
    }

    /// Takes an event of the CTI server in.
    pub fn handle_cti(&mut self, now: Now, message: &Message) {
        use cti::kind;
        self.service.last_sign = Some(now.utc_ms);
        match message.kind {
            kind::AGENT_STATE_EVENT => self.agent_event(now, message),
            kind::SYSTEM_EVENT => {}
            _ => self.call_event(now, message),
        }
        self.flush(now);
    }

    /// Takes a change of the link or the outcome of a request in.
    pub fn handle_link(&mut self, now: Now, link: Link) {
        match link {
            Link::Up { healthy } => self.link_up(now, healthy),
            Link::Health { healthy } => self.health(now, healthy),
            Link::Down => self.link_down(now),
            Link::Confirmed { token, message } => self.confirmed(now, token, &message),
            Link::Refused { token, refusal } => self.refused(now, token, &refusal),
            Link::TimedOut { token } => self.timed_out(now, token),
        }
        self.flush(now);
    }

    /// Answers a command of a client. What it causes follows as outputs.
    pub fn handle_command(&mut self, now: Now, command: Command) -> Reply {
        let reply = self.command(now, command).unwrap_or_else(Reply::Refused);
        self.flush(now);
        reply
    }

    /// Does what is due; to be called at [`Model::deadline`] or later.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(token) = self.requests.expired(now.instant) {
            self.timed_out(now, token);
        }
        self.prove_steady(now);
        self.move_sessions(now);
        self.read_statistics(now);
        self.sweep_calls(now);
        self.absences.handle_timeout(now.instant);
        self.flush(now);
    }

    /// When [`Model::handle_timeout`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        let parts = [
            self.requests.deadline(),
            self.readings.deadline(),
            self.calls.sweep_at,
            self.absences.deadline(),
            self.service.steady_at(),
            self.drain.deadline(),
        ];
        parts.into_iter().flatten().min()
    }

    /// The next thing to do for the owner.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Whether commands are served.
    pub fn in_service(&self) -> bool {
        self.service.serving()
    }

    /// Why the server does not serve, as `statusReason` says it; empty if it does.
    pub fn service_reason(&self) -> &'static str {
        self.service.reason()
    }

    /// How many agents are signed in and how many calls exist.
    pub fn counts(&self) -> (usize, usize) {
        (self.seats.iter().filter(|s| s.view.signed_in()).count(), self.calls.len())
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
