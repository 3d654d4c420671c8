//! Dialogues with the client machine in virtual time.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use cti::client::{Client, Config, Event, Loss, Refusal};
use cti::enums::{
    config_end_status, config_type, control_failure_code, cti_service, pg_status, session_type, status_code,
    system_event_id,
};
use cti::{Codec, Dialect, Message, field, kind, tag};

/// A client and the script's end of its connection.
struct Pair {
    client: Client,
    codec: Codec,
    start: Instant,
    now: Instant,
}

impl Pair {
    fn new(config: Config) -> Self {
        let now = Instant::now();
        let codec = config.codec();
        Self { client: Client::new(config, now).unwrap(), codec, start: now, now }
    }

    /// A session that is open; what led there is swallowed.
    fn up(config: Config) -> Self {
        let services = config.services;
        let mut pair = Self::new(config);
        let open = pair.said().remove(0);
        pair.hears(open_conf(&open, services));
        assert!(matches!(pair.event(), Some(Event::Up { .. })));
        pair
    }

    fn hears(&mut self, message: Message) {
        let mut wire = BytesMut::new();
        self.codec.encode(&message, &mut wire).unwrap();
        self.client.handle_input(self.now, &mut wire);
        assert!(wire.is_empty() || self.client.is_over());
    }

    fn said(&mut self) -> Vec<Message> {
        let mut said = Vec::new();
        while let Some(frame) = self.codec.decode(self.client.output()).unwrap() {
            said.push(frame.unwrap());
        }
        said
    }

    fn event(&mut self) -> Option<Event> {
        self.client.poll_event()
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.event()).collect()
    }

    /// Lets time pass up to `seconds` after the start, timeout by timeout; returns what was said with its second.
    fn pass(&mut self, seconds: f64) -> Vec<(f64, Message)> {
        let end = self.start + Duration::from_secs_f64(seconds);
        let mut said = Vec::new();
        while let Some(at) = self.client.deadline().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            self.client.handle_timeout(self.now);
            let second = (self.now - self.start).as_secs_f64();
            said.extend(self.said().into_iter().map(|message| (second, message)));
        }
        self.now = end;
        said
    }

    fn answer_heartbeats(&mut self, said: &[(f64, Message)]) {
        for (_, message) in said.iter().filter(|(_, message)| message.kind == kind::HEARTBEAT_REQ) {
            let invoke_id = message.invoke_id().unwrap();
            self.hears(Message::new(kind::HEARTBEAT_CONF).with(field::INVOKE_ID, invoke_id));
        }
    }
}

fn config() -> Config {
    Config::new(Dialect::Cce, 24)
}

fn open_conf(open: &Message, granted: u32) -> Message {
    Message::new(kind::OPEN_CONF)
        .with(field::INVOKE_ID, open.invoke_id().unwrap())
        .with(field::SERVICES_GRANTED, granted)
}

fn status(kind: cti::Kind, invoke_id: u32, status: u32) -> Message {
    Message::new(kind).with(field::INVOKE_ID, invoke_id).with(field::STATUS, status)
}

fn system_event(id: u32, argument: u32, pg_status: u32) -> Message {
    Message::new(kind::SYSTEM_EVENT)
        .with(field::SYSTEM_EVENT_ID, id)
        .with(field::SYSTEM_EVENT_ARG1, argument)
        .with(field::PG_STATUS, pg_status)
}

#[test]
fn open_request_says_what_is_configured() {
    let mut config = config();
    config.client_id = "desk".into();
    config.client_password = "secret".into();
    config.signature = "desktop server".into();
    config.peripheral = Some(5000);
    let mut pair = Pair::new(config);
    let said = pair.said();
    assert_eq!(said.len(), 1);
    let open = &said[0];
    assert_eq!(open.uint(field::VERSION_NUMBER), Some(24));
    assert_eq!(open.uint(field::IDLE_TIMEOUT), Some(20));
    assert_eq!(open.uint(field::PERIPHERAL_ID), Some(5000));
    assert_eq!(open.uint(field::SERVICES_REQUESTED), Some(0x40096));
    assert_eq!(open.uint(field::CALL_MSG_MASK), Some(u32::MAX));
    assert_eq!(open.tag_text(tag::CLIENT_ID), Some("desk"));
    assert_eq!(open.tag_bytes(tag::CLIENT_PASSWORD), Some(b"secret".as_slice()));
    assert_eq!(open.tag_text(tag::CLIENT_SIGNATURE), Some("desktop server"));
}

