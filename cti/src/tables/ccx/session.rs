//! Layouts of session, agent and call messages where the CCX dialect differs.

use super::super::layout::{
    Layout, bool, bytes, flt_time, flt_uint, flt_ushort, int, named_array, named_variable, text, time, uchar,
    uint, ushort,
};
use crate::{field, tag};

/// Body of OPEN_REQ in CCX.
pub(super) static OPEN_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::VERSION_NUMBER),
        uint(field::IDLE_TIMEOUT),
        uint(field::PERIPHERAL_ID),
        uint(field::SERVICES_REQUESTED).of("CTIServiceCCX"),
        uint(field::CALL_MSG_MASK).of("CallEventMask"),
        uint(field::AGENT_STATE_MASK).of("AgentStateMaskCCX"),
        uint(field::CONFIG_MSG_MASK).of("ConfigInformationCCX"),
        uint(field::RESERVED1),
        uint(field::RESERVED2),
        uint(field::RESERVED3),
    ],
    floating: &[
        text(tag::CLIENT_ID, 64).required(),
        bytes(tag::CLIENT_PASSWORD, 64).required(),
        text(tag::CLIENT_SIGNATURE, 64),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::AGENT_ID_LONG, 129),
    ],
};

/// Body of OPEN_CONF in CCX.
pub(super) static OPEN_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::SERVICES_GRANTED).of("CTIServiceCCX"),
        uint(field::MONITOR_ID),
        uint(field::PG_STATUS),
        time(field::ICM_CENTRAL_CONTROLLER_TIME),
        bool(field::PERIPHERAL_ONLINE),
        ushort(field::PERIPHERAL_TYPE),
        ushort(field::AGENT_STATE).of("AgentState"),
    ],
    floating: &[
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::AGENT_ID_LONG, 129),
        flt_ushort(tag::NUM_PERIPHERALS).since(14),
        flt_uint(tag::FLT_PERIPHERAL_ID).since(14),
        flt_ushort(tag::MULTILINE_AGENT_CONTROL).since(14),
        flt_ushort(tag::TASK_LIFE).named("ConfigMsgMaskGranted").since(18),
    ],
};

/// Body of CALL_DELIVERED_EVENT in CCX.
pub(super) static CALL_DELIVERED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID).constant(1),
        ushort(field::PERIPHERAL_TYPE).constant(21),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::LINE_HANDLE).constant(0xffff),
        ushort(field::LINE_TYPE),
        uint(field::SERVICE_NUMBER),
        uint(field::SERVICE_ID).constant(0xffffffff),
        uint(field::SKILL_GROUP_NUMBER),
        uint(field::SKILL_GROUP_ID).constant(0xffffffff),
        ushort(field::SKILL_GROUP_PRIORITY),
        ushort(field::ALERTING_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::CALLING_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::CALLED_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::LAST_REDIRECT_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::LOCAL_CONNECTION_STATE).of("LocalConnectionState"),
        ushort(field::EVENT_CAUSE).of("EventCause"),
        ushort(field::NUM_NAMED_VARIABLES),
        ushort(field::NUM_NAMED_ARRAYS),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::ALERTING_DEVICE_ID, 64),
        text(tag::CALLING_DEVICE_ID, 64),
        text(tag::CALLED_DEVICE_ID, 64),
        text(tag::LAST_REDIRECT_DEVICE_ID, 64),
        flt_uint(tag::SECONDARY_CONNECTION_CALL_ID),
        text(tag::ANI, 40),
        bytes(tag::USER_TO_USER_INFO, 131),
        text(tag::DNIS, 32),
        text(tag::DIALED_NUMBER, 40),
        text(tag::CALLER_ENTERED_DIGITS, 40),
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
    ],
};

/// Body of BEGIN_CALL_EVENT in CCX.
pub(super) static BEGIN_CALL_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID).constant(1),
        ushort(field::PERIPHERAL_TYPE).constant(21),
        ushort(field::NUM_CTI_CLIENTS),
        ushort(field::NUM_NAMED_VARIABLES),
        ushort(field::NUM_NAMED_ARRAYS),
        ushort(field::CALL_TYPE).of("CallType"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CALLED_PARTY_DISPOSITION),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::ANI, 40),
        bytes(tag::USER_TO_USER_INFO, 131),
        text(tag::DNIS, 32),
        text(tag::DIALED_NUMBER, 40),
        text(tag::CALLER_ENTERED_DIGITS, 40),
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
        bytes(tag::CALL_REFERENCE_ID, 32).since(14),
    ],
};

