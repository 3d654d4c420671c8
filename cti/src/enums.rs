//! Enumerations and bit masks.
//!
//! One module for each, in snake case: [`agent_state::AVAILABLE`] is `AGENT_STATE_AVAILABLE` of `AgentState`. The
//! constants drop the prefix that all names of an enumeration share (and `_MASK` in masks); the published name is in
//! their documentation and in [`published_name_of`].

mod agent;
mod call;
mod cause;
mod config;
mod failure;
mod session;

pub use agent::{
    agent_availability_status, agent_flags, agent_greeting_action, agent_mode, agent_service_req,
    agent_service_type, agent_state, agent_type, agent_type_ccx, agent_work_mode, desk_settings, forced_flag,
    greeting_event_code, multiline_agent_control, reason_code_ccx, sso_enabled, supervisory_action,
    task_state, wrapup_data_mode,
};
pub use call::{
    allocation_state, answer_detect_mode, answering_machine, call_control_mask, call_direction,
    call_manner_type, call_option, call_placement_type, call_type, call_variable_mask, class_of_device,
    connection_device_id_type, consult_type, destination_country, device_id_type, facility_type,
    forward_type, line_type, local_connection_state, media_forking_device_type, other_feature,
    peripheral_type, play_tone_direction, recorder_status, recorder_type, recording_type, rtp_direction,
    rtp_type, silent_monitor_status, transfer_conference_setup, type_of_device,
};
pub use cause::{disposition, event_cause};
pub use config::{
    config_end_status, config_information, config_information_ccx, config_key_status, config_operation,
    config_type, configuration_upload_ccx, device_type, record_type, team_config_param, team_config_status,
    team_member_type, team_operation,
};
pub use failure::control_failure_code;
pub use session::{
    agent_state_mask, agent_state_mask_ccx, call_event_mask, client_event_state, cti_service,
    cti_service_ccx, distribution, limits, pg_status, server_mode, session_type, status_code,
    system_event_id,
};

/// A value of an enumeration: constant name, published name, number.
pub(crate) type Entry = (&'static str, &'static str, u32);

/// Declares the module of one enumeration from its rows: constant, published name, number.
macro_rules! values {
    ($module:ident $name:literal $($constant:ident $published:literal $value:literal;)*) => {
        #[doc = concat!("Values of `", $name, "`.")]
        pub mod $module {
            $(
                #[doc = concat!("`", $published, "` = ", stringify!($value))]
                pub const $constant: u32 = $value;
            )*

            /// Every value: constant name, published name, number.
            pub(crate) static ENTRIES: &[crate::enums::Entry] = &[$((stringify!($constant), $published, $value)),*];
        }
    };
}
use values;

