//! Answers to statistics queries (GED-188, QUERY_AGENT_STATISTICS and QUERY_SKILL_GROUP_STATISTICS).

use std::time::{Duration, Instant};

use super::agents::{count, seconds};
use super::windows::{FIVE, HALF, SESSION, TODAY, Window};
use super::{Scribe, confirm, queue_target};
use crate::enums::status_code;
use crate::sim::core::agent::AgentState;
use crate::sim::core::outbound::Stage;
use crate::sim::core::tally::{Calls, Family, Tally};
use crate::sim::core::world::World;
use crate::{Field, Message, field, kind, tag};

pub(super) fn of_agent(
    scribe: &Scribe,
    world: &World,
    now: Instant,
    m: &Message,
    invoke: u32,
) -> Result<Message, u32> {
    let agent = super::query::find_agent(world, m).ok_or(status_code::INVALID_AGENT_DATA)?;
    let windows = world.ledger.agent(now, agent);
    let mut answer = confirm(kind::QUERY_AGENT_STATISTICS_CONF, invoke)
        .with(field::PERIPHERAL_ID, scribe.peripheral)
        .with_agent_id(scribe.dialect, &*world.agents[agent].id);
    for (window, tally) in [(&SESSION, windows.session()), (&TODAY, &windows.today(now))] {
        fill(&mut answer, window, tally);
    }
    let (session, today) = (windows.session(), windows.today(now));
    for (fields, tally) in [(OWN_SESSION, session), (OWN_TODAY, &today)] {
        let [available, routable, internal, internal_time] = fields;
        let placed = tally.of(Family::Internal);
        answer.set(available, seconds(tally.available));
        answer.set(routable, seconds(tally.logged_on.saturating_sub(tally.not_ready)));
        answer.set(internal, placed.calls);
        answer.set(internal_time, seconds(time(placed)));
    }
    if let Some(phone) = &world.agents[agent].device {
        answer.push(tag::AGENT_EXTENSION, &**phone);
        answer.push(tag::AGENT_INSTRUMENT, &**phone);
    }
    Ok(answer)
}

/// Fields that only agents have: ICM available, routable, internal calls placed and their time.
const OWN_SESSION: [Field; 4] = [
    field::ICM_AVAILABLE_TIME_SESSION,
    field::ROUTABLE_TIME_SESSION,
    field::INTERNAL_CALLS_SESSION,
    field::INTERNAL_CALLS_TIME_SESSION,
];
const OWN_TODAY: [Field; 4] = [
    field::ICM_AVAILABLE_TIME_TODAY,
    field::ROUTABLE_TIME_TODAY,
    field::INTERNAL_CALLS_TODAY,
    field::INTERNAL_CALLS_TIME_TODAY,
];

pub(super) fn of_queue(
    scribe: &Scribe,
    world: &World,
    now: Instant,
    m: &Message,
    invoke: u32,
) -> Result<Message, u32> {
    let (number, id) = (m.uint(field::SKILL_GROUP_NUMBER), m.uint(field::SKILL_GROUP_ID));
    let position = (0..world.queues.len())
        .find(|q| Some(world.queues[*q].number) == number || Some(queue_target(*q)) == id);
    let index = position.ok_or(status_code::INVALID_SKILL_GROUP)?;
    let mut answer = confirm(kind::QUERY_SKILL_GROUP_STATISTICS_CONF, invoke)
        .with(field::PERIPHERAL_ID, scribe.peripheral)
        .with(field::SKILL_GROUP_NUMBER, world.queues[index].number)
        .with(field::SKILL_GROUP_ID, queue_target(index));
    fill_present(&mut answer, world, now, index);
    let windows = world.ledger.queue(world, now, index);
    for (window, tally, queued) in [
        (&FIVE, windows.five(now), [field::CALLS_Q5, field::CALLS_Q_TIME5, field::LONGEST_CALL_Q5]),
        (
            &HALF,
            windows.half(now),
            [field::CALLS_Q_HALF, field::CALLS_Q_TIME_HALF, field::LONGEST_CALL_Q_HALF],
        ),
        (
            &TODAY,
            windows.today(now),
            [field::CALLS_Q_TODAY, field::CALLS_Q_TIME_TODAY, field::LONGEST_CALL_Q_TODAY],
        ),
    ] {
        fill(&mut answer, window, &tally);
        answer.set(queued[0], tally.queued);
        answer.set(queued[1], seconds(tally.queue_time));
        answer.set(queued[2], seconds(tally.longest_queued));
    }
    Ok(answer)
}

