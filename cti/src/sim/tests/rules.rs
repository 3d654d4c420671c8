//! Refusals by rule, delays, silence and closed connections.

use super::pair::{Pair, config};
use crate::enums::{control_failure_code as cf, status_code};
use crate::sim::exchange::Next;
use crate::sim::{Reaction, Rule};
use crate::{Message, field, kind};

fn ruled(rules: &[&str]) -> Pair {
    let mut pair = Pair::open(config(), 20);
    for rule in rules {
        let rule = serde_json::from_str(rule).expect("a rule");
        pair.exchange.rules.add(rule).expect("a good rule");
    }
    pair
}

#[test]
fn the_next_requests_of_a_kind_are_refused() {
    let mut pair =
        ruled(&[r#"{"request":"HOLD_CALL","times":2,"code":"RESOURCE_OUT_OF_SERVICE","peripheral":12005}"#]);
    pair.ready(&["1001"]);
    let call = pair.answered("2001");
    for _ in 0..2 {
        pair.on_call(kind::HOLD_CALL_REQ, call, "2001");
        let messages = pair.take();
        assert_eq!(messages.len(), 1, "nothing happens to the call");
        assert_eq!(messages[0].raw(field::FAILURE_CODE), Some(cf::RESOURCE_OUT_OF_SERVICE));
        assert_eq!(messages[0].raw(field::PERIPHERAL_ERROR_CODE), Some(12005));
    }
    pair.on_call(kind::HOLD_CALL_REQ, call, "2001");
    assert_eq!(pair.refusal(), None);
    assert_eq!(pair.exchange.rules.list(), [], "the rule has done its work");
}

#[test]
fn a_rule_is_for_an_agent_or_a_phone() {
    let mut pair = ruled(&[
        r#"{"agent":"1001","request":"SET_AGENT_STATE_REQ","code":41}"#,
        r#"{"extension":"2002","code":42}"#,
    ]);
    pair.login("1001");
    assert_eq!(pair.refusal(), Some(41));
    pair.login("1002");
    assert_eq!(pair.refusal(), Some(42));
    pair.login("1003");
    assert_eq!(pair.refusal(), None);
}

#[test]
fn a_rule_finds_the_agent_at_a_phone() {
    let mut pair = ruled(&[]);
    pair.ready(&["1001", "1002"]);
    pair.exchange
        .rules
        .add(serde_json::from_str(r#"{"agent":"1001","code":9}"#).expect("a rule"))
        .expect("good");
    pair.request(
        Message::new(kind::MAKE_CALL_REQ)
            .with_tag(crate::tag::AGENT_INSTRUMENT, "2001")
            .with_tag(crate::tag::DIALED_NUMBER, "2002"),
    );
    assert_eq!(pair.refusal(), Some(9));
    pair.dial("2002", "2003");
}

#[test]
fn queries_are_refused_with_a_status() {
    let mut pair = ruled(&[r#"{"request":"QUERY_AGENT_STATE","code":"E_CTI_TIMEOUT"}"#]);
    pair.request(Message::new(kind::QUERY_AGENT_STATE_REQ).with_tag(crate::tag::AGENT_ID, "1001"));
    let messages = pair.take();
    assert_eq!(messages[0].kind, kind::FAILURE_CONF);
    assert_eq!(messages[0].raw(field::STATUS), Some(status_code::TIMEOUT));
}

#[test]
fn an_answer_can_come_late_or_never() {
    let mut pair = ruled(&[
        r#"{"agent":"1001","times":1,"then":"ignore"}"#,
        r#"{"agent":"1002","times":1,"then":"refuse","code":22,"delay_ms":3000}"#,
        r#"{"agent":"1003","times":1,"then":"obey","delay_ms":1000}"#,
    ]);
    for agent in ["1001", "1002", "1003"] {
        pair.login(agent);
    }
    assert!(pair.take().is_empty());
    pair.seconds(1);
    assert_eq!(pair.story(), ["SET_AGENT_STATE_CONF", "1003 LOGIN", "1003 NOT_READY"]);
    pair.seconds(2);
    assert_eq!(pair.story(), ["REFUSED 22"]);
    pair.seconds(60);
    assert!(pair.take().is_empty());
    assert_eq!(pair.state_of("1001"), "LOGOUT");
}

#[test]
fn the_connection_can_end_instead_of_an_answer() {
    let mut pair = ruled(&[r#"{"request":"SET_AGENT_STATE","then":"close"}"#]);
    pair.login("1001");
    assert_eq!(pair.collect(), Next::Close);
    assert_eq!(pair.state_of("1001"), "LOGOUT");
}

#[test]
fn sessions_and_heartbeats_are_ruled_only_by_name() {
    let mut pair = Pair::connect(config(), 20);
    pair.exchange.rules.add(Rule { code: 1, ..Rule::default() }).expect("good");
    pair.exchange.rules.add(Rule::refuse("OPEN_REQ", status_code::CTI_SERVER_OFFLINE)).expect("good");
    let ignored = Rule { then: Reaction::Ignore, ..Rule::refuse("HEARTBEAT", 0) };
    pair.exchange.rules.add(ignored).expect("good");
    let open = pair.open_req();
    pair.send(open);
    assert_eq!(pair.take()[0].raw(field::STATUS), Some(status_code::CTI_SERVER_OFFLINE));
    pair.send(Message::new(kind::HEARTBEAT_REQ));
    assert!(pair.take().is_empty());
}

#[test]
fn bad_rules_are_named() {
    let error = serde_json::from_str::<Rule>(r#"{"code":"NO_SUCH"}"#).expect_err("no such code");
    assert!(error.to_string().starts_with("no failure code is called \"NO_SUCH\""), "{error}");
    assert_eq!(Rule::refuse("DANCE", 1).check(), Err("no request is called \"DANCE\"".into()));
    assert!(Rule::refuse("HOLD_CALL_CONF", 1).check().is_err());
    let mut pair = ruled(&[]);
    for _ in 0..1000 {
        pair.exchange.rules.add(Rule::default()).expect("room");
    }
    assert!(pair.exchange.rules.add(Rule::default()).is_err());
    pair.exchange.rules.clear();
    pair.login("1001");
    assert_eq!(pair.exchange.world.snapshot().agents[0].state, "NOT_READY");
}
