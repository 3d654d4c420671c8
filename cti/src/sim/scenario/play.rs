//! A scenario being played: which step is next, and when.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::super::core::call::CallId;
use super::super::exchange::Exchange;
use super::act::{Trouble, act};
use super::step::{Action, Step};

/// How far a scenario is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Steps that are done.
    pub done: usize,
    /// Steps that there are.
    pub steps: usize,
    /// Why it did not go on, as `file:line:column: reason`.
    pub failed: Option<String>,
}

impl Progress {
    /// Whether nothing more happens by it.
    pub fn is_over(&self) -> bool {
        self.failed.is_some() || self.done == self.steps
    }
}

/// A scenario being played.
#[derive(Debug)]
pub(crate) struct Play {
    steps: Vec<Step>,
    next: usize,
    start: Instant,
    /// When the step before was done.
    since: Instant,
    names: HashMap<String, CallId>,
    failed: Option<String>,
}

impl Play {
    pub(crate) fn new(steps: Vec<Step>, start: Instant) -> Self {
        Self { steps, next: 0, start, since: start, names: HashMap::new(), failed: None }
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress { done: self.next, steps: self.steps.len(), failed: self.failed.clone() }
    }

    fn current(&self) -> Option<&Step> {
        self.steps.get(self.next).filter(|_| self.failed.is_none())
    }

    /// Not before this time.
    fn earliest(&self, step: &Step) -> Instant {
        let at = step.at.map_or(self.start, |at| self.start + at);
        at.max(self.since + step.after.unwrap_or(Duration::ZERO))
    }

    /// When time alone makes something happen; `after` the present moment.
    pub(crate) fn deadline(&self, after: Instant) -> Option<Instant> {
        let step = self.current()?;
        let earliest = self.earliest(step);
        Some(if earliest > after { earliest } else { earliest + step.within })
    }

    /// Takes one step if it is its time; `false`: nothing to do now.
    pub(crate) fn go_on(&mut self, exchange: &mut Exchange, now: Instant) -> bool {
        let Some(step) = self.current().cloned() else { return false };
        let earliest = self.earliest(&step);
        if now < earliest {
            return false;
        }
        let late = now >= earliest + step.within;
        let sessions = exchange.open_sessions();
        let awaited = match (&step.when, &step.action) {
            (Some(condition), _) => Some((condition, true)),
            (None, Action::Expect(condition)) => Some((condition, step.patient)),
            _ => None,
        };
        if let Some((condition, patient)) = awaited
            && !condition.holds(&exchange.world, sessions, &self.names)
        {
            if !patient {
                self.fail(&step, condition.complaint(&exchange.world));
            } else if late {
                let complaint = condition.complaint(&exchange.world);
                self.fail(&step, format!("{complaint}, for {} s", step.within.as_secs_f64()));
            }
            return false;
        }
        if let Action::Expect(condition) = &step.action
            && !condition.holds(&exchange.world, sessions, &self.names)
        {
            self.fail(&step, condition.complaint(&exchange.world));
            return false;
        }
        self.take(exchange, now, &step)
    }

    fn take(&mut self, exchange: &mut Exchange, now: Instant, step: &Step) -> bool {
        match (act(exchange, now, &step.action, &self.names), step.refused) {
            (Ok(call), None) => {
                if let (Some(call), Some(name)) = (call, &step.name) {
                    self.names.insert(name.clone(), call);
                }
            }
            (Err(Trouble::Refused(refusal)), Some(code)) if refusal.code == code => {}
            (Ok(_), Some(code)) => self.fail(step, format!("was to be refused with {code}")),
            (Err(Trouble::Refused(refusal)), _) => {
                self.fail(step, format!("refused with {}", refusal_name(refusal.code)));
            }
            (Err(Trouble::Senseless(reason)), _) => self.fail(step, reason),
        }
        if self.failed.is_some() {
            return false;
        }
        tracing::debug!(place = step.place, "scenario step");
        (self.next, self.since) = (self.next + 1, now);
        if self.next == self.steps.len() {
            tracing::info!(steps = self.next, "scenario is over");
        }
        true
    }

    fn fail(&mut self, step: &Step, reason: String) {
        let failed = format!("{}: {reason}", step.place);
        tracing::warn!(failed, "scenario does not go on");
        self.failed = Some(failed);
    }
}

fn refusal_name(code: u32) -> String {
    let name = crate::enums::name_of("ControlFailureCode", code);
    name.map_or_else(|| code.to_string(), |name| format!("{code} {name}"))
}
