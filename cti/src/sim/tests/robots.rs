//! Agents who act by themselves, and how much a busy hour is.

use std::collections::BTreeMap;

use super::pair::{Pair, config};
use crate::kind;
use crate::sim::{Config, Robots, Span};

#[test]
fn robots_sign_in_answer_work_and_are_ready_again() {
    let mut config = config();
    let second = Span::seconds(1, 1);
    config.robots =
        vec![Robots { sign_in: second, ready: second, answer: second, work: second, ..Robots::default() }];
    config.desk.wrap_up_incoming = crate::sim::WrapUp::Required;
    let mut pair = Pair::open(config, 20);
    pair.seconds(3);
    assert_eq!(pair.state_of("1004"), "AVAILABLE");
    pair.customer(&crate::sim::InboundCall::to_queue("5551234567", 1));
    assert_eq!(pair.state_of("1001"), "RESERVED");
    pair.seconds(1);
    assert_eq!(pair.state_of("1001"), "TALKING");
    pair.seconds(60);
    assert_eq!(pair.state_of("1001"), "WORK_READY");
    pair.seconds(1);
    assert_eq!(pair.state_of("1001"), "AVAILABLE");
    assert!(pair.exchange.world.calls.is_empty());
}

#[test]
fn only_those_who_are_named_are_robots() {
    let mut config = config();
    config.robots = vec![Robots { agents: vec!["1002".into()], ..Robots::default() }];
    let mut pair = Pair::open(config, 20);
    pair.seconds(60);
    let states: Vec<_> = pair.exchange.world.snapshot().agents.iter().map(|a| a.state).collect();
    assert_eq!(states, ["LOGOUT", "AVAILABLE", "LOGOUT", "LOGOUT"]);
}

#[test]
fn robots_hold_transfer_and_respond() {
    let mut config = config();
    config.robots = vec![Robots { holds: 0.4, transfers: 0.2, accepts: 0.5, ..Robots::default() }];
    config.callers.calls_per_minute = 3.0;
    config.campaigns[0].per_minute = 2.0;
    let mut pair = Pair::open(config, 20);
    pair.seconds(3600);
    let mut seen: BTreeMap<_, usize> = BTreeMap::new();
    for message in pair.take() {
        *seen.entry(message.kind.name().unwrap_or("?")).or_default() += 1;
    }
    for kind in [kind::CALL_HELD_EVENT, kind::CALL_RETRIEVED_EVENT, kind::CALL_TRANSFERRED_EVENT] {
        assert!(seen.get(kind.name().unwrap_or("?")).is_some_and(|n| *n > 10), "{seen:?}");
    }
    let results: Vec<_> = pair.exchange.world.snapshot().contacts.iter().map(|c| c.result).collect();
    assert!(results.contains(&"CONNECTED") && results.contains(&"REJECTED"), "{results:?}");
}

/// An hour of 200 agents with 1.7 calls a second; docs/simulator.md has ten times as many.
#[test]
fn a_busy_hour_is_a_known_amount_of_events() {
    let mut pair = Pair::connect(Config::load(200, "finesse", 30.6), 20);
    let open = pair.open_req();
    pair.send(open);
    let mut kinds = BTreeMap::<_, u32>::new();
    for _ in 0..360 {
        pair.seconds(10);
        for message in pair.take() {
            *kinds.entry(message.kind).or_default() += 1;
        }
    }
    let (calls, ended) = (kinds[&kind::BEGIN_CALL_EVENT], kinds[&kind::END_CALL_EVENT]);
    let events: u32 = kinds.values().sum();
    assert!((5800..6500).contains(&calls), "{calls} calls");
    assert!(calls - ended < 250, "{} calls are under way", calls - ended);
    assert!((15..18).contains(&(events / calls)), "{events} events for {calls} calls");
}
