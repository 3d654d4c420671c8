//! Whatever clients and customers do, the centre stays consistent and no call is stuck.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use proptest::prelude::*;

use super::pair::{Pair, config};
use crate::enums::agent_state;
use crate::sim::core::agent::AgentState;
use crate::sim::core::call::{CallId, Wait};
use crate::sim::core::event::Leg;
use crate::sim::core::world::World;
use crate::sim::{
    Answer, CampaignConfig, Contact, DialMode, InboundCall, OutboundCall, Reaction, Rule, Side, WrapUp,
};
use crate::{Dialect, Kind, Message, Value, field, kind, tag};

/// One step of somebody. Agents and phones are 0 to 3, calls count from the oldest.
#[derive(Clone, Debug)]
enum Step {
    Login(usize, usize, bool),
    State(usize, u32, bool),
    Call(u32),
    Direct(usize),
    HangUp(usize),
    Dial(usize, usize),
    Consult(usize, usize, usize),
    On(Kind, usize, usize),
    OnTwo(Kind, usize, usize, usize),
    Blind(usize, usize, usize),
    Deflect(usize, usize, usize),
    Remove(usize, usize, usize),
    Supervise(u32, usize, usize),
    Phone(usize, bool),
    Help(usize, bool),
    Rule(usize, Reaction),
    Freeze(bool),
    Outbound(usize, usize),
    Respond(usize, usize),
    SignOutAll,
    Online(bool),
    Pass(u64),
}

const NUMBERS: [&str; 9] = ["2001", "2002", "2003", "2004", "6001", "6002", "5559876543", "5550100", "4711"];
const CAMPAIGNS: [(&str, DialMode); 5] = [
    ("preview", DialMode::Preview),
    ("direct", DialMode::DirectPreview),
    ("personal", DialMode::PersonalCallback),
    ("progressive", DialMode::Progressive),
    ("predictive", DialMode::Predictive),
];
const RESPONSES: [&str; 8] =
    ["Accept", "Accept", "Accept", "Reject", "Reject-Close", "Skip", "Skip-Close", "REX_FAX"];
const AGENTS: [&str; 4] = ["1001", "1002", "1003", "1004"];

fn step() -> impl Strategy<Value = Step> {
    let who = 0..4usize;
    let which = 0..5usize;
    let number = 0..NUMBERS.len();
    let states = prop_oneof![Just(1u32), Just(2), Just(3), Just(3), Just(3), Just(5), Just(6), Just(4)];
    let reaction = prop_oneof![Just(Reaction::Refuse), Just(Reaction::Ignore), Just(Reaction::Obey)];
    let single = prop_oneof![
        4 => Just(kind::ANSWER_CALL_REQ),
        2 => Just(kind::HOLD_CALL_REQ),
        2 => Just(kind::RETRIEVE_CALL_REQ),
        2 => Just(kind::CLEAR_CONNECTION_REQ),
        1 => Just(kind::CLEAR_CALL_REQ),
        1 => Just(kind::RELEASE_CALL_REQ),
    ];
    let double = prop_oneof![
        Just(kind::TRANSFER_CALL_REQ),
        Just(kind::CONFERENCE_CALL_REQ),
        Just(kind::ALTERNATE_CALL_REQ),
        Just(kind::RECONNECT_CALL_REQ),
    ];
    prop_oneof![
        3 => (who.clone(), who.clone(), any::<bool>()).prop_map(|(a, p, f)| Step::Login(a, p, f)),
        4 => (who.clone(), states, any::<bool>()).prop_map(|(a, s, f)| Step::State(a, s, f)),
        4 => (1..3u32).prop_map(Step::Call),
        1 => who.clone().prop_map(Step::Direct),
        1 => which.clone().prop_map(Step::HangUp),
        2 => (who.clone(), number.clone()).prop_map(|(p, n)| Step::Dial(p, n)),
        3 => (who.clone(), which.clone(), number.clone()).prop_map(|(p, c, n)| Step::Consult(p, c, n)),
        12 => (single, which.clone(), who.clone()).prop_map(|(k, c, p)| Step::On(k, c, p)),
        4 => (double, which.clone(), which.clone(), who.clone()).prop_map(|(k, a, b, p)| Step::OnTwo(k, a, b, p)),
        2 => (who.clone(), which.clone(), number.clone()).prop_map(|(p, c, n)| Step::Blind(p, c, n)),
        1 => (who.clone(), which.clone(), number).prop_map(|(p, c, n)| Step::Deflect(p, c, n)),
        1 => (who.clone(), which, who.clone()).prop_map(|(p, c, o)| Step::Remove(p, c, o)),
        3 => (0..5u32, who.clone(), who.clone()).prop_map(|(a, s, p)| Step::Supervise(a, s, p)),
        1 => (who, any::<bool>()).prop_map(|(p, s)| Step::Phone(p, s)),
        3 => (0..CAMPAIGNS.len(), 0..3usize).prop_map(|(c, a)| Step::Outbound(c, a)),
        4 => (0..5usize, 0..RESPONSES.len()).prop_map(|(c, r)| Step::Respond(c, r)),
        2 => (0..4usize, any::<bool>()).prop_map(|(p, e)| Step::Help(p, e)),
        1 => (0..4usize, reaction).prop_map(|(p, r)| Step::Rule(p, r)),
        1 => any::<bool>().prop_map(Step::Freeze),
        1 => Just(Step::SignOutAll),
        1 => any::<bool>().prop_map(Step::Online),
        4 => (0..30u64).prop_map(Step::Pass),
    ]
}

