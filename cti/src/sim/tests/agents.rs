//! Agents: sign-in, states, sign-out, and who may ask for what.

use super::pair::{Pair, config};
use crate::enums::{agent_state, control_failure_code as cf};
use crate::sim::{AgentChange, WrapUp};
use crate::{Dialect, Message, field, kind, tag};

#[test]
fn a_day_without_calls() {
    let mut pair = Pair::open(config(), 20);
    pair.login("1001");
    let story = pair.take();
    let kinds: Vec<_> = story.iter().map(|m| m.kind).collect();
    assert_eq!(kinds, [kind::SET_AGENT_STATE_CONF, kind::AGENT_STATE_EVENT, kind::AGENT_STATE_EVENT]);
    assert_eq!(story[1].raw(field::AGENT_STATE), Some(agent_state::LOGIN));
    assert_eq!(story[2].raw(field::AGENT_STATE), Some(agent_state::NOT_READY));
    assert_eq!(story[2].tag_text(tag::AGENT_EXTENSION), Some("2001"));
    let groups = story[2].groups(tag::SKILL_GROUP_NUMBER);
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[1].tag_uint(tag::SKILL_GROUP_NUMBER), Some(2));
    assert_eq!(groups[1].tag_uint(tag::SKILL_GROUP_STATE), Some(agent_state::NOT_READY));
    pair.set_state("1001", agent_state::AVAILABLE, 0);
    assert_eq!(pair.story(), ["SET_AGENT_STATE_CONF", "1001 AVAILABLE"]);
    pair.set_state("1001", agent_state::LOGOUT, 7);
    assert_eq!(pair.refusal(), Some(cf::INVALID_OBJECT_STATE), "only from NOT_READY");
    pair.set_state("1001", agent_state::NOT_READY, 12);
    assert_eq!(pair.story(), ["SET_AGENT_STATE_CONF", "1001 NOT_READY 12"]);
    pair.set_state("1001", agent_state::NOT_READY, 13);
    assert_eq!(pair.story(), ["SET_AGENT_STATE_CONF", "1001 NOT_READY 13"]);
    pair.set_state("1001", agent_state::LOGOUT, 7);
    assert_eq!(pair.story(), ["SET_AGENT_STATE_CONF", "1001 LOGOUT 7"]);
    pair.set_state("1001", agent_state::AVAILABLE, 0);
    assert_eq!(pair.refusal(), Some(cf::INVALID_OBJECT_STATE));
}

#[test]
fn sign_in_is_checked() {
    let mut pair = Pair::open(config(), 20);
    pair.login("1002");
    for (agent, password, phone, code) in [
        ("7777", "finesse", "2001", cf::INVALID_AGENT_ID_SPECIFIED),
        ("1001", "wrong", "2001", cf::INVALID_PASSWORD_SPECIFIED),
        ("1001", "finesse", "2999", cf::INVALID_LOGON_DEVICE_SPECIFIED),
        ("1001", "finesse", "2002", cf::SPECIFIED_EXTENSION_ALREADY_IN_USE),
        ("1002", "finesse", "2003", cf::SPECIFIED_AGENT_ALREADY_SIGNED_ON),
    ] {
        pair.take();
        let request = pair.login_req(agent, password, phone);
        pair.request(request);
        assert_eq!(pair.refusal(), Some(code), "{agent} {phone}");
    }
    let request = pair.login_req("1002", "finesse", "2002");
    pair.request(request);
    assert_eq!(pair.story(), ["SET_AGENT_STATE_CONF", "1002 NOT_READY"], "already there");
    let request = pair.login_req("1001", "finesse", "2001").with(field::AGENT_WORK_MODE, 9u32);
    pair.request(request);
    assert_eq!(pair.refusal(), Some(cf::INVALID_AGENT_WORKMODE));
}