#[test]
fn id_and_password_are_present_even_when_empty() {
    let mut pair = Pair::new(config());
    let open = pair.said().remove(0);
    assert_eq!(open.tag_text(tag::CLIENT_ID), Some(""));
    assert_eq!(open.tag_bytes(tag::CLIENT_PASSWORD), Some(b"".as_slice()));
}

#[test]
fn an_unanswered_open_request_is_given_up() {
    let mut pair = Pair::new(config());
    pair.pass(29.9);
    assert_eq!(pair.events(), []);
    pair.pass(30.0);
    assert_eq!(pair.events(), [Event::Down(Loss::OpenTimeout)]);
    assert_eq!(pair.client.deadline(), None);
}

#[test]
fn a_refused_open_request_ends_the_connection() {
    let mut pair = Pair::new(config());
    let open = pair.said().remove(0);
    pair.hears(status(kind::FAILURE_CONF, open.invoke_id().unwrap(), status_code::INVALID_PASSWORD));
    assert_eq!(pair.events(), [Event::Down(Loss::OpenRefused(36))]);
}

#[test]
fn a_session_without_the_needed_services_is_a_failed_open() {
    let mut pair = Pair::new(config());
    let open = pair.said().remove(0);
    pair.hears(open_conf(&open, cti_service::ALL_EVENTS));
    assert_eq!(pair.events(), [Event::Down(Loss::Services(0x10))]);
}

#[test]
fn an_open_confirmation_for_somebody_else_is_ignored() {
    let mut pair = Pair::new(config());
    let open = pair.said().remove(0);
    pair.hears(open_conf(&open, u32::MAX).with(field::INVOKE_ID, 1u32));
    assert_eq!(pair.events(), []);
    assert!(!pair.client.is_up());
}

#[test]
fn a_standby_side_is_not_used() {
    let mut config = config();
    config.services |= cti_service::ACTIVE_STANDBY;
    let mut pair = Pair::new(config);
    let open = pair.said().remove(0);
    pair.hears(open_conf(&open, u32::MAX).with(field::SESSION_TYPE, session_type::STANDBY));
    assert_eq!(pair.events(), [Event::Down(Loss::Standby)]);
}

#[test]
fn heartbeats_keep_a_fixed_timer_beside_other_traffic() {
    let mut pair = Pair::up(config());
    let mut at = Vec::new();
    for second in 1..=21u32 {
        let said = pair.pass(second.into());
        at.extend(said.iter().map(|(second, _)| *second));
        pair.answer_heartbeats(&said);
        pair.hears(Message::new(kind::BEGIN_CALL_EVENT));
    }
    assert_eq!(at, [5.0, 10.0, 15.0, 20.0]);
    assert_eq!(pair.events().len(), 21);
}

#[test]
fn a_silent_side_is_given_up_after_sixteen_seconds() {
    let mut pair = Pair::up(config());
    let said = pair.pass(15.99);
    assert_eq!(said.iter().filter(|(_, m)| m.kind == kind::HEARTBEAT_REQ).count(), 3);
    assert_eq!(pair.events(), []);
    let said = pair.pass(16.0);
    assert_eq!(pair.events(), [Event::Down(Loss::Heartbeats)]);
    // The last word, for a server that only lost its way to us.
    assert_eq!(said[0].1.raw(field::STATUS), Some(status_code::TIMEOUT));
}