fn do_step(pair: &mut Pair, step: &Step) {
    let calls: Vec<u32> = pair.exchange.world.calls.keys().map(|c| c.0).collect();
    let call = |at: usize| calls.get(at).copied().unwrap_or(9999);
    let aim = Aim::at(&pair.exchange.world);
    let now = pair.now;
    match *step {
        Step::Login(agent, phone, forced) => {
            let request = pair.login_req(AGENTS[agent], "finesse", NUMBERS[phone]);
            pair.request(request.with(field::FORCED_FLAG, u32::from(forced)));
        }
        Step::State(agent, state, forced) => pair.request(
            Message::new(kind::SET_AGENT_STATE_REQ)
                .with(field::AGENT_STATE, state)
                .with(field::FORCED_FLAG, u32::from(forced))
                .with_agent_id(pair.codec.dialect(), AGENTS[agent])
                .with_tag(tag::AGENT_INSTRUMENT, ""),
        ),
        Step::Call(queue) => {
            let ani = format!("555{:07}", pair.exchange.world.calls.len() + 10 * queue as usize);
            let _ = pair.exchange.world.inject(now, &InboundCall::to_queue(&ani, queue));
        }
        Step::Direct(agent) => {
            let _ = pair.exchange.world.inject(now, &InboundCall::to_agent("5551234567", AGENTS[agent]));
        }
        Step::HangUp(at) => {
            pair.exchange.world.caller_hangs_up(now, CallId(call(at)));
        }
        Step::Dial(phone, number) => pair.request(
            Message::new(kind::MAKE_CALL_REQ)
                .with_tag(tag::AGENT_INSTRUMENT, NUMBERS[phone])
                .with_tag(tag::DIALED_NUMBER, NUMBERS[number]),
        ),
        Step::Consult(phone, at, number) => {
            let (phone, id) = aim.pick(at, Leg::Connect).unwrap_or((phone, call(at)));
            active(pair, kind::CONSULTATION_CALL_REQ, phone, id, number);
        }
        Step::Blind(phone, at, number) => {
            let (phone, id) = aim.pick(at, Leg::Connect).unwrap_or((phone, call(at)));
            active(pair, kind::TRANSFER_CALL_REQ, phone, id, number);
        }
        Step::On(request, at, phone) => {
            let leg = match request {
                kind::ANSWER_CALL_REQ => Leg::Alerting,
                kind::RETRIEVE_CALL_REQ => Leg::Hold,
                _ => Leg::Connect,
            };
            let (phone, id) = aim.pick(at, leg).unwrap_or((phone, call(at)));
            pair.on_call(request, id, NUMBERS[phone]);
        }
        Step::OnTwo(request, a, b, phone) => {
            let (phone, active, held) = aim.pick_two(a).unwrap_or((phone, call(a), call(b)));
            pair.on_calls(request, active, held, NUMBERS[phone]);
        }
        Step::Deflect(phone, at, number) => pair.request(
            Message::new(kind::DEFLECT_CALL_REQ)
                .with(field::CONNECTION_CALL_ID, call(at))
                .with_tag(tag::CONNECTION_DEVICE_ID, NUMBERS[phone])
                .with_tag(tag::CALLED_DEVICE_ID, NUMBERS[number]),
        ),
        Step::Remove(phone, at, other) => pair.request(
            Message::new(kind::CLEAR_CONNECTION_REQ)
                .with(field::CONNECTION_CALL_ID, call(at))
                .with_tag(tag::CONNECTION_DEVICE_ID, NUMBERS[other])
                .with_tag(tag::AGENT_INSTRUMENT, NUMBERS[phone]),
        ),
        Step::Supervise(action, supervisor, agent) => pair.request(
            Message::new(kind::SUPERVISE_CALL_REQ)
                .with(field::SUPERVISORY_ACTION, action)
                .with_tag(tag::SUPERVISOR_INSTRUMENT, NUMBERS[supervisor])
                .with_tag(tag::AGENT_INSTRUMENT, NUMBERS[agent]),
        ),
        Step::Phone(phone, on) => {
            let _ = pair.exchange.world.set_in_service(now, NUMBERS[phone], on);
        }
        Step::Outbound(campaign, answer) => {
            let answer = [Answer::Voice, Answer::Busy, Answer::NoAnswer][answer];
            let ask = OutboundCall { answer: Some(answer), ..OutboundCall::of(CAMPAIGNS[campaign].0) };
            let _ = pair.exchange.world.outbound(now, &ask);
        }
        Step::Respond(at, response) => {
            let outbound = pair.exchange.world.calls.values().filter(|c| c.outreach.is_some());
            let outbound: Vec<u32> = outbound.map(|c| c.id.0).collect();
            let id = outbound.get(at % outbound.len().max(1)).copied().unwrap_or(call(at));
            pair.request(
                Message::new(kind::SET_CALL_DATA_REQ)
                    .with(field::CONNECTION_CALL_ID, id)
                    .with_tag(tag::NAMED_VARIABLE, Value::named("BAResponse", RESPONSES[response])),
            );
        }
        Step::Help(phone, emergency) => {
            let request = if emergency { kind::EMERGENCY_CALL_REQ } else { kind::SUPERVISOR_ASSIST_REQ };
            let id = aim.0.iter().find(|(p, _, leg)| *p == phone && *leg == Leg::Connect);
            pair.on_call(request, id.map_or(u32::MAX, |(_, id, _)| *id), NUMBERS[phone]);
        }
        Step::Rule(phone, then) => {
            let extension = Some(NUMBERS[phone].into());
            let delay = Duration::from_secs(3);
            let rule = Rule { extension, times: Some(2), then, code: 22, delay, ..Rule::default() };
            let _ = pair.exchange.rules.add(rule);
        }
        Step::Freeze(on) => pair.exchange.freeze(now, Side::A, on),
        Step::SignOutAll => pair.exchange.world.sign_out_all(now, 999),
        Step::Online(on) => pair.exchange.world.set_online(on),
        Step::Pass(seconds) => pair.seconds(seconds),
    }
    pair.exchange.settle(pair.now);
}