/// Who does what at this moment, and who waits.
fn fill_present(answer: &mut Message, world: &World, now: Instant, index: usize) {
    let queue = &world.queues[index];
    let members = || world.agents.iter().filter(|a| a.signed_in() && a.queues.contains(&index));
    let in_state = |state: AgentState| count(members().filter(|a| a.state == state).count());
    let talking = |out: bool| {
        let plain = |a: &&_| outreach_of(world, a).is_none();
        let fits = |a: &&crate::sim::core::agent::Agent| a.state == AgentState::Talking && a.outgoing == out;
        count(members().filter(fits).filter(plain).count())
    };
    let with_customer = |asks: bool| {
        let fits = |a: &&_| {
            outreach_of(world, a).is_some_and(|(stage, mode)| stage == Stage::Customer && mode == asks)
        };
        count(members().filter(|a| a.state == AgentState::Talking).filter(fits).count())
    };
    let waits = || {
        let calls = queue.waiting.iter().filter_map(|c| world.calls.get(c));
        calls.map(|c| now.saturating_duration_since(c.waiting_since))
    };
    let longest = seconds(waits().max().unwrap_or_default());
    let available = in_state(AgentState::Available);
    let work = in_state(AgentState::WorkNotReady) + in_state(AgentState::WorkReady);
    let here = count(members().count());
    for (field, value) in [
        (field::AGENTS_LOGGED_ON, here),
        (field::AGENTS_AVAIL, available),
        (field::AGENTS_NOT_READY, in_state(AgentState::NotReady)),
        (field::AGENTS_READY, here - in_state(AgentState::NotReady) - work),
        (field::AGENTS_TALKING_IN, talking(false)),
        (field::AGENTS_TALKING_OUT, talking(true)),
        (field::AGENTS_TALKING_AUTO_OUT, with_customer(false)),
        (field::AGENTS_TALKING_PREVIEW, with_customer(true)),
        (field::AGENTS_WORK_NOT_READY, in_state(AgentState::WorkNotReady)),
        (field::AGENTS_WORK_READY, in_state(AgentState::WorkReady)),
        (field::AGENTS_RESERVED, in_state(AgentState::Reserved)),
        (field::AGENTS_HOLD, in_state(AgentState::Hold)),
        (field::AGENTS_ICM_AVAILABLE, available),
        (field::CALLS_Q_NOW, count(queue.waiting.len())),
        (field::CALLS_Q_TIME_NOW, seconds(waits().sum())),
        (field::LONGEST_CALL_Q_NOW, longest),
        (field::ROUTER_CALLS_Q_NOW, count(queue.waiting.len())),
        (field::LONGEST_ROUTER_CALL_Q_NOW, longest),
    ] {
        answer.set(field, value);
    }
}

/// Stage of the call of the dialer at an agent's phone, and whether its campaign asks.
fn outreach_of(world: &World, agent: &crate::sim::core::agent::Agent) -> Option<(Stage, bool)> {
    let phone = world.phones.get(agent.device.as_ref()?)?;
    let outreach = phone.calls.iter().find_map(|id| world.calls.get(id)?.outreach.as_ref())?;
    Some((outreach.stage, outreach.mode.asks()))
}

/// All the time that calls took while somebody was on them.
fn time(calls: Calls) -> Duration {
    calls.talk + calls.held_time
}

/// Fills in what every window has.
fn fill(answer: &mut Message, window: &Window, tally: &Tally) {
    for (field, time) in window.times.into_iter().zip([tally.available, tally.logged_on, tally.not_ready]) {
        answer.set(field, seconds(time));
    }
    for (fields, family) in [
        (window.out, Family::Out),
        (window.auto_out, Family::AutoOut),
        (window.preview, Family::Preview),
        (window.reservation, Family::Reservation),
    ] {
        let calls = tally.of(family);
        let values =
            [calls.calls, seconds(calls.talk), seconds(time(calls)), calls.held, seconds(calls.held_time)];
        for (field, value) in fields.into_iter().zip(values) {
            answer.set(field, value);
        }
    }
    let (handled, received, placed) =
        (tally.of(Family::Handled), tally.of(Family::Received), tally.of(Family::Internal));
    let [calls, talk, after, all] = window.handled;
    let monitored = tally.of(Family::Monitor).calls;
    for (field, value) in [
        (calls, handled.calls),
        (talk, seconds(handled.talk)),
        (after, seconds(tally.after_call)),
        (all, seconds(time(handled) + tally.after_call)),
        (window.incoming_held[0], handled.held),
        (window.incoming_held[1], seconds(handled.held_time)),
        (window.received[0], received.calls),
        (window.received[1], seconds(time(received))),
        (window.internal_held[0], received.held + placed.held),
        (window.internal_held[1], seconds(received.held_time + placed.held_time)),
        (window.supervision[0], tally.barge_in),
        (window.supervision[1], tally.intercept),
        (window.supervision[2], monitored),
        (window.supervision[3], tally.emergency),
    ] {
        answer.set(field, value);
    }
}
