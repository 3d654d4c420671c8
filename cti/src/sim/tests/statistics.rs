//! Statistics of agents and queues, against a day whose times are known.

use super::pair::{Pair, config};
use crate::enums::{agent_state, status_code, supervisory_action};
use crate::sim::{CampaignConfig, Contact, DialMode, InboundCall, OutboundCall, WrapUp};
use crate::{Field, Message, field, kind, tag};

fn of_agent(pair: &mut Pair, agent: &str) -> Message {
    pair.take();
    pair.request(Message::new(kind::QUERY_AGENT_STATISTICS_REQ).with_agent_id(pair.codec.dialect(), agent));
    pair.take().remove(0)
}

fn of_queue(pair: &mut Pair, number: u32) -> Message {
    pair.take();
    pair.request(
        Message::new(kind::QUERY_SKILL_GROUP_STATISTICS_REQ).with(field::SKILL_GROUP_NUMBER, number),
    );
    pair.take().remove(0)
}

fn check(m: &Message, expected: &[(Field, u32)]) {
    for (field, value) in expected {
        assert_eq!(m.raw(*field), Some(*value), "{field:?}");
    }
}

/// Signed in for ten seconds, ready for twenty, rings for five, talks thirty, holds fifteen, talks ten, works eight.
fn a_call(pair: &mut Pair) {
    pair.login("1001");
    pair.seconds(10);
    pair.set_state("1001", agent_state::AVAILABLE, 0);
    pair.seconds(20);
    let call = pair.customer(&InboundCall::to_queue("5551234567", 1));
    pair.seconds(5);
    pair.on_call(kind::ANSWER_CALL_REQ, call, "2001");
    pair.seconds(30);
    pair.on_call(kind::HOLD_CALL_REQ, call, "2001");
    pair.seconds(15);
    pair.on_call(kind::RETRIEVE_CALL_REQ, call, "2001");
    pair.seconds(10);
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2001");
    pair.seconds(8);
    pair.set_state("1001", agent_state::NOT_READY, 0);
}

fn patient() -> crate::sim::Config {
    let mut config = config();
    config.callers.talk = None;
    config.desk.wrap_up_incoming = WrapUp::Required;
    config
}

#[test]
fn an_agents_day_is_counted() {
    let mut pair = Pair::open(patient(), 20);
    a_call(&mut pair);
    pair.seconds(2);
    let answer = of_agent(&mut pair, "1001");
    assert_eq!(answer.tag_text(tag::AGENT_EXTENSION), Some("2001"));
    check(
        &answer,
        &[
            (field::LOGGED_ON_TIME_SESSION, 100),
            (field::AVAIL_TIME_SESSION, 20),
            (field::NOT_READY_TIME_SESSION, 12),
            (field::ROUTABLE_TIME_SESSION, 88),
            (field::HANDLED_CALLS_SESSION, 1),
            (field::HANDLED_CALLS_TALK_TIME_SESSION, 40),
            (field::HANDLED_CALLS_AFTER_CALL_TIME_SESSION, 8),
            (field::HANDLED_CALLS_TIME_SESSION, 63),
            (field::INCOMING_CALLS_HELD_SESSION, 1),
            (field::INCOMING_CALLS_HELD_TIME_SESSION, 15),
            (field::AGENT_OUT_CALLS_SESSION, 0),
            (field::HANDLED_CALLS_TODAY, 1),
            (field::LOGGED_ON_TIME_TODAY, 100),
        ],
    );
}

#[test]
fn a_session_begins_with_the_sign_in_and_the_day_goes_on() {
    let mut pair = Pair::open(patient(), 20);
    a_call(&mut pair);
    pair.set_state("1001", agent_state::LOGOUT, 0);
    pair.seconds(100);
    pair.login("1001");
    pair.seconds(7);
    let answer = of_agent(&mut pair, "1001");
    check(
        &answer,
        &[
            (field::LOGGED_ON_TIME_SESSION, 7),
            (field::HANDLED_CALLS_SESSION, 0),
            (field::LOGGED_ON_TIME_TODAY, 105),
            (field::HANDLED_CALLS_TODAY, 1),
        ],
    );
}

#[test]
fn what_runs_at_this_moment_counts_until_now() {
    let mut pair = Pair::open(patient(), 20);
    pair.ready(&["1001"]);
    pair.answered("2001");
    pair.seconds(42);
    let answer = of_agent(&mut pair, "1001");
    check(&answer, &[(field::HANDLED_CALLS_TALK_TIME_SESSION, 42), (field::HANDLED_CALLS_SESSION, 0)]);
}

