//! What agents tell the dialer, which they do by setting the variable `BAResponse` of a call of the dialer.

use std::time::Instant;

use super::agent::Base;
use super::call::{CallData, CallId};
use super::outbound::{Outreach, Stage};
use super::reason::Because;
use super::world::{Outcome, World, refusal};
use crate::Dialect;
use crate::enums::control_failure_code as cf;
use crate::sim::campaign::DialMode;

/// The variable by which desktops speak to the dialer.
const RESPONSE: &str = "BAResponse";

/// A value of `BAResponse`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Response {
    /// Calls the customer.
    Accept,
    /// Lets the customer be called later.
    Reject,
    /// Lets the customer not be called again.
    Close,
    /// As reject or close (`true`), but with the next customer at once.
    Skip(bool),
    /// As reject, and takes no further call.
    CancelReservation,
    /// Says who answered.
    Reclassify(&'static str),
    /// Wants to be called at `mmddyyyy hh:mm`.
    Callback(String),
    /// Wants to be called at this number.
    CallbackNumber(String),
    /// Wants no call any more.
    CallbackCancel,
}

const CLASSES: [(&str, &str); 6] = [
    ("REX_VOICE", "VOICE"),
    ("REX_ANS_MACHINE", "ANS_MACHINE"),
    ("REX_FAX", "FAX"),
    ("REX_INVALID", "INVALID"),
    ("BUSY", "BUSY"),
    ("DO_NOT_CALL", "DO_NOT_CALL"),
];

impl Response {
    fn read(text: &str) -> Option<Self> {
        if let Some((_, class)) = CLASSES.iter().find(|(word, _)| *word == text) {
            return Some(Self::Reclassify(class));
        }
        if let Some(number) = text.strip_prefix("P#") {
            let digits = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '+');
            return digits.then(|| Self::CallbackNumber(number.into()));
        }
        Some(match text {
            "Accept" => Self::Accept,
            "Reject" => Self::Reject,
            "Reject-Close" => Self::Close,
            "Skip" => Self::Skip(false),
            "Skip-Close" => Self::Skip(true),
            "Cancel Reservation" => Self::CancelReservation,
            "Callback Cancel" => Self::CallbackCancel,
            _ => Self::Callback(text.strip_prefix("Callback ").filter(|when| is_time(when))?.into()),
        })
    }
}

/// `mmddyyyy hh:mm`.
fn is_time(text: &str) -> bool {
    let part = |from: usize, to: usize| text.get(from..to).and_then(|t| t.parse::<u32>().ok());
    let shape = text.len() == 14
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 => b == b' ',
            11 => b == b':',
            _ => b.is_ascii_digit(),
        });
    let within = |value: Option<u32>, low, high| value.is_some_and(|v| (low..=high).contains(&v));
    shape
        && within(part(0, 2), 1, 12)
        && within(part(2, 4), 1, 31)
        && within(part(9, 11), 0, 23)
        && within(part(12, 14), 0, 59)
}

impl World {
    /// Judges an update of a call's data: the response in it that the dialer has to obey, if the call is one of its.
    pub(super) fn response(&self, id: CallId, update: &CallData) -> Outcome<Option<Response>> {
        let Some(text) = update.scalars.get(RESPONSE) else { return Ok(None) };
        let Some(outreach) = self.calls.get(&id).and_then(|c| c.outreach.as_ref()) else { return Ok(None) };
        let response = Response::read(text).ok_or(refusal(cf::VALUE_OUT_OF_RANGE))?;
        let fits = match (&response, outreach.stage) {
            (Response::CancelReservation, Stage::Offered) => self.config.dialect == Dialect::Ccx,
            (Response::Accept | Response::Reject | Response::Close | Response::Skip(_), Stage::Offered) => {
                true
            }
            (Response::Reclassify(_), Stage::Customer) => outreach.mode == DialMode::DirectPreview,
            (
                Response::Callback(_) | Response::CallbackNumber(_) | Response::CallbackCancel,
                Stage::Customer,
            ) => true,
            _ => false,
        };
        if fits { Ok(Some(response)) } else { Err(refusal(cf::INVALID_OBJECT_STATE)) }
    }