static ENUMS: &[(&str, &[Entry])] = &[
    ("AgentAvailabilityStatus", agent_availability_status::ENTRIES),
    ("AgentFlags", agent_flags::ENTRIES),
    ("AgentGreetingAction", agent_greeting_action::ENTRIES),
    ("AgentMode", agent_mode::ENTRIES),
    ("AgentServiceReq", agent_service_req::ENTRIES),
    ("AgentServiceType", agent_service_type::ENTRIES),
    ("AgentState", agent_state::ENTRIES),
    ("AgentType", agent_type::ENTRIES),
    ("AgentTypeCCX", agent_type_ccx::ENTRIES),
    ("AgentWorkMode", agent_work_mode::ENTRIES),
    ("DeskSettings", desk_settings::ENTRIES),
    ("ForcedFlag", forced_flag::ENTRIES),
    ("GreetingEventCode", greeting_event_code::ENTRIES),
    ("MultilineAgentControl", multiline_agent_control::ENTRIES),
    ("ReasonCodeCCX", reason_code_ccx::ENTRIES),
    ("SSOEnabled", sso_enabled::ENTRIES),
    ("SupervisoryAction", supervisory_action::ENTRIES),
    ("TaskState", task_state::ENTRIES),
    ("WrapupDataMode", wrapup_data_mode::ENTRIES),
    ("AllocationState", allocation_state::ENTRIES),
    ("AnswerDetectMode", answer_detect_mode::ENTRIES),
    ("AnsweringMachine", answering_machine::ENTRIES),
    ("CallControlMask", call_control_mask::ENTRIES),
    ("CallDirection", call_direction::ENTRIES),
    ("CallMannerType", call_manner_type::ENTRIES),
    ("CallOption", call_option::ENTRIES),
    ("CallPlacementType", call_placement_type::ENTRIES),
    ("CallType", call_type::ENTRIES),
    ("CallVariableMask", call_variable_mask::ENTRIES),
    ("ClassOfDevice", class_of_device::ENTRIES),
    ("ConnectionDeviceIDType", connection_device_id_type::ENTRIES),
    ("ConsultType", consult_type::ENTRIES),
    ("DestinationCountry", destination_country::ENTRIES),
    ("DeviceIDType", device_id_type::ENTRIES),
    ("FacilityType", facility_type::ENTRIES),
    ("ForwardType", forward_type::ENTRIES),
    ("LineType", line_type::ENTRIES),
    ("LocalConnectionState", local_connection_state::ENTRIES),
    ("MediaForkingDeviceType", media_forking_device_type::ENTRIES),
    ("OtherFeature", other_feature::ENTRIES),
    ("PeripheralType", peripheral_type::ENTRIES),
    ("PlayToneDirection", play_tone_direction::ENTRIES),
    ("RecorderStatus", recorder_status::ENTRIES),
    ("RecorderType", recorder_type::ENTRIES),
    ("RecordingType", recording_type::ENTRIES),
    ("RTPDirection", rtp_direction::ENTRIES),
    ("RTPType", rtp_type::ENTRIES),
    ("SilentMonitorStatus", silent_monitor_status::ENTRIES),
    ("TransferConferenceSetup", transfer_conference_setup::ENTRIES),
    ("TypeOfDevice", type_of_device::ENTRIES),
    ("Disposition", disposition::ENTRIES),
    ("EventCause", event_cause::ENTRIES),
    ("ConfigEndStatus", config_end_status::ENTRIES),
    ("ConfigInformation", config_information::ENTRIES),
    ("ConfigInformationCCX", config_information_ccx::ENTRIES),
    ("ConfigKeyStatus", config_key_status::ENTRIES),
    ("ConfigOperation", config_operation::ENTRIES),
    ("ConfigType", config_type::ENTRIES),
    ("ConfigurationUploadCCX", configuration_upload_ccx::ENTRIES),
    ("DeviceType", device_type::ENTRIES),
    ("RecordType", record_type::ENTRIES),
    ("TeamConfigParam", team_config_param::ENTRIES),
    ("TeamConfigStatus", team_config_status::ENTRIES),
    ("TeamMemberType", team_member_type::ENTRIES),
    ("TeamOperation", team_operation::ENTRIES),
    ("ControlFailureCode", control_failure_code::ENTRIES),
    ("AgentStateMask", agent_state_mask::ENTRIES),
    ("AgentStateMaskCCX", agent_state_mask_ccx::ENTRIES),
    ("CallEventMask", call_event_mask::ENTRIES),
    ("ClientEventState", client_event_state::ENTRIES),
    ("CTIService", cti_service::ENTRIES),
    ("CTIServiceCCX", cti_service_ccx::ENTRIES),
    ("Distribution", distribution::ENTRIES),
    ("Limits", limits::ENTRIES),
    ("PGStatus", pg_status::ENTRIES),
    ("ServerMode", server_mode::ENTRIES),
    ("SessionType", session_type::ENTRIES),
    ("StatusCode", status_code::ENTRIES),
    ("SystemEventID", system_event_id::ENTRIES),
];

fn entry(enumeration: &str, value: u32) -> Option<&'static Entry> {
    let (_, entries) = ENUMS.iter().find(|(name, _)| *name == enumeration)?;
    entries.iter().find(|(.., number)| *number == value)
}

/// Every value of every enumeration: enumeration, short name, published name, number.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str, &'static str, u32)> {
    let values = |(name, entries): &'static (&'static str, &'static [Entry])| {
        entries.iter().map(move |(short, published, number)| (*name, *short, *published, *number))
    };
    ENUMS.iter().flat_map(values)
}

/// The short name of a value: `name_of("CallType", 1)` is `ACD_IN`.
pub fn name_of(enumeration: &str, value: u32) -> Option<&'static str> {
    entry(enumeration, value).map(|(short, ..)| *short)
}

/// The name of a value as published: `published_name_of("CallType", 1)` is `CALLTYPE_ACD_IN`.
pub fn published_name_of(enumeration: &str, value: u32) -> Option<&'static str> {
    entry(enumeration, value).map(|(_, published, _)| *published)
}

/// The value with this short or published name.
pub fn value_of(enumeration: &str, name: &str) -> Option<u32> {
    let (_, entries) = ENUMS.iter().find(|(known, _)| *known == enumeration)?;
    let found = entries.iter().find(|(short, published, _)| *short == name || *published == name)?;
    Some(found.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_belong_together() {
        assert_eq!(name_of("AgentState", agent_state::AVAILABLE), Some("AVAILABLE"));
        assert_eq!(name_of("CallType", 1), Some("ACD_IN"));
        assert_eq!(published_name_of("CallType", 0xFFFF), Some("CALLTYPE_NONE"));
        assert_eq!(value_of("CTIService", "ALL_EVENTS"), Some(0x10));
        assert_eq!(value_of("CTIService", "CTI_SERVICE_ALL_EVENTS"), Some(cti_service::ALL_EVENTS));
        assert_eq!(name_of("AgentState", 99), None);
        assert_eq!(name_of("NoSuchThing", 0), None);
    }

    #[test]
    fn every_reference_of_a_layout_is_an_enumeration() {
        let layouts = crate::tables::messages().iter().flat_map(|m| [m.cce, m.ccx]).flatten();
        for field in layouts.flat_map(|layout| layout.fixed) {
            if let Some(name) = field.values {
                assert!(ENUMS.iter().any(|(known, _)| *known == name), "{name}");
            }
        }
    }
}