#[test]
fn calls_are_told_apart() {
    let mut config = patient();
    config.outside.answer = crate::sim::Span::seconds(2, 2);
    config.campaigns = vec![CampaignConfig {
        contacts: vec![Contact::new("5550199001")],
        ..CampaignConfig::new("Renewals", DialMode::Predictive, 1)
    }];
    let mut pair = Pair::open(config, 20);
    pair.ready(&["1001", "1002"]);
    let out = pair.dial("2001", "5559876543");
    pair.seconds(12);
    pair.on_call(kind::CLEAR_CONNECTION_REQ, out, "2001");
    let inside = pair.dial("2001", "2002");
    pair.on_call(kind::ANSWER_CALL_REQ, inside, "2002");
    pair.seconds(20);
    pair.on_call(kind::CLEAR_CONNECTION_REQ, inside, "2001");
    pair.seconds(5);
    pair.set_state("1002", agent_state::AVAILABLE, 0);
    pair.exchange.world.outbound(pair.now, &OutboundCall::of("Renewals")).expect("a reservation");
    pair.exchange.settle(pair.now);
    pair.seconds(32);
    let answer = of_agent(&mut pair, "1001");
    check(
        &answer,
        &[
            (field::AGENT_OUT_CALLS_TODAY, 1),
            (field::AGENT_OUT_CALLS_TALK_TIME_TODAY, 10),
            (field::INTERNAL_CALLS_TODAY, 1),
            (field::INTERNAL_CALLS_TIME_TODAY, 20),
            (field::INTERNAL_CALLS_RCVD_TODAY, 0),
            (field::HANDLED_CALLS_TODAY, 0),
        ],
    );
    let answer = of_agent(&mut pair, "1002");
    check(
        &answer,
        &[
            (field::INTERNAL_CALLS_RCVD_TODAY, 1),
            (field::INTERNAL_CALLS_RCVD_TIME_TODAY, 20),
            (field::RESERVATION_CALLS_TODAY, 1),
            (field::AUTO_OUT_CALLS_TODAY, 0),
            (field::AUTO_OUT_CALLS_TALK_TIME_TODAY, 30),
        ],
    );
    check(&of_queue(&mut pair, 1), &[(field::AGENTS_TALKING_AUTO_OUT, 1), (field::AGENTS_TALKING_IN, 0)]);
}

#[test]
fn a_transferred_call_counts_for_both_agents() {
    let mut pair = Pair::open(patient(), 20);
    pair.ready(&["1001", "1002"]);
    pair.set_state("1002", agent_state::NOT_READY, 1);
    let call = pair.answered("2001");
    pair.seconds(10);
    let consult = pair.consult(call, "2001", "2002");
    pair.on_call(kind::ANSWER_CALL_REQ, consult, "2002");
    pair.seconds(5);
    pair.on_calls(kind::TRANSFER_CALL_REQ, consult, call, "2001");
    pair.seconds(20);
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2002");
    let first = of_agent(&mut pair, "1001");
    check(
        &first,
        &[
            (field::HANDLED_CALLS_TODAY, 1),
            (field::HANDLED_CALLS_TALK_TIME_TODAY, 10),
            (field::INCOMING_CALLS_HELD_TIME_TODAY, 5),
            (field::INTERNAL_CALLS_TODAY, 1),
        ],
    );
    let second = of_agent(&mut pair, "1002");
    check(
        &second,
        &[
            (field::HANDLED_CALLS_TODAY, 1),
            (field::HANDLED_CALLS_TALK_TIME_TODAY, 20),
            (field::INTERNAL_CALLS_RCVD_TIME_TODAY, 5),
        ],
    );
}

#[test]
fn a_queues_windows_move_on() {
    let mut pair = Pair::open(patient(), 20);
    a_call(&mut pair);
    pair.customer(&InboundCall::to_queue("5550001111", 1));
    pair.seconds(30);
    let waiting = of_queue(&mut pair, 1);
    check(
        &waiting,
        &[
            (field::HANDLED_CALLS_TODAY, 1),
            (field::HANDLED_CALLS_TO_HALF, 1),
            (field::HANDLED_CALLS_TO5, 1),
            (field::CALLS_Q_TODAY, 1),
            (field::CALLS_Q_TIME_TODAY, 30),
            (field::AVAIL_TIME_TODAY, 20),
            (field::AGENTS_LOGGED_ON, 1),
        ],
    );
    check(&of_queue(&mut pair, 2), &[(field::HANDLED_CALLS_TODAY, 0), (field::AVAIL_TIME_TODAY, 20)]);
    pair.set_state("1001", agent_state::AVAILABLE, 0);
    pair.seconds(600);
    let later = of_queue(&mut pair, 1);
    check(
        &later,
        &[
            (field::HANDLED_CALLS_TO5, 0),
            (field::HANDLED_CALLS_TO_HALF, 1),
            (field::LONGEST_CALL_Q_TODAY, 30),
        ],
    );
    pair.seconds(1800);
    check(&of_queue(&mut pair, 1), &[(field::HANDLED_CALLS_TO_HALF, 0), (field::HANDLED_CALLS_TODAY, 1)]);
    pair.seconds(86_400);
    check(&of_queue(&mut pair, 1), &[(field::HANDLED_CALLS_TODAY, 0)]);
}

#[test]
fn supervision_is_counted() {
    let mut pair = Pair::open(patient(), 20);
    pair.login("1001");
    pair.ready(&["1002"]);
    pair.answered("2002");
    for action in [supervisory_action::MONITOR, supervisory_action::BARGE_IN] {
        pair.request(
            Message::new(kind::SUPERVISE_CALL_REQ)
                .with(field::SUPERVISORY_ACTION, action)
                .with_tag(tag::SUPERVISOR_INSTRUMENT, "2001")
                .with_tag(tag::AGENT_INSTRUMENT, "2002"),
        );
    }
    let answer = of_agent(&mut pair, "1001");
    check(&answer, &[(field::MONITOR_CALLS_TODAY, 1), (field::BARGE_IN_CALLS_TODAY, 1)]);
}

#[test]
fn who_is_unknown_has_no_statistics() {
    let mut pair = Pair::open(config(), 20);
    let answer = of_agent(&mut pair, "9999");
    assert_eq!(answer.raw(field::STATUS), Some(status_code::INVALID_AGENT_DATA));
}
