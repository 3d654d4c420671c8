//! `PUT User/{id}`: sign-in, sign-out and changes of state, by the agent or by a supervisor.

use std::sync::Arc;

use cti::enums::{agent_work_mode, forced_flag};
use cti::{Message, field, kind, tag};

use super::Model;
use super::command::{Reply, UserBody};
use super::error::ApiError;
use super::requests::Job;
use super::seat::{Expect, Line};
use super::state::{State, Wanted};
use super::time::Now;
use super::user::MobileAgent;
use crate::api::reasons::category_name;
use crate::authority::{Object, Operation};
use crate::directory::{ReasonCategory, User};

/// Reason number of changes by a supervisor: CCE and CCX.
const BY_SUPERVISOR: (u16, u16) = (999, 33);
/// First protocol version with a device chosen at sign-in.
const DEVICES_SINCE: u32 = 24;

/// What is sent beside the state.
#[derive(Default)]
pub(super) struct Extras {
    pub(super) reason: u16,
    pub(super) forced: bool,
}

impl Model {
    pub(super) fn change_user(
        &mut self,
        now: Now,
        caller: &User,
        id: &str,
        body: Result<UserBody, ApiError>,
        request_id: Option<String>,
    ) -> Result<Reply, ApiError> {
        let at = self.position(Operation::ChangeState, caller, id)?;
        let body = body?;
        let state = body.state.as_deref().filter(|s| !s.is_empty());
        let state = state.ok_or_else(|| ApiError::parameter_missing("state"))?;
        let wanted = Wanted::parse(state)
            .ok_or_else(|| ApiError::invalid_input("Invalid State specified for user", "state"))?;
        let own = *caller.id == *self.seats[at].view.profile.user.id;
        if let Some(all) = &body.logout_all_media
            && !matches!(all.as_str(), "" | "true" | "false")
        {
            return Err(ApiError::invalid_input("logoutAllMedia must be true or false", "logoutAllMedia"));
        }
        match (wanted, own) {
            (Wanted::Login, _) => {
                self.judge(Operation::SignIn, caller, Object::User(id))?;
                self.sign_in(now, at, &body, request_id)
            }
            (_, true) => self.change_own(now, at, wanted, &body, request_id),
            (_, false) => self.change_by_supervisor(now, caller, at, wanted, (&body, request_id)),
        }
    }

    fn sign_in(
        &mut self,
        now: Now,
        at: usize,
        body: &UserBody,
        request_id: Option<String>,
    ) -> Result<Reply, ApiError> {
        let extension = body.extension.as_deref().filter(|e| !e.is_empty());
        let extension = extension.ok_or_else(|| ApiError::parameter_missing("extension"))?;
        if !valid_extension(extension, self.settings.ccx()) {
            return Err(ApiError::bad_request("The extension is not valid", extension));
        }
        refuse_reason(body)?;
        let mobile = self.mobile(body)?;
        let view = &self.seats[at].view;
        // Forced sign-in: the state stays, the client only has to hear of it.
        if view.signed_in() && view.extension == extension && mobile == view.mobile {
            self.publish_user(at, request_id);
            return Ok(Reply::Accepted);
        }
        let signed_out = !view.signed_in();
        let (instrument, mode) = match &mobile {
            Some(mobile) => (format!("{extension};{}", mobile.dial_number), work_mode(mobile.mode)),
            None => (extension.to_owned(), agent_work_mode::AWM_UNSPECIFIED),
        };
        let mut message = self.state_request(at, Wanted::Login, &Extras::default());
        message.remove(tag::AGENT_INSTRUMENT);
        message.set(field::AGENT_WORK_MODE, mode);
        message.push(tag::AGENT_INSTRUMENT, instrument);
        if let Some(password) = &body.password {
            message.push(tag::AGENT_PASSWORD, password.expose());
        }
        if let Some(device) = body.active_device_id.as_deref().filter(|d| !d.is_empty())
            && !self.settings.ccx()
            && self.settings.version >= DEVICES_SINCE
        {
            message.push(tag::TERMINAL_DEVICE_NAME, device);
        }
        let expect = Expect::State(Wanted::Login, 0);
        let by = Some(self.seats[at].view.profile.user.id.clone());
        if signed_out && self.seats[at].view.settings.is_none() {
            // Asked first, so that they are known when the event of the sign-in shows them.
            self.ask_desk_settings(now, at);
        }
        self.enqueue(now, at, Line::State, Job { message, expect, request_id, by })?;
        if signed_out {
            Arc::make_mut(&mut self.seats[at].view).mobile = mobile;
        }
        Ok(Reply::Accepted)
    }

    fn mobile(&self, body: &UserBody) -> Result<Option<MobileAgent>, ApiError> {
        let Some((mode, number)) = &body.mobile_agent else { return Ok(None) };
        if self.settings.ccx() {
            return Err(ApiError::not_implemented("mobileAgent"));
        }
        let given = |value: &Option<String>, name| {
            value.clone().filter(|v| !v.is_empty()).ok_or_else(|| ApiError::parameter_missing(name))
        };
        let mode = match given(mode, "mode")?.as_str() {
            "CALL_BY_CALL" => "CALL_BY_CALL",
            "NAILED_CONNECTION" => "NAILED_CONNECTION",
            other => return Err(ApiError::invalid_input("The mode of a mobile agent is not valid", other)),
        };
        let dial_number = given(number, "dialNumber")?;
        if dial_number.len() > 32 || dial_number.chars().any(|c| c.is_control() || c == ';') {
            return Err(ApiError::bad_request("The number of a mobile agent is not valid", "dialNumber"));
        }
        Ok(Some(MobileAgent { mode, dial_number }))
    }

