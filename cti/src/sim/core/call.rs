//! Calls, their parties and their data.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::event::{Device, DeviceKind, Leg};
use crate::enums::call_type;

/// Number of a call; unique for the life of the simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct CallId(pub u32);

impl std::fmt::Display for CallId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of a party; it stays the same when two calls become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LegId(pub(crate) u64);

/// One end of a call.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    pub(crate) id: LegId,
    pub(crate) device: Device,
    pub(crate) leg: Leg,
    /// Rings because the system routed the call here, not because somebody dialled the phone.
    pub(crate) routed: bool,
    /// Placed the call, or came in by it.
    pub(crate) origin: bool,
}

impl Party {
    pub(crate) fn is_phone(&self) -> bool {
        self.device.kind == DeviceKind::Phone
    }
}

/// For what a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// An agent of a queue.
    Queue(usize),
    /// This agent.
    Agent(usize),
}

/// Index of the elements of array variables by name.
pub(crate) type Arrays = BTreeMap<(String, u8), String>;

/// Everything attached to a call (GED-188 call context).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CallData {
    pub(crate) ani: Option<String>,
    pub(crate) dnis: Option<String>,
    pub(crate) dialed: Option<String>,
    pub(crate) entered: Option<String>,
    pub(crate) variables: [Option<String>; 10],
    pub(crate) wrap_up: Option<String>,
    pub(crate) scalars: BTreeMap<String, String>,
    pub(crate) arrays: Arrays,
    /// Number of the campaign; 0: none.
    pub(crate) campaign: u32,
    /// The customer's number and account, on calls of a campaign.
    pub(crate) customer: Option<String>,
    pub(crate) account: Option<String>,
}

impl CallData {
    /// Sets a variable by the name used in scripts: `callVariable1`…`callVariable10`, `wrapUpReason`,
    /// `callerEnteredDigits`, `name` of an expanded variable or `name[index]` of an element of an array.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        let value = value.to_owned();
        if let Some(slot) = numbered(key).and_then(|n| self.variables.get_mut(n)) {
            *slot = Some(value);
        } else if key == "wrapUpReason" {
            self.wrap_up = Some(value);
        } else if key == "callerEnteredDigits" {
            self.entered = Some(value);
        } else if let Some((name, index)) = indexed(key) {
            self.arrays.insert((name.to_owned(), index), value);
        } else {
            self.scalars.insert(key.to_owned(), value);
        }
    }

    /// A variable by the name used in scripts.
    pub(crate) fn get(&self, key: &str) -> Option<&String> {
        match key {
            "wrapUpReason" => self.wrap_up.as_ref(),
            "callerEnteredDigits" => self.entered.as_ref(),
            _ => match (numbered(key).and_then(|n| self.variables.get(n)), indexed(key)) {
                (Some(slot), _) => slot.as_ref(),
                (None, Some((name, index))) => self.arrays.get(&(name.to_owned(), index)),
                (None, None) => self.scalars.get(key),
            },
        }
    }

    /// Takes over what `update` sets; everything else stays.
    pub(crate) fn merge(&mut self, update: &Self) {
        let texts = [
            (&mut self.ani, &update.ani),
            (&mut self.dnis, &update.dnis),
            (&mut self.dialed, &update.dialed),
            (&mut self.entered, &update.entered),
            (&mut self.wrap_up, &update.wrap_up),
            (&mut self.customer, &update.customer),
            (&mut self.account, &update.account),
        ];
        for (mine, new) in texts.into_iter().chain(self.variables.iter_mut().zip(&update.variables)) {
            if new.is_some() {
                mine.clone_from(new);
            }
        }
        self.scalars.extend(update.scalars.clone());
        self.arrays.extend(update.arrays.clone());
    }
}

/// `callVariable1` is 0.
fn numbered(key: &str) -> Option<usize> {
    let number: usize = key.strip_prefix("callVariable")?.parse().ok()?;
    (1..=10).contains(&number).then(|| number - 1)
}

