//! Layouts of supervisor and snapshot messages (CCE dialect), in wire order.

use super::super::layout::{
    Layout, bytes, flt_time, flt_uint, flt_ushort, int, named_array, named_variable, text, uint, ushort,
    ushorts,
};
use crate::{field, tag};

/// Body of QUERY_DEVICE_INFO_REQ.
pub(super) static QUERY_DEVICE_INFO_REQ: Layout = Layout {
    fixed: &[uint(field::INVOKE_ID), uint(field::PERIPHERAL_ID), ushort(field::RESERVED)],
    floating: &[text(tag::AGENT_INSTRUMENT, 64).required()],
};

/// Body of QUERY_DEVICE_INFO_CONF.
pub(super) static QUERY_DEVICE_INFO_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::TYPE_OF_DEVICE).of("TypeOfDevice"),
        ushort(field::CLASS_OF_DEVICE).of("ClassOfDevice"),
        ushort(field::NUM_LINES),
        ushort(field::RESERVED),
        ushort(field::MAX_ACTIVE_CALLS),
        ushort(field::MAX_HELD_CALLS),
        ushort(field::MAX_DEVICES_IN_CONFERENCE),
        uint(field::MAKE_CALL_SETUP).of("AgentStateMask"),
        uint(field::TRANSFER_CONFERENCE_SETUP).of("TransferConferenceSetup"),
        uint(field::CALL_EVENTS_SUPPORTED).of("CallEventMask"),
        uint(field::CALL_CONTROL_SUPPORTED).of("CallControlMask"),
        uint(field::OTHER_FEATURES_SUPPORTED).of("OtherFeature"),
    ],
    floating: &[flt_ushort(tag::LINE_HANDLE).repeats(), flt_ushort(tag::LINE_TYPE).repeats()],
};

/// Body of SNAPSHOT_CALL_REQ.
pub(super) static SNAPSHOT_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64).required()],
};

/// Body of SNAPSHOT_CALL_CONF.
pub(super) static SNAPSHOT_CALL_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        ushort(field::CALL_TYPE).of("CallType"),
        ushort(field::NUM_CTI_CLIENTS),
        ushort(field::NUM_CALL_DEVICES),
        ushort(field::NUM_NAMED_VARIABLES),
        ushort(field::NUM_NAMED_ARRAYS),
        ushort(field::CALLED_PARTY_DISPOSITION).of("Disposition"),
    ],
    floating: &[
        text(tag::ANI, 40),
        bytes(tag::USER_TO_USER_INFO, 131),
        text(tag::DNIS, 32),
        text(tag::DIALED_NUMBER, 40),
        text(tag::CALLER_ENTERED_DIGITS, 40),
        flt_uint(tag::ROUTER_CALL_KEY_DAY),
        flt_uint(tag::ROUTER_CALL_KEY_CALL_ID),
        text(tag::CALL_VARIABLE1, 41),
        text(tag::CALL_VARIABLE2, 41),
        text(tag::CALL_VARIABLE3, 41),
        text(tag::CALL_VARIABLE4, 41),
        text(tag::CALL_VARIABLE5, 41),
        text(tag::CALL_VARIABLE6, 41),
        text(tag::CALL_VARIABLE7, 41),
        text(tag::CALL_VARIABLE8, 41),
        text(tag::CALL_VARIABLE9, 41),
        text(tag::CALL_VARIABLE10, 41),
        text(tag::CALL_WRAPUP_DATA, 40),
        named_variable(tag::NAMED_VARIABLE),
        named_array(tag::NAMED_ARRAY),
        text(tag::CTI_CLIENT_SIGNATURE, 64).repeats(),
        flt_time(tag::CTI_CLIENT_TIMESTAMP).repeats(),
        flt_uint(tag::CALL_CONNECTION_CALL_ID).repeats(),
        flt_ushort(tag::CALL_CONNECTION_DEVICE_ID_TYPE).repeats(),
        text(tag::CALL_CONNECTION_DEVICE_ID, 64).repeats(),
        flt_ushort(tag::CALL_DEVICE_TYPE).repeats(),
        text(tag::CALL_DEVICE_ID, 64).repeats(),
        flt_ushort(tag::CALL_DEVICE_CONNECTION_STATE).repeats(),
        bytes(tag::CALL_REFERENCE_ID, 32).since(14),
        flt_uint(tag::COC_CONNECTION_CALL_ID).since(14),
        flt_ushort(tag::COC_CONNECTION_DEVICE_ID_TYPE).since(14),
        text(tag::COC_CONNECTION_DEVICE_ID, 64).since(14),
        text(tag::PROTOCOL_REFERENCE_GUID, 64).since(24),
        text(tag::CCAI_CONFIG_ID, 40).since(24),
        flt_ushort(tag::NUM_OF_ENABLED_SERVICES).since(24),
        ushorts(tag::FLT_ENABLED_SERVICES).since(24),
    ],
};

/// Body of SNAPSHOT_DEVICE_REQ.
pub(super) static SNAPSHOT_DEVICE_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::SNAPSHOT_DEVICE_TYPE).of("DeviceIDType"),
    ],
    floating: &[text(tag::AGENT_INSTRUMENT, 64).required()],
};

