//! The customers: who calls when, by script or at random.

use std::time::Instant;

use super::acd::Inbound;
use super::call::{CallData, CallId, Wait};
use super::event::{Device, DeviceKind};
use super::world::{Alarm, World};
use crate::sim::{InboundCall, InjectError, Target};

/// Names that random customers have, in call variable 1.
const CUSTOMERS: [&str; 12] = [
    "Arthur Bell",
    "Beata Nowak",
    "Chen Li",
    "Dana Weiss",
    "Emil Larsson",
    "Fatima Zahra",
    "Gregor Lang",
    "Hana Sato",
    "Ivo Kralj",
    "Julia Stone",
    "Kofi Mensah",
    "Lucia Perez",
];

impl World {
    pub(super) fn start_script(&mut self, now: Instant) {
        for index in 0..self.config.script.len() {
            let when = now + self.config.script[index].0;
            self.alarm(when, Alarm::Scripted(index));
        }
        self.start_robots(now);
        for campaign in 0..self.campaigns.len() {
            self.next_reservation(now, campaign);
        }
        let rate = self.config.callers.calls_per_minute;
        self.set_calls_per_minute(now, rate);
    }

    /// Sets the rate of random calls; 0, negative or not a number: none.
    pub(crate) fn set_calls_per_minute(&mut self, now: Instant, rate: f64) {
        let rate = if rate.is_finite() && rate > 0.0 { rate } else { 0.0 };
        self.config.callers.calls_per_minute = rate;
        self.arrival = None;
        if rate > 0.0 && !self.queues.is_empty() {
            self.next_arrival(now);
        }
    }

    fn next_arrival(&mut self, from: Instant) {
        let gap = self.random.gap(self.config.callers.calls_per_minute);
        self.arrival = Some(from + gap);
        self.alarm(from + gap, Alarm::Arrival);
    }

    /// `when` is the time the alarm was set for; another one than the latest is void.
    pub(super) fn random_call(&mut self, when: Instant, now: Instant) {
        if self.arrival != Some(when) {
            return;
        }
        self.next_arrival(when);
        if !self.online {
            return;
        }
        let queue = self.random.below(self.queues.len());
        let customer = CUSTOMERS[self.random.below(CUSTOMERS.len())];
        let account = 100_000 + self.random.below(900_000);
        let mut call = InboundCall::to_queue(&self.outside_number(), self.queues[queue].number);
        call.variables.insert("callVariable1".into(), customer.into());
        call.variables.insert("callVariable2".into(), account.to_string());
        // The queue exists, so the call is accepted.
        let _ = self.inject(now, &call);
    }

    fn outside_number(&mut self) -> String {
        format!("978555{:04}", 1000 + self.random.below(9000))
    }

    pub(super) fn scripted_call(&mut self, index: usize, now: Instant) {
        let call = self.config.script[index].1.clone();
        if let Err(error) = self.inject(now, &call) {
            tracing::warn!(%error, index, "scripted call dropped");
        }
    }

    /// Lets a call come in.
    ///
    /// # Errors
    /// Unknown target, or an agent who is not signed in.
    pub(crate) fn inject(&mut self, now: Instant, call: &InboundCall) -> Result<CallId, InjectError> {
        if !self.online {
            return Err(InjectError::Offline);
        }
        if call.ani.is_empty() || call.ani.len() > 39 || self.phones.contains_key(call.ani.as_str()) {
            return Err(InjectError::BadAni(call.ani.clone()));
        }
        let wait = match &call.target {
            Target::Queue(number) => {
                let found = self.queues.iter().position(|q| q.number == *number);
                Wait::Queue(found.ok_or(InjectError::UnknownQueue(*number))?)
            }
            Target::Agent(id) => {
                let found = self.agent_index.get(id.as_str()).copied();
                let index = found.ok_or_else(|| InjectError::UnknownAgent(id.clone()))?;
                if !self.agents[index].signed_in() {
                    return Err(InjectError::SignedOut(id.clone()));
                }
                Wait::Agent(index)
            }
        };
        let entry = match (wait, &call.dnis) {
            (_, Some(dnis)) => Device { kind: DeviceKind::RoutePoint, id: dnis.as_str().into() },
            (Wait::Queue(queue), None) => self.queues[queue].entry.clone(),
            (Wait::Agent(agent), None) => {
                Device { kind: DeviceKind::RoutePoint, id: self.agents[agent].id.clone() }
            }
        };
        let mut data = CallData {
            ani: Some(call.ani.clone()),
            dnis: Some(entry.id.to_string()),
            dialed: Some(entry.id.to_string()),
            ..CallData::default()
        };
        for (key, value) in &call.variables {
            data.set(key, value);
        }
        let callers = self.config.callers.clone();
        let talk = call.talk.or_else(|| callers.talk.map(|span| self.random.within(span)));
        let patience = call.patience.or_else(|| callers.patience.map(|span| self.random.within(span)));
        let from = Device::outside(&call.ani);
        Ok(self.arrive(now, Inbound { from, entry, wait, data, talk, patience }))
    }
}