/// Where requests make sense: phone, call and state of each leg at a phone.
struct Aim(Vec<(usize, u32, Leg)>);

impl Aim {
    fn at(world: &World) -> Self {
        let legs = (0..4).flat_map(|phone| {
            let name = NUMBERS[phone];
            let calls = world.phones[name].calls.iter();
            calls.filter_map(move |id| Some((phone, id.0, world.calls.get(id)?.leg(name)?)))
        });
        Self(legs.collect())
    }

    /// A leg in this state; `None` for the last choice, so that senseless requests occur as well.
    fn pick(&self, at: usize, leg: Leg) -> Option<(usize, u32)> {
        let fits: Vec<_> = self.0.iter().filter(|(.., l)| *l == leg).collect();
        let (phone, call, _) = fits.get(at % fits.len().max(1)).filter(|_| at < 4)?;
        Some((*phone, *call))
    }

    /// A phone with a held and another call.
    fn pick_two(&self, at: usize) -> Option<(usize, u32, u32)> {
        let held = self.0.iter().filter(|(.., l)| *l == Leg::Hold);
        let pairs = held.filter_map(|(phone, held, _)| {
            let (_, active, _) = self.0.iter().find(|(p, c, _)| p == phone && c != held)?;
            Some((*phone, *active, *held))
        });
        let pairs: Vec<_> = pairs.collect();
        pairs.get(at % pairs.len().max(1)).filter(|_| at < 4).copied()
    }
}

