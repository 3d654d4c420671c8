//! One call as clients see it: participants and their legs, call data, and the `Dialog` document. Mapping of CTI
//! states to those of the API: Finesse guide, "Dialog" chapter; GED-188, LocalConnectionState.

use std::sync::Arc;

use cti::enums::{call_type, connection_device_id_type, device_id_type, event_cause};

use super::actions::{self, Actions};
use super::outbound::{Outbound, STATUS};
use super::time::Utc;
use super::variables::Variables;
use super::xml::Writer;

/// The state of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// Off hook.
    Initiating,
    /// Dialling.
    Initiated,
    /// Rings.
    Alerting,
    /// A call of the dialer that the agent wants.
    Accepted,
    /// Talks.
    Active,
    /// On hold.
    Held,
    /// Could not be connected.
    Failed(Cause),
    /// Gone.
    Dropped,
    /// Gone, the agent does after-call work.
    WrapUp,
}

/// Why a leg failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The other side is busy.
    Busy,
    /// There is no such destination.
    BadDestination,
    /// No line or port is free.
    NoResource,
    /// Anything else.
    Other,
}

impl Cause {
    /// Reads EventCause of CALL_FAILED_EVENT.
    pub fn from_cti(cause: Option<u32>) -> Self {
        match cause {
            Some(event_cause::BUSY | event_cause::CECX_BUSY | event_cause::CECX_DROP_BUSY) => Self::Busy,
            Some(
                event_cause::DEST_NOT_OBTAINABLE
                | event_cause::INCOMPATIBLE_DESTINATION
                | event_cause::NETWORK_NOT_OBTAINABLE,
            ) => Self::BadDestination,
            Some(
                event_cause::RESOURCES_NOT_AVAILABLE
                | event_cause::TRUNKS_BUSY
                | event_cause::NETWORK_CONGESTION,
            ) => Self::NoResource,
            _ => Self::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Busy => "BUSY",
            Self::BadDestination => "BAD_DESTINATION",
            Self::NoResource => "DEVICE_RESOURCE_NOT_AVAILABLE",
            Self::Other => "OTHER",
        }
    }
}

impl Leg {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initiating => "INITIATING",
            Self::Initiated => "INITIATED",
            Self::Alerting => "ALERTING",
            Self::Accepted => "ACCEPTED",
            Self::Active => "ACTIVE",
            Self::Held => "HELD",
            Self::Failed(_) => "FAILED",
            Self::Dropped => "DROPPED",
            Self::WrapUp => "WRAP_UP",
        }
    }

    /// Whether the leg still exists.
    pub fn is_live(self) -> bool {
        !matches!(self, Self::Dropped | Self::WrapUp)
    }

    /// Whether the leg was answered.
    pub fn is_answered(self) -> bool {
        matches!(self, Self::Active | Self::Held)
    }

    /// What the participant may do; `other_active` when the same device has another active call.
    pub fn actions(self, other_active: bool, recording: bool) -> Actions {
        use actions::*;
        match self {
            Self::Initiating | Self::Initiated => DROP.and(UPDATE_CALL_DATA),
            Self::Alerting => ANSWER,
            Self::Active => {
                let all = HOLD.and(DROP).and(UPDATE_CALL_DATA).and(CONSULT_CALL).and(TRANSFER_SST);
                let all = all.and(SEND_DTMF);
                if recording { all.and(START_RECORDING) } else { all }
            }
            Self::Held => {
                let all = RETRIEVE.and(DROP).and(UPDATE_CALL_DATA);
                if other_active { all.and(TRANSFER).and(CONFERENCE) } else { all }
            }
            Self::Failed(_) => DROP,
            Self::Accepted | Self::Dropped => Actions::NONE,
            Self::WrapUp => UPDATE_CALL_DATA,
        }
    }
}

/// The CTI connection of a leg: what requests about it have to name beside the call id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// ConnectionDeviceIDType.
    pub id_type: u32,
    /// ConnectionDeviceID.
    pub device: String,
}

impl Connection {
    /// The connection of a device that no event has named yet.
    pub fn of_device(device: &str) -> Self {
        Self { id_type: connection_device_id_type::STATIC, device: device.to_owned() }
    }
}

