//! The dialer: reservations, what agents answer to them, and the customers' calls.

use super::pair::{Pair, config};
use crate::enums::{agent_state, call_direction, call_type, control_failure_code as cf};
use crate::sim::{Answer, CampaignConfig, Config, Contact, DialMode, OutboundCall, OutboundError, Span};
use crate::{Dialect, Kind, Message, Value, field, kind, tag};

/// A centre with one campaign of two customers.
fn centre(mode: DialMode, dialect: Dialect) -> Config {
    let named = |number: &str, name: &str| Contact {
        account: Some("AC111".into()),
        name: Some(name.into()),
        time_zone: -60,
        ..Contact::new(number)
    };
    let mut config = config();
    config.dialect = dialect;
    config.desk.wrap_up_outgoing = crate::sim::WrapUp::NotAllowed;
    config.outside.answer = Span::seconds(2, 2);
    config.campaigns = vec![CampaignConfig {
        contacts: vec![named("5550199001", "Doe,John"), named("5550199002", "Roe,Jane")],
        ..CampaignConfig::new("Renewals", mode, 1)
    }];
    config
}

fn reserved(mode: DialMode, dialect: Dialect) -> (Pair, u32) {
    let mut pair = Pair::open(centre(mode, dialect), if dialect == Dialect::Cce { 20 } else { 18 });
    pair.ready(&["1001"]);
    let call = reserve(&mut pair, &OutboundCall::of("Renewals")).expect("a reservation");
    (pair, call)
}

fn reserve(pair: &mut Pair, ask: &OutboundCall) -> Result<u32, OutboundError> {
    let call = pair.exchange.world.outbound(pair.now, ask)?;
    pair.exchange.settle(pair.now);
    Ok(call.0)
}

fn respond(pair: &mut Pair, call: u32, response: &str) {
    pair.request(
        Message::new(kind::SET_CALL_DATA_REQ)
            .with(field::CONNECTION_CALL_ID, call)
            .with_tag(tag::CONNECTION_DEVICE_ID, "2001")
            .with_tag(tag::NAMED_VARIABLE, Value::named("BAResponse", response)),
    );
}

fn first(messages: &[Message], kind: Kind) -> &Message {
    messages.iter().find(|m| m.kind == kind).expect("such a message")
}

fn variable<'a>(m: &'a Message, name: &str) -> Option<&'a str> {
    m.named_variables().find(|(n, _)| *n == name).map(|(_, value)| value)
}

fn results(pair: &Pair) -> Vec<&'static str> {
    pair.exchange.world.snapshot().contacts.iter().map(|c| c.result).collect()
}

#[test]
fn a_preview_shows_the_record_to_a_reserved_agent() {
    let (mut pair, call) = reserved(DialMode::Preview, Dialect::Cce);
    let messages = pair.take();
    let begin = first(&messages, kind::BEGIN_CALL_EVENT);
    assert_eq!(begin.raw(field::CALL_TYPE), Some(call_type::RESERVATION_PREVIEW));
    for (name, value) in [
        ("BACampaign", "Renewals"),
        ("BAStatus", "PB"),
        ("BAResponse", ""),
        ("BAAccountNumber", "AC111"),
        ("BABuddyName", "Doe,John"),
        ("BATimeZone", "-00060"),
        ("BADialedListID", "1"),
    ] {
        assert_eq!(variable(begin, name), Some(value), "{name}");
    }
    assert_eq!(variable(begin, "BACustomerNumber"), None, "CCX only");
    let state = first(&messages, kind::AGENT_STATE_EVENT);
    assert_eq!(state.raw(field::AGENT_STATE), Some(agent_state::RESERVED));
    assert_eq!(state.tag_uint(tag::DIRECTION), Some(call_direction::OUTBOUND_PREVIEW));
    let update = first(&messages, kind::CALL_DATA_UPDATE_EVENT);
    assert_eq!(update.tag_text(tag::CUSTOMER_PHONE_NUMBER), Some("5550199001"));
    assert_eq!(
        (update.raw(field::CAMPAIGN_ID), update.uint(field::CONNECTION_CALL_ID)),
        (Some(1), Some(call))
    );
    let ring = first(&messages, kind::CALL_DELIVERED_EVENT);
    assert_eq!(ring.tag_text(tag::CALLING_DEVICE_ID), Some("8001"));
    assert_eq!(ring.tag_text(tag::CALLED_DEVICE_ID), Some("2001"));
}

