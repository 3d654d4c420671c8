//! What the contact centre tells its observers, as plain values. The wire layer turns them into messages.

use std::sync::Arc;
use std::time::Duration;

use super::agent::AgentState;
use super::call::{CallData, CallId};

/// What kind of thing a device is (GED-188 `DeviceIDType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceKind {
    /// A phone of this site.
    Phone,
    /// Somebody in the public network.
    Outside,
    /// A phone of this site to which a supervisor listens: named in the supervisor's call, but not occupied by it.
    Monitored,
    /// A number that customers dial.
    RoutePoint,
}

/// One end of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) kind: DeviceKind,
    pub(crate) id: Arc<str>,
}

impl Device {
    pub(crate) fn phone(id: &Arc<str>) -> Self {
        Self { kind: DeviceKind::Phone, id: id.clone() }
    }

    pub(crate) fn outside(id: &str) -> Self {
        Self { kind: DeviceKind::Outside, id: id.into() }
    }
}

/// State of a party of a call (GED-188 `LocalConnectionState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leg {
    /// Gone.
    Null,
    /// Dialling, or waiting for an answer of the other end.
    Initiate,
    /// Ringing.
    Alerting,
    /// Talking.
    Connect,
    /// Put the call on hold.
    Hold,
    /// Waits in a queue.
    Queued,
    /// Hears a busy or error tone.
    Fail,
}

impl Leg {
    /// The protocol's number.
    pub(crate) const fn code(self) -> u32 {
        match self {
            Self::Null => 0,
            Self::Initiate => 1,
            Self::Alerting => 2,
            Self::Connect => 3,
            Self::Hold => 4,
            Self::Queued => 5,
            Self::Fail => 6,
        }
    }

    /// The word used in snapshots of the truth.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Initiate => "INITIATE",
            Self::Alerting => "ALERTING",
            Self::Connect => "CONNECT",
            Self::Hold => "HOLD",
            Self::Queued => "QUEUED",
            Self::Fail => "FAIL",
        }
    }
}

/// Something happened.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// To an agent.
    Agent(AgentNews),
    /// To a call.
    Call(CallNews),
    /// A media stream between an agent's phone and the other end began or ended.
    Media { call: CallId, device: Arc<str>, agent: Option<usize>, started: bool },
    /// A call with its data is about to reach an agent.
    PreCall { agent: usize, queue: Option<usize>, data: Arc<CallData> },
    /// An agent calls for help by `call`, from the phone `device`; `client` is the ClientID of the session that asked.
    Help { call: CallId, device: Arc<str>, agent: usize, emergency: bool, client: String },
    /// The peripheral came or went.
    Peripheral { online: bool },
    /// A phone came or went.
    Instrument { device: Arc<str>, in_service: bool },
    /// An administrator changed an agent's record; `left` is the team the agent was in, if that changed.
    AgentChanged { agent: usize, left: Option<u32> },
}

/// The state of an agent at one moment.
#[derive(Clone, Debug)]
pub(crate) struct AgentNews {
    pub(crate) agent: usize,
    pub(crate) state: AgentState,
    pub(crate) reason: u16,
    pub(crate) extension: Option<Arc<str>>,
    /// How long the state has lasted.
    pub(crate) duration: Duration,
    /// The state that follows the present call, if it was asked for.
    pub(crate) next: Option<AgentState>,
    /// Whether the agent placed the call; meaningful on a call.
    pub(crate) outgoing: bool,
    /// GED-188 `CallDirection` of a call of the dialer, if one decides the state.
    pub(crate) outbound: Option<u32>,
}

/// An event of a call. `device` and `leg` name the connection it speaks of.
#[derive(Clone, Debug)]
pub(crate) struct CallNews {
    pub(crate) call: CallId,
    pub(crate) device: Device,
    pub(crate) leg: Leg,
    /// GED-188 `EventCause`.
    pub(crate) cause: u32,
    pub(crate) what: What,
}

/// The two ends of a call as its events name them.
#[derive(Clone, Debug)]
pub(crate) struct Ends {
    pub(crate) calling: Device,
    pub(crate) called: Option<Device>,
    pub(crate) redirected_from: Option<Device>,
}

/// Two calls became one.
#[derive(Clone, Debug)]
pub(crate) struct Merged {
    /// The call that ends by it, with the connection that named it.
    pub(crate) secondary: Option<(CallId, Device)>,
    /// Who did it.
    pub(crate) controller: Device,
    /// Who was added (conference) or handed over (transfer).
    pub(crate) other: Option<Device>,
    /// Who is on the call now.
    pub(crate) parties: Vec<Device>,
}

/// The kinds of call events.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Begin { kind: u32, disposition: u32, data: Arc<CallData> },
    ServiceInitiated,
    Originated { called: Device },
    Delivered { ends: Ends, queue: Option<usize>, data: Arc<CallData> },
    Queued { ends: Ends, queue: Option<usize>, waiting: usize },
    Dequeued { queue: Option<usize>, waiting: usize },
    Established { ends: Ends, queue: Option<usize> },
    Held,
    Retrieved,
    Diverted { to: Device },
    Failed { called: Device },
    ReachedNetwork { called: Device },
    Conferenced(Merged),
    Transferred(Merged),
    ConnectionCleared,
    Cleared,
    DataUpdate { kind: u32, disposition: u32, data: Arc<CallData> },
    End,
}