/// One participant.
#[derive(Clone, Debug)]
pub struct Party {
    /// Extension or number.
    pub address: String,
    /// DeviceIDType of the protocol, if known.
    pub device_type: Option<u32>,
    /// Position of the signed-in agent behind the address.
    pub agent: Option<usize>,
    /// State of the leg.
    pub leg: Leg,
    /// When the leg came into being.
    pub start: Option<Utc>,
    /// When its state changed last.
    pub changed: Option<Utc>,
    /// What the participant may do now.
    pub actions: Actions,
    /// The connection of the leg.
    pub connection: Connection,
    /// Whether the dialog is in the agent's collection: between its POST and its DELETE.
    pub listed: bool,
    /// Whether the dialog leaves the agent's collection with the next publication.
    pub leaving: bool,
}

impl Party {
    fn address_type(&self) -> &'static str {
        if self.agent.is_some() {
            return "AGENT_DEVICE";
        }
        match self.device_type {
            Some(device_id_type::AGENT_DEVICE) => "AGENT_DEVICE",
            Some(device_id_type::ROUTE_POINT) => "ROUTE_POINT",
            Some(device_id_type::CTI_PORT) => "CTI_PORT",
            Some(device_id_type::EXTERNAL) => "EXTERNAL",
            Some(device_id_type::QUEUE) => "QUEUE",
            _ => "",
        }
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.open("Participant");
        w.open("actions");
        for action in self.actions.names() {
            w.text("action", action);
        }
        w.close("actions");
        w.text("mediaAddress", &self.address);
        w.text("mediaAddressType", self.address_type());
        w.option("startTime", self.start);
        w.text("state", self.leg.name());
        w.text("stateCause", if let Leg::Failed(cause) = self.leg { cause.name() } else { "" });
        w.option("stateChangeTime", self.changed);
        w.close("Participant");
    }
}

/// Keys that the router gave a call (CCE).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallKey {
    /// RouterCallKeyCallID.
    pub call_id: Option<u32>,
    /// RouterCallKeyDay.
    pub day: Option<u32>,
    /// RouterCallKeySequenceNumber.
    pub sequence: Option<u32>,
}

/// One call.
#[derive(Clone, Debug, Default)]
pub struct Dialog {
    /// CTI call id.
    pub id: u32,
    /// The call that was merged into this one.
    pub secondary: Option<u32>,
    /// The call that this one consults about, or the other way round.
    pub associated: Option<u32>,
    /// CallType of the protocol.
    pub call_type: Option<u32>,
    /// Who called.
    pub from: String,
    /// What was dialled.
    pub to: String,
    /// DialedNumber.
    pub dialed: String,
    /// DNIS.
    pub dnis: String,
    /// Number and name of the queue the call came through.
    pub queue: Option<(u32, Arc<str>)>,
    /// Address of the conference's controller, if one is known.
    pub controller: Option<String>,
    /// The router's keys.
    pub key: CallKey,
    /// What the call is to the dialer, if it is one of its.
    pub outbound: Option<Box<Outbound>>,
    /// Call data.
    pub variables: Variables,
    /// Participants, in order of appearance.
    pub parties: Vec<Party>,
}

impl Dialog {
    /// A call of which only the id is known.
    pub fn new(id: u32) -> Self {
        Self { id, ..Self::default() }
    }

    /// The participant with this address.
    pub fn party(&self, address: &str) -> Option<&Party> {
        self.parties.iter().find(|p| p.address == address)
    }