fn active(pair: &mut Pair, request: Kind, phone: usize, call: u32, number: usize) {
    pair.request(
        Message::new(request)
            .with(field::ACTIVE_CONNECTION_CALL_ID, call)
            .with_tag(tag::ACTIVE_CONNECTION_DEVICE_ID, NUMBERS[phone])
            .with_tag(tag::AGENT_INSTRUMENT, NUMBERS[phone])
            .with_tag(tag::DIALED_NUMBER, NUMBERS[number]),
    );
}

/// Everything that must hold between two steps.
fn check(world: &World) -> Result<(), TestCaseError> {
    for (id, call) in &world.calls {
        let names: HashSet<_> = call.parties.iter().map(|p| p.device.id.clone()).collect();
        prop_assert_eq!(names.len(), call.parties.len(), "a party twice on {}", id);
        for party in call.parties.iter().filter(|p| p.is_phone()) {
            let phone = &world.phones[&party.device.id];
            prop_assert_eq!(phone.calls.iter().filter(|c| *c == id).count(), 1, "phone knows {}", id);
        }
        let waits = call.wait.is_some();
        let tone = call.parties.iter().any(|p| p.leg == Leg::Fail);
        let caller = call.parties.iter().any(|p| p.leg != Leg::Alerting);
        let enough = caller && (call.parties.len() >= 2 || waits || tone);
        prop_assert!(call.is_live() == enough, "{} has {:?}, waits {}", id, call.parties, waits);
        let lines = world.queues.iter().enumerate().map(|(i, q)| (Wait::Queue(i), &q.waiting));
        let personal = world.agents.iter().enumerate().map(|(i, a)| (Wait::Agent(i), &a.personal));
        for (wait, line) in lines.chain(personal) {
            let here = usize::from(call.wait == Some(wait));
            prop_assert_eq!(line.iter().filter(|c| *c == id).count(), here, "{} in {:?}", id, wait);
        }
    }
    for (name, phone) in &world.phones {
        let legs: Vec<Leg> =
            phone.calls.iter().map(|c| world.calls[c].leg(name).expect("a party for each call")).collect();
        prop_assert!(legs.iter().filter(|l| **l == Leg::Connect).count() <= 1, "{} talks twice", name);
        if let Some(agent) = phone.agent {
            prop_assert_eq!(world.agents[agent].device.as_ref(), Some(name));
        }
    }
    world.agents.iter().try_for_each(|agent| check_agent(world, agent))
}

fn check_agent(world: &World, agent: &crate::sim::core::agent::Agent) -> Result<(), TestCaseError> {
    let Some(device) = &agent.device else {
        prop_assert_eq!(agent.state, AgentState::Logout);
        return Ok(());
    };
    let view = world.view(device);
    let express = world.config.dialect == Dialect::Ccx;
    let expected: &[AgentState] = match view {
        v if express && v.engaged => &[AgentState::Talking],
        v if express && !v.reserved && (v.dialling || v.holding || v.converses()) => {
            &[AgentState::Talking, AgentState::NotReady, AgentState::WorkNotReady]
        }
        _ if express && agent.state == AgentState::WorkReady => &[],
        v if v.converses() => &[AgentState::Talking],
        v if v.holding => &[AgentState::Hold, AgentState::Talking],
        v if v.dialling => &[
            AgentState::Talking,
            AgentState::NotReady,
            AgentState::Available,
            AgentState::WorkNotReady,
            AgentState::WorkReady,
            AgentState::Reserved,
        ],
        v if v.reserved => &[AgentState::Reserved],
        _ => &[AgentState::NotReady, AgentState::Available, AgentState::WorkNotReady, AgentState::WorkReady],
    };
    prop_assert!(expected.contains(&agent.state), "{} is {:?} with {:?}", agent.id, agent.state, view);
    Ok(())
}

