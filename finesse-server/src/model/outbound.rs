//! Calls of the dialer (Outbound Option Guide for Unified CCE, "Extended Call Context Variables"; Unified CCX CTI Protocol
//! Developer Guide, "Using the Outbound Feature"; Finesse guide, "Dialog", outbound option). A call reserves an agent, who may be
//! asked; another one brings agent and customer together. What agents tell the dialer is a word in the variable `BAResponse`.

use std::borrow::Cow;

use cti::enums::{call_type, control_failure_code as failure};
use cti::{Message, Value, field, tag};

use super::Model;
use super::actions::{self, Actions};
use super::command::{DialogBody, Reply};
use super::dialog::{Dialog, Leg, Party};
use super::error::ApiError;
use super::requests::{Job, refused_here};
use super::seat::{Expect, Line};
use super::time::{Now, Utc};
use crate::directory::User;

/// The variable by which agents tell the dialer what they want.
const RESPONSE: &str = "BAResponse";
/// The variable that tells what the call is to the dialer, in two letters.
pub(super) const STATUS: &str = "BAStatus";
/// What `BAResponse` is once a reservation is accepted.
const ACCEPTED: &str = "Accept";
/// Longest number to call back, in bytes (GED-188, CustomerPhoneNumber, without the final NUL).
const CALLBACK_BYTES: usize = 19;
/// Values of `outboundClassification`, and the dialer's words for them.
const CLASSES: [(&str, &str); 6] = [
    ("VOICE", "REX_VOICE"),
    ("FAX", "REX_FAX"),
    ("ANS_MACHINE", "REX_ANS_MACHINE"),
    ("INVALID", "REX_INVALID"),
    ("BUSY", "BUSY"),
    ("DO_NOT_CALL", "DO_NOT_CALL"),
];

/// How a campaign calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The agent is asked, the dialer calls.
    Preview,
    /// The agent is asked, the agent's phone calls.
    DirectPreview,
    /// As preview, for a customer who asked to be called back.
    Callback,
    /// As many customers are called as agents are reserved.
    Progressive,
    /// More customers are called than agents are reserved.
    Predictive,
}

impl Mode {
    /// The mode behind a CallType, and whether it is that of a reservation.
    fn of_call_type(number: u32) -> Option<(Mode, bool)> {
        Some(match number {
            call_type::RESERVATION_PREVIEW => (Self::Preview, true),
            // CCX knows direct preview only, by numbers of its own.
            call_type::RESERVATION_PREVIEW_DIRECT | call_type::RESERVATION => (Self::DirectPreview, true),
            call_type::RESERVATION_CALLBACK | call_type::RESERVATION_PERSONAL_CALLBACK => {
                (Self::Callback, true)
            }
            call_type::RESERVATION_PREDICTIVE => (Self::Predictive, true),
            call_type::CUSTOMER_PREVIEW => (Self::Preview, false),
            call_type::CUSTOMER_PREVIEW_DIRECT | call_type::PREVIEW => (Self::DirectPreview, false),
            call_type::CUSTOMER_CALLBACK | call_type::CUSTOMER_PERSONAL => (Self::Callback, false),
            call_type::CUSTOMER_PREDICTIVE => (Self::Predictive, false),
            _ => return None,
        })
    }

    /// What `BAStatus` says of a customer's call.
    fn words(self) -> &'static str {
        match self {
            Self::Preview | Self::Callback => "PREVIEW_OUTBOUND",
            Self::DirectPreview => "DIRECT_PREVIEW_OUTBOUND",
            Self::Progressive => "PROGRESSIVE_OUTBOUND",
            Self::Predictive => "PREDICTIVE_OUTBOUND",
        }
    }

    /// Whether agents are asked before the customer is called.
    fn asks(self) -> bool {
        !matches!(self, Self::Progressive | Self::Predictive)
    }
}

/// What a call is to the dialer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// How the campaign calls.
    pub mode: Mode,
    /// Whether the call only reserves an agent.
    pub reservation: bool,
    /// The customer's number as people know it, where the call tells.
    pub customer: String,
    /// When the customer wants to be called, `YYYY-MM-DDThh:mm`.
    pub callback_time: String,
    /// At which number.
    pub callback_number: String,
    /// Whether the addresses have been told apart.
    placed: bool,
}

/// The reservation that an agent had last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reservation {
    call: u32,
    mode: Mode,
}

impl Outbound {
    fn of_call_type(number: u32) -> Option<Box<Outbound>> {
        let (mode, reservation) = Mode::of_call_type(number)?;
        Some(Box::new(Outbound {
            mode,
            reservation,
            customer: String::new(),
            callback_time: String::new(),
            callback_number: String::new(),
            placed: false,
        }))
    }

