//! The truth about the contact centre, for tests that compare it with what clients believe.

use serde::Serialize;

use super::call::CallId;
use super::event::{CallNews, Event, Leg, What};
use super::world::World;
use crate::enums::event_cause;

/// The state of everything at one moment. Serialises to JSON as the control door shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Every configured agent, in the order of the configuration.
    pub agents: Vec<AgentTruth>,
    /// Every call, by rising number.
    pub calls: Vec<CallTruth>,
    /// What became of the latest thousand contacts of campaigns, oldest first.
    pub contacts: Vec<ContactTruth>,
    /// Whether the peripheral is online.
    pub online: bool,
}

/// One agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AgentTruth {
    /// Agent id.
    pub id: String,
    /// Name of the `AgentState` without prefix, for example `NOT_READY`.
    pub state: &'static str,
    /// Reason code that goes with the state; 0: none.
    pub reason: u16,
    /// State that follows the present call.
    pub pending: Option<&'static str>,
    /// Phone, while signed in.
    pub extension: Option<String>,
}

/// One attempt of a campaign to reach a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContactTruth {
    /// Key of the record, `BADialedListID`.
    pub key: u32,
    /// Name of the campaign.
    pub campaign: String,
    /// The customer's number.
    pub customer: String,
    /// The agent who was reserved.
    pub agent: String,
    /// `OFFERED`, `ACCEPTED`, `DIALLED`, `CONNECTED`, `REJECTED`, `CLOSED`, `SKIPPED`, `BUSY`, `NO_ANSWER`, `EXPIRED` or
    /// `ABANDONED`.
    pub result: &'static str,
    /// What the agent says that the call was, for example `ANS_MACHINE`.
    pub classification: Option<&'static str>,
    /// When the customer wants to be called, `mmddyyyy hh:mm`.
    pub callback: Option<String>,
    /// Where the customer wants to be called.
    pub callback_number: Option<String>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallTruth {
    /// Its number.
    pub id: CallId,
    /// GED-188 `CallType`.
    pub call_type: u32,
    /// Number of the queue it waits in.
    pub waiting: Option<u32>,
    /// Only kept for wrap-up data.
    pub cleared: bool,
    /// Being recorded.
    pub recorded: bool,
    /// Who is on it.
    pub parties: Vec<PartyTruth>,
}

/// One party of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartyTruth {
    /// Extension or outside number.
    pub device: String,
    /// Name of the `LocalConnectionState` without prefix, for example `CONNECT`.
    pub state: &'static str,
}

impl World {
    /// The truth at this moment.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let agents = self.agents.iter().map(|a| AgentTruth {
            id: a.id.to_string(),
            state: a.state.word(),
            reason: a.reason(),
            pending: a.pending.map(|w| w.state().word()),
            extension: a.device.as_deref().map(str::to_owned),
        });
        let calls = self.calls.values().map(|c| CallTruth {
            id: c.id,
            call_type: c.kind,
            waiting: c.wait.and_then(super::acd::queue_of).map(|q| self.queues[q].number),
            cleared: !c.is_live(),
            recorded: c.recording.is_some() && c.is_live(),
            parties: c
                .parties
                .iter()
                .map(|p| PartyTruth { device: p.device.id.to_string(), state: p.leg.word() })
                .collect(),
        });
        Snapshot {
            agents: agents.collect(),
            calls: calls.collect(),
            contacts: self.contacts.iter().cloned().collect(),
            online: self.online,
        }
    }

    /// The calls that exist, as the events that a CTI server sends which has just learned of them.
    pub(crate) fn existing_calls(&self) -> Vec<Event> {
        let mut out = Vec::new();
        for call in self.calls.values().filter(|c| c.is_live()) {
            let news = |device: &super::event::Device, leg, what| {
                let (call, device) = (call.id, device.clone());
                Event::Call(CallNews { call, device, leg, cause: event_cause::CALL_PARTY_UPDATE_IND, what })
            };
            let (kind, disposition, data) = (call.kind, call.disposition, call.data.clone());
            out.push(news(&call.root, Leg::Initiate, What::Begin { kind, disposition, data }));
            for party in call.parties.iter().filter(|p| p.is_phone()) {
                let (ends, queue, data) = (call.ends(), call.queue, call.data.clone());
                out.push(match party.leg {
                    Leg::Alerting => news(&party.device, party.leg, What::Delivered { ends, queue, data }),
                    Leg::Connect | Leg::Hold => {
                        news(&party.device, Leg::Connect, What::Established { ends, queue })
                    }
                    _ => news(&party.device, party.leg, What::ServiceInitiated),
                });
                if party.leg == Leg::Hold {
                    out.push(news(&party.device, Leg::Hold, What::Held));
                }
            }
        }
        out
    }
}