#[test]
fn a_side_that_falls_silent_later_has_sixteen_seconds_from_its_last_answer() {
    let mut pair = Pair::up(config());
    for second in [5.0, 10.0] {
        let said = pair.pass(second);
        pair.answer_heartbeats(&said);
    }
    pair.pass(25.99);
    assert_eq!(pair.events(), []);
    pair.pass(26.0);
    assert_eq!(pair.events(), [Event::Down(Loss::Heartbeats)]);
}

#[test]
fn a_late_answer_starts_the_count_anew() {
    let mut pair = Pair::up(config());
    let said = pair.pass(15.5);
    pair.answer_heartbeats(&said[..1]);
    pair.pass(30.9);
    assert_eq!(pair.events(), []);
    pair.pass(31.0);
    assert_eq!(pair.events(), [Event::Down(Loss::Heartbeats)]);
}

#[test]
fn a_stalled_owner_does_not_make_the_server_look_dead() {
    let mut pair = Pair::up(config());
    pair.pass(12.0);
    pair.client.set_stalled(true);
    let said = pair.pass(60.0);
    assert!(said.len() >= 9, "heartbeats go on");
    assert_eq!(pair.events(), []);
    pair.client.set_stalled(false);
    pair.pass(75.9);
    assert_eq!(pair.events(), []);
    pair.pass(76.0);
    assert_eq!(pair.events(), [Event::Down(Loss::Heartbeats)]);
}

#[test]
fn a_refused_heartbeat_ends_the_session_at_once() {
    let mut pair = Pair::up(config());
    let said = pair.pass(5.0);
    pair.hears(status(kind::FAILURE_CONF, said[0].1.invoke_id().unwrap(), status_code::CTI_SERVER_OFFLINE));
    assert_eq!(pair.events(), [Event::Down(Loss::HeartbeatRefused(15))]);
}

#[test]
fn requests_are_matched_by_their_id() {
    let mut pair = Pair::up(config());
    pair.client.request(pair.now, 1, Message::new(kind::HOLD_CALL_REQ));
    pair.client.request(pair.now, 2, Message::new(kind::ANSWER_CALL_REQ));
    pair.client.request(pair.now, 3, Message::new(kind::QUERY_AGENT_STATE_REQ));
    let ids: Vec<_> = pair.said().iter().map(|message| message.invoke_id().unwrap()).collect();
    assert_eq!(ids, [1, 2, 3]);
    pair.hears(Message::new(kind::ANSWER_CALL_CONF).with(field::INVOKE_ID, 2u32));
    pair.hears(
        Message::new(kind::CONTROL_FAILURE_CONF)
            .with(field::INVOKE_ID, 1u32)
            .with(field::FAILURE_CODE, control_failure_code::NO_ACTIVE_CALL)
            .with(field::PERIPHERAL_ERROR_CODE, 10108u32)
            .with_tag(tag::TEXT, "no call"),
    );
    pair.hears(status(kind::FAILURE_CONF, 3, status_code::INVALID_AGENT_DATA));
    let events = pair.events();
    assert!(
        matches!(&events[0], Event::Confirm { invoke_id: 2, message } if message.kind == kind::ANSWER_CALL_CONF)
    );
    let refusal = Refusal::Control { code: 24, peripheral: 10108, text: Some("no call".into()) };
    assert_eq!(events[1], Event::Refused { invoke_id: 1, refusal });
    assert_eq!(events[2], Event::Refused { invoke_id: 3, refusal: Refusal::Status(8) });
    assert_eq!(events.len(), 3);
}

#[test]
fn an_unanswered_request_times_out_and_its_late_answer_is_dropped() {
    let mut pair = Pair::up(config());
    pair.client.request(pair.now, 7, Message::new(kind::HOLD_CALL_REQ));
    for second in [5.0, 10.0, 15.0, 19.9] {
        let said = pair.pass(second);
        pair.answer_heartbeats(&said);
    }
    assert_eq!(pair.events(), []);
    pair.pass(20.0);
    assert_eq!(pair.events(), [Event::TimedOut { invoke_id: 7 }]);
    pair.hears(Message::new(kind::HOLD_CALL_CONF).with(field::INVOKE_ID, 7u32));
    pair.hears(Message::new(kind::CONTROL_FAILURE_CONF).with(field::INVOKE_ID, 7u32));
    assert_eq!(pair.events(), []);
}