#[test]
fn an_accepted_preview_brings_the_customer_to_the_agent() {
    let (mut pair, call) = reserved(DialMode::Preview, Dialect::Cce);
    pair.take();
    respond(&mut pair, call, "Accept");
    assert_eq!(pair.story(), ["SET_DATA_CONF", "DATA_UPDATE"]);
    respond(&mut pair, call, "Reject");
    assert_eq!(pair.refusal(), Some(cf::INVALID_OBJECT_STATE), "it is accepted already");
    pair.seconds(2);
    let messages = pair.take();
    let begin = first(&messages, kind::BEGIN_CALL_EVENT);
    assert_eq!(begin.raw(field::CALL_TYPE), Some(call_type::CUSTOMER_PREVIEW));
    assert_eq!(variable(begin, "BAStatus"), Some("CB"));
    let state = first(&messages, kind::AGENT_STATE_EVENT);
    assert_eq!(state.raw(field::AGENT_STATE), Some(agent_state::TALKING), "not AVAILABLE in between");
    assert_eq!(state.tag_uint(tag::DIRECTION), Some(call_direction::OUTBOUND_PREVIEW));
    let order = [
        kind::CALL_CONNECTION_CLEARED_EVENT,
        kind::CALL_CLEARED_EVENT,
        kind::END_CALL_EVENT,
        kind::BEGIN_CALL_EVENT,
        kind::CALL_DATA_UPDATE_EVENT,
        kind::CALL_DELIVERED_EVENT,
        kind::CALL_ESTABLISHED_EVENT,
        kind::RTP_STARTED_EVENT,
        kind::RTP_STARTED_EVENT,
        kind::AGENT_STATE_EVENT,
    ];
    assert_eq!(messages.iter().map(|m| m.kind).collect::<Vec<_>>(), order);
    assert_eq!(results(&pair), ["CONNECTED"]);
    pair.seconds(60);
    assert_eq!(pair.state_of("1001"), "AVAILABLE");
}

#[test]
fn who_rejects_is_free_and_the_record_comes_again_unless_it_is_closed() {
    let (mut pair, call) = reserved(DialMode::Preview, Dialect::Cce);
    pair.take();
    respond(&mut pair, call, "Reject");
    let told = [
        "SET_DATA_CONF",
        "DATA_UPDATE",
        "CONNECTION_CLEARED 2001 NULL",
        "CLEARED 8001 NULL",
        "END_CALL",
        "1001 AVAILABLE",
    ];
    assert_eq!(pair.story(), told);
    let second = reserve(&mut pair, &OutboundCall::of("Renewals")).expect("the second record");
    respond(&mut pair, second, "Reject-Close");
    let third = reserve(&mut pair, &OutboundCall::of("Renewals")).expect("the first record again");
    respond(&mut pair, third, "Reject-Close");
    let customers: Vec<String> =
        pair.exchange.world.snapshot().contacts.into_iter().map(|c| c.customer).collect();
    assert_eq!(customers, ["5550199001", "5550199002", "5550199001"]);
    assert_eq!(results(&pair), ["REJECTED", "CLOSED", "CLOSED"]);
    let end = reserve(&mut pair, &OutboundCall::of("Renewals"));
    assert_eq!(end, Err(OutboundError::ListAtEnd("Renewals".into())));
}

#[test]
fn who_skips_gets_the_next_record_at_once() {
    let (mut pair, call) = reserved(DialMode::Preview, Dialect::Cce);
    respond(&mut pair, call, "Skip-Close");
    assert_eq!(pair.state_of("1001"), "RESERVED");
    let next = *pair.exchange.world.calls.keys().next().expect("another reservation");
    assert!(next.0 > call);
    respond(&mut pair, next.0, "Skip-Close");
    assert_eq!(pair.state_of("1001"), "AVAILABLE");
}

#[test]
fn a_reservation_is_no_call_to_be_handled() {
    let (mut pair, call) = reserved(DialMode::Preview, Dialect::Cce);
    pair.take();
    for request in [kind::ANSWER_CALL_REQ, kind::CLEAR_CONNECTION_REQ, kind::CLEAR_CALL_REQ] {
        pair.on_call(request, call, "2001");
        assert_eq!(pair.refusal(), Some(cf::INVALID_OBJECT_STATE), "{request:?}");
    }
    respond(&mut pair, call, "Perhaps");
    assert_eq!(pair.refusal(), Some(cf::VALUE_OUT_OF_RANGE));
    respond(&mut pair, call, "REX_FAX");
    assert_eq!(pair.refusal(), Some(cf::INVALID_OBJECT_STATE));
    assert_eq!(pair.state_of("1001"), "RESERVED");
}