fn indexed(key: &str) -> Option<(&str, u8)> {
    let (name, rest) = key.split_once('[')?;
    Some((name, rest.strip_suffix(']')?.parse().ok()?))
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    /// GED-188 `CallType`.
    pub(crate) kind: u32,
    /// GED-188 `Disposition`; 0 while the call lives.
    pub(crate) disposition: u32,
    /// The connection under which the call object began and will end.
    pub(crate) root: Device,
    pub(crate) calling: Device,
    pub(crate) called: Option<Device>,
    pub(crate) redirected_from: Option<Device>,
    pub(crate) parties: Vec<Party>,
    pub(crate) wait: Option<Wait>,
    /// The queue it came through.
    pub(crate) queue: Option<usize>,
    pub(crate) data: Arc<CallData>,
    /// When it began to wait.
    pub(crate) waiting_since: Instant,
    /// How long the outside party will talk, decided before the call.
    pub(crate) talk: Option<std::time::Duration>,
    /// Whether somebody of this site has answered.
    pub(crate) answered: bool,
    /// The only one who may add parties to a conference.
    pub(crate) controller: Option<Arc<str>>,
    /// Number of the recording, while the call is being recorded.
    pub(crate) recording: Option<u32>,
    /// What makes it a call of the dialer.
    pub(crate) outreach: Option<super::outbound::Outreach>,
    /// Cleared; kept for the wrap-up data of these agents.
    pub(crate) window: Option<Vec<usize>>,
}

impl Call {
    pub(crate) fn party(&self, device: &str) -> Option<&Party> {
        self.parties.iter().find(|p| *p.device.id == *device)
    }

    pub(crate) fn party_mut(&mut self, device: &str) -> Option<&mut Party> {
        self.parties.iter_mut().find(|p| *p.device.id == *device)
    }

    /// The state of a party that can act on the call.
    pub(crate) fn leg(&self, device: &str) -> Option<Leg> {
        self.party(device).filter(|p| p.device.kind != DeviceKind::Monitored).map(|p| p.leg)
    }

    /// Whether the centre brought it to its agents, as opposed to a call that somebody dialled to a phone.
    pub(crate) fn is_routed(&self) -> bool {
        self.queue.is_some() || self.outreach.is_some() || self.kind == call_type::PREROUTE_DIRECT_AGENT
    }

    pub(crate) fn is_live(&self) -> bool {
        self.window.is_none()
    }

    pub(crate) fn is_conference(&self) -> bool {
        self.parties.len() > 2
    }

    /// Whether somebody is on the call who does more than ring, and somebody to talk to or to wait for.
    pub(crate) fn has_company(&self) -> bool {
        let awake = self.parties.iter().any(|p| p.leg != Leg::Alerting);
        awake && (self.parties.len() >= 2 || self.wait.is_some())
    }

    /// Whether anybody but `device` does more than ring.
    pub(crate) fn someone_else(&self, device: &str) -> bool {
        self.parties.iter().any(|p| *p.device.id != *device && p.leg != Leg::Alerting)
    }

    pub(crate) fn devices(&self) -> Vec<Device> {
        self.parties.iter().map(|p| p.device.clone()).collect()
    }

    pub(crate) fn ends(&self) -> super::event::Ends {
        super::event::Ends {
            calling: self.calling.clone(),
            called: self.called.clone(),
            redirected_from: self.redirected_from.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_go_where_their_names_say() {
        let mut data = CallData::default();
        for (key, value) in [
            ("callVariable1", "one"),
            ("callVariable10", "ten"),
            ("callVariable11", "no such"),
            ("user.account", "4711"),
            ("user.orders[2]", "shoes"),
            ("wrapUpReason", "sold"),
        ] {
            data.set(key, value);
        }
        assert_eq!(data.variables[0].as_deref(), Some("one"));
        assert_eq!(data.variables[9].as_deref(), Some("ten"));
        assert_eq!(data.scalars.get("user.account").map(String::as_str), Some("4711"));
        assert_eq!(data.scalars.get("callVariable11").map(String::as_str), Some("no such"));
        assert_eq!(data.arrays.get(&("user.orders".into(), 2)).map(String::as_str), Some("shoes"));
        assert_eq!(data.wrap_up.as_deref(), Some("sold"));
    }

    #[test]
    fn a_merge_keeps_what_is_not_named() {
        let mut data = CallData::default();
        data.set("callVariable1", "one");
        data.set("callVariable2", "two");
        let mut update = CallData::default();
        update.set("callVariable2", "");
        update.set("x", "y");
        data.merge(&update);
        assert_eq!(data.variables[0].as_deref(), Some("one"));
        assert_eq!(data.variables[1].as_deref(), Some(""));
        assert_eq!(data.scalars.len(), 1);
    }
}
