//! The simulator over loopback TCP, spoken to with nothing but the codec.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use cti::enums::{agent_state, cti_service, status_code};
use cti::sim::{Config, InboundCall, Mischief, Side, Simulator};
use cti::{Codec, Dialect, Kind, Message, field, kind, tag};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Long enough for a loaded machine; nothing waits that long when all is well.
const PATIENCE: Duration = Duration::from_secs(20);

struct Client {
    stream: TcpStream,
    codec: Codec,
    inbox: BytesMut,
    invoke: u32,
}

impl Client {
    async fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.expect("the simulator listens");
        Self { stream, codec: Codec::new(Dialect::Cce, 20), inbox: BytesMut::new(), invoke: 0 }
    }

    async fn open(addr: SocketAddr) -> Self {
        let mut client = Self::connect(addr).await;
        client.send(open_req()).await;
        assert_eq!(client.next().await.expect("an answer").kind, kind::OPEN_CONF);
        assert_eq!(client.next().await.expect("an event").kind, kind::SYSTEM_EVENT);
        client
    }

    async fn send(&mut self, message: Message) {
        self.invoke += 1;
        let message = message.with(field::INVOKE_ID, self.invoke).with(field::PERIPHERAL_ID, 5000u32);
        let mut bytes = BytesMut::new();
        self.codec.encode(&message, &mut bytes).expect("a message that can be sent");
        self.stream.write_all(&bytes).await.expect("the simulator reads");
    }

    /// The next message; `None` when the simulator closes.
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(frame) = self.codec.decode(&mut self.inbox).expect("frames in step") {
                return Some(frame.expect("a message that follows its layout"));
            }
            let read = self.stream.read_buf(&mut self.inbox);
            if tokio::time::timeout(PATIENCE, read).await.expect("an answer in time").unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// The next message of this kind; others are passed over.
    async fn find(&mut self, wanted: Kind) -> Message {
        loop {
            let message = self.next().await.expect("the simulator goes on");
            if message.kind == wanted {
                return message;
            }
        }
    }

    async fn agent_state(&mut self, wanted: u32) {
        while self.find(kind::AGENT_STATE_EVENT).await.raw(field::AGENT_STATE) != Some(wanted) {}
    }

    async fn ready(&mut self, agent: &str, phone: &str) {
        self.send(set_state(agent, phone, agent_state::LOGIN).with_tag(tag::AGENT_PASSWORD, "finesse")).await;
        self.agent_state(agent_state::NOT_READY).await;
        self.send(set_state(agent, phone, agent_state::AVAILABLE)).await;
        self.agent_state(agent_state::AVAILABLE).await;
    }

    async fn on_call(&mut self, request: Kind, call: u32) {
        let (id, device) = match request {
            kind::RETRIEVE_CALL_REQ => (field::HELD_CONNECTION_CALL_ID, tag::HELD_CONNECTION_DEVICE_ID),
            _ => (field::CONNECTION_CALL_ID, tag::CONNECTION_DEVICE_ID),
        };
        let message = Message::new(request).with(id, call);
        self.send(message.with_tag(device, "2001").with_tag(tag::AGENT_INSTRUMENT, "2001")).await;
    }
}

fn open_req() -> Message {
    let services = cti_service::ALL_EVENTS | cti_service::CLIENT_CONTROL | cti_service::CALL_DATA_UPDATE;
    Message::new(kind::OPEN_REQ)
        .with(field::VERSION_NUMBER, 20u32)
        .with(field::IDLE_TIMEOUT, 60u32)
        .with(field::SERVICES_REQUESTED, services)
        .with(field::CALL_MSG_MASK, u32::MAX)
        .with(field::AGENT_STATE_MASK, 0x3FFFu32)
        .with_tag(tag::CLIENT_ID, "test")
        .with_tag(tag::CLIENT_PASSWORD, b"".as_slice())
}

fn set_state(agent: &str, phone: &str, state: u32) -> Message {
    Message::new(kind::SET_AGENT_STATE_REQ)
        .with(field::AGENT_STATE, state)
        .with_tag(tag::AGENT_ID, agent)
        .with_tag(tag::AGENT_INSTRUMENT, phone)
}

