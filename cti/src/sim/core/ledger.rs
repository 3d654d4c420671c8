//! The book-keeper: watches what happens in the centre and counts it for statistics. It changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::agent::AgentState;
use super::call::{Call, CallId, LegId, Party, Wait};
use super::event::{DeviceKind, Event, Leg, What};
use super::outbound::Stage;
use super::tally::{Clock, Family, Windows};
use super::world::World;
use crate::enums::call_type;

/// A leg at an agent's phone, as it was when last seen.
#[derive(Clone, Copy, Debug)]
struct Running {
    agent: usize,
    /// The queue that it counts for.
    queue: Option<usize>,
    family: Family,
    leg: Leg,
    since: Instant,
    /// It was connected, and it was on hold, some time.
    talked: bool,
    held: bool,
}

/// An agent's state, as it was when last seen.
#[derive(Clone, Copy, Debug)]
struct Shift {
    state: AgentState,
    since: Instant,
}

/// Statistics of all agents and queues.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    agents: Vec<(Shift, Windows)>,
    queues: Vec<Windows>,
    legs: BTreeMap<(CallId, LegId), Running>,
    waiting: BTreeMap<CallId, (usize, Instant)>,
}

impl Ledger {
    pub(crate) fn new(agents: usize, queues: usize, start: Instant) -> Self {
        let shift = Shift { state: AgentState::Logout, since: start };
        Self {
            agents: vec![(shift, Windows::new(start)); agents],
            queues: vec![Windows::new(start); queues],
            legs: BTreeMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// Takes note of events that have just happened.
    pub(crate) fn record(&mut self, world: &World, now: Instant, events: &[Event]) {
        let mut calls = BTreeSet::new();
        for event in events {
            match event {
                Event::Agent(news) => self.agent_is(world, now, news.agent, news.state),
                Event::Call(news) => {
                    calls.insert(news.call);
                    if let What::Conferenced(merged) | What::Transferred(merged) = &news.what {
                        calls.extend(merged.secondary.as_ref().map(|(call, _)| *call));
                    }
                }
                Event::Help { agent, emergency: true, .. } => {
                    self.count(world, now, *agent, None, |t| t.emergency += 1);
                }
                _ => {}
            }
        }
        for call in calls {
            self.look_at(world, now, call);
        }
    }

    /// A supervisor joined a call, or took it over.
    pub(crate) fn joined(&mut self, world: &World, now: Instant, supervisor: usize, intercept: bool) {
        self.count(world, now, supervisor, None, |t| {
            // The leg that listened goes on as a leg of the call.
            t.of_mut(Family::Monitor).calls += 1;
            let joined = if intercept { &mut t.intercept } else { &mut t.barge_in };
            *joined += 1;
        });
    }

    fn agent_is(&mut self, world: &World, now: Instant, agent: usize, state: AgentState) {
        let was = self.agents[agent].0;
        self.agents[agent].0 = Shift { state, since: now };
        for clock in clocks(was.state) {
            self.span(world, was.since, now, agent, None, *clock);
        }
        if state == AgentState::Login {
            self.agents[agent].1.new_session();
        }
    }

    /// Compares a call with what was seen of it before.
    fn look_at(&mut self, world: &World, now: Instant, id: CallId) {
        let call = world.calls.get(&id).filter(|c| c.is_live());
        let waits = call.and_then(|c| c.wait).and_then(|wait| match wait {
            Wait::Queue(queue) => Some(queue),
            Wait::Agent(_) => None,
        });
        match (self.waiting.get(&id).copied(), waits) {
            (None, Some(queue)) => {
                let since = call.map_or(now, |c| c.waiting_since);
                self.waiting.insert(id, (queue, since));
                self.queues[queue].count(now, |t| t.queued += 1);
            }
            (Some((queue, since)), None) => {
                self.waiting.remove(&id);
                let time = now.saturating_duration_since(since);
                self.queues[queue].count(now, |t| t.longest_queued = t.longest_queued.max(time));
                self.queues[queue].span(since, now, |t| &mut t.queue_time);
            }
            _ => {}
        }
        let known = (id, LegId(0))..=(id, LegId(u64::MAX));
        let known: Vec<LegId> = self.legs.range(known).map(|((_, leg), _)| *leg).collect();
        for leg in known {
            if call.is_none_or(|c| c.parties.iter().all(|p| p.id != leg)) {
                self.leg_is_gone(world, now, id, leg);
            }
        }
        for party in call.iter().flat_map(|c| &c.parties).filter(|p| p.is_phone()) {
            if let (Some(agent), Some(call)) = (world.agent_at(&party.device.id), call) {
                self.leg_is(world, now, agent, call, party);
            }
        }
    }

    fn leg_is(&mut self, world: &World, now: Instant, agent: usize, call: &Call, party: &Party) {
        let family = family(call, party);
        let queue = call.queue;
        let fresh = Running { agent, queue, family, leg: party.leg, since: now, talked: false, held: false };
        let was = self.legs.get(&(call.id, party.id)).copied();
        let mut next = was.unwrap_or(fresh);
        if let Some(was) = was.filter(|was| was.leg != party.leg) {
            self.settle_time(world, now, was);
            (next.leg, next.since) = (party.leg, now);
        }
        next.talked |= party.leg == Leg::Connect;
        next.held |= party.leg == Leg::Hold;
        (next.family, next.queue) = (family, queue);
        self.legs.insert((call.id, party.id), next);
    }

    /// A leg has left this call; another call may have taken it over.
    fn leg_is_gone(&mut self, world: &World, now: Instant, call: CallId, leg: LegId) {
        let Some(was) = self.legs.remove(&(call, leg)) else { return };
        self.settle_time(world, now, was);
        if let Some((other, _)) = world.leg(leg) {
            let moved = Running { since: now, ..was };
            self.legs.entry((other, leg)).or_insert(moved);
            return;
        }
        if was.talked || was.family == Family::Reservation {
            self.count(world, now, was.agent, was.queue, |t| {
                let calls = t.of_mut(was.family);
                calls.calls += 1;
                calls.held += u32::from(was.held);
            });
        }
    }

    /// Adds the time since the leg was last looked at.
    fn settle_time(&mut self, world: &World, now: Instant, was: Running) {
        if let Some(clock) = leg_clock(was) {
            self.span(world, was.since, now, was.agent, was.queue, clock);
        }
    }

    fn span(
        &mut self,
        world: &World,
        from: Instant,
        to: Instant,
        agent: usize,
        queue: Option<usize>,
        clock: Clock,
    ) {
        self.agents[agent].1.span(from, to, clock);
        for queue in credited(world, agent, queue) {
            self.queues[queue].span(from, to, clock);
        }
    }

    fn count(
        &mut self,
        world: &World,
        now: Instant,
        agent: usize,
        queue: Option<usize>,
        what: impl Fn(&mut super::tally::Tally),
    ) {
        self.agents[agent].1.count(now, &what);
        for queue in credited(world, agent, queue).take(1) {
            self.queues[queue].count(now, &what);
        }
    }

    /// An agent's statistics, with what runs at this moment.
    pub(crate) fn agent(&self, now: Instant, agent: usize) -> Windows {
        let (shift, windows) = &self.agents[agent];
        let mut windows = windows.clone();
        for clock in clocks(shift.state) {
            windows.span(shift.since, now, *clock);
        }
        for running in self.legs.values().filter(|r| r.agent == agent) {
            if let Some(clock) = leg_clock(*running) {
                windows.span(running.since, now, clock);
            }
        }
        windows
    }

    /// A queue's statistics, with what runs at this moment.
    pub(crate) fn queue(&self, world: &World, now: Instant, queue: usize) -> Windows {
        let mut windows = self.queues[queue].clone();
        for ((shift, _), agent) in self.agents.iter().zip(&world.agents) {
            for clock in clocks(shift.state).iter().filter(|_| agent.queues.contains(&queue)) {
                windows.span(shift.since, now, *clock);
            }
        }
        for running in self.legs.values() {
            let counts = credited(world, running.agent, running.queue).any(|q| q == queue);
            if let Some(clock) = leg_clock(*running).filter(|_| counts) {
                windows.span(running.since, now, clock);
            }
        }
        for (_, since) in self.waiting.values().filter(|(q, _)| *q == queue) {
            windows.span(*since, now, |t| &mut t.queue_time);
        }
        windows
    }
}

/// The queues that something counts for: the call's, else every queue of the agent.
fn credited(world: &World, agent: usize, queue: Option<usize>) -> impl Iterator<Item = usize> {
    let own: &[usize] = if queue.is_some() { &[] } else { &world.agents[agent].queues };
    queue.into_iter().chain(own.iter().copied())
}

/// What the time in a state counts as.
fn clocks(state: AgentState) -> &'static [Clock] {
    match state {
        AgentState::Logout | AgentState::Login => &[],
        AgentState::Available => &[|t| &mut t.logged_on, |t| &mut t.available],
        AgentState::NotReady => &[|t| &mut t.logged_on, |t| &mut t.not_ready],
        AgentState::WorkNotReady | AgentState::WorkReady => &[|t| &mut t.logged_on, |t| &mut t.after_call],
        _ => &[|t| &mut t.logged_on],
    }
}

fn leg_clock(was: Running) -> Option<Clock> {
    macro_rules! clock {
        ($($family:ident),*) => {
            match (was.family, was.leg) {
                $(
                    (Family::$family, Leg::Connect) => Some(|t| &mut t.of_mut(Family::$family).talk),
                    (Family::$family, Leg::Hold) => Some(|t| &mut t.of_mut(Family::$family).held_time),
                )*
                _ => None,
            }
        };
    }
    clock!(Handled, Out, Internal, Received, AutoOut, Preview, Monitor)
}

/// What a call is for the agent at one of its phones.
fn family(call: &Call, party: &Party) -> Family {
    if let Some(outreach) = &call.outreach {
        return match (outreach.stage, outreach.mode.asks()) {
            (Stage::Offered | Stage::Dialling, _) => Family::Reservation,
            (Stage::Customer, true) => Family::Preview,
            (Stage::Customer, false) => Family::AutoOut,
        };
    }
    let outside = call.parties.iter().any(|p| p.device.kind == DeviceKind::Outside);
    match (call.kind, party.origin) {
        (call_type::SUPERVISOR_MONITOR, _) => Family::Monitor,
        (call_type::OUT, true) => Family::Out,
        (_, true) if outside => Family::Out,
        (_, true) => Family::Internal,
        _ if outside || call.queue.is_some() => Family::Handled,
        _ => Family::Received,
    }
}
