//! What the tests of this crate share: a small contact centre and a model in virtual time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cti::enums::{connection_device_id_type, local_connection_state as lcs};
use cti::kind::Kind;
use cti::tag::Tag;
use cti::{Dialect, Message, field, kind, tag};

use super::command::{Command, DialogBody, Reply, UserBody, What};
use super::system::{Identity, Ports};
use super::time::Now;
use super::{Link, Model, Output, Settings};
use crate::directory::{Directory, Queue, ReasonCategory, ReasonCode, Roles, Team, User};

/// 2024-02-05 09:14:03.120 UTC.
pub(crate) const START_MS: i64 = 1_707_124_443_120;

fn user(id: &str, login: &str, team: Option<u32>) -> User {
    User {
        id: id.into(),
        login_name: login.into(),
        first_name: "Maria".into(),
        last_name: "Keller".into(),
        roles: Roles { agent: true, ..Roles::default() },
        team,
        supervises: vec![],
    }
}

fn builder() -> crate::directory::Builder {
    let mut supervisor = user("1001", "anna", Some(1));
    supervisor.roles.supervisor = true;
    supervisor.supervises = vec![1];
    let mut admin = user("admin", "admin", None);
    admin.roles = Roles { administrator: true, ..Roles::default() };
    Directory::builder()
        .team(Team { id: 1, name: "Sales".into() })
        .team(Team { id: 2, name: "Billing & Co".into() })
        .user(supervisor)
        .user(user("1002", "ben", Some(1)))
        .user(user("1003", "cleo", Some(1)))
        .user(user("MKeller", "maria", Some(2)))
        .user(admin)
        .queue(Queue { id: 10, name: "Sales_EN".into(), members: vec!["1001".into(), "1002".into()] })
        .queue(Queue { id: 11, name: "Billing_DE".into(), members: vec!["MKeller".into()] })
}

/// Teams 1 (supervisor 1001; 1002, 1003) and 2 (MKeller), queues 10 and 11, administrator `admin`.
pub(crate) fn directory() -> Arc<Directory> {
    Arc::new(builder().build().unwrap())
}

/// As [`directory`], with reason codes: NOT_READY 21 for all, 22 for team 2; none for LOGOUT.
pub(crate) fn directory_with_reasons() -> Arc<Directory> {
    let code = |id, code, label: &str, for_all, teams| ReasonCode {
        id,
        category: ReasonCategory::NotReady,
        code,
        label: label.into(),
        for_all,
        teams,
    };
    let b = builder().reason_code(code(7, 21, "Coaching", true, vec![]));
    Arc::new(b.reason_code(code(8, 22, "Training", false, vec![2])).build().unwrap())
}

/// A model, its clock and what it has put out.
pub(crate) struct Bench {
    pub(crate) model: Model,
    pub(crate) now: Now,
    /// Requests to the CTI server that have not been looked at: token and message.
    pub(crate) requests: Vec<(u64, Message)>,
    /// Published updates that have not been looked at: node and document.
    pub(crate) events: Vec<(String, String)>,
    /// Everything in order, as `cti`, `publish NODE` and `service FLAG`.
    pub(crate) log: Vec<String>,
    /// Questions for the other node: user, number, how long away.
    pub(crate) asked: Vec<(String, u64, Duration)>,
    /// Entries for the journal about absent users, as `user from > to: cause`.
    pub(crate) notes: Vec<String>,
    pub(crate) journal: Vec<super::journal::Entry>,
}

impl Bench {
    /// A model that knows nothing, out of service.
    pub(crate) fn down(directory: Arc<Directory>, dialect: Dialect) -> Self {
        let identity = Identity {
            host: "fin-a.example.net".into(),
            domain: "fin-a.example.net".into(),
            pubsub_domain: "pubsub.fin-a.example.net".into(),
            ..Identity::default()
        };
        identity.ports.set(Ports { https: Some(8445), ..Ports::default() });
        let settings =
            Settings { statistics_interval: Duration::ZERO, ..Settings::new(dialect, 20, identity) };
        Self {
            model: Model::new(settings, directory),
            now: Now { instant: Instant::now(), utc_ms: START_MS },
            requests: vec![],
            events: vec![],
            log: vec![],
            asked: vec![],
            notes: vec![],
            journal: vec![],
        }
    }

