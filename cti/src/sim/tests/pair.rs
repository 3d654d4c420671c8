//! A client and the simulator without sockets, at one virtual clock.

use std::time::{Duration, Instant};

use bytes::BytesMut;

use crate::enums::{agent_state, cti_service as service};
use crate::sim::exchange::{Exchange, Next};
use crate::sim::session::SessionId;
use crate::sim::{Config, InboundCall, Side};
use crate::{Codec, Dialect, Field, Kind, Message, Tag, field, kind, tag};

/// The time at which every test begins, in seconds since 1970.
pub(super) const UNIX: u32 = 1_790_000_000;

pub(super) struct Pair {
    pub(super) exchange: Exchange,
    pub(super) now: Instant,
    pub(super) client: SessionId,
    pub(super) codec: Codec,
    invoke: u32,
    inbox: Vec<Message>,
}

/// A centre of four agents with exact times: callers talk 60 s and have endless patience.
pub(super) fn config() -> Config {
    let mut config = Config::demo(4, "finesse");
    config.callers.talk = Some(crate::sim::Span::seconds(60, 60));
    config.callers.patience = None;
    config.outside.answer = crate::sim::Span::seconds(2, 2);
    config
}

impl Pair {
    /// A session that hears everything, opened at `version`.
    pub(super) fn open(config: Config, version: u32) -> Self {
        let mut pair = Self::connect(config, version);
        let open = pair.open_req();
        pair.send(open);
        assert_eq!(pair.take_kinds(), [kind::OPEN_CONF, kind::SYSTEM_EVENT]);
        pair
    }

    /// A connection without a session.
    pub(super) fn connect(config: Config, version: u32) -> Self {
        let codec = Codec::new(config.dialect, version);
        let now = Instant::now();
        let mut exchange = Exchange::new(config, now, UNIX);
        let client = exchange.accept(now, Side::A).expect("side A accepts");
        Self { exchange, now, client, codec, invoke: 0, inbox: Vec::new() }
    }

    pub(super) fn open_req(&self) -> Message {
        let services = service::ALL_EVENTS
            | service::CLIENT_CONTROL
            | service::CALL_DATA_UPDATE
            | service::SUPERVISOR
            | service::CONFIG_EVENTS;
        Message::new(kind::OPEN_REQ)
            .with(field::INVOKE_ID, 1u32)
            .with(field::VERSION_NUMBER, self.codec.version())
            .with(field::IDLE_TIMEOUT, u32::MAX)
            .with(field::PERIPHERAL_ID, if self.codec.dialect() == Dialect::Ccx { 0 } else { u32::MAX })
            .with(field::SERVICES_REQUESTED, services)
            .with(field::CALL_MSG_MASK, u32::MAX)
            .with(field::AGENT_STATE_MASK, 0x3FFFu32)
            .with(field::CONFIG_MSG_MASK, 0x3FFu32)
            .with_tag(tag::CLIENT_ID, "test")
            .with_tag(tag::CLIENT_PASSWORD, b"".as_slice())
    }

    /// Sends a message as bytes and collects what comes back.
    pub(super) fn send(&mut self, message: Message) {
        let mut bytes = BytesMut::new();
        self.codec.encode(&message, &mut bytes).expect("the client's message can be sent");
        self.exchange.receive(self.now, self.client, &bytes);
        self.collect();
    }

    /// Sends a request under the next InvokeID.
    pub(super) fn request(&mut self, message: Message) {
        self.invoke += 1;
        let peripheral = if self.codec.dialect() == Dialect::Ccx { 1u32 } else { 5000 };
        let message = message.with(field::INVOKE_ID, self.invoke).with(field::PERIPHERAL_ID, peripheral);
        self.send(message);
    }

    /// Decodes everything that waits for the client.
    pub(super) fn collect(&mut self) -> Next {
        let (mut bytes, _, next) = self.exchange.take_output(self.client);
        while let Some(frame) = self.codec.decode(&mut bytes).expect("frames in step") {
            self.inbox.push(frame.expect("a message that follows its layout"));
        }
        assert!(bytes.is_empty(), "half a message");
        next
    }