#[test]
fn who_does_not_respond_is_not_ready() {
    for (dialect, mode, reason) in [
        (Dialect::Cce, DialMode::Preview, 32767),
        (Dialect::Ccx, DialMode::DirectPreview, 32746),
        (Dialect::Ccx, DialMode::Preview, 32747),
    ] {
        let (mut pair, _) = reserved(mode, dialect);
        pair.seconds(60);
        let agent = &pair.exchange.world.snapshot().agents[0];
        assert_eq!((agent.state, agent.reason), ("NOT_READY", reason));
        assert_eq!(results(&pair), ["EXPIRED"]);
        assert!(pair.exchange.world.calls.is_empty());
    }
}

#[test]
fn a_wish_during_a_preview_waits_for_its_end() {
    let (mut pair, call) = reserved(DialMode::Preview, Dialect::Cce);
    pair.take();
    pair.set_state("1001", agent_state::NOT_READY, 7);
    assert_eq!(pair.story(), ["SET_AGENT_STATE_CONF", "1001 RESERVED then NOT_READY"]);
    respond(&mut pair, call, "Reject");
    let agent = &pair.exchange.world.snapshot().agents[0];
    assert_eq!((agent.state, agent.reason), ("NOT_READY", 7));
}

#[test]
fn a_direct_preview_is_dialled_from_the_agents_phone() {
    for (dialect, reservation, customer, status) in [
        (Dialect::Cce, call_type::RESERVATION_PREVIEW_DIRECT, call_type::CUSTOMER_PREVIEW_DIRECT, "DB"),
        (Dialect::Ccx, call_type::RESERVATION, call_type::PREVIEW, "DO"),
    ] {
        let (mut pair, call) = reserved(DialMode::DirectPreview, dialect);
        let messages = pair.take();
        let begin = first(&messages, kind::BEGIN_CALL_EVENT);
        assert_eq!(begin.raw(field::CALL_TYPE), Some(reservation));
        assert_eq!(variable(begin, "BAStatus"), Some(status));
        assert_eq!(variable(begin, "BACustomerNumber").is_some(), dialect == Dialect::Ccx);
        respond(&mut pair, call, "Accept");
        let messages = pair.take();
        let begin = first(&messages, kind::BEGIN_CALL_EVENT);
        assert_eq!(begin.raw(field::CALL_TYPE), Some(customer));
        let out = first(&messages, kind::CALL_ORIGINATED_EVENT);
        assert_eq!(out.tag_text(tag::CALLED_DEVICE_ID), Some("5550199001"));
        assert_eq!(pair.state_of("1001"), "RESERVED", "until the customer answers");
        pair.seconds(2);
        assert_eq!(pair.state_of("1001"), "TALKING");
        assert_eq!(results(&pair), ["CONNECTED"]);
        pair.seconds(60);
        assert!(pair.exchange.world.calls.is_empty(), "the customer hangs up");
    }
}

#[test]
fn a_customer_who_is_busy_leaves_the_agent_of_a_direct_preview_with_the_tone() {
    let mut pair = Pair::open(centre(DialMode::DirectPreview, Dialect::Cce), 20);
    pair.ready(&["1001"]);
    let ask = OutboundCall { answer: Some(Answer::Busy), ..OutboundCall::of("Renewals") };
    let call = reserve(&mut pair, &ask).expect("a reservation");
    respond(&mut pair, call, "Accept");
    let messages = pair.take();
    let failed = first(&messages, kind::CALL_FAILED_EVENT);
    let call = failed.uint(field::CONNECTION_CALL_ID).expect("a call");
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2001");
    assert_eq!(pair.state_of("1001"), "AVAILABLE");
}

#[test]
fn direct_previews_can_be_reclassified_and_customers_called_back() {
    let (mut pair, call) = reserved(DialMode::DirectPreview, Dialect::Cce);
    respond(&mut pair, call, "Accept");
    pair.seconds(2);
    let call = pair.exchange.world.calls.keys().next().expect("the customer's call").0;
    pair.take();
    for response in ["REX_ANS_MACHINE", "Callback 02062027 11:30", "P#5550177"] {
        respond(&mut pair, call, response);
        let messages = pair.take();
        assert_eq!(variable(first(&messages, kind::CALL_DATA_UPDATE_EVENT), "BAResponse"), Some(response));
    }
    let contact = pair.exchange.world.snapshot().contacts.remove(0);
    assert_eq!(contact.classification, Some("ANS_MACHINE"));
    assert_eq!(contact.callback.as_deref(), Some("02062027 11:30"));
    assert_eq!(contact.callback_number.as_deref(), Some("5550177"));
    respond(&mut pair, call, "Callback Cancel");
    assert_eq!(pair.exchange.world.snapshot().contacts[0].callback, None);
    respond(&mut pair, call, "Accept");
    assert_eq!(pair.refusal(), Some(cf::INVALID_OBJECT_STATE));
}

