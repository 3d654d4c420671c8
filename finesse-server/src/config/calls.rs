//! `[calls]`: what may be done with calls.

use serde::Deserialize;

use crate::model;

/// `[calls]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Calls {
    /// Who may take others out of a conference.
    pub drop_participant_for: DropParticipantFor,
    /// Whether agents and supervisors may have calls recorded.
    pub recording: bool,
}

impl Default for Calls {
    fn default() -> Calls {
        Calls { drop_participant_for: DropParticipantFor::default(), recording: true }
    }
}

/// Values of the property `enableDropParticipantFor`, under their names.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum DropParticipantFor {
    /// A supervisor on the call, agents only.
    #[default]
    SupervisorOnly,
    /// The conference's controller and supervisors on the call.
    ConferenceControllerAndSupervisor,
    /// Everybody on the call.
    All,
}

impl From<DropParticipantFor> for model::DropParticipantFor {
    fn from(value: DropParticipantFor) -> Self {
        match value {
            DropParticipantFor::SupervisorOnly => Self::SupervisorOnly,
            DropParticipantFor::ConferenceControllerAndSupervisor => Self::ConferenceControllerAndSupervisor,
            DropParticipantFor::All => Self::All,
        }
    }
}