    /// Lets time pass, ringing every alarm at its time.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.exchange.deadline().filter(|d| *d <= end) {
            self.now = self.now.max(due);
            self.exchange.handle_timeout(self.now);
        }
        self.now = end;
        self.collect();
    }

    pub(super) fn seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    /// Everything since the last look.
    pub(super) fn take(&mut self) -> Vec<Message> {
        self.collect();
        std::mem::take(&mut self.inbox)
    }

    pub(super) fn take_kinds(&mut self) -> Vec<Kind> {
        self.take().iter().map(|m| m.kind).collect()
    }

    /// Everything since the last look, one short line each; media events left out.
    pub(super) fn story(&mut self) -> Vec<String> {
        let calls: Vec<Message> = self.take();
        let media = [kind::RTP_STARTED_EVENT, kind::RTP_STOPPED_EVENT];
        calls.iter().filter(|m| !media.contains(&m.kind)).map(line).collect()
    }

    /// The FailureCode of the last answer.
    pub(super) fn refusal(&mut self) -> Option<u32> {
        self.take().iter().find(|m| m.kind == kind::CONTROL_FAILURE_CONF)?.raw(field::FAILURE_CODE)
    }

    pub(super) fn set_state(&mut self, agent: &str, state: u32, reason: u16) {
        self.request(
            Message::new(kind::SET_AGENT_STATE_REQ)
                .with(field::AGENT_STATE, state)
                .with(field::EVENT_REASON_CODE, reason)
                .with_agent_id(self.codec.dialect(), agent)
                .with_tag(tag::AGENT_INSTRUMENT, phone_of(agent).as_str()),
        );
    }

    pub(super) fn login_req(&self, agent: &str, password: &str, phone: &str) -> Message {
        Message::new(kind::SET_AGENT_STATE_REQ)
            .with(field::AGENT_STATE, agent_state::LOGIN)
            .with_agent_id(self.codec.dialect(), agent)
            .with_tag(tag::AGENT_INSTRUMENT, phone)
            .with_tag(tag::AGENT_PASSWORD, password)
    }

    /// Signs an agent in at "his" phone: 1001 at 2001.
    pub(super) fn login(&mut self, agent: &str) {
        let request = self.login_req(agent, "finesse", &phone_of(agent));
        self.request(request);
    }

    /// Signs agents in and makes them ready, one second apart, and forgets the messages.
    pub(super) fn ready(&mut self, agents: &[&str]) {
        for agent in agents {
            self.login(agent);
            self.seconds(1);
            self.set_state(agent, agent_state::AVAILABLE, 0);
        }
        self.take();
    }

    pub(super) fn customer(&mut self, call: &InboundCall) -> u32 {
        let id = self.exchange.world.inject(self.now, call).expect("the call comes in");
        self.exchange.settle(self.now);
        id.0
    }

    /// A request about one connection.
    pub(super) fn on_call(&mut self, request: Kind, call: u32, phone: &str) {
        let (id, device) = match request {
            kind::RETRIEVE_CALL_REQ => (field::HELD_CONNECTION_CALL_ID, tag::HELD_CONNECTION_DEVICE_ID),
            _ => (field::CONNECTION_CALL_ID, tag::CONNECTION_DEVICE_ID),
        };
        self.request(
            Message::new(request)
                .with(id, call)
                .with_tag(device, phone)
                .with_tag(tag::AGENT_INSTRUMENT, phone),
        );
    }

    /// A request about an active and another connection.
    pub(super) fn on_calls(&mut self, request: Kind, active: u32, other: u32, phone: &str) {
        let (id, device): (Field, Tag) = match request {
            kind::ALTERNATE_CALL_REQ => (field::OTHER_CONNECTION_CALL_ID, tag::OTHER_CONNECTION_DEVICE_ID),
            _ => (field::HELD_CONNECTION_CALL_ID, tag::HELD_CONNECTION_DEVICE_ID),
        };
        self.request(
            Message::new(request)
                .with(field::ACTIVE_CONNECTION_CALL_ID, active)
                .with(id, other)
                .with_tag(tag::ACTIVE_CONNECTION_DEVICE_ID, phone)
                .with_tag(device, phone)
                .with_tag(tag::AGENT_INSTRUMENT, phone),
        );
    }

    /// Places a call and returns its number.
    pub(super) fn dial(&mut self, phone: &str, number: &str) -> u32 {
        self.request(
            Message::new(kind::MAKE_CALL_REQ)
                .with_tag(tag::AGENT_INSTRUMENT, phone)
                .with_tag(tag::DIALED_NUMBER, number),
        );
        self.new_call(kind::MAKE_CALL_CONF)
    }

    /// Consults about a call and returns the new call's number.
    pub(super) fn consult(&mut self, call: u32, phone: &str, number: &str) -> u32 {
        self.request(
            Message::new(kind::CONSULTATION_CALL_REQ)
                .with(field::ACTIVE_CONNECTION_CALL_ID, call)
                .with_tag(tag::ACTIVE_CONNECTION_DEVICE_ID, phone)
                .with_tag(tag::AGENT_INSTRUMENT, phone)
                .with_tag(tag::DIALED_NUMBER, number),
        );
        self.new_call(kind::CONSULTATION_CALL_CONF)
    }

    fn new_call(&self, conf: Kind) -> u32 {
        let conf = self.inbox.iter().rev().find(|m| m.kind == conf).expect("a confirmation");
        conf.uint(field::NEW_CONNECTION_CALL_ID).expect("a new call")
    }

    /// A customer's call, answered by the agent; messages forgotten.
    pub(super) fn answered(&mut self, phone: &str) -> u32 {
        let call = self.customer(&InboundCall::to_queue("5551234567", 1));
        self.on_call(kind::ANSWER_CALL_REQ, call, phone);
        self.take();
        call
    }

    pub(super) fn state_of(&self, agent: &str) -> &'static str {
        let snapshot = self.exchange.world.snapshot();
        snapshot.agents.iter().find(|a| a.id == agent).expect("a known agent").state
    }
}