#[test]
fn a_predictive_campaign_dials_until_somebody_is_there() {
    let mut config = centre(DialMode::Predictive, Dialect::Cce);
    config.campaigns[0].contacts[0].answer = Answer::NoAnswer;
    let mut pair = Pair::open(config, 20);
    pair.ready(&["1001"]);
    reserve(&mut pair, &OutboundCall::of("Renewals")).expect("a reservation");
    let messages = pair.take();
    let begin = first(&messages, kind::BEGIN_CALL_EVENT);
    assert_eq!(begin.raw(field::CALL_TYPE), Some(call_type::RESERVATION_PREDICTIVE));
    assert_eq!(variable(begin, "BAStatus"), Some("RB"));
    let state = first(&messages, kind::AGENT_STATE_EVENT);
    assert_eq!(state.tag_uint(tag::DIRECTION), Some(call_direction::OUTBOUND_RESERVE));
    pair.seconds(2);
    let messages = pair.take();
    assert_eq!(variable(first(&messages, kind::CALL_DATA_UPDATE_EVENT), "BABuddyName"), Some("Roe,Jane"));
    assert_eq!(messages.len(), 1);
    pair.seconds(2);
    let messages = pair.take();
    let begin = first(&messages, kind::BEGIN_CALL_EVENT);
    assert_eq!(begin.raw(field::CALL_TYPE), Some(call_type::CUSTOMER_PREDICTIVE));
    let state = first(&messages, kind::AGENT_STATE_EVENT);
    assert_eq!(state.tag_uint(tag::DIRECTION), Some(call_direction::OUTBOUND_PREDICTIVE));
    assert_eq!(results(&pair), ["NO_ANSWER", "CONNECTED"]);
}

#[test]
fn an_agent_can_leave_a_predictive_reservation_in_cce_but_not_in_ccx() {
    let (mut pair, _) = reserved(DialMode::Progressive, Dialect::Cce);
    pair.take();
    pair.set_state("1001", agent_state::NOT_READY, 3);
    assert_eq!(pair.state_of("1001"), "NOT_READY");
    assert!(pair.exchange.world.calls.is_empty());
    assert_eq!(results(&pair), ["ABANDONED"]);
    let (mut pair, _) = reserved(DialMode::Progressive, Dialect::Ccx);
    pair.take();
    pair.set_state("1001", agent_state::NOT_READY, 3);
    assert_eq!(pair.refusal(), Some(cf::GENERIC_OPERATION));
    assert_eq!(pair.state_of("1001"), "RESERVED");
}

#[test]
fn a_campaign_with_a_rate_calls_by_itself() {
    let mut config = centre(DialMode::Progressive, Dialect::Cce);
    config.campaigns[0].per_minute = 60.0;
    let mut pair = Pair::open(config, 20);
    pair.ready(&["1001", "1002"]);
    pair.seconds(600);
    assert_eq!(results(&pair), ["CONNECTED", "CONNECTED"]);
}

#[test]
fn who_is_not_ready_is_not_reserved() {
    let mut pair = Pair::open(centre(DialMode::Preview, Dialect::Cce), 20);
    pair.login("1001");
    let nobody = Err(OutboundError::NobodyReady("Renewals".into()));
    assert_eq!(reserve(&mut pair, &OutboundCall::of("Renewals")), nobody);
    let by_name = OutboundCall { agent: Some("1001".into()), ..OutboundCall::of("Renewals") };
    assert_eq!(reserve(&mut pair, &by_name), nobody);
    let unknown = OutboundCall { agent: Some("9".into()), ..OutboundCall::of("Renewals") };
    assert_eq!(reserve(&mut pair, &unknown), Err(OutboundError::UnknownAgent("9".into())));
    pair.set_state("1001", agent_state::AVAILABLE, 0);
    let phone = OutboundCall { customer: Some("2002".into()), ..OutboundCall::of("Renewals") };
    assert_eq!(reserve(&mut pair, &phone), Err(OutboundError::BadNumber("2002".into())));
}

#[test]
fn ccx_marks_a_transferred_customer() {
    let (mut pair, _) = reserved(DialMode::Predictive, Dialect::Ccx);
    pair.ready(&["1002"]);
    pair.set_state("1002", agent_state::NOT_READY, 1);
    pair.seconds(2);
    let call = pair.exchange.world.calls.keys().next().expect("the customer's call").0;
    let consult = pair.consult(call, "2001", "2002");
    pair.on_call(kind::ANSWER_CALL_REQ, consult, "2002");
    pair.take();
    pair.on_calls(kind::TRANSFER_CALL_REQ, consult, call, "2001");
    let messages = pair.take();
    assert_eq!(variable(first(&messages, kind::CALL_DATA_UPDATE_EVENT), "BAStatus"), Some("ZO"));
}