    /// Takes over what a message tells; whether that changed anything.
    fn absorb(&mut self, m: &Message) -> bool {
        let before = self.clone();
        if let Some(number) = m.tag_text(tag::CUSTOMER_PHONE_NUMBER).filter(|number| !number.is_empty()) {
            number.clone_into(&mut self.customer);
        }
        let response = m.named_variables().find(|(name, _)| *name == RESPONSE).map(|(_, value)| value);
        match response {
            Some("Callback Cancel") => {
                self.callback_time.clear();
                self.callback_number.clear();
            }
            Some(text) => {
                if let Some(number) = text.strip_prefix("P#") {
                    number.clone_into(&mut self.callback_number);
                } else if let Some(time) = text.strip_prefix("Callback ").and_then(to_rest_time) {
                    self.callback_time = time;
                }
            }
            None => {}
        }
        *self != before
    }
}

impl Dialog {
    /// Whether the call only reserves an agent.
    pub fn is_reservation(&self) -> bool {
        self.outbound.as_ref().is_some_and(|outbound| outbound.reservation)
    }

    /// Takes over what a message tells of a call of the dialer; whether that changed anything.
    pub(super) fn absorb_outbound(&mut self, m: &Message) -> bool {
        if self.outbound.is_none() {
            self.outbound = self.call_type.and_then(Outbound::of_call_type);
        }
        self.outbound.as_mut().is_some_and(|outbound| outbound.absorb(m))
    }

    /// `callbackNumber`: the customer's number of a direct preview call, without what the dialer puts in front (CCE).
    pub(super) fn customer_number(&self, ccx: bool) -> &str {
        let direct = self.outbound.as_ref().filter(|o| o.mode == Mode::DirectPreview && !ccx);
        direct.map_or("", |outbound| &outbound.customer)
    }

    /// `BAStatus` in the words of the API; as it came where it is none of the known pairs of letters.
    pub(super) fn ba_status<'a>(&'a self, raw: &'a str) -> Cow<'a, str> {
        let mut letters = raw.chars();
        let (Some(stage), Some(kind), None) = (letters.next(), letters.next(), letters.next()) else {
            return raw.into();
        };
        let mode = self.outbound.as_ref().map(|outbound| outbound.mode);
        let words = match (stage, mode) {
            ('P' | 'A', _) => "PREVIEW_OUTBOUND_RESERVATION",
            ('D', _) => "DIRECT_PREVIEW_OUTBOUND_RESERVATION",
            ('R', _) => "PREDICTIVE_OUTBOUND_RESERVATION",
            ('G', _) => "PROGRESSIVE_OUTBOUND_RESERVATION",
            ('Z', _) if self.call_type == Some(call_type::CONFERENCE) => "CONFERENCED",
            ('Z', _) => "TRANSFERRED",
            ('C', Some(mode)) => mode.words(),
            _ => return raw.into(),
        };
        match kind {
            'B' => format!("BLENDED_{words}").into(),
            'O' => words.into(),
            _ => raw.into(),
        }
    }

    /// The call becomes one with another: what that one was to the dialer, this one is.
    pub(super) fn inherit_outbound(&mut self, other: &Dialog) {
        if self.outbound.is_none() {
            self.outbound = other.outbound.clone();
        }
    }
}

impl Model {
    /// Works out what a change means for calls of the dialer, before anything is published.
    pub(super) fn settle_outbound(&mut self, now: Now) {
        for at in 0..self.calls.dirty.len() {
            let id = self.calls.dirty[at];
            let Some(dialog) = self.calls.dialog(id) else { continue };
            let place = dialog.parties.iter().position(|p| p.agent.is_some() && p.leg.is_live());
            let (Some(place), Some(outbound)) = (place, &dialog.outbound) else { continue };
            let Some(seat) = dialog.parties[place].agent else { continue };
            match outbound.reservation {
                true => self.settle_reservation(now, id, place, seat),
                false if !outbound.placed => self.place_customer(id, place, seat),
                false => {}
            }
        }
    }

    fn settle_reservation(&mut self, now: Now, id: u32, place: usize, seat: usize) {
        let Some(dialog) = self.calls.dialog_mut(id) else { return };
        let progressive = dialog.variables.scalar(STATUS).is_some_and(|status| status.starts_with('G'));
        let accepted = dialog.variables.scalar(RESPONSE) == Some(ACCEPTED);
        let Some(outbound) = &mut dialog.outbound else { return };
        if progressive {
            outbound.mode = Mode::Progressive;
        }
        let mode = outbound.mode;
        if !std::mem::replace(&mut outbound.placed, true) {
            dialog.to.clone_from(&dialog.parties[place].address);
            if let Some(dialer) = dialog.parties.iter().find(|p| p.agent.is_none()) {
                dialog.from.clone_from(&dialer.address);
            }
        }
        let party = &mut dialog.parties[place];
        if accepted && party.leg == Leg::Alerting {
            party.leg = Leg::Accepted;
            party.changed = Some(Utc(now.utc_ms));
        }
        self.seats[seat].reservation = Some(Reservation { call: id, mode });
        if !mode.asks() {
            // Nothing can be done with it, and there is no customer in it yet.
            self.hide(id, place);
        }
    }

