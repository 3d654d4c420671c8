//! What can be done to the two servers of the pair.

use super::pair::{Pair, config};
use crate::sim::{InboundCall, Side};
use crate::{Message, field, kind};

#[test]
fn a_frozen_side_reads_and_writes_nothing_until_it_goes_on() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    pair.exchange.freeze(pair.now, Side::A, true);
    pair.customer(&InboundCall::to_queue("5551234567", 1));
    pair.set_state("1001", crate::enums::agent_state::NOT_READY, 1);
    pair.send(Message::new(kind::HEARTBEAT_REQ));
    pair.seconds(5);
    assert!(pair.take().is_empty());
    assert_eq!(pair.exchange.pending().count(), 0);
    assert_eq!(pair.exchange.world.snapshot().agents[0].pending, None, "the request was not read");
    pair.exchange.freeze(pair.now, Side::A, false);
    let told = pair.take_kinds();
    let last: Vec<_> = told.iter().rev().take(3).rev().collect();
    assert_eq!(last, [&kind::SET_AGENT_STATE_CONF, &kind::AGENT_STATE_EVENT, &kind::HEARTBEAT_CONF]);
    assert!(told.contains(&kind::CALL_DELIVERED_EVENT), "what happened meanwhile follows: {told:?}");
}

#[test]
fn a_frozen_side_does_not_count_the_silence_of_its_clients() {
    let mut pair = Pair::connect(config(), 20);
    let open = pair.open_req().with(field::IDLE_TIMEOUT, 20u32);
    pair.send(open);
    pair.exchange.freeze(pair.now, Side::A, true);
    pair.seconds(100);
    assert_eq!(pair.exchange.open_sessions(), [1, 0]);
    pair.exchange.drop_link(Side::A);
    assert_eq!(pair.exchange.pending().count(), 1, "a frozen side can be cut");
}