#[test]
fn sign_in_by_single_sign_on_and_a_check_without_change() {
    let mut pair = Pair::open(config(), 20);
    let request = pair.login_req("1001", "finesse", "2001").with(field::FORCED_FLAG, 2u32);
    pair.request(request);
    assert_eq!(pair.story(), ["SET_AGENT_STATE_CONF"]);
    let request = Message::new(kind::SET_AGENT_STATE_REQ)
        .with(field::AGENT_STATE, agent_state::LOGIN)
        .with_tag(tag::AGENT_ID, "1001")
        .with_tag(tag::AGENT_INSTRUMENT, "2001")
        .with_tag(tag::SSO_ENABLED, 1u32);
    pair.request(request);
    assert_eq!(pair.story(), ["SET_AGENT_STATE_CONF", "1001 LOGIN", "1001 NOT_READY"]);
}

#[test]
fn a_forced_sign_in_takes_the_phone() {
    let mut pair = Pair::open(config(), 20);
    pair.login("1002");
    pair.take();
    let request = pair.login_req("1001", "finesse", "2002").with(field::FORCED_FLAG, 1u32);
    pair.request(request);
    assert_eq!(pair.story(), ["SET_AGENT_STATE_CONF", "1002 LOGOUT 50030", "1001 LOGIN", "1001 NOT_READY"]);
}

#[test]
fn wishes_during_a_call_wait_for_its_end() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    let call = pair.answered("2001");
    pair.set_state("1001", agent_state::NOT_READY, 12);
    assert_eq!(pair.story(), ["SET_AGENT_STATE_CONF", "1001 TALKING then NOT_READY"]);
    pair.set_state("1001", agent_state::NOT_READY, 13);
    pair.set_state("1001", agent_state::LOGOUT, 0);
    assert_eq!(pair.refusal(), Some(cf::INVALID_OBJECT_STATE));
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2001");
    assert_eq!(pair.story()[3..], ["1001 NOT_READY 13", "END_CALL"]);
}

#[test]
fn a_supervisor_signs_an_agent_out_after_the_call() {
    let mut config = config();
    config.teams.push(crate::sim::TeamConfig { id: 2, name: "Other".into() });
    config.agents[2].team = 2;
    config.agents[3].team = 2;
    config.agents[3].supervisor = true;
    let mut pair = Pair::open(config, 20);
    pair.ready(&["1002"]);
    let call = pair.answered("2002");
    let by = |supervisor: &str| {
        Message::new(kind::SET_AGENT_STATE_REQ)
            .with(field::AGENT_STATE, agent_state::LOGOUT)
            .with(field::EVENT_REASON_CODE, 999u32)
            .with_tag(tag::AGENT_ID, "1002")
            .with_tag(tag::AGENT_INSTRUMENT, "2002")
            .with_tag(tag::SUPERVISOR_ID, supervisor)
    };
    for stranger in ["1004", "1003", "8888"] {
        pair.request(by(stranger));
        assert_eq!(pair.refusal(), Some(cf::PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE), "{stranger}");
    }
    pair.request(by("1001"));
    assert_eq!(pair.story(), ["SET_AGENT_STATE_CONF", "1002 TALKING then LOGOUT"]);
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2002");
    assert_eq!(pair.story()[3..], ["1002 LOGOUT 999", "END_CALL"]);
}

#[test]
fn work_is_a_choice_only_where_the_desk_leaves_one() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    pair.set_state("1001", agent_state::WORK_NOT_READY, 0);
    assert_eq!(pair.refusal(), Some(cf::INVALID_AGENT_WORKMODE), "not on a call");
    let call = pair.answered("2001");
    pair.set_state("1001", agent_state::WORK_NOT_READY, 0);
    assert_eq!(pair.story(), ["SET_AGENT_STATE_CONF", "1001 TALKING then WORK_NOT_READY"]);
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2001");
    assert_eq!(pair.story()[3..], ["1001 WORK_NOT_READY"]);
    pair.set_state("1001", agent_state::LOGOUT, 0);
    assert_eq!(pair.refusal(), Some(cf::INVALID_OBJECT_STATE));
    let mut config = config();
    config.desk.wrap_up_incoming = WrapUp::NotAllowed;
    let mut pair = Pair::open(config, 20);
    pair.ready(&["1001"]);
    pair.answered("2001");
    pair.set_state("1001", agent_state::WORK_NOT_READY, 0);
    assert_eq!(pair.refusal(), Some(cf::INVALID_AGENT_WORKMODE));
}