pub(super) fn phone_of(agent: &str) -> String {
    (agent.parse::<u32>().expect("a number") + 1000).to_string()
}

/// A message in a few words: kind, call, device, state or reason.
fn line(m: &Message) -> String {
    let name = m.kind.name().unwrap_or("?").replace("_EVENT", "").replace("CALL_", "");
    let call = m.uint(field::CONNECTION_CALL_ID).or(m.uint(field::PRIMARY_CALL_ID));
    match m.kind {
        kind::AGENT_STATE_EVENT => {
            let state =
                crate::enums::name_of("AgentState", m.raw(field::AGENT_STATE).unwrap_or(99)).unwrap_or("?");
            let reason = m.raw(field::EVENT_REASON_CODE).filter(|r| *r != 0).map(|r| format!(" {r}"));
            let next = m.tag_uint(tag::NEXT_AGENT_STATE).and_then(|s| crate::enums::name_of("AgentState", s));
            let next = next.map(|s| format!(" then {s}")).unwrap_or_default();
            format!("{} {state}{}{next}", m.agent_id().unwrap_or("?"), reason.unwrap_or_default())
        }
        kind::CONTROL_FAILURE_CONF => format!("REFUSED {}", m.raw(field::FAILURE_CODE).unwrap_or(0)),
        kind::FAILURE_CONF => format!("FAILURE {}", m.raw(field::STATUS).unwrap_or(0)),
        _ => match (call, m.raw(field::LOCAL_CONNECTION_STATE)) {
            (Some(_), Some(state)) => {
                let device = m.tag_text(tag::CONNECTION_DEVICE_ID).or(m.tag_text(tag::PRIMARY_DEVICE_ID));
                let state = crate::enums::name_of("LocalConnectionState", state).unwrap_or("?");
                format!("{name} {} {state}", device.unwrap_or("?"))
            }
            _ => name,
        },
    }
}
