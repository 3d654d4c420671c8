//! Steps carried out: agents act on the centre as their phones and desktops would.

use std::collections::HashMap;
use std::time::Instant;

use super::super::core::agent::Wish;
use super::super::core::assist::Cry;
use super::super::core::call::{CallData, CallId};
use super::super::core::event::Leg;
use super::super::core::signon::{SignIn, StateRequest};
use super::super::core::supervise::Supervision;
use super::super::core::world::{Refusal, World};
use super::super::exchange::Exchange;
use super::step::{Action, Deed, Does, SideDoes};
use crate::enums::supervisory_action;

/// A step cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The centre refuses it.
    Refused(Refusal),
    /// It makes no sense now.
    Senseless(String),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

type Done = Result<Option<CallId>, Trouble>;
type Names = HashMap<String, CallId>;

/// Carries out an action; the call that begins by it.
pub(super) fn act(exchange: &mut Exchange, now: Instant, action: &Action, names: &Names) -> Done {
    let senseless = |error: String| Trouble::Senseless(error);
    match action {
        Action::Nothing | Action::Expect(_) => {}
        Action::Agent { agent, deed, call } => {
            let call = call.as_deref().map(|name| named(names, name)).transpose()?;
            return Actor { world: &mut exchange.world, now, agent, call }.does(deed);
        }
        Action::Inbound(call) => {
            return exchange.world.inject(now, call).map(Some).map_err(|e| senseless(e.to_string()));
        }
        Action::Outbound(call) => {
            return exchange.world.outbound(now, call).map(Some).map_err(|e| senseless(e.to_string()));
        }
        Action::HangUp(name) => {
            let call = named(names, name)?;
            if !exchange.world.caller_hangs_up(now, call) {
                return Err(senseless(format!("nobody outside is on call {name:?}")));
            }
        }
        Action::Side(side, does) => {
            let mode = &mut exchange.sides[side.index()];
            match does {
                SideDoes::Stop => exchange.stop(*side, true),
                SideDoes::Start => exchange.stop(*side, false),
                SideDoes::Cut => exchange.drop_link(*side),
                SideDoes::Freeze => exchange.freeze(now, *side, true),
                SideDoes::Thaw => exchange.freeze(now, *side, false),
                SideDoes::FallSilent => mode.silent = true,
                SideDoes::Speak => mode.silent = false,
                SideDoes::StandBy => mode.standby = true,
                SideDoes::Serve => mode.standby = false,
            }
        }
        Action::Rule(rule) => exchange.rules.add(rule.clone()).map_err(senseless)?,
        Action::Rate(rate) => exchange.world.set_calls_per_minute(now, *rate),
        Action::Peripheral(online) => exchange.world.set_online(*online),
        Action::Phone(phone, in_service) => exchange.world.set_in_service(now, phone, *in_service)?,
    }
    Ok(None)
}

fn named(names: &Names, name: &str) -> Result<CallId, Trouble> {
    names.get(name).copied().ok_or_else(|| Trouble::Senseless(format!("no call {name:?} yet")))
}

/// An agent at work.
struct Actor<'a> {
    world: &'a mut World,
    now: Instant,
    agent: &'a str,
    call: Option<CallId>,
}