/// Body of AGENT_STATE_EVENT in CCX.
pub(super) static AGENT_STATE_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID).constant(1),
        uint(field::SESSION_ID),
        ushort(field::PERIPHERAL_TYPE).constant(21),
        ushort(field::SKILL_GROUP_STATE),
        uint(field::STATE_DURATION),
        uint(field::SKILL_GROUP_NUMBER),
        uint(field::SKILL_GROUP_ID).constant(0xffffffff),
        ushort(field::SKILL_GROUP_PRIORITY),
        ushort(field::AGENT_STATE).of("AgentState"),
        ushort(field::EVENT_REASON_CODE).of("ReasonCodeCCX"),
        int(field::MRDID).constant(1),
        uint(field::NUM_TASKS),
        ushort(field::AGENT_MODE),
        uint(field::MAX_TASK_LIMIT),
        int(field::ICM_AGENT_ID),
        uint(field::AGENT_AVAILABILITY_STATUS).constant(1),
        ushort(field::NUM_FLT_SKILL_GROUPS),
    ],
    floating: &[
        text(tag::CLIENT_SIGNATURE, 64),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::AGENT_ID_LONG, 129),
        flt_uint(tag::DURATION),
        flt_ushort(tag::NEXT_AGENT_STATE),
        flt_uint(tag::DIRECTION).since(16),
        flt_uint(tag::SKILL_GROUP_NUMBER).repeats(),
        flt_uint(tag::SKILL_GROUP_ID).repeats(),
        flt_ushort(tag::SKILL_GROUP_PRIORITY).repeats(),
        flt_ushort(tag::SKILL_GROUP_STATE).repeats(),
        text(tag::TERMINAL_DEVICE_NAME, 64).since(18),
    ],
};

/// Body of SYSTEM_EVENT in CCX.
pub(super) static SYSTEM_EVENT: Layout = Layout {
    fixed: &[
        uint(field::PG_STATUS),
        time(field::ICM_CENTRAL_CONTROLLER_TIME),
        uint(field::SYSTEM_EVENT_ID).of("SystemEventID"),
        uint(field::SYSTEM_EVENT_ARG1),
        uint(field::SYSTEM_EVENT_ARG2),
        uint(field::SYSTEM_EVENT_ARG3),
        ushort(field::EVENT_DEVICE_TYPE).of("DeviceIDType"),
    ],
    floating: &[text(tag::TEXT, 255), text(tag::EVENT_DEVICE_ID, 64)],
};

/// Body of QUERY_AGENT_STATE_REQ in CCX.
pub(super) static QUERY_AGENT_STATE_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID).constant(1),
        int(field::MRDID).constant(1),
        int(field::ICM_AGENT_ID),
    ],
    floating: &[
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::AGENT_ID_LONG, 129),
    ],
};

/// Body of QUERY_AGENT_STATE_CONF in CCX.
pub(super) static QUERY_AGENT_STATE_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        ushort(field::AGENT_STATE).of("AgentState"),
        ushort(field::NUM_SKILL_GROUPS),
        int(field::MRDID).constant(1),
        uint(field::NUM_TASKS),
        ushort(field::AGENT_MODE),
        uint(field::MAX_TASK_LIMIT),
        uint(field::ICM_AGENT_ID),
        uint(field::AGENT_AVAILABILITY_STATUS).constant(1),
    ],
    floating: &[
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::AGENT_ID_LONG, 129),
        flt_uint(tag::SKILL_GROUP_NUMBER).repeats(),
        flt_uint(tag::SKILL_GROUP_ID).repeats(),
        flt_ushort(tag::SKILL_GROUP_PRIORITY).repeats(),
        flt_ushort(tag::SKILL_GROUP_STATE).repeats(),
        flt_ushort(tag::INTERNAL_AGENT_STATE).since(19),
    ],
};

/// Body of SET_AGENT_STATE_REQ in CCX.
pub(super) static SET_AGENT_STATE_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID).constant(1),
        ushort(field::AGENT_STATE).of("AgentState"),
        ushort(field::AGENT_WORK_MODE),
        ushort(field::NUM_SKILL_GROUPS),
        ushort(field::EVENT_REASON_CODE),
        uchar(field::FORCED_FLAG).of("ForcedFlag"),
        uint(field::AGENT_SERVICE_REQ),
    ],
    floating: &[
        text(tag::AGENT_INSTRUMENT, 64).required(),
        text(tag::AGENT_PASSWORD, 64),
        text(tag::AGENT_ID_LONG, 129),
        text(tag::TERMINAL_DEVICE_NAME, 64).since(18),
    ],
};
