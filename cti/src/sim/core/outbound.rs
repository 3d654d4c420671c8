//! The dialer: reserves agents, calls customers, brings both together.
//!
//! An agent is reserved by a call of its own from the dialer's port to the agent's phone. It is no call that could be
//! answered, held or hung up: an agent's only answer is `BAResponse` (`respond.rs`). It ends when the customer is there,
//! which is a second call.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::agent::Base;
use super::call::{CallData, CallId, LegId, Wait};
use super::event::{Device, Leg, What};
use super::reason::Because;
use super::truth::ContactTruth;
use super::world::{Alarm, World};
use crate::Dialect;
use crate::enums::event_cause;
use crate::sim::campaign::{Answer, CampaignConfig, Contact, DialMode, OutboundCall, OutboundError};

/// Outcomes that snapshots tell of.
const HISTORY: usize = 1000;
/// Customers that a predictive campaign dials, one after the other, before it lets a reserved agent go.
const TRIES: u32 = 3;

/// A campaign and what is left of its list.
#[derive(Debug)]
pub(crate) struct Campaign {
    pub(crate) config: CampaignConfig,
    pub(crate) queue: usize,
    pub(crate) list: VecDeque<Contact>,
}

/// How far a reservation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The agent is to decide.
    Offered,
    /// The customer's phone is being dialled.
    Dialling,
    /// This is the call with the customer.
    Customer,
}

/// What makes a call one of the dialer's.
#[derive(Clone, Debug)]
pub(crate) struct Outreach {
    pub(crate) campaign: usize,
    pub(crate) mode: DialMode,
    pub(crate) contact: Contact,
    /// Customers dialled during this reservation.
    pub(crate) tries: u32,
    /// Key of the record, `BADialedListID`.
    pub(crate) key: u32,
    pub(crate) stage: Stage,
}

impl World {
    /// Reserves an agent because a test asks for it; the number of the reservation's call.
    pub(crate) fn outbound(&mut self, now: Instant, ask: &OutboundCall) -> Result<CallId, OutboundError> {
        let position = self.campaigns.iter().position(|c| c.config.name == ask.campaign);
        let campaign = position.ok_or_else(|| OutboundError::UnknownCampaign(ask.campaign.clone()))?;
        if !self.online {
            return Err(OutboundError::Offline);
        }
        let wait = match &ask.agent {
            Some(id) => {
                let index = self.agent_index.get(id.as_str()).copied();
                Wait::Agent(index.ok_or_else(|| OutboundError::UnknownAgent(id.clone()))?)
            }
            None => Wait::Queue(self.campaigns[campaign].queue),
        };
        let agent = self.free_agent(wait).ok_or_else(|| OutboundError::NobodyReady(ask.campaign.clone()))?;
        let listed = |c: &Contact| ask.customer.as_ref().is_none_or(|number| c.number == *number);
        let list = &mut self.campaigns[campaign].list;
        let next = list.iter().position(listed).and_then(|at| list.remove(at));
        let mut contact = match (next, &ask.customer) {
            (Some(contact), _) => contact,
            (None, Some(number)) => Contact::new(number),
            (None, None) => return Err(OutboundError::ListAtEnd(ask.campaign.clone())),
        };
        if !is_customer(self, &contact.number) {
            return Err(OutboundError::BadNumber(contact.number));
        }
        contact.answer = ask.answer.unwrap_or(contact.answer);
        Ok(self.reserve(now, campaign, agent, contact))
    }

    /// A campaign that calls by itself reserves an agent, if one is ready and somebody is left to call.
    pub(super) fn dial_next(&mut self, now: Instant, campaign: usize) {
        self.next_reservation(now, campaign);
        let name = self.campaigns[campaign].config.name.clone();
        if let Err(reason) = self.outbound(now, &OutboundCall::of(&name)) {
            tracing::debug!(%reason, campaign = name, "no reservation");
        }
    }

    pub(super) fn next_reservation(&mut self, from: Instant, campaign: usize) {
        let rate = self.campaigns[campaign].config.per_minute;
        if rate > 0.0 {
            let gap = self.random.gap(rate);
            self.alarm(from + gap, Alarm::Campaign(campaign));
        }
    }