async fn start() -> Simulator {
    Simulator::start(Config::demo(4, "finesse")).await.expect("free ports on loopback")
}

#[tokio::test]
async fn a_call_from_sign_in_to_hang_up() {
    let simulator = start().await;
    let mut client = Client::open(simulator.addrs()[0]).await;
    client.ready("1001", "2001").await;
    let control = simulator.control();
    let call = control.inject_call(InboundCall::to_queue("5551234567", 1)).expect("the queue exists").0;
    assert_eq!(client.find(kind::BEGIN_CALL_EVENT).await.uint(field::CONNECTION_CALL_ID), Some(call));
    client.agent_state(agent_state::RESERVED).await;
    client.on_call(kind::ANSWER_CALL_REQ, call).await;
    client.agent_state(agent_state::TALKING).await;
    client.on_call(kind::HOLD_CALL_REQ, call).await;
    client.agent_state(agent_state::HOLD).await;
    client.on_call(kind::RETRIEVE_CALL_REQ, call).await;
    client.agent_state(agent_state::TALKING).await;
    client.on_call(kind::CLEAR_CONNECTION_REQ, call).await;
    client.find(kind::END_CALL_EVENT).await;
    let truth = control.snapshot();
    assert_eq!((truth.calls.len(), truth.agents[0].state), (0, "AVAILABLE"));
    simulator.shutdown().await;
    let farewell = client.find(kind::FAILURE_EVENT).await;
    assert_eq!(farewell.raw(field::STATUS), Some(status_code::CTI_SERVER_OFFLINE));
    assert!(client.next().await.is_none());
}

#[tokio::test]
async fn both_sides_show_the_same_centre() {
    let simulator = start().await;
    let mut a = Client::open(simulator.addrs()[0]).await;
    let mut b = Client::open(simulator.addrs()[1]).await;
    a.ready("1001", "2001").await;
    b.agent_state(agent_state::AVAILABLE).await;
    simulator.control().drop_link(Side::A);
    assert!(a.next().await.is_none());
    simulator.control().inject_call(InboundCall::to_queue("5551234567", 1)).expect("the queue exists");
    b.agent_state(agent_state::RESERVED).await;
    assert_eq!(simulator.control().sessions(), [0, 1]);
}

#[tokio::test]
async fn a_refusing_side_closes_and_a_silent_one_says_nothing() {
    let simulator = start().await;
    let control = simulator.control();
    control.refuse(Side::A, true);
    let mut client = Client::connect(simulator.addrs()[0]).await;
    assert!(client.next().await.is_none());
    control.refuse(Side::A, false);
    let mut client = Client::open(simulator.addrs()[0]).await;
    control.silence(Side::A, true);
    client.send(Message::new(kind::HEARTBEAT_REQ)).await;
    // Answered only after the side speaks again; the silent heartbeat stays unanswered.
    while client.stream.try_read(&mut [0; 1]).is_ok() {}
    tokio::time::sleep(Duration::from_millis(50)).await;
    control.silence(Side::A, false);
    client.send(Message::new(kind::HEARTBEAT_REQ)).await;
    assert_eq!(client.find(kind::HEARTBEAT_CONF).await.invoke_id(), Some(client.invoke));
}

#[tokio::test]
async fn a_stopped_side_closes_its_port_and_comes_back_at_it() {
    let simulator = start().await;
    let (control, addr) = (simulator.control(), simulator.addrs()[0]);
    let mut client = Client::open(addr).await;
    control.stop(Side::A);
    assert!(client.next().await.is_none());
    let closed = async {
        while let Ok(stream) = TcpStream::connect(addr).await {
            drop(stream);
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), closed).await.expect("the port closes");
    control.restart(Side::A);
    let opened = async {
        while TcpStream::connect(addr).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), opened).await.expect("the port opens");
    Client::open(addr).await;
}