/// Body of SNAPSHOT_DEVICE_CONF.
pub(super) static SNAPSHOT_DEVICE_CONF: Layout = Layout {
    fixed: &[uint(field::INVOKE_ID), ushort(field::NUM_CALLS)],
    floating: &[
        flt_uint(tag::CALL_CONNECTION_CALL_ID).repeats(),
        flt_ushort(tag::CALL_CONNECTION_DEVICE_ID_TYPE).repeats(),
        text(tag::CALL_CONNECTION_DEVICE_ID, 64).repeats(),
        flt_ushort(tag::CALL_STATE).repeats(),
        flt_ushort(tag::SILENT_MONITOR_STATUS).repeats(),
    ],
};

/// Body of SUPERVISOR_ASSIST_REQ.
pub(super) static SUPERVISOR_ASSIST_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_INSTRUMENT, 64),
    ],
};

/// Body of SUPERVISOR_ASSIST_CONF.
pub(super) static SUPERVISOR_ASSIST_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::LINE_HANDLE),
        ushort(field::LINE_TYPE).of("LineType"),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64).required()],
};

/// Body of EMERGENCY_CALL_REQ.
pub(super) static EMERGENCY_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_INSTRUMENT, 64),
    ],
};

/// Body of EMERGENCY_CALL_CONF.
pub(super) static EMERGENCY_CALL_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::LINE_HANDLE),
        ushort(field::LINE_TYPE).of("LineType"),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64).required()],
};

/// Body of SUPERVISOR_ASSIST_EVENT, as the CCX guide prints it.
pub(super) static SUPERVISOR_ASSIST_EVENT: Layout = Layout {
    fixed: &[
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::SESSION_ID),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::CLIENT_ID, 64).required(),
        text(tag::TEXT, 255),
    ],
};

/// Body of EMERGENCY_CALL_EVENT.
pub(super) static EMERGENCY_CALL_EVENT: Layout = Layout {
    fixed: &[
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::SESSION_ID),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::CLIENT_ID, 64).required(),
        text(tag::CLIENT_ADDRESS, 64).required(),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::CLIENT_ADDRESS_IPV6, 0).since(14).until(18),
    ],
};

/// Body of SUPERVISE_CALL_REQ.
pub(super) static SUPERVISE_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::AGENT_CONNECTION_CALL_ID),
        uint(field::SUPERVISOR_CONNECTION_CALL_ID),
        ushort(field::AGENT_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::SUPERVISOR_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::SUPERVISORY_ACTION).of("SupervisoryAction"),
    ],
    floating: &[
        text(tag::AGENT_CONNECTION_DEVICE_ID, 64),
        text(tag::SUPERVISOR_CONNECTION_DEVICE_ID, 64),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::SUPERVISOR_INSTRUMENT, 64),
    ],
};

/// Body of SUPERVISE_CALL_CONF.
pub(super) static SUPERVISE_CALL_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64).required()],
};

/// Body of AGENT_TEAM_CONFIG_EVENT.
pub(super) static AGENT_TEAM_CONFIG_EVENT: Layout = Layout {
    fixed: &[
        uint(field::PERIPHERAL_ID),
        uint(field::TEAM_ID),
        ushort(field::NUMBER_OF_AGENTS),
        ushort(field::CONFIG_OPERATION).of("ConfigOperation"),
        int(field::DEPARTMENT_ID).since(19),
    ],
    floating: &[
        text(tag::AGENT_TEAM_NAME, 32).since(16),
        text(tag::ATC_AGENT_ID, 12).repeats(),
        flt_ushort(tag::AGENT_FLAGS).repeats(),
        flt_ushort(tag::ATC_AGENT_STATE).repeats(),
        flt_uint(tag::ATC_STATE_DURATION).repeats(),
    ],
};

/// Body of LIST_AGENT_TEAM_REQ.
pub(super) static LIST_AGENT_TEAM_REQ: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID), uint(field::SUPERVISOR_ID)], floating: &[] };

/// Body of LIST_AGENT_TEAM_CONF.
pub(super) static LIST_AGENT_TEAM_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        ushort(field::NUMBER_OF_AGENT_TEAMS),
        ushort(field::SEGMENT_NUMBER),
        ushort(field::MORE),
    ],
    floating: &[flt_uint(tag::TEAM_ID).repeats()],
};

/// Body of MONITOR_AGENT_TEAM_START_REQ.
pub(super) static MONITOR_AGENT_TEAM_START_REQ: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID), uint(field::TEAM_ID)], floating: &[] };

/// Body of MONITOR_AGENT_TEAM_START_CONF.
pub(super) static MONITOR_AGENT_TEAM_START_CONF: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID), uint(field::MONITOR_ID)], floating: &[] };

/// Body of MONITOR_AGENT_TEAM_STOP_REQ.
pub(super) static MONITOR_AGENT_TEAM_STOP_REQ: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID), uint(field::MONITOR_ID)], floating: &[] };

/// Body of MONITOR_AGENT_TEAM_STOP_CONF.
pub(super) static MONITOR_AGENT_TEAM_STOP_CONF: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of BAD_CALL_REQ.
pub(super) static BAD_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64).required(), text(tag::AGENT_ID, 12).required()],
};

/// Body of BAD_CALL_CONF.
pub(super) static BAD_CALL_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };
