//! The state of the contact centre, its alarms, and the primitives that all operations use.
//!
//! Every operation takes the time, changes the state at once and leaves events in order. The owner drains the events
//! after each operation and calls [`World::dispatch`], which matches waiting calls with free agents.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::agent::{Agent, AgentState, Base};
use super::call::{Call, CallData, CallId, LegId, Party};
use super::event::{CallNews, Device, DeviceKind, Event, Leg, What};
use super::ledger::Ledger;
use super::outbound::{self, Campaign};
use super::random::Random;
use super::reason::Because;
use super::supervise::Monitored;
use super::truth::ContactTruth;
use crate::enums::{control_failure_code as cf, event_cause};
use crate::sim::config::{AgentConfig, Config};

/// Why a request is refused: the two codes of CONTROL_FAILURE_CONF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// GED-188 `ControlFailureCode`.
    pub(crate) code: u32,
    /// The switch's own code; 0 when it has none.
    pub(crate) peripheral: u32,
}

/// A refusal with a general code only.
pub(crate) const fn refusal(code: u32) -> Refusal {
    Refusal { code, peripheral: 0 }
}

pub(crate) type Outcome<T = ()> = Result<T, Refusal>;

/// A phone.
#[derive(Debug)]
pub(crate) struct Phone {
    pub(crate) in_service: bool,
    pub(crate) agent: Option<usize>,
    pub(crate) calls: Vec<CallId>,
}

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) entry: Device,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) waiting: VecDeque<CallId>,
}

/// Something that will happen unless things change first.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Alarm {
    /// The next random customer calls.
    Arrival,
    /// A call of the script comes in.
    Scripted(usize),
    /// The ringing phone is not answered.
    RingOut(LegId),
    /// A customer is tired of waiting.
    GiveUp(LegId),
    /// Somebody in the public network answers.
    FarAnswer(LegId),
    /// Somebody in the public network hangs up.
    FarHangUp(LegId),
    /// A campaign reserves another agent.
    Campaign(usize),
    /// The dialer knows what became of a customer's phone.
    Dialled(CallId),
    /// The agent has not responded to a reservation.
    Unanswered(LegId),
    /// An agent who acts by himself does so; void when his state has changed since.
    Robot { agent: usize, since: Instant },
    /// An agent who acts by himself picks up.
    RobotAnswers(LegId),
    /// Wrap-up ends; void when the agent's state has changed since.
    WorkOver { agent: usize, since: Instant },
    /// The call object kept for wrap-up data goes.
    WindowOver(CallId),
}

/// The contact centre.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) agents: Vec<Agent>,
    pub(crate) agent_index: HashMap<Arc<str>, usize>,
    pub(crate) phones: HashMap<Arc<str>, Phone>,
    pub(crate) queues: Vec<Queue>,
    pub(crate) calls: BTreeMap<CallId, Call>,
    /// Calls by which supervisors listen to others.
    pub(super) monitors: BTreeMap<CallId, Monitored>,
    pub(crate) online: bool,
    /// Counts changes of configuration records.
    pub(crate) revision: u32,
    pub(super) campaigns: Vec<Campaign>,
    /// What became of the latest contacts of campaigns, oldest first.
    pub(crate) contacts: VecDeque<ContactTruth>,
    pub(super) next_record: u32,
    /// Statistics.
    pub(crate) ledger: Ledger,
    pub(super) random: Random,
    pub(super) legs: HashMap<LegId, CallId>,
    /// Somebody became free or a call began to wait since the last dispatch.
    pub(super) attention: bool,
    /// Bumped when the rate of random calls changes, so that the old arrival alarm is void.
    pub(super) arrival: Option<Instant>,
    alarms: BTreeMap<(Instant, u64), Alarm>,
    events: Vec<Event>,
    next_alarm: u64,
    next_call: u32,
    next_leg: u64,
    /// Number of the latest recording.
    pub(super) recordings: u32,
}

impl World {
    pub(crate) fn new(config: Config, now: Instant) -> Self {
        let queues: Vec<Queue> = config
            .queues
            .iter()
            .map(|q| Queue {
                number: q.number,
                name: q.name.clone(),
                entry: Device { kind: DeviceKind::RoutePoint, id: q.dialed_number.as_str().into() },
                variables: q.variables.clone(),
                waiting: VecDeque::new(),
            })
            .collect();
        let agents: Vec<Agent> =
            config.agents.iter().enumerate().map(|(index, a)| agent(index, a, &config, now)).collect();
        let agent_index = agents.iter().enumerate().map(|(index, a)| (a.id.clone(), index)).collect();
        let phone = || Phone { in_service: true, agent: None, calls: Vec::new() };
        let phones = config.extensions.iter().map(|e| (Arc::from(e.as_str()), phone())).collect();
        let campaigns = outbound::campaigns(&config.campaigns, &queues);
        let mut world = Self {
            campaigns,
            contacts: VecDeque::new(),
            next_record: 0,
            ledger: Ledger::new(agents.len(), queues.len(), now),
            agents,
            agent_index,
            phones,
            queues,
            calls: BTreeMap::new(),
            monitors: BTreeMap::new(),
            online: true,
            revision: 1,
            random: Random::new(config.seed),
            legs: HashMap::new(),
            attention: false,
            arrival: None,
            alarms: BTreeMap::new(),
            events: Vec::new(),
            next_alarm: 0,
            next_call: 100,
            next_leg: 0,
            recordings: 0,
            config,
        };
        world.start_script(now);
        world
    }

    /// The events since the last call, in order.
    pub(crate) fn take_events(&mut self, now: Instant) -> Vec<Event> {
        let events = std::mem::take(&mut self.events);
        if !events.is_empty() {
            self.with_ledger(|ledger, world| ledger.record(world, now, &events));
        }
        events
    }

    /// Lets the book-keeper look at the centre.
    pub(super) fn with_ledger(&mut self, look: impl FnOnce(&mut Ledger, &Self)) {
        let mut ledger = std::mem::take(&mut self.ledger);
        look(&mut ledger, self);
        self.ledger = ledger;
    }

    /// When [`World::handle_timeout`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.alarms.keys().next().map(|(when, _)| *when)
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some(entry) = self.alarms.first_entry().filter(|e| e.key().0 <= now) {
            let when = entry.key().0;
            let alarm = entry.remove();
            self.ring(when, now, alarm);
            self.dispatch(now);
        }
    }

    fn ring(&mut self, when: Instant, now: Instant, alarm: Alarm) {
        match alarm {
            Alarm::Arrival => self.random_call(when, now),
            Alarm::Scripted(index) => self.scripted_call(index, now),
            Alarm::RingOut(leg) => self.ring_out(now, leg),
            Alarm::GiveUp(leg) => self.give_up(now, leg),
            Alarm::FarAnswer(leg) => self.far_answer(now, leg),
            Alarm::FarHangUp(leg) => self.far_hang_up(now, leg),
            Alarm::Campaign(campaign) => self.dial_next(now, campaign),
            Alarm::Dialled(call) => self.dialled(now, call),
            Alarm::Unanswered(leg) => self.unanswered(now, leg),
            Alarm::Robot { agent, since } => self.robot_acts(now, agent, since),
            Alarm::RobotAnswers(leg) => self.robot_answers(now, leg),
            Alarm::WorkOver { agent, since } => self.work_over(now, agent, since),
            Alarm::WindowOver(call) => self.end(call),
        }
    }

    pub(super) fn alarm(&mut self, when: Instant, alarm: Alarm) {
        self.next_alarm += 1;
        self.alarms.insert((when, self.next_alarm), alarm);
    }

    pub(super) fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Reports an event of a call, seen from `device`.
    pub(super) fn tell(&mut self, call: CallId, device: &Device, leg: Leg, cause: u32, what: What) {
        self.push(Event::Call(CallNews { call, device: device.clone(), leg, cause, what }));
    }

    /// Reports that media flow, or no longer flow, at a phone of the call.
    pub(super) fn media(&mut self, call: CallId, device: &Device, started: bool) {
        if self.config.behaviour.rtp_events && device.kind == DeviceKind::Phone {
            let agent = self.phones.get(&device.id).and_then(|p| p.agent);
            self.push(Event::Media { call, device: device.id.clone(), agent, started });
        }
    }

    /// Makes a call object with its first party and announces it.
    pub(super) fn begin(
        &mut self,
        now: Instant,
        kind: u32,
        from: &Device,
        data: Arc<CallData>,
        cause: u32,
    ) -> CallId {
        self.next_call = self.next_call.wrapping_add(1).max(1);
        let id = CallId(self.next_call);
        let call = Call {
            id,
            kind,
            disposition: 0,
            root: from.clone(),
            calling: from.clone(),
            called: None,
            redirected_from: None,
            parties: Vec::new(),
            wait: None,
            queue: None,
            data: data.clone(),
            waiting_since: now,
            talk: None,
            answered: false,
            controller: None,
            recording: None,
            outreach: None,
            window: None,
        };
        self.calls.insert(id, call);
        self.tell(id, from, Leg::Initiate, cause, What::Begin { kind, disposition: 0, data });
        self.add_party(id, from.clone(), Leg::Initiate, false, true);
        id
    }

    /// Adds a party. The call must exist.
    pub(super) fn add_party(
        &mut self,
        call: CallId,
        device: Device,
        leg: Leg,
        routed: bool,
        origin: bool,
    ) -> LegId {
        self.next_leg += 1;
        let id = LegId(self.next_leg);
        if let Some(phone) = self.phones.get_mut(&device.id).filter(|_| device.kind == DeviceKind::Phone) {
            phone.calls.push(call);
        }
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.parties.push(Party { id, device, leg, routed, origin });
            self.legs.insert(id, call);
        }
        id
    }

    /// Takes a party out of a call, silently.
    pub(super) fn remove_party(&mut self, call: CallId, device: &str) -> Option<Party> {
        let entry = self.calls.get_mut(&call)?;
        let at = entry.parties.iter().position(|p| *p.device.id == *device)?;
        let party = entry.parties.remove(at);
        if entry.controller.as_deref() == Some(device) {
            entry.controller = None;
        }
        self.legs.remove(&party.id);
        if let Some(phone) = self.phones.get_mut(device).filter(|_| party.is_phone()) {
            phone.calls.retain(|c| *c != call);
        }
        Some(party)
    }

    /// The party that an alarm speaks of, if it is still there.
    pub(crate) fn leg(&self, id: LegId) -> Option<(CallId, &Party)> {
        let call = *self.legs.get(&id)?;
        let party = self.calls.get(&call)?.parties.iter().find(|p| p.id == id)?;
        Some((call, party))
    }

    /// The reason code of this centre's dialect.
    pub(super) fn because(&self, reason: Because) -> u16 {
        reason.code(self.config.dialect)
    }

    pub(crate) fn agent_at(&self, device: &str) -> Option<usize> {
        self.phones.get(device)?.agent
    }

    /// Brings the state of the agent at this phone in line with its calls.
    pub(super) fn settle_at(&mut self, now: Instant, device: &Device) {
        if let Some(agent) = self.agent_at(&device.id).filter(|_| device.kind == DeviceKind::Phone) {
            self.settle(now, agent);
        }
    }

    /// The phone called `device`.
    pub(super) fn phone_device(&self, device: &str) -> Outcome<Device> {
        let (id, _) = self.phones.get_key_value(device).ok_or(refusal(cf::INVALID_CSTA_DEVICE_IDENTIFIER))?;
        Ok(Device::phone(id))
    }

    /// The state of `device` in a live call, with the refusals of GED-188: unknown call, device, connection.
    pub(super) fn connection(&self, call: CallId, device: &str) -> Outcome<Leg> {
        let known = self.calls.get(&call).filter(|c| c.is_live());
        let call = known.ok_or(refusal(cf::INVALID_CSTA_CALL_IDENTIFIER))?;
        call.leg(device).ok_or(match self.phones.contains_key(device) {
            true => refusal(cf::INVALID_CSTA_CONNECTION_IDENTIFIER),
            false => refusal(cf::INVALID_CSTA_DEVICE_IDENTIFIER),
        })
    }

    /// Takes `device` out of the call and clears the call when nobody is left to talk to.
    pub(super) fn leave(&mut self, now: Instant, call: CallId, device: &str, cause: u32) {
        let Some(party) = self.remove_party(call, device) else { return };
        self.tell(call, &party.device, Leg::Null, cause, What::ConnectionCleared);
        let Some(entry) = self.calls.get(&call) else { return };
        let phones = entry.parties.iter().filter(|p| p.is_phone()).count();
        if entry.has_company() {
            if party.leg == Leg::Connect {
                self.media(call, &party.device, false);
            }
            if phones == 0 {
                self.say_goodbye(now, call);
            }
            self.settle_at(now, &party.device);
        } else {
            self.finish(now, call, Some(party));
        }
    }

    /// Nobody of this site is on the call any more: the outside parties end it in their own time.
    pub(super) fn say_goodbye(&mut self, now: Instant, call: CallId) {
        let Some(entry) = self.calls.get(&call).filter(|c| c.wait.is_none()) else { return };
        let talk = entry.talk.unwrap_or(Duration::from_secs(30));
        if let Some(leg) = entry.parties.first().map(|p| p.id) {
            self.alarm(now + talk, Alarm::FarHangUp(leg));
        }
    }

    /// Clears the call; `last` has just left it.
    pub(super) fn finish(&mut self, now: Instant, call: CallId, last: Option<Party>) {
        self.withdraw(call);
        let Some(entry) = self.calls.get_mut(&call) else { return };
        entry.disposition = disposition(entry, last.as_ref());
        let root = entry.root.clone();
        let names: Vec<Arc<str>> = entry.parties.iter().map(|p| p.device.id.clone()).collect();
        let mut gone: Vec<Party> = last.into_iter().collect();
        gone.extend(names.iter().filter_map(|device| self.remove_party(call, device)));
        for party in gone.iter().filter(|p| p.leg == Leg::Connect) {
            self.media(call, &party.device, false);
        }
        self.tell(call, &root, Leg::Null, event_cause::NONE, What::Cleared);
        let agents: Vec<usize> =
            gone.iter().filter(|p| p.is_phone()).filter_map(|p| self.agent_at(&p.device.id)).collect();
        for agent in &agents {
            self.settle(now, *agent);
        }
        self.open_window(now, call, agents);
    }

    /// Keeps a cleared call while one of `agents` does the work after it; otherwise ends it.
    fn open_window(&mut self, now: Instant, call: CallId, agents: Vec<usize>) {
        let working: Vec<usize> = agents.into_iter().filter(|a| self.agents[*a].state.in_work()).collect();
        if working.is_empty() {
            return self.end(call);
        }
        for agent in &working {
            self.agents[*agent].windows.push(call);
        }
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.window = Some(working);
        }
        self.alarm(now + self.config.behaviour.data_window, Alarm::WindowOver(call));
    }

    /// `agent` no longer works on his past calls.
    pub(super) fn close_windows(&mut self, agent: usize) {
        for call in std::mem::take(&mut self.agents[agent].windows) {
            let Some(window) = self.calls.get_mut(&call).and_then(|c| c.window.as_mut()) else { continue };
            window.retain(|a| *a != agent);
            if window.is_empty() {
                self.end(call);
            }
        }
    }

    /// Ends the call object. Does nothing when it is gone or still live with parties.
    pub(super) fn end(&mut self, call: CallId) {
        if self.calls.get(&call).is_none_or(|c| !c.parties.is_empty()) {
            return;
        }
        self.monitors.remove(&call);
        if let Some(entry) = self.calls.remove(&call) {
            for agent in entry.window.iter().flatten() {
                self.agents[*agent].windows.retain(|c| *c != call);
            }
            self.tell(call, &entry.root, Leg::Null, event_cause::NONE, What::End);
        }
    }
}

/// GED-188 `Disposition` of a call that ends now.
fn disposition(call: &Call, last: Option<&Party>) -> u32 {
    use crate::enums::disposition as d;
    let origin_left = last.is_some_and(|p| p.origin);
    match (call.answered, call.wait.is_some(), origin_left) {
        (true, ..) => d::DROP_HANDLED_PRIMARY_ROUTE,
        (false, true, _) => d::ABANDONED_IN_LOCAL_QUEUE,
        (false, false, true) => d::ABANDONED_RING,
        (false, false, false) => d::DROP_NO_ANSWER,
    }
}

fn agent(index: usize, from: &AgentConfig, config: &Config, now: Instant) -> Agent {
    let queue = |number: &u32| config.queues.iter().position(|q| q.number == *number);
    Agent {
        id: from.id.as_str().into(),
        login_name: from.login_name.clone(),
        first_name: from.first_name.clone(),
        last_name: from.last_name.clone(),
        password: from.password.clone(),
        team: from.team,
        supervisor: from.supervisor,
        queues: from.queues.iter().filter_map(queue).collect(),
        target_id: u32::try_from(index).unwrap_or(0) + 5001,
        base: Base::SignedOut,
        state: AgentState::Logout,
        since: now,
        logout_reason: 0,
        pending: None,
        device: None,
        outgoing: false,
        supervising: false,
        personal: VecDeque::new(),
        crew: None,
        windows: Vec::new(),
    }
}