    /// The state of the dialog, which follows from its legs.
    pub fn state(&self) -> &'static str {
        let any = |wanted: fn(Leg) -> bool| self.parties.iter().any(|p| wanted(p.leg));
        if any(Leg::is_answered) {
            "ACTIVE"
        } else if any(|l| matches!(l, Leg::Failed(_))) {
            "FAILED"
        } else if any(|l| l == Leg::Alerting) {
            "ALERTING"
        } else if any(|l| l == Leg::Accepted) {
            "ACCEPTED"
        } else if any(|l| l == Leg::Initiated) {
            "INITIATED"
        } else if self.parties.is_empty() || any(|l| l == Leg::Initiating) {
            "INITIATING"
        } else {
            "DROPPED"
        }
    }

    /// Whether this is the call by which a supervisor listens to an agent.
    pub fn is_monitor(&self) -> bool {
        self.call_type == Some(call_type::SUPERVISOR_MONITOR)
    }

    /// Whether `party` is the agent to whom the originator of this call listens: named in it, but without a part in it.
    pub fn overhears(&self, party: &Party) -> bool {
        self.is_monitor() && !self.from.is_empty() && party.address != self.from
    }

    /// How many legs still exist.
    pub fn live(&self) -> usize {
        self.parties.iter().filter(|p| p.leg.is_live()).count()
    }

    /// Writes the document; `ccx` leaves out what only CCE has and adds what only CCX has.
    pub fn write(&self, w: &mut Writer<'_>, root: &str, ccx: bool) {
        w.open(root);
        w.option("associatedDialogUri", self.associated.map(|id| format!("/finesse/api/Dialog/{id}")));
        w.text("callbackNumber", self.customer_number(ccx));
        w.text("fromAddress", &self.from);
        w.value("id", self.id);
        self.write_media_properties(w, ccx);
        w.text("mediaType", "Voice");
        w.open("participants");
        for party in &self.parties {
            party.write(w);
        }
        w.close("participants");
        self.write_callback(w);
        w.option("secondaryId", self.secondary);
        w.text("state", self.state());
        w.text("toAddress", &self.to);
        w.value("uri", format_args!("/finesse/api/Dialog/{}", self.id));
        w.close(root);
    }

    fn write_callback(&self, w: &mut Writer<'_>) {
        w.open("scheduledCallbackInfo");
        let wanted = |o: &&Outbound| !(o.callback_time.is_empty() && o.callback_number.is_empty());
        if let Some(outbound) = self.outbound.as_deref().filter(wanted) {
            w.text("callbackNumber", &outbound.callback_number);
            w.text("callbackTime", &outbound.callback_time);
        }
        w.close("scheduledCallbackInfo");
    }

    fn write_media_properties(&self, w: &mut Writer<'_>, ccx: bool) {
        w.open("mediaProperties");
        if !ccx {
            w.option("callKeyCallId", self.key.call_id);
            w.option("callKeyPrefix", self.key.day);
            w.option("callKeySequenceNum", self.key.sequence);
        }
        w.text("callType", self.call_type.map_or("", call_type_name));
        let status = self.variables.scalar(STATUS).map(|raw| self.ba_status(raw));
        self.variables.write(w, (STATUS, status.as_deref()));
        w.text("dialedNumber", &self.dialed);
        w.text("DNIS", &self.dnis);
        w.text("mediaId", "1");
        w.text("queueName", self.queue.as_ref().map_or("", |(_, name)| name));
        w.option("queueNumber", self.queue.as_ref().map(|(number, _)| number));
        if ccx {
            w.open("wrapUpItems");
            for item in self.variables.wrap_up_items() {
                w.text("wrapUpItem", item);
            }
            w.close("wrapUpItems");
        }
        w.text("wrapUpReason", &self.variables.wrap_up);
        w.close("mediaProperties");
    }
}

/// The names the API uses for the numbers of CallType. Where the API has no confirmed name, the protocol's own
/// symbolic name stands without its prefix.
pub fn call_type_name(number: u32) -> &'static str {
    match number {
        call_type::TRANSFER_IN => "TRANSFER",
        call_type::ASSIST => "ASSIST_CALL",
        call_type::EMERGENCY => "EMERGENCY",
        call_type::SUPERVISOR_BARGEIN => "SUPERVISOR_BARGE_IN",
        call_type::RESERVATION_PREVIEW => "OUTBOUND_PREVIEW",
        // CCX knows direct preview only, by numbers of its own.
        call_type::RESERVATION_PREVIEW_DIRECT | call_type::RESERVATION => "OUTBOUND_DIRECT_PREVIEW",
        call_type::RESERVATION_CALLBACK => "OUTBOUND_CALLBACK_PREVIEW",
        call_type::RESERVATION_PERSONAL_CALLBACK => "OUTBOUND_PERSONAL_CALLBACK_PREVIEW",
        call_type::PREVIEW
        | call_type::CUSTOMER_PREVIEW
        | call_type::CUSTOMER_PREVIEW_DIRECT
        | call_type::CUSTOMER_PREDICTIVE
        | call_type::CUSTOMER_IVR => "OUTBOUND",
        call_type::CUSTOMER_CALLBACK => "OUTBOUND_CALLBACK",
        call_type::CUSTOMER_PERSONAL => "OUTBOUND_PERSONAL_CALLBACK",
        other => cti::enums::name_of("CallType", other).unwrap_or(""),
    }
}