impl Actor<'_> {
    fn does(mut self, deed: &Deed) -> Done {
        match deed {
            Deed::SignIn(phone) => self.signs_in(phone.as_deref())?,
            Deed::Ready => self.wishes(Wish::Ready)?,
            Deed::NotReady(reason) => self.wishes(Wish::NotReady(*reason))?,
            Deed::SignOut(reason) => self.wishes(Wish::Logout(*reason))?,
            Deed::Work => self.wishes(Wish::Work)?,
            Deed::Dial(number) => {
                let phone = self.phone()?;
                return Ok(Some(self.world.make_call(self.now, &phone, number, CallData::default())?));
            }
            Deed::Consult(number) => {
                let (phone, call) = self.at(Leg::Connect)?;
                return Ok(Some(self.world.consult(self.now, call, &phone, number, &CallData::default())?));
            }
            Deed::Transfer(Some(number)) => {
                let (phone, call) = self.at(Leg::Connect)?;
                self.world.single_step_transfer(self.now, call, &phone, number)?;
            }
            Deed::Transfer(None) => {
                let (phone, held, active) = self.both()?;
                self.world.transfer(self.now, active, held, &phone)?;
            }
            Deed::Supervise(does, of) => return self.supervises(*does, Some(of)).map(Some),
            Deed::Set(data) => {
                let mut update = CallData::default();
                data.iter().for_each(|(name, value)| update.set(name, value));
                let call = match self.call {
                    Some(call) => call,
                    None => self.any_call()?,
                };
                self.world.set_call_data(self.now, call, &update)?;
            }
            Deed::Plain(does) => return self.plainly(*does),
        }
        Ok(None)
    }

    fn plainly(mut self, does: Does) -> Done {
        let now = self.now;
        match does {
            Does::Answer => {
                let (phone, call) = self.at(Leg::Alerting)?;
                self.world.answer(now, call, &phone)?;
            }
            Does::Hold => {
                let (phone, call) = self.at(Leg::Connect)?;
                self.world.hold(now, call, &phone)?;
            }
            Does::Retrieve => {
                let (phone, call) = self.at(Leg::Hold)?;
                self.world.retrieve(now, call, &phone)?;
            }
            Does::HangUp => {
                let (phone, call) = (self.phone()?, self.any_call()?);
                self.world.clear_connection(now, call, &phone, &phone)?;
            }
            Does::Conference => {
                let (phone, held, active) = self.both()?;
                self.world.conference(now, held, active, &phone)?;
            }
            Does::Alternate => {
                let (phone, held, active) = self.both()?;
                self.world.alternate(now, active, held, &phone)?;
            }
            Does::Reconnect => {
                let (phone, held, active) = self.both()?;
                self.world.reconnect(now, active, held, &phone)?;
            }
            Does::StopListening => {
                self.supervises(does, None)?;
            }
            Does::Record => {
                let (phone, call) = self.at(Leg::Connect)?;
                self.world.start_recording(call, &phone)?;
            }
            Does::StopRecording => {
                let (phone, call) = self.at(Leg::Connect)?;
                self.world.stop_recording(call, &phone)?;
            }
            Does::AskForHelp | Does::RaiseAlarm => {
                let phone = self.phone()?;
                let call = self.call.or_else(|| self.world.call_in(&phone, Leg::Connect));
                let emergency = does == Does::RaiseAlarm;
                let cry = Cry { phone: &phone, call, emergency, client: "scenario" };
                let found = self.world.call_for_help(now, cry)?;
                return found.map(Some).ok_or_else(|| Trouble::Senseless("no supervisor is free".into()));
            }
            // The others need something, so that they are no plain deeds.
            _ => return Err(Trouble::Senseless(format!("{does:?} needs more"))),
        }
        Ok(None)
    }

    fn index(&self) -> Result<usize, Trouble> {
        self.index_of(self.agent)
    }

    fn index_of(&self, agent: &str) -> Result<usize, Trouble> {
        let found = self.world.agent_index.get(agent).copied();
        found.ok_or_else(|| Trouble::Senseless(format!("no agent {agent}")))
    }

    /// The phone he is at.
    fn phone(&self) -> Result<String, Trouble> {
        self.phone_of(self.agent)
    }

    fn phone_of(&self, agent: &str) -> Result<String, Trouble> {
        let device = self.world.agents[self.index_of(agent)?].device.as_deref().map(str::to_owned);
        device.ok_or_else(|| Trouble::Senseless(format!("{agent} is signed out")))
    }

    /// The call that is named, or the one that is in this state at his phone.
    fn at(&self, leg: Leg) -> Result<(String, CallId), Trouble> {
        let phone = self.phone()?;
        let call = self.call.or_else(|| self.world.call_in(&phone, leg));
        let call = call.ok_or_else(|| {
            Trouble::Senseless(format!("{} has no call in state {}", self.agent, leg.word()))
        })?;
        Ok((phone, call))
    }

    /// The held call and the other one.
    fn both(&self) -> Result<(String, CallId, CallId), Trouble> {
        let phone = self.phone()?;
        let held = self.world.call_in(&phone, Leg::Hold);
        let legs = [Leg::Connect, Leg::Initiate, Leg::Fail];
        let active = legs.into_iter().find_map(|leg| self.world.call_in(&phone, leg));
        match (held, active) {
            (Some(held), Some(active)) => Ok((phone, held, active)),
            _ => Err(Trouble::Senseless(format!("{} has no held and another call", self.agent))),
        }
    }

    /// The call that is named, or the one he is on, or the one he works on.
    fn any_call(&self) -> Result<CallId, Trouble> {
        let phone = self.phone()?;
        let legs = [Leg::Connect, Leg::Initiate, Leg::Fail, Leg::Hold, Leg::Alerting];
        let on = legs.into_iter().find_map(|leg| self.world.call_in(&phone, leg));
        let past = self.world.agents[self.index()?].windows.last().copied();
        let call = self.call.or(on).or(past);
        call.ok_or_else(|| Trouble::Senseless(format!("{} has no call", self.agent)))
    }

    /// At a phone, by default the one that has his place in the list of phones.
    fn signs_in(&mut self, phone: Option<&str>) -> Result<(), Trouble> {
        let index = self.index()?;
        let own = || self.world.config.extensions.get(index).cloned();
        let phone = phone.map(str::to_owned).or_else(own).unwrap_or_default();
        let request = SignIn {
            agent: self.agent,
            password: None,
            instrument: &phone,
            work_mode: 0,
            forced: false,
            check_only: false,
        };
        Ok(self.world.sign_in(self.now, request)?)
    }

    fn wishes(&mut self, wish: Wish) -> Result<(), Trouble> {
        let agent = self.index()?;
        let request = StateRequest { agent, wish, forced: false, supervisor: None };
        Ok(self.world.request_state(self.now, request)?)
    }

    fn supervises(&mut self, does: Does, of: Option<&str>) -> Result<CallId, Trouble> {
        let action = match does {
            Does::Listen => supervisory_action::MONITOR,
            Does::BargeIn => supervisory_action::BARGE_IN,
            Does::Intercept => supervisory_action::INTERCEPT,
            _ => supervisory_action::CLEAR,
        };
        let supervisor_phone = &self.phone()?;
        let agent_phone = match of {
            Some(id) => self.phone_of(id)?,
            None => String::new(),
        };
        let request = Supervision {
            action,
            agent_phone: &agent_phone,
            agent_call: None,
            supervisor_phone,
            supervisor_call: None,
        };
        Ok(self.world.supervise(self.now, request)?)
    }
}