    /// A model in service in which nobody is signed in.
    pub(crate) fn serving(directory: Arc<Directory>, dialect: Dialect) -> Self {
        let mut bench = Self::down(directory, dialect);
        bench.link(Link::Up { healthy: true });
        while let Some((token, request)) = bench.requests.pop() {
            assert_eq!(request.kind, kind::QUERY_AGENT_STATE_REQ);
            let message = Message::new(kind::QUERY_AGENT_STATE_CONF).with(field::AGENT_STATE, 1u32);
            bench.link(Link::Confirmed { token, message });
        }
        assert!(bench.model.in_service());
        bench.events.clear();
        bench.log.clear();
        bench
    }

    /// [`Self::serving`] in CCE with 1002 (phone 2002) and 1003 (phone 2003) signed in and not ready.
    pub(crate) fn staffed() -> Self {
        let mut bench = Self::serving(directory(), Dialect::Cce);
        bench.state("1002", "2002", 2, 0);
        bench.state("1003", "2003", 2, 0);
        bench.requests.clear();
        bench.events.clear();
        bench.log.clear();
        bench
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.utc_ms += i64::try_from(time.as_millis()).unwrap();
        while self.model.deadline().is_some_and(|at| at <= self.now.instant) {
            let before = self.model.deadline();
            self.model.handle_timeout(self.now);
            self.collect();
            assert_ne!(self.model.deadline(), before, "a timeout that does nothing");
        }
    }

    pub(crate) fn collect(&mut self) {
        while let Some(output) = self.model.poll_output() {
            match output {
                Output::Cti { token, message } => {
                    self.log.push(format!("cti {}", message.kind.name().unwrap()));
                    self.requests.push((token, message));
                }
                Output::Publish { node, update } => {
                    self.log.push(format!("publish {node}"));
                    self.events.push((node.to_string(), update.to_xml()));
                }
                Output::MoveSessions(most) => self.log.push(format!("move {most}")),
                Output::AskPeer { user, question, away } => {
                    self.asked.push((user.to_string(), question, away))
                }
                Output::Note(note, _) => self.notes.push(format!(
                    "{} {} > {}: {}",
                    note.user,
                    note.from.name(),
                    note.to.name(),
                    note.cause.text()
                )),
                Output::Journal(entry) => self.journal.push(entry),
                Output::Service { in_service } => self.log.push(format!("service {in_service}")),
            }
        }
    }

    pub(crate) fn cti(&mut self, message: &Message) {
        self.model.handle_cti(self.now, message);
        self.collect();
    }

    pub(crate) fn link(&mut self, link: Link) {
        self.model.handle_link(self.now, link);
        self.collect();
    }

    pub(crate) fn presence(&mut self, user: &str, presence: super::Presence) {
        self.model.handle_presence(self.now, user, presence);
        self.collect();
    }

    /// A new session, in which these are signed in and no calls exist: agent, phone, state.
    pub(crate) fn rebuild(&mut self, signed_in: &[(&str, &str, u32)]) {
        self.link(Link::Up { healthy: true });
        while let Some((token, request)) = self.requests.pop() {
            let message = match request.kind {
                kind::QUERY_AGENT_STATE_REQ => {
                    let known = signed_in.iter().find(|(id, ..)| request.agent_id() == Some(id));
                    let &(_, phone, state) = known.unwrap_or(&("", "", 1));
                    Message::new(kind::QUERY_AGENT_STATE_CONF)
                        .with(field::AGENT_STATE, state)
                        .with_tag(tag::AGENT_EXTENSION, phone)
                }
                kind::SNAPSHOT_DEVICE_REQ => Message::new(kind::SNAPSHOT_DEVICE_CONF),
                _ => Message::new(kind::AGENT_DESK_SETTINGS_CONF),
            };
            self.link(Link::Confirmed { token, message });
        }
        assert!(self.model.in_service());
    }