    fn place_customer(&mut self, id: u32, place: usize, seat: usize) {
        let reserved = self.seats[seat].reservation.take();
        let Some(dialog) = self.calls.dialog_mut(id) else { return };
        let Some(outbound) = &mut dialog.outbound else { return };
        outbound.placed = true;
        if let Some(reserved) = reserved {
            if outbound.mode == Mode::Predictive && !reserved.mode.asks() {
                outbound.mode = reserved.mode;
            }
            if reserved.mode.asks() {
                dialog.associated = Some(reserved.call);
            }
        }
        // The dialer called, but to clients the agent did.
        if outbound.mode != Mode::DirectPreview {
            dialog.from.clone_from(&dialog.parties[place].address);
            dialog.to.clone_from(&dialog.dialed);
        }
    }

    /// What the agent behind `party` may do in a call of the dialer, where that differs from other calls.
    pub(super) fn outbound_actions(dialog: &Dialog, party: &Party, others: Actions) -> Actions {
        let Some(outbound) = dialog.outbound.as_ref().filter(|_| party.agent.is_some()) else {
            return others;
        };
        let callback = actions::UPDATE_SCHEDULED_CALLBACK.and(actions::CANCEL_SCHEDULED_CALLBACK);
        match (party.leg, outbound.reservation) {
            (Leg::Alerting, true) => actions::ACCEPT.and(actions::CLOSE).and(actions::REJECT),
            (_, true) => Actions::NONE,
            (Leg::Active | Leg::WrapUp, false) if outbound.mode == Mode::DirectPreview => {
                others.and(callback).and(actions::RECLASSIFY)
            }
            (Leg::Active | Leg::WrapUp, false) => others.and(callback),
            _ => others,
        }
    }

    /// The actions of `PUT Dialog/{id}` for the dialer.
    pub(super) fn tell_dialer(
        &mut self,
        now: Now,
        caller: &User,
        call: u32,
        body: &DialogBody,
        request_id: Option<String>,
    ) -> Result<Reply, ApiError> {
        let action = body.requested_action.as_deref().unwrap_or_default();
        let words = words(action, body)?;
        let (at, _, connection) = self.own_leg(caller, call, body)?;
        let outbound = self.calls.dialog(call).and_then(|dialog| dialog.outbound.as_ref());
        let Some(outbound) = outbound else {
            let error = refused_here(failure::INVALID_OBJECT_STATE);
            self.publish_error(at, Expect::Data(call), request_id, error);
            return Ok(Reply::Accepted);
        };
        if self.settings.ccx() && outbound.reservation && outbound.mode != Mode::DirectPreview {
            return Err(ApiError::not_implemented(action));
        }
        self.room_for(at, Line::Phone, words.len())?;
        for word in words {
            let message = self
                .data_request(call, &connection)
                .with(field::NUM_NAMED_VARIABLES, 1u32)
                .with(field::NUM_NAMED_ARRAYS, 0u32)
                .with_tag(tag::NAMED_VARIABLE, Value::named(RESPONSE, word));
            let job = Job { message, expect: Expect::Data(call), request_id: request_id.clone(), by: None };
            self.enqueue(now, at, Line::Phone, job)?;
        }
        Ok(Reply::Accepted)
    }
}

/// The words that tell the dialer what is asked for, one after the other.
fn words(action: &str, body: &DialogBody) -> Result<Vec<String>, ApiError> {
    let given = |wanted: &str| {
        let found = body.action_params.iter().rfind(|(name, _)| name == wanted);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    };
    let word = match action {
        "ACCEPT" => ACCEPTED.to_owned(),
        "CLOSE" => "Reject-Close".to_owned(),
        "REJECT" => "Reject".to_owned(),
        "CANCEL_SCHEDULED_CALLBACK" => "Callback Cancel".to_owned(),
        "RECLASSIFY" => {
            let name = "outboundClassification";
            let class = given(name).ok_or_else(|| ApiError::parameter_missing(name))?;
            let word = CLASSES.iter().find(|(known, _)| *known == class).map(|(_, word)| *word);
            word.ok_or_else(|| ApiError::invalid_input("The classification is not known", class))?.to_owned()
        }
        _ => {
            let (time, number) = (given("callbackTime"), given("callbackNumber"));
            if time.is_none() && number.is_none() {
                return Err(ApiError::parameter_missing("callbackTime"));
            }
            let invalid = |what: &str| ApiError::invalid_input("The callback is not valid", what);
            let time =
                time.map(|text| to_dialer_time(text).ok_or_else(|| invalid("callbackTime"))).transpose()?;
            let dials = |c: char| c.is_ascii_digit() || "+*#".contains(c);
            if number.is_some_and(|number| number.len() > CALLBACK_BYTES || !number.chars().all(dials)) {
                return Err(invalid("callbackNumber"));
            }
            let time = time.map(|time| format!("Callback {time}"));
            return Ok(time.into_iter().chain(number.map(|number| format!("P#{number}"))).collect());
        }
    };
    Ok(vec![word])
}