#[test]
fn a_confirmation_in_segments_keeps_its_request_open() {
    let mut pair = Pair::up(config());
    pair.client.request(pair.now, 7, Message::new(kind::LIST_AGENT_TEAM_REQ));
    let segment = |number: u16, more: u16| {
        Message::new(kind::LIST_AGENT_TEAM_CONF)
            .with(field::INVOKE_ID, 7u32)
            .with(field::SEGMENT_NUMBER, number)
            .with(field::MORE, more)
    };
    pair.hears(segment(1, 1));
    pair.hears(segment(2, 0));
    pair.hears(segment(3, 0));
    assert_eq!(pair.events().len(), 2);
}

#[test]
fn no_more_requests_than_permitted_are_outstanding() {
    let mut config = config();
    config.max_requests = 2;
    let mut pair = Pair::up(config);
    for id in 1..=3 {
        pair.client.request(pair.now, id, Message::new(kind::HOLD_CALL_REQ));
    }
    assert_eq!(pair.said().len(), 2);
    assert_eq!(pair.events(), [Event::Refused { invoke_id: 3, refusal: Refusal::Busy }]);
}

#[test]
fn a_request_that_does_not_fit_is_refused_without_a_byte() {
    let mut pair = Pair::up(config());
    let long = Message::new(kind::MAKE_CALL_REQ).with_tag(tag::DIALED_NUMBER, "1".repeat(99));
    pair.client.request(pair.now, 1, long);
    assert_eq!(pair.said(), []);
    assert!(matches!(pair.events()[..], [Event::Refused { invoke_id: 1, refusal: Refusal::Unsendable(_) }]));
    // Its id is free again.
    pair.client.request(pair.now, 1, Message::new(kind::HOLD_CALL_REQ));
    assert_eq!(pair.said().len(), 1);
}

#[test]
fn only_one_configuration_request_is_outstanding() {
    let mut pair = Pair::up(config());
    let key = |id| (id, Message::new(kind::CONFIG_REQUEST_KEY_EVENT));
    for (id, message) in [key(1), key(2)] {
        pair.client.request(pair.now, id, message);
    }
    assert_eq!(pair.said().len(), 1);
    assert_eq!(pair.events(), [Event::Refused { invoke_id: 2, refusal: Refusal::Busy }]);
    pair.hears(Message::new(kind::CONFIG_KEY_EVENT));
    assert!(matches!(pair.events()[..], [Event::Confirm { invoke_id: 1, .. }]));
}

#[test]
fn an_upload_ends_with_the_end_of_its_own_last_block() {
    let mut pair = Pair::up(config());
    pair.client.request(
        pair.now,
        5,
        Message::new(kind::CONFIG_REQUEST_EVENT).with(field::CONFIG_INFORMATION, 0xFFu32),
    );
    let begin = |kind| Message::new(kind::CONFIG_BEGIN_EVENT).with(field::CONFIG_TYPE, kind);
    let end = |status| Message::new(kind::CONFIG_END_EVENT).with(field::CONFIG_END_STATUS, status);
    // An update that was under way ends first.
    pair.hears(begin(config_type::UNSOLICITED));
    pair.hears(end(config_end_status::SUCCESS));
    pair.hears(begin(config_type::SOLICITED));
    pair.hears(Message::new(kind::CONFIG_AGENT_EVENT));
    pair.hears(end(config_end_status::PARTIAL));
    pair.hears(begin(config_type::SOLICITED));
    let events = pair.events();
    assert_eq!(events.len(), 6);
    assert!(events.iter().all(|event| matches!(event, Event::Message(_))), "{events:?}");
    pair.hears(end(config_end_status::SUCCESS));
    assert!(matches!(pair.events()[..], [Event::Confirm { invoke_id: 5, .. }]));
}