    pub(crate) fn ask(&mut self, caller: &str, request_id: Option<&str>, what: What) -> Reply {
        let command = Command { caller: caller.into(), request_id: request_id.map(Into::into), what };
        let reply = self.model.handle_command(self.now, command);
        self.collect();
        reply
    }

    pub(crate) fn document(&mut self, caller: &str, what: What) -> String {
        match self.ask(caller, None, what) {
            Reply::Document(text) => text,
            other => panic!("{other:?}"),
        }
    }

    /// The refusal as `status type`.
    pub(crate) fn refused(&mut self, caller: &str, what: What) -> String {
        match self.ask(caller, None, what) {
            Reply::Refused(error) => format!("{} {}", error.status, error.kind),
            other => panic!("{other:?}"),
        }
    }

    /// `PUT User/{id}`.
    pub(crate) fn put_user(&mut self, caller: &str, id: &str, rid: &str, body: UserBody) -> Reply {
        self.ask(caller, Some(rid), What::ChangeUser { user: id.into(), body: Ok(body) })
    }

    /// `PUT Dialog/{id}` with an own extension.
    pub(crate) fn act(&mut self, caller: &str, dialog: u32, rid: &str, action: &str, target: &str) -> Reply {
        let body = DialogBody {
            requested_action: Some(action.into()),
            target_media_address: Some(target.into()),
            ..DialogBody::default()
        };
        self.ask(caller, Some(rid), What::ActOnDialog { dialog: dialog.to_string(), body: Ok(body) })
    }

    /// The one request that is waiting to be answered.
    pub(crate) fn request(&mut self) -> (u64, Message) {
        assert_eq!(self.requests.len(), 1, "{:?}", self.requests);
        self.requests.remove(0)
    }

    /// The request of this kind; others are dropped.
    pub(crate) fn request_of(&mut self, kind: Kind) -> (u64, Message) {
        let at = self.requests.iter().position(|(_, m)| m.kind == kind).expect("no such request");
        let found = self.requests.remove(at);
        self.requests.clear();
        found
    }

    pub(crate) fn confirm(&mut self, token: u64, kind: Kind) {
        self.link(Link::Confirmed { token, message: Message::new(kind) });
    }

    pub(crate) fn refuse(&mut self, token: u64, code: u32, peripheral: u32) {
        let refusal = cti::client::Refusal::Control { code, peripheral, text: None };
        self.link(Link::Refused { token, refusal });
    }

    /// The published updates so far, on `User/{id}{feed}` only, as `EVENT requestId: short`.
    pub(crate) fn on(&mut self, node: &str) -> Vec<String> {
        let name = format!("/finesse/api/{node}");
        let mut found = vec![];
        self.events.retain(|(n, document)| {
            let ours = *n == name;
            if ours {
                found.push(document.clone());
            }
            !ours
        });
        found
    }

    /// AGENT_STATE_EVENT.
    pub(crate) fn state(&mut self, id: &str, extension: &str, state: u32, reason: u32) {
        let m = state_event(id, extension, state, reason);
        self.cti(&m);
    }

    /// A call event about one device.
    pub(crate) fn call(&mut self, kind: Kind, id: u32, device_tag: Tag, device: &str) {
        let m = call_event(kind, id, device).with_tag(device_tag, device);
        self.cti(&m);
    }

    /// An inbound call of the queue 10 from 0301234 that rings at `phone`.
    pub(crate) fn ring(&mut self, id: u32, phone: &str) {
        let begin = call_event(kind::BEGIN_CALL_EVENT, id, "0301234")
            .with(field::CALL_TYPE, 2u32)
            .with_tag(tag::ANI, "0301234")
            .with_tag(tag::DNIS, "7900")
            .with_tag(tag::DIALED_NUMBER, "7900")
            .with_tag(tag::ROUTER_CALL_KEY_DAY, 155_120u32)
            .with_tag(tag::ROUTER_CALL_KEY_CALL_ID, 311u32)
            .with_tag(tag::CALL_VARIABLE1, "K-<20913> & \"co\"");
        self.cti(&begin);
        let rings = call_event(kind::CALL_DELIVERED_EVENT, id, phone)
            .with(field::SKILL_GROUP_NUMBER, 10u32)
            .with(field::LOCAL_CONNECTION_STATE, lcs::ALERTING)
            .with_tag(tag::CALLING_DEVICE_ID, "0301234")
            .with_tag(tag::CALLED_DEVICE_ID, "7900")
            .with_tag(tag::ALERTING_DEVICE_ID, phone);
        self.cti(&rings);
    }