#[tokio::test]
async fn a_frozen_side_answers_when_it_goes_on() {
    let simulator = start().await;
    let control = simulator.control();
    let mut client = Client::open(simulator.addrs()[0]).await;
    control.freeze(Side::A, true);
    client.send(Message::new(kind::HEARTBEAT_REQ)).await;
    control.inject_call(InboundCall::to_queue("5551234567", 1)).expect("the queue exists");
    let mut late = Client::connect(simulator.addrs()[0]).await;
    late.send(open_req()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(client.stream.try_read(&mut [0; 1]).is_err(), "nothing comes");
    control.freeze(Side::A, false);
    client.find(kind::BEGIN_CALL_EVENT).await;
    client.find(kind::HEARTBEAT_CONF).await;
    late.find(kind::OPEN_CONF).await;
}

#[tokio::test]
async fn split_writes_and_unknown_things_leave_the_stream_in_step() {
    let simulator = start().await;
    let strain = Mischief { unknown_tags: true, unknown_messages: true, split: 3, ..Mischief::default() };
    simulator.control().set_mischief(strain);
    let mut client = Client::connect(simulator.addrs()[0]).await;
    client.send(open_req()).await;
    client.find(kind::OPEN_CONF).await;
    client.ready("1001", "2001").await;
    let cut = Mischief { truncate: true, ..Mischief::default() };
    simulator.control().set_mischief(cut);
    client.send(Message::new(kind::HEARTBEAT_REQ)).await;
    assert!(client.next().await.is_none());
    assert!(!client.inbox.is_empty(), "half a message is left");
}

#[tokio::test]
async fn the_control_door_takes_a_json_object_a_line() {
    let config = Config { control_port: Some(0), ..Config::demo(4, "finesse") };
    let simulator = Simulator::start(config).await.expect("free ports on loopback");
    let mut client = Client::open(simulator.addrs()[0]).await;
    client.ready("1001", "2001").await;
    let door = TcpStream::connect(simulator.control_addr().expect("a door")).await.expect("the door is open");
    let mut door = BufReader::new(door);
    let mut ask = async |line: &str| {
        use tokio::io::AsyncBufReadExt;
        door.write_all(format!("{line}\n").as_bytes()).await.expect("the door reads");
        let mut answer = String::new();
        door.read_line(&mut answer).await.expect("the door answers");
        serde_json::from_str::<serde_json::Value>(&answer).expect("an object")
    };
    let placed =
        ask(r#"{"do":"call","ani":"5551234567","queue":1,"variables":{"callVariable1":"Ann"}}"#).await;
    assert_eq!(placed["ok"], true);
    let truth = ask(r#"{"do":"snapshot"}"#).await;
    assert_eq!(truth["calls"][0]["id"], placed["call"]);
    assert_eq!(truth["agents"][0]["state"], "RESERVED");
    assert_eq!(ask(r#"{"do":"sessions"}"#).await["a"], 1);
    assert_eq!(ask(&format!(r#"{{"do":"hang_up","call":{}}}"#, placed["call"])).await["ok"], true);
    let reserved = ask(r#"{"do":"outbound","campaign":"Renewals","agent":"1001","answer":"busy"}"#).await;
    assert_eq!(reserved["ok"], true);
    let truth = ask(r#"{"do":"snapshot"}"#).await;
    assert_eq!(truth["contacts"][0]["customer"], "5550177000");
    let error = ask(r#"{"do":"outbound","campaign":"Renewals"}"#).await;
    assert_eq!(error["error"], "no agent is ready for campaign \"Renewals\"");
    let rule =
        r#"{"do":"rule","request":"HOLD_CALL","agent":"1001","times":2,"code":"INVALID_OBJECT_STATE"}"#;
    assert_eq!(ask(rule).await["ok"], true);
    assert_eq!(ask(r#"{"do":"rules"}"#).await["rules"][0]["code"], 22);
    assert_eq!(ask(r#"{"do":"clear_rules"}"#).await["ok"], true);
    assert_eq!(ask(r#"{"do":"rules"}"#).await["rules"], serde_json::json!([]));
    assert_eq!(ask(r#"{"do":"rule","request":"DANCE"}"#).await["error"], "no request is called \"DANCE\"");
    assert!(ask(r#"{"do":"dance"}"#).await["error"].is_string());
    assert!(ask("nonsense").await["error"].is_string());
}
