//! The reason codes that the centre itself gives for states. CCX has a fixed list (CCX CTI Protocol guide, "Reason Codes
//! for Agent State Change"); for CCE these are the codes that Finesse knows, and otherwise the simulator's choice.

use crate::Dialect;
use crate::enums::reason_code_ccx as ccx;

/// Why the centre puts an agent into a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Because {
    /// NOT_READY after sign-in.
    SignedIn,
    /// NOT_READY: did not answer.
    NotAnswered,
    /// NOT_READY: placed a call while ready.
    OffHook,
    /// NOT_READY: took a call that was not routed to him. CCE goes on to TALKING instead.
    PrivateCall,
    /// NOT_READY: the phone went out of service.
    PhoneDown,
    /// NOT_READY: did not respond to a reservation.
    NotResponded,
    /// NOT_READY: did not respond to the reservation of a direct preview.
    NotRespondedDirect,
    /// NOT_READY: cancelled a reservation.
    CancelledReservation,
    /// LOGOUT: signed in at another phone.
    SignedInElsewhere,
    /// LOGOUT: somebody else took the phone.
    PhoneTaken,
}

impl Because {
    /// The code that the protocol carries.
    pub(crate) fn code(self, dialect: Dialect) -> u16 {
        let code = match dialect {
            Dialect::Ccx => match self {
                Self::SignedIn => ccx::AGT_LOGON,
                Self::NotAnswered => ccx::AGT_RNA,
                Self::OffHook => ccx::AGT_OFFHOOK,
                Self::PrivateCall => ccx::AGT_NON_ICD,
                Self::PhoneDown => ccx::AGT_PHONE_DOWN,
                Self::NotResponded => ccx::AGT_RESERVED_OUTBOUND,
                Self::NotRespondedDirect => ccx::AGT_RESERVED_OUTBOUND_DIRECT_PREVIEW,
                Self::CancelledReservation => ccx::AGT_CANCEL_RESERVATION,
                Self::SignedInElsewhere => ccx::AGT_RELOGON,
                Self::PhoneTaken => ccx::AGT_EXTENSION_CONFLICT,
            },
            Dialect::Cce => match self {
                Self::SignedIn | Self::CancelledReservation => 0,
                Self::NotAnswered | Self::NotResponded | Self::NotRespondedDirect => 32767,
                Self::OffHook | Self::PrivateCall => 50006,
                Self::PhoneDown => 50002,
                Self::SignedInElsewhere | Self::PhoneTaken => 50030,
            },
        };
        u16::try_from(code).unwrap_or(0)
    }
}