#[test]
fn an_upload_that_pauses_too_long_times_out_whatever_else_arrives() {
    let mut pair = Pair::up(config());
    pair.client.request(pair.now, 5, Message::new(kind::CONFIG_REQUEST_EVENT));
    let mut timed_out = None;
    for second in 1..=90u32 {
        let said = pair.pass(second.into());
        pair.answer_heartbeats(&said);
        pair.hears(Message::new(if second == 20 {
            kind::CONFIG_AGENT_EVENT
        } else {
            kind::BEGIN_CALL_EVENT
        }));
        if pair.events().contains(&Event::TimedOut { invoke_id: 5 }) {
            timed_out = Some(second);
        }
    }
    assert_eq!(timed_out, Some(80));
}

#[test]
fn health_follows_system_events_of_the_configured_peripheral() {
    let mut config = config();
    config.peripheral = Some(5000);
    let mut pair = Pair::up(config);
    assert!(!pair.client.health().in_service(), "nothing is known yet");
    pair.hears(system_event(system_event_id::PERIPHERAL_ONLINE, 5000, 0));
    assert!(pair.client.health().in_service());
    pair.hears(system_event(system_event_id::PERIPHERAL_OFFLINE, 5001, 0));
    assert!(pair.client.health().in_service(), "another peripheral");
    pair.hears(system_event(system_event_id::TEXT_FYI, 0, pg_status::OPC_DOWN));
    assert!(!pair.client.health().events_flow());
    pair.hears(system_event(system_event_id::TEXT_FYI, 0, pg_status::CC_DOWN));
    assert!(pair.client.health().in_service(), "calls go on without the central controller");
    pair.hears(system_event(system_event_id::PERIPHERAL_OFFLINE, 5000, 0));
    assert!(!pair.client.health().in_service());
    let changes = pair.events().iter().filter(|event| matches!(event, Event::Health(_))).count();
    assert_eq!(changes, 4);
}

#[test]
fn a_server_going_off_line_ends_the_session_and_refuses_what_is_outstanding() {
    let cases = [
        (system_event(system_event_id::CTI_SERVER_OFFLINE, 0, 0), Loss::ServerOffline),
        (
            Message::new(kind::FAILURE_EVENT).with(field::STATUS, status_code::CTI_SERVER_OFFLINE),
            Loss::ServerFailure(15),
        ),
        (Message::new(kind::CLOSE_CONF), Loss::ServerOffline),
    ];
    for (message, loss) in cases {
        let mut pair = Pair::up(config());
        pair.client.request(pair.now, 1, Message::new(kind::HOLD_CALL_REQ));
        pair.hears(message);
        let events = pair.events();
        let refused = Event::Refused { invoke_id: 1, refusal: Refusal::NotConnected };
        assert_eq!(events[events.len() - 2..], [refused, Event::Down(loss)]);
        pair.client.request(pair.now, 2, Message::new(kind::HOLD_CALL_REQ));
        assert_eq!(
            pair.events(),
            [Event::Refused { invoke_id: 2, refusal: Refusal::NotConnected }],
            "after the end"
        );
    }
}

#[test]
fn a_failure_event_without_consequence_is_passed_on() {
    let mut pair = Pair::up(config());
    pair.hears(Message::new(kind::FAILURE_EVENT).with(field::STATUS, status_code::INVALID_FIELD_TAG));
    assert!(matches!(pair.events()[..], [Event::Message(_)]));
    let mut pair = Pair::up(Config::new(Dialect::Ccx, 18));
    pair.hears(Message::new(kind::FAILURE_EVENT).with(field::STATUS, status_code::AUTO_CONFIG_RESET));
    assert!(matches!(pair.events()[..], [Event::Message(_)]));
    pair.hears(Message::new(kind::FAILURE_EVENT).with(field::STATUS, status_code::INVALID_FIELD_TAG));
    assert!(matches!(pair.events()[..], [Event::Down(Loss::ServerFailure(3))]));
}