/// Each call begins once and ends once, and nothing is told of it before or after.
fn check_story(messages: &[Message], live: &mut HashMap<u32, bool>) -> Result<(), TestCaseError> {
    for message in messages.iter().filter(|m| m.kind.name().is_some_and(|n| n.ends_with("_EVENT"))) {
        let Some(call) = message.uint(field::CONNECTION_CALL_ID).or(message.uint(field::PRIMARY_CALL_ID))
        else {
            continue;
        };
        match message.kind {
            kind::BEGIN_CALL_EVENT => {
                prop_assert!(live.insert(call, true).is_none(), "{} begins twice", call)
            }
            kind::END_CALL_EVENT => prop_assert_eq!(live.insert(call, false), Some(true), "{} ends", call),
            _ => prop_assert_eq!(live.get(&call), Some(&true), "{:?} outside its call", message),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_centre_stays_consistent(
        steps in prop::collection::vec(step(), 1..80),
        wrap_up in prop_oneof![Just(WrapUp::Required), Just(WrapUp::Optional), Just(WrapUp::NotAllowed)],
        talk in any::<bool>(),
        express in any::<bool>(),
    ) {
        let mut config = config();
        config.dialect = if express { Dialect::Ccx } else { Dialect::Cce };
        config.desk.wrap_up_incoming = wrap_up;
        if !talk {
            config.callers.talk = None;
        }
        config.outside.talk = Some(crate::sim::Span::seconds(10, 90));
        let contact = |n: usize| Contact::new(&format!("555020{n:04}"));
        let campaign = |(name, mode): (&str, DialMode)| CampaignConfig {
            contacts: (0..3).map(contact).collect(),
            ..CampaignConfig::new(name, mode, 1)
        };
        config.campaigns = CAMPAIGNS.map(campaign).to_vec();
        // So that some listen in, all may.
        config.agents.iter_mut().for_each(|agent| agent.supervisor = true);
        let mut pair = Pair::open(config, if express { 18 } else { 20 });
        for (agent, state) in AGENTS.into_iter().zip([2u32, 3, 3, 3]) {
            pair.login(agent);
            pair.set_state(agent, state, 0);
        }
        let mut live = HashMap::new();
        for step in &steps {
            do_step(&mut pair, step);
            check(&pair.exchange.world)?;
            check_story(&pair.take(), &mut live)?;
        }
        // Everybody hangs up: nothing may be left.
        pair.exchange.freeze(pair.now, Side::A, false);
        pair.exchange.rules.clear();
        pair.exchange.world.set_online(true);
        for _ in 0..4 {
            let calls: Vec<CallId> = pair.exchange.world.calls.keys().copied().collect();
            for call in calls {
                pair.exchange.world.caller_hangs_up(pair.now, call);
                for phone in &NUMBERS[..4] {
                    pair.on_call(kind::CLEAR_CONNECTION_REQ, call.0, phone);
                }
            }
            pair.pass(Duration::from_secs(300));
            check(&pair.exchange.world)?;
        }
        check_story(&pair.take(), &mut live)?;
        prop_assert!(pair.exchange.world.calls.is_empty(), "stuck: {:?}", pair.exchange.world.snapshot().calls);
        prop_assert!(live.values().all(|alive| !alive), "calls without an end");
    }
}

#[test]
fn a_seed_gives_the_same_day_again() {
    let day = || {
        let mut config = config();
        config.callers.calls_per_minute = 20.0;
        config.callers.talk = Some(crate::sim::Span::seconds(5, 50));
        config.callers.patience = Some(crate::sim::Span::seconds(10, 60));
        let mut pair = Pair::open(config, 20);
        pair.ready(&AGENTS);
        pair.seconds(3600);
        pair.story()
    };
    let first = day();
    assert!(first.len() > 1000, "{}", first.len());
    assert_eq!(first, day());
}

#[test]
fn two_hundred_agents_take_two_thousand_calls() {
    let mut config = crate::sim::Config::demo(200, "finesse");
    config.callers.calls_per_minute = 2000.0;
    config.callers.talk = Some(crate::sim::Span::millis(500, 2000));
    config.callers.patience = None;
    config.behaviour.rtp_events = false;
    let mut pair = Pair::open(config, 20);
    for agent in 1001..1201 {
        let agent = agent.to_string();
        pair.login(&agent);
        pair.set_state(&agent, agent_state::AVAILABLE, 0);
    }
    pair.take();
    let (mut ended, mut answered) = (0, 0);
    for _ in 0..700 {
        pair.pass(Duration::from_millis(100));
        for message in pair.take() {
            match message.kind {
                kind::CALL_DELIVERED_EVENT if message.raw(field::LOCAL_CONNECTION_STATE) == Some(2) => {
                    let call = message.uint(field::CONNECTION_CALL_ID).expect("a call");
                    let phone = message.tag_text(tag::ALERTING_DEVICE_ID).expect("a phone").to_owned();
                    pair.on_call(kind::ANSWER_CALL_REQ, call, &phone);
                    answered += 1;
                }
                kind::END_CALL_EVENT => ended += 1,
                _ => {}
            }
        }
    }
    assert!(ended >= 2000 && answered >= ended, "{answered} answered, {ended} ended");
}