/// `YYYY-MM-DDThh:mm` as the dialer writes it, `mmddyyyy hh:mm`; `None` if it is no time of the calendar.
fn to_dialer_time(text: &str) -> Option<String> {
    let [year, month, day, hour, minute] =
        parts(text, b"0000-00-00T00:00", [(0, 4), (5, 7), (8, 10), (11, 13), (14, 16)])?;
    valid([year, month, day, hour, minute])
        .then(|| format!("{month:02}{day:02}{year:04} {hour:02}:{minute:02}"))
}

/// The way back.
fn to_rest_time(text: &str) -> Option<String> {
    let [month, day, year, hour, minute] =
        parts(text, b"00000000 00:00", [(0, 2), (2, 4), (4, 8), (9, 11), (12, 14)])?;
    valid([year, month, day, hour, minute])
        .then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}"))
}

/// The numbers at these places of a text of this pattern, in which `0` is any digit.
fn parts(text: &str, pattern: &[u8], places: [(usize, usize); 5]) -> Option<[u32; 5]> {
    let fits =
        |(byte, wanted): (u8, &u8)| if *wanted == b'0' { byte.is_ascii_digit() } else { byte == *wanted };
    if text.len() != pattern.len() || !text.bytes().zip(pattern).all(fits) {
        return None;
    }
    // The pattern has made sure that these are digits.
    Some(places.map(|(from, to)| text[from..to].parse().unwrap_or(0)))
}

fn valid([year, month, day, hour, minute]: [u32; 5]) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day) && hour < 24 && minute < 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_callbacks_are_written_in_two_ways() {
        assert_eq!(to_dialer_time("2024-02-06T11:30").as_deref(), Some("02062024 11:30"));
        assert_eq!(to_rest_time("02062024 11:30").as_deref(), Some("2024-02-06T11:30"));
        assert_eq!(to_dialer_time("2024-02-29T00:00").as_deref(), Some("02292024 00:00"));
        for bad in [
            "",
            "2023-02-29T00:00",
            "2024-13-01T00:00",
            "2024-00-01T00:00",
            "2024-04-31T00:00",
            "2024-02-06T24:00",
            "2024-02-06T11:60",
            "2024-02-06 11:30",
            "2024-02-06T11:30:00",
            "2024-2-6T11:30",
            "2024-02-06T11:3ä",
            "+024-02-06T11:30",
        ] {
            assert_eq!(to_dialer_time(bad), None, "{bad}");
        }
        assert_eq!(to_rest_time("Cancel"), None);
    }

    #[test]
    fn what_the_dialer_calls_a_status_has_words_in_the_api() {
        let status = |kind: u32, raw: &'static str| {
            let dialog =
                Dialog { call_type: Some(kind), outbound: Outbound::of_call_type(kind), ..Dialog::new(1) };
            dialog.ba_status(raw).into_owned()
        };
        assert_eq!(status(call_type::RESERVATION_PREVIEW, "PO"), "PREVIEW_OUTBOUND_RESERVATION");
        assert_eq!(status(call_type::RESERVATION, "DO"), "DIRECT_PREVIEW_OUTBOUND_RESERVATION");
        assert_eq!(status(call_type::CUSTOMER_PREVIEW, "CB"), "BLENDED_PREVIEW_OUTBOUND");
        assert_eq!(status(call_type::PREVIEW, "CO"), "DIRECT_PREVIEW_OUTBOUND");
        assert_eq!(status(call_type::CUSTOMER_PREDICTIVE, "CO"), "PREDICTIVE_OUTBOUND");
        assert_eq!(status(call_type::TRANSFER_IN, "ZO"), "TRANSFERRED");
        assert_eq!(status(call_type::CONFERENCE, "ZO"), "CONFERENCED");
        for other in ["", "C", "XO", "CX", "PREVIEW_OUTBOUND"] {
            assert_eq!(status(call_type::CUSTOMER_PREVIEW, other), other);
        }
    }
}