#[test]
fn closing_waits_for_its_confirmation() {
    let mut pair = Pair::up(config());
    pair.client.close(pair.now);
    let close = pair.said().remove(0);
    assert_eq!((close.kind, close.raw(field::STATUS)), (kind::CLOSE_REQ, Some(0)));
    pair.hears(Message::new(kind::BEGIN_CALL_EVENT));
    assert_eq!(pair.events(), []);
    pair.hears(Message::new(kind::CLOSE_CONF).with(field::INVOKE_ID, close.invoke_id().unwrap()));
    assert_eq!(pair.events(), [Event::Down(Loss::Closed)]);
}

#[test]
fn closing_does_not_wait_for_ever() {
    let mut pair = Pair::up(config());
    pair.client.request(pair.now, 1, Message::new(kind::HOLD_CALL_REQ));
    pair.client.close(pair.now);
    assert_eq!(pair.events(), [Event::Refused { invoke_id: 1, refusal: Refusal::NotConnected }]);
    pair.pass(4.9);
    assert_eq!(pair.events(), []);
    pair.pass(5.0);
    assert_eq!(pair.events(), [Event::Down(Loss::Closed)]);
}

#[test]
fn maintenance_drains_requests_and_then_leaves() {
    let mut config = config();
    config.services |= cti_service::ACTIVE_STANDBY;
    let mut pair = Pair::up(config);
    pair.hears(Message::new(kind::ACTIVE_MAINTENANCE_REQ).with(field::INVOKE_ID, 9u32));
    let answer = pair.said().remove(0);
    assert_eq!((answer.kind, answer.invoke_id()), (kind::ACTIVE_MAINTENANCE_RESP, Some(9)));
    assert_eq!(answer.raw(field::MAINTENANCE_MODE_ACCEPTED), Some(1));
    pair.client.request(pair.now, 1, Message::new(kind::HOLD_CALL_REQ));
    pair.hears(Message::new(kind::ACTIVE_MAINTENANCE_EVENT).with(field::MAINTENANCE_MODE_CONTINUE, true));
    pair.client.request(pair.now, 2, Message::new(kind::HOLD_CALL_REQ));
    pair.said();
    pair.hears(Message::new(kind::HOLD_CALL_CONF).with(field::INVOKE_ID, 1u32));
    assert_eq!(pair.said()[0].kind, kind::STOPPING_REQUESTS_TO_THIS_SIDE_IND);
    let events = pair.events();
    assert_eq!(events[1], Event::Refused { invoke_id: 2, refusal: Refusal::NotConnected });
    assert!(matches!(events[2], Event::Confirm { invoke_id: 1, .. }));
    assert_eq!(events[3], Event::Down(Loss::Maintenance));
}

#[test]
fn an_unreadable_confirmation_answers_its_request() {
    let mut pair = Pair::up(config());
    pair.client.request(pair.now, 1, Message::new(kind::HOLD_CALL_REQ));
    // A floating field that announces more than there is.
    let frame = [0, 0, 0, 8, 0, 0, 0, 55, 0, 0, 0, 1, 0, 7, 0, 9];
    pair.client.handle_input(pair.now, &mut BytesMut::from(&frame[..]));
    assert!(matches!(pair.events()[..], [Event::Refused { invoke_id: 1, refusal: Refusal::Unreadable(_) }]));
    pair.client.handle_input(pair.now, &mut BytesMut::from(&frame[..]));
    assert!(matches!(pair.events()[..], [Event::Skipped(_)]));
    assert!(pair.client.is_up());
}

#[test]
fn an_oversized_announcement_ends_the_session() {
    let mut pair = Pair::up(config());
    pair.client.handle_input(pair.now, &mut BytesMut::from(&[0xFF; 8][..]));
    assert!(matches!(pair.events()[..], [Event::Down(Loss::Stream(_))]));
}

#[test]
fn ccx_learns_from_open_conf_whether_it_is_on_line() {
    let mut pair = Pair::new(Config::new(Dialect::Ccx, 18));
    let open = pair.said().remove(0);
    pair.hears(open_conf(&open, u32::MAX).with(field::PERIPHERAL_ONLINE, true));
    assert!(matches!(pair.events()[..], [Event::Up { health, .. }] if health.in_service()));
}