#[test]
fn reasons_may_be_required() {
    let mut config = config();
    config.desk.not_ready_reason_required = true;
    config.desk.logout_reason_required = true;
    let mut pair = Pair::open(config, 20);
    pair.login("1001");
    for state in [agent_state::NOT_READY, agent_state::LOGOUT] {
        pair.take();
        pair.set_state("1001", state, 0);
        assert_eq!(pair.refusal(), Some(cf::REASON_CODE_REQUIRED));
    }
}

#[test]
fn duration_counts_from_the_change_of_state() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    pair.answered("2001");
    pair.seconds(42);
    pair.set_state("1001", agent_state::NOT_READY, 0);
    let event = pair.take().into_iter().find(|m| m.kind == kind::AGENT_STATE_EVENT).expect("an event");
    assert_eq!(event.raw(field::STATE_DURATION), Some(42));
    assert_eq!(event.tag_uint(tag::DIRECTION), Some(1));
}

#[test]
fn an_administrator_changes_states_and_records() {
    let mut config = config();
    config.teams.push(crate::sim::TeamConfig { id: 2, name: "Other".into() });
    let mut pair = Pair::open(config, 20);
    pair.ready(&["1001"]);
    pair.request(Message::new(kind::TEAM_CONFIG_REQ).with(field::CONFIG_PARAM, 2u32));
    assert_eq!(pair.take_kinds(), [kind::TEAM_CONFIG_CONF]);
    pair.exchange.world.sign_out_all(pair.now, 999);
    pair.exchange.settle(pair.now);
    assert_eq!(pair.story(), ["1001 LOGOUT 999"]);
    let change = AgentChange { team: Some(2), queues: Some(vec![2]), ..AgentChange::default() };
    pair.exchange.world.change_agent("1001", &change).expect("a known agent");
    pair.exchange.settle(pair.now);
    let messages = pair.take();
    let kinds: Vec<_> = messages.iter().map(|m| m.kind).collect();
    let config = [kind::CONFIG_BEGIN_EVENT, kind::CONFIG_AGENT_EVENT, kind::CONFIG_END_EVENT];
    assert_eq!(kinds[..3], config);
    let teams: Vec<_> = messages.iter().filter(|m| m.kind == kind::TEAM_CONFIG_EVENT).collect();
    assert_eq!(teams.iter().map(|m| m.raw(field::TEAM_ID)).collect::<Vec<_>>(), [Some(1), Some(2)]);
    let record = &messages[1].records()[0];
    assert_eq!(record.tag_text(tag::LOGIN_ID), Some("1001"));
    assert_eq!(record.tag_uint(tag::NUM_SKILLS), Some(1));
}

#[test]
fn ccx_agents_have_long_ids_and_one_work_state() {
    let mut config = config();
    config.dialect = Dialect::Ccx;
    config.desk.wrap_up_incoming = WrapUp::Required;
    let mut pair = Pair::open(config, 18);
    pair.login("1001");
    let login = pair.take();
    let event = login.last().expect("an event");
    assert_eq!(event.tag_text(tag::AGENT_ID_LONG), Some("1001"));
    assert_eq!(event.tag_text(tag::AGENT_ID), None);
    assert_eq!(event.raw(field::EVENT_REASON_CODE), Some(32760));
    pair.set_state("1001", agent_state::AVAILABLE, 0);
    let call = pair.answered("2001");
    pair.set_state("1001", agent_state::AVAILABLE, 0);
    assert_eq!(pair.refusal(), Some(cf::INVALID_AGENT_WORKMODE));
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2001");
    let work = pair.take().into_iter().find(|m| m.kind == kind::AGENT_STATE_EVENT).expect("an event");
    assert_eq!(work.raw(field::AGENT_STATE), Some(agent_state::WORK_NOT_READY));
}