    /// Does what an agent told the dialer.
    pub(super) fn obey(&mut self, now: Instant, id: CallId, response: Response) {
        let Some(outreach) = self.calls.get(&id).and_then(|c| c.outreach.clone()) else { return };
        let key = outreach.key;
        match response {
            Response::Accept if outreach.mode == DialMode::DirectPreview => {
                self.dial_from_phone(now, id, outreach);
            }
            Response::Accept => {
                self.set_result(key, "ACCEPTED");
                self.dial_customer(now, id);
            }
            Response::Reject => self.put_back(now, id, &outreach, "REJECTED"),
            Response::Close => {
                self.set_result(key, "CLOSED");
                self.end_reservation(now, id);
            }
            Response::Skip(close) => self.skip(now, id, outreach, close),
            Response::CancelReservation => {
                let agent = self.calls.get(&id).and_then(|c| c.parties.iter().find(|p| p.is_phone()));
                if let Some(agent) = agent.and_then(|p| self.agent_at(&p.device.id)) {
                    self.agents[agent].base = Base::NotReady(self.because(Because::CancelledReservation));
                }
                self.put_back(now, id, &outreach, "REJECTED");
            }
            Response::Reclassify(class) => {
                if let Some(record) = self.record_mut(key) {
                    record.classification = Some(class);
                }
            }
            Response::Callback(when) => {
                if let Some(record) = self.record_mut(key) {
                    record.callback = Some(when);
                }
            }
            Response::CallbackNumber(number) => {
                if let Some(record) = self.record_mut(key) {
                    record.callback_number = Some(number);
                }
            }
            Response::CallbackCancel => {
                if let Some(record) = self.record_mut(key) {
                    (record.callback, record.callback_number) = (None, None);
                }
            }
        }
    }

    fn put_back(&mut self, now: Instant, id: CallId, outreach: &Outreach, result: &'static str) {
        self.set_result(outreach.key, result);
        self.try_again_later(outreach);
        self.end_reservation(now, id);
    }

    /// The agent wants another customer. He stays reserved if the list has one.
    fn skip(&mut self, now: Instant, id: CallId, outreach: Outreach, close: bool) {
        self.set_result(outreach.key, if close { "CLOSED" } else { "SKIPPED" });
        let next = self.campaigns[outreach.campaign].list.pop_front();
        if !close {
            self.try_again_later(&outreach);
        }
        let phone = self.calls.get(&id).and_then(|c| c.parties.iter().find(|p| p.is_phone()));
        let agent = phone.and_then(|p| self.agent_at(&p.device.id));
        match (next, agent) {
            (Some(contact), Some(agent)) => {
                self.clear_reservation(id);
                self.reserve(now, outreach.campaign, agent, contact);
            }
            _ => self.end_reservation(now, id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_read_by_the_letter() {
        assert_eq!(Response::read("Accept"), Some(Response::Accept));
        assert_eq!(Response::read("Reject-Close"), Some(Response::Close));
        assert_eq!(Response::read("REX_FAX"), Some(Response::Reclassify("FAX")));
        assert_eq!(Response::read("P#5551234567"), Some(Response::CallbackNumber("5551234567".into())));
        assert_eq!(
            Response::read("Callback 02062027 11:30"),
            Some(Response::Callback("02062027 11:30".into()))
        );
        assert_eq!(Response::read("Callback Cancel"), Some(Response::CallbackCancel));
        for bad in
            ["", "accept", "P#", "P#x", "Callback", "Callback 13062027 11:30", "Callback 020620271130", "Ä"]
        {
            assert_eq!(Response::read(bad), None, "{bad}");
        }
    }
}