    /// [`Self::ring`] and the answer.
    pub(crate) fn talk(&mut self, id: u32, phone: &str) {
        self.ring(id, phone);
        self.answer(id, "0301234", phone);
    }

    pub(crate) fn answer(&mut self, id: u32, caller: &str, phone: &str) {
        let m = call_event(kind::CALL_ESTABLISHED_EVENT, id, phone)
            .with(field::LOCAL_CONNECTION_STATE, lcs::CONNECT)
            .with_tag(tag::CALLING_DEVICE_ID, caller)
            .with_tag(tag::ANSWERING_DEVICE_ID, phone);
        self.cti(&m);
    }

    pub(crate) fn clear(&mut self, id: u32, device: &str) {
        self.call(kind::CALL_CONNECTION_CLEARED_EVENT, id, tag::RELEASING_DEVICE_ID, device);
    }

    pub(crate) fn end(&mut self, id: u32) {
        self.cti(&call_event(kind::END_CALL_EVENT, id, "0301234"));
    }
}

pub(crate) fn state_event(id: &str, extension: &str, state: u32, reason: u32) -> Message {
    Message::new(kind::AGENT_STATE_EVENT)
        .with(field::MRDID, 1i32)
        .with(field::AGENT_STATE, state)
        .with(field::EVENT_REASON_CODE, reason)
        .with(field::STATE_DURATION, 0u32)
        .with_tag(tag::AGENT_ID, id)
        .with_tag(tag::AGENT_EXTENSION, extension)
        .with_tag(tag::AGENT_INSTRUMENT, extension)
}

pub(crate) fn call_event(kind: Kind, id: u32, connection: &str) -> Message {
    Message::new(kind)
        .with(field::CONNECTION_CALL_ID, id)
        .with(field::CONNECTION_DEVICE_ID_TYPE, connection_device_id_type::STATIC)
        .with_tag(tag::CONNECTION_DEVICE_ID, connection)
}

/// The body that asks for a state.
pub(crate) fn state_body(state: &str) -> UserBody {
    UserBody { state: Some(state.into()), ..UserBody::default() }
}

/// The text of an element in a document.
pub(crate) fn text<'a>(document: &'a str, element: &str) -> &'a str {
    let open = format!("<{element}>");
    let start = document.find(&open).unwrap_or_else(|| panic!("no {element} in {document}")) + open.len();
    let length = document[start..].find(&format!("</{element}>")).unwrap();
    &document[start..start + length]
}

/// An update in short: event, request id, then `state` of a user or `state: address=leg ...` of a dialog, or the
/// error.
pub(crate) fn short(update: &str) -> String {
    let event = text(update, "event");
    let rid = text(update, "requestId");
    let rest = if update.contains("<apiError>") {
        format!(
            "{} {} {}",
            text(update, "errorType"),
            text(update, "errorData"),
            text(update, "errorMessage")
        )
    } else if update.contains("<participants>") {
        let (parties, after) =
            update.split_once("<participants>").unwrap().1.split_once("</participants>").unwrap();
        let legs = parties.split("</Participant>").filter(|p| !p.is_empty());
        let legs: Vec<String> =
            legs.map(|p| format!("{}={}", text(p, "mediaAddress"), text(p, "state"))).collect();
        format!("{} {}: {}", text(update, "id"), text(after, "state"), legs.join(" "))
    } else {
        let pending = text(update, "pendingState");
        let pending = if pending.is_empty() { String::new() } else { format!(" then {pending}") };
        format!("{}{pending}", text(update, "state"))
    };
    format!("{event} [{rid}] {rest}")
}

pub(crate) fn shorts(updates: Vec<String>) -> Vec<String> {
    updates.iter().map(|u| short(u)).collect()
}
