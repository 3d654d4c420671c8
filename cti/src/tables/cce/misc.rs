//! Layouts of the remaining messages (CCE dialect), in wire order.

use super::super::layout::{
    Layout, flt_int, flt_uint, flt_ushort, named_array, named_variable, text, time, uint, ushort, ushorts,
};
use crate::{field, tag};

/// Body of SYSTEM_EVENT.
pub(super) static SYSTEM_EVENT: Layout = Layout {
    fixed: &[
        uint(field::PG_STATUS).of("PGStatus"),
        time(field::ICM_CENTRAL_CONTROLLER_TIME),
        uint(field::SYSTEM_EVENT_ID).of("SystemEventID"),
        uint(field::SYSTEM_EVENT_ARG1),
        uint(field::SYSTEM_EVENT_ARG2),
        uint(field::SYSTEM_EVENT_ARG3),
        ushort(field::EVENT_DEVICE_TYPE).of("DeviceIDType"),
    ],
    floating: &[text(tag::TEXT, 255), text(tag::EVENT_DEVICE_ID, 64)],
};

/// Body of CLIENT_EVENT_REPORT_REQ.
pub(super) static CLIENT_EVENT_REPORT_REQ: Layout = Layout {
    fixed: &[uint(field::INVOKE_ID), ushort(field::STATE).of("ClientEventState")],
    floating: &[text(tag::OBJECT_NAME, 128), text(tag::TEXT, 255).required()],
};

/// Body of CLIENT_EVENT_REPORT_CONF.
pub(super) static CLIENT_EVENT_REPORT_CONF: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of USER_MESSAGE_REQ.
pub(super) static USER_MESSAGE_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::DISTRIBUTION).of("Distribution"),
    ],
    floating: &[
        text(tag::CLIENT_ID, 64),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::TEXT, 255).required(),
    ],
};

/// Body of USER_MESSAGE_CONF.
pub(super) static USER_MESSAGE_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of USER_MESSAGE_EVENT.
pub(super) static USER_MESSAGE_EVENT: Layout = Layout {
    fixed: &[time(field::ICM_CENTRAL_CONTROLLER_TIME), ushort(field::DISTRIBUTION).of("Distribution")],
    floating: &[text(tag::CLIENT_ID, 64).required(), text(tag::TEXT, 255).required()],
};

/// Body of REGISTER_VARIABLES_REQ.
pub(super) static REGISTER_VARIABLES_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        ushort(field::CALL_VARIABLE_MASK).of("CallVariableMask"),
        ushort(field::NUM_NAMED_VARIABLES),
        ushort(field::NUM_NAMED_ARRAYS),
    ],
    floating: &[named_variable(tag::NAMED_VARIABLE), named_array(tag::NAMED_ARRAY)],
};

/// Body of REGISTER_VARIABLES_CONF.
pub(super) static REGISTER_VARIABLES_CONF: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of SET_APP_DATA_REQ.
pub(super) static SET_APP_DATA_REQ: Layout = Layout {
    fixed: &[uint(field::INVOKE_ID)],
    floating: &[
        flt_int(tag::APPLICATION_PATH_ID).required(),
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
        flt_uint(tag::FLT_CALL_TYPE_ID).since(14),
        flt_uint(tag::PRE_CALL_INVOKE_ID).since(14),
    ],
};

/// Body of SET_APP_DATA_CONF.
pub(super) static SET_APP_DATA_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of AGENT_DESK_SETTINGS_REQ.
pub(super) static AGENT_DESK_SETTINGS_REQ: Layout = Layout {
    fixed: &[uint(field::INVOKE_ID), uint(field::PERIPHERAL_ID)],
    floating: &[text(tag::AGENT_ID, 12)],
};

/// Body of AGENT_DESK_SETTINGS_CONF.
pub(super) static AGENT_DESK_SETTINGS_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::DESK_SETTINGS_MASK).of("DeskSettings"),
        uint(field::WRAPUP_DATA_INCOMING_MODE).of("WrapupDataMode"),
        uint(field::WRAPUP_DATA_OUTGOING_MODE).of("WrapupDataMode"),
        uint(field::LOGOUT_NON_ACTIVITY_TIME),
        uint(field::QUALITY_RECORDING_RATE),
        uint(field::RING_NO_ANSWER_TIME),
        uint(field::SILENT_MONITOR_WARNING_MESSAGE),
        uint(field::SILENT_MONITOR_AUDIBLE_INDICATION),
        uint(field::SUPERVISOR_ASSIST_CALL_METHOD),
        uint(field::EMERGENCY_CALL_METHOD),
        uint(field::AUTO_RECORD_ON_EMERGENCY),
        uint(field::RECORDING_MODE),
        uint(field::WORK_MODE_TIMER),
        uint(field::RING_NO_ANSWER_DN),
    ],
    floating: &[
        text(tag::DEFAULT_DEVICE_PORT_ADDRESS, 32),
        flt_uint(tag::PLAY_ZIP_TONE).since(24),
        flt_uint(tag::ACD_SHARED_LINE_USAGE).since(24),
    ],
};

/// Body of SET_AGENT_SERVICE_DATA_REQ.
pub(super) static SET_AGENT_SERVICE_DATA_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::ROUTER_CALL_KEY_DAY),
        uint(field::ROUTER_CALL_KEY_CALL_ID),
        uint(field::ROUTER_CALL_KEY_SEQUENCE_NUMBER),
        uint(field::AGENT_SKILL_TARGET_ID),
    ],
    floating: &[
        flt_ushort(tag::NUM_OF_ENABLED_SERVICES).since(24),
        ushorts(tag::FLT_ENABLED_SERVICES).since(24),
    ],
};

/// Body of SET_AGENT_SERVICE_DATA_CONF.
pub(super) static SET_AGENT_SERVICE_DATA_CONF: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID), uint(field::STATUS).of("StatusCode")], floating: &[] };