    /// Reserves an agent. The agent must be free.
    pub(super) fn reserve(
        &mut self,
        now: Instant,
        campaign: usize,
        agent: usize,
        contact: Contact,
    ) -> CallId {
        let (config, queue) = (&self.campaigns[campaign].config, self.campaigns[campaign].queue);
        let (mode, respond_within) = (config.mode, config.respond_within);
        let dialer = Device::outside(&config.dialer_port);
        let key = self.new_record(campaign, &contact, agent);
        let stage = if mode.asks() { Stage::Offered } else { Stage::Dialling };
        let outreach = Outreach { campaign, mode, contact, tries: 1, key, stage };
        let data = Arc::new(self.outreach_data(&outreach));
        let kind = mode.reservation_type(self.config.dialect);
        let id = self.begin(now, kind, &dialer, data, event_cause::NEW_CALL);
        let Some(phone) = self.agents[agent].device.as_ref().map(Device::phone) else { return id };
        if let Some(call) = self.calls.get_mut(&id) {
            call.called = Some(phone.clone());
            call.queue = Some(queue);
            call.outreach = Some(outreach);
        }
        self.agents[agent].outgoing = false;
        let leg = self.add_party(id, phone.clone(), Leg::Alerting, true, false);
        self.settle(now, agent);
        self.tell_of_delivery(id, &phone);
        match mode.asks() {
            true => self.alarm(now + respond_within, Alarm::Unanswered(leg)),
            false => self.dial_customer(now, id),
        }
        id
    }

    /// The data of a call of the dialer, then that it rings at `phone`.
    fn tell_of_delivery(&mut self, id: CallId, phone: &Device) {
        self.tell_of_data(id, Leg::Connect);
        let Some(call) = self.calls.get(&id) else { return };
        let what = What::Delivered { ends: call.ends(), queue: call.queue, data: call.data.clone() };
        self.tell(id, phone, Leg::Alerting, event_cause::NEW_CALL, what);
    }

    /// The call's variables as they are now.
    pub(super) fn tell_of_data(&mut self, id: CallId, leg: Leg) {
        let Some(call) = self.calls.get(&id) else { return };
        let what =
            What::DataUpdate { kind: call.kind, disposition: call.disposition, data: call.data.clone() };
        let root = call.root.clone();
        self.tell(id, &root, leg, event_cause::NONE, what);
    }

    /// The customer's phone is dialled; what comes of it shows when the time is over.
    pub(super) fn dial_customer(&mut self, now: Instant, id: CallId) {
        let wait = self.random.within(self.config.outside.answer);
        if let Some(outreach) = self.calls.get_mut(&id).and_then(|c| c.outreach.as_mut()) {
            outreach.stage = Stage::Dialling;
            self.alarm(now + wait, Alarm::Dialled(id));
        }
    }

    /// The dialer knows what became of a customer's phone.
    pub(super) fn dialled(&mut self, now: Instant, id: CallId) {
        let Some(outreach) = self.reservation(id).cloned() else { return };
        match outreach.contact.answer {
            Answer::Voice => self.bring_together(now, id, outreach),
            answer => {
                self.set_result(outreach.key, if answer == Answer::Busy { "BUSY" } else { "NO_ANSWER" });
                self.try_again_later(&outreach);
                match outreach.mode.asks() {
                    true => self.end_reservation(now, id),
                    false => self.dial_another(now, id, outreach),
                }
            }
        }
    }

    /// The reserved agent waits for the next customer of the list; without one he is free again. Who has just not
    /// answered is not the next.
    fn dial_another(&mut self, now: Instant, id: CallId, failed: Outreach) {
        let list = &mut self.campaigns[failed.campaign].list;
        let another =
            list.front().is_some_and(|next| next.number != failed.contact.number) && failed.tries < TRIES;
        let next = if another { list.pop_front() } else { None };
        let agent = self.reserved_phone(id).and_then(|phone| self.agent_at(&phone.id));
        let (Some(contact), Some(agent)) = (next, agent) else { return self.end_reservation(now, id) };
        let key = self.new_record(failed.campaign, &contact, agent);
        let outreach = Outreach { contact, key, tries: failed.tries + 1, ..failed };
        let data = Arc::new(self.outreach_data(&outreach));
        if let Some(call) = self.calls.get_mut(&id) {
            call.data = data;
            call.outreach = Some(outreach);
        }
        self.tell_of_data(id, Leg::Connect);
        self.dial_customer(now, id);
    }

    /// The customer is there: the reservation gives way to the customer's call, which the phone answers by itself.
    fn bring_together(&mut self, now: Instant, id: CallId, mut outreach: Outreach) {
        let Some(phone) = self.clear_reservation(id) else { return };
        self.set_result(outreach.key, "CONNECTED");
        outreach.stage = Stage::Customer;
        let customer = Device::outside(&outreach.contact.number);
        let kind = outreach.mode.customer_type(self.config.dialect);
        let data = Arc::new(self.outreach_data(&outreach));
        let queue = self.campaigns[outreach.campaign].queue;
        let talk = self.config.callers.talk.map(|span| self.random.within(span));
        let call_id = self.begin(now, kind, &customer, data, event_cause::NEW_CALL);
        if let Some(call) = self.calls.get_mut(&call_id) {
            call.called = Some(phone.clone());
            call.queue = Some(queue);
            call.talk = talk;
            call.outreach = Some(outreach);
        }
        self.add_party(call_id, phone.clone(), Leg::Alerting, true, false);
        self.tell_of_delivery(call_id, &phone);
        self.establish(now, call_id, &phone);
    }

    /// The agent's own phone calls the customer.
    pub(super) fn dial_from_phone(&mut self, now: Instant, id: CallId, mut outreach: Outreach) {
        let Some(phone) = self.clear_reservation(id) else { return };
        self.set_result(outreach.key, "DIALLED");
        outreach.stage = Stage::Customer;
        let customer = Device::outside(&outreach.contact.number);
        let answer = outreach.contact.answer;
        let kind = outreach.mode.customer_type(self.config.dialect);
        let data = Arc::new(self.outreach_data(&outreach));
        let talk = self.config.callers.talk.map(|span| self.random.within(span));
        let cause = event_cause::NEW_CALL;
        let id = self.begin(now, kind, &phone, data, cause);
        if let Some(call) = self.calls.get_mut(&id) {
            call.called = Some(customer.clone());
            call.talk = talk;
            call.outreach = Some(outreach);
        }
        if let Some(agent) = self.agent_at(&phone.id) {
            self.agents[agent].outgoing = true;
        }
        self.tell_of_data(id, Leg::Initiate);
        self.tell(id, &phone, Leg::Initiate, cause, What::ServiceInitiated);
        self.settle_at(now, &phone);
        self.tell(id, &phone, Leg::Connect, cause, What::Originated { called: customer.clone() });
        if answer == Answer::Busy {
            return self.fail(id, &customer, event_cause::BUSY);
        }
        let leg = self.add_party(id, customer.clone(), Leg::Alerting, false, false);
        self.tell_of_network(id, &customer, cause);
        if answer == Answer::Voice {
            let wait = self.random.within(self.config.outside.answer);
            self.alarm(now + wait, Alarm::FarAnswer(leg));
        }
    }

    /// The agent did not respond in time.
    pub(super) fn unanswered(&mut self, now: Instant, leg: LegId) {
        let Some((id, phone)) = self.leg(leg).map(|(id, p)| (id, p.device.clone())) else { return };
        let Some(outreach) = self.reservation(id).filter(|o| o.stage == Stage::Offered).cloned() else {
            return;
        };
        let reason = self.because(match outreach.mode {
            DialMode::DirectPreview => Because::NotRespondedDirect,
            _ => Because::NotResponded,
        });
        if let Some(agent) = self.agent_at(&phone.id) {
            self.agents[agent].base = Base::NotReady(reason);
        }
        self.set_result(outreach.key, "EXPIRED");
        self.try_again_later(&outreach);
        self.end_reservation(now, id);
    }

    /// The outreach of a call that reserves an agent.
    pub(super) fn reservation(&self, id: CallId) -> Option<&Outreach> {
        let call = self.calls.get(&id).filter(|c| c.is_live())?;
        call.outreach.as_ref().filter(|o| o.stage != Stage::Customer)
    }

    /// Ends a reservation; its agent is what he was, or what he has asked for since.
    pub(super) fn end_reservation(&mut self, now: Instant, id: CallId) {
        if let Some(phone) = self.clear_reservation(id) {
            self.settle_at(now, &phone);
        }
    }

    fn reserved_phone(&self, id: CallId) -> Option<Device> {
        let parties = &self.calls.get(&id)?.parties;
        parties.iter().find(|p| p.is_phone()).map(|p| p.device.clone())
    }

    /// Takes a reservation away and leaves the state of its agent to the caller.
    pub(super) fn clear_reservation(&mut self, id: CallId) -> Option<Device> {
        let phone = self.reserved_phone(id)?;
        let root = self.calls.get(&id)?.root.clone();
        self.remove_party(id, &phone.id);
        self.remove_party(id, &root.id);
        self.tell(id, &phone, Leg::Null, event_cause::NONE, What::ConnectionCleared);
        self.tell(id, &root, Leg::Null, event_cause::NONE, What::Cleared);
        self.end(id);
        Some(phone)
    }

    /// A reservation ends because its agent or the phone is needed otherwise.
    pub(super) fn abandon_reservation(&mut self, now: Instant, id: CallId) {
        if let Some(outreach) = self.reservation(id).cloned() {
            self.set_result(outreach.key, "ABANDONED");
            self.try_again_later(&outreach);
            self.end_reservation(now, id);
        }
    }

    /// The reservation that holds an agent.
    pub(super) fn reservation_of(&self, agent: usize) -> Option<(CallId, &Outreach)> {
        let phone = self.phones.get(self.agents[agent].device.as_ref()?)?;
        phone.calls.iter().find_map(|id| Some((*id, self.reservation(*id)?)))
    }

    /// GED-188 `CallDirection` of an agent's state, while a call of the dialer decides it.
    pub(super) fn outbound_direction(&self, agent: usize) -> Option<u32> {
        let phone = self.phones.get(self.agents[agent].device.as_ref()?)?;
        let outreach = phone.calls.iter().find_map(|id| self.calls.get(id)?.outreach.as_ref())?;
        Some(outreach.mode.direction(outreach.stage != Stage::Customer))
    }

    /// The record comes again when everybody else of the list has been called.
    pub(super) fn try_again_later(&mut self, outreach: &Outreach) {
        self.campaigns[outreach.campaign].list.push_back(outreach.contact.clone());
    }

    fn new_record(&mut self, campaign: usize, contact: &Contact, agent: usize) -> u32 {
        self.next_record += 1;
        if self.contacts.len() >= HISTORY {
            self.contacts.pop_front();
        }
        self.contacts.push_back(ContactTruth {
            key: self.next_record,
            campaign: self.campaigns[campaign].config.name.clone(),
            customer: contact.number.clone(),
            agent: self.agents[agent].id.to_string(),
            result: "OFFERED",
            classification: None,
            callback: None,
            callback_number: None,
        });
        self.next_record
    }

    /// The record of a contact, unless it is too long ago.
    pub(super) fn record_mut(&mut self, key: u32) -> Option<&mut ContactTruth> {
        self.contacts.iter_mut().rev().find(|c| c.key == key)
    }

    pub(super) fn set_result(&mut self, key: u32, result: &'static str) {
        if let Some(record) = self.record_mut(key) {
            record.result = result;
        }
    }

    /// What desktops are told of a contact.
    fn outreach_data(&self, outreach: &Outreach) -> CallData {
        let (config, contact) = (&self.campaigns[outreach.campaign].config, &outreach.contact);
        let mut data = CallData {
            ani: Some(contact.number.clone()),
            dialed: Some(contact.number.clone()),
            customer: Some(contact.number.clone()),
            account: contact.account.clone(),
            campaign: u32::try_from(outreach.campaign).map_or(0, |index| index + 1),
            ..CallData::default()
        };
        let zone = contact.time_zone;
        let sign = if zone < 0 { '-' } else { '+' };
        for (name, value) in [
            ("BACampaign", config.name.clone()),
            ("BAAccountNumber", contact.account.clone().unwrap_or_default()),
            ("BAResponse", String::new()),
            ("BAStatus", config.status(self.config.dialect, outreach.stage != Stage::Customer)),
            ("BADialedListID", outreach.key.to_string()),
            ("BATimeZone", format!("{sign}{:05}", zone.unsigned_abs())),
            ("BABuddyName", contact.name.clone().unwrap_or_default()),
        ] {
            data.set(name, &value);
        }
        if self.config.dialect == Dialect::Ccx {
            data.set("BACustomerNumber", &contact.number);
        }
        data
    }

    /// CCX says of a customer's call that it was transferred or conferenced; CCE leaves `BAStatus` as it was.
    pub(super) fn mark_merged(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id).filter(|_| self.config.dialect == Dialect::Ccx) else {
            return;
        };
        if call.outreach.as_ref().is_some_and(|o| o.mode != DialMode::DirectPreview) {
            Arc::make_mut(&mut call.data).set("BAStatus", "ZO");
        }
    }
}

fn is_customer(world: &World, number: &str) -> bool {
    let digits = number.chars().all(|c| c.is_ascii_digit() || c == '+');
    (1..20).contains(&number.len()) && digits && !world.phones.contains_key(number)
}

/// The campaigns of a configuration, for a centre with these queues.
pub(super) fn campaigns(config: &[CampaignConfig], queues: &[super::world::Queue]) -> Vec<Campaign> {
    let with_queue = |c: &CampaignConfig| {
        let queue = queues.iter().position(|q| q.number == c.queue)?;
        Some(Campaign { config: c.clone(), queue, list: c.contacts.iter().cloned().collect() })
    };
    config.iter().filter_map(with_queue).collect()
}