    fn change_own(
        &mut self,
        now: Now,
        at: usize,
        wanted: Wanted,
        body: &UserBody,
        request_id: Option<String>,
    ) -> Result<Reply, ApiError> {
        let reason = match wanted {
            Wanted::NotReady => self.own_reason(at, ReasonCategory::NotReady, body)?,
            Wanted::Logout => self.own_reason(at, ReasonCategory::Logout, body)?,
            _ => {
                refuse_reason(body)?;
                0
            }
        };
        if self.seats[at].view.state == State::Logout {
            return Err(ApiError::invalid_state("state"));
        }
        let by = self.seats[at].view.profile.user.id.clone();
        self.ask_state(now, at, wanted, &Extras { reason, forced: false }, (by, request_id))
    }

    /// The number of the reason an agent gives. Where codes are configured for the team one must be given, where
    /// none are none can be.
    fn own_reason(&self, at: usize, category: ReasonCategory, body: &UserBody) -> Result<u16, ApiError> {
        let user = &self.seats[at].view.profile.user;
        let needed = self.directory.reason_codes(user, category).next().is_some();
        let given = body.reason_code_id.as_deref().map(str::trim).filter(|id| !matches!(*id, "" | "-1"));
        match (given, needed) {
            (None, false) => Ok(0),
            (None, true) => Err(ApiError::reason_code_required()),
            (Some(id), _) => {
                let code = id.parse().ok().and_then(|id| self.directory.reason_code(user, id));
                match code.filter(|c| c.category == category) {
                    Some(code) => Ok(code.code),
                    None => Err(ApiError::invalid_input(
                        format!("The reason code is not one of the {} codes", category_name(category)),
                        id,
                    )),
                }
            }
        }
    }

    fn change_by_supervisor(
        &mut self,
        now: Now,
        caller: &User,
        at: usize,
        wanted: Wanted,
        (body, request_id): (&UserBody, Option<String>),
    ) -> Result<Reply, ApiError> {
        let state = self.seats[at].view.state;
        let allowed = match wanted {
            Wanted::Logout => state != State::Logout,
            Wanted::NotReady => state == State::Ready || state.is_work(),
            Wanted::Ready => state == State::NotReady || state.is_work(),
            Wanted::Login | Wanted::Work | Wanted::WorkReady => {
                return Err(ApiError::invalid_input("Invalid State specified for user", "state"));
            }
        };
        refuse_reason(body)?;
        if !allowed {
            return Err(ApiError::invalid_state("state"));
        }
        let number = if self.settings.ccx() { BY_SUPERVISOR.1 } else { BY_SUPERVISOR.0 };
        let reason = if wanted == Wanted::Ready { 0 } else { number };
        let forced = wanted == Wanted::Logout;
        self.ask_state(now, at, wanted, &Extras { reason, forced }, (caller.id.clone(), request_id))
    }

    fn ask_state(
        &mut self,
        now: Now,
        at: usize,
        wanted: Wanted,
        extras: &Extras,
        (by, request_id): (Arc<str>, Option<String>),
    ) -> Result<Reply, ApiError> {
        let message = self.state_request(at, wanted, extras);
        let by = Some(by);
        let expect = Expect::State(wanted, extras.reason);
        self.enqueue(now, at, Line::State, Job { message, expect, request_id, by })?;
        Ok(Reply::Accepted)
    }

    pub(super) fn state_request(&self, at: usize, wanted: Wanted, extras: &Extras) -> Message {
        let seat = &self.seats[at];
        let forced = if extras.forced { forced_flag::TRUE } else { forced_flag::FALSE };
        Message::new(kind::SET_AGENT_STATE_REQ)
            .with(field::PERIPHERAL_ID, self.settings.peripheral_id)
            .with(field::AGENT_STATE, wanted.cti())
            .with(field::AGENT_WORK_MODE, agent_work_mode::AWM_UNSPECIFIED)
            .with(field::NUM_SKILL_GROUPS, 0u32)
            .with(field::EVENT_REASON_CODE, u32::from(extras.reason))
            .with(field::FORCED_FLAG, forced)
            .with(field::AGENT_SERVICE_REQ, 0u32)
            .with_tag(tag::AGENT_INSTRUMENT, seat.phone())
            .with_agent_id(self.settings.dialect, &*seat.view.profile.user.id)
    }
}

fn refuse_reason(body: &UserBody) -> Result<(), ApiError> {
    match body.reason_code_id.as_deref().map(str::trim) {
        None | Some("" | "-1") => Ok(()),
        Some(id) => Err(ApiError::invalid_input("A reason code cannot be given with this change", id)),
    }
}

/// CCE takes extensions as they are dialled inside; CCX also E.164 numbers.
fn valid_extension(extension: &str, ccx: bool) -> bool {
    let digits = match extension.strip_prefix('+') {
        Some(digits) if ccx => digits,
        Some(_) => return false,
        None => extension,
    };
    (1..=15).contains(&extension.len())
        && !digits.is_empty()
        && digits.chars().all(|c| c.is_ascii_alphanumeric())
}

fn work_mode(mode: &str) -> u32 {
    match mode {
        "CALL_BY_CALL" => agent_work_mode::RA_CALL_BY_CALL,
        _ => agent_work_mode::RA_NAILED_CONNECTION,
    }
}
