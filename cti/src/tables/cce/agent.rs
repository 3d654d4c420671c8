//! Layouts of agent state messages (CCE dialect), in wire order.

use super::super::layout::{
    Layout, bytes, flt_uint, flt_ushort, int, named_array, named_variable, text, uchar, uint, ushort, ushorts,
};
use crate::{field, tag};

/// Body of AGENT_STATE_EVENT.
pub(super) static AGENT_STATE_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::SESSION_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::SKILL_GROUP_STATE).of("AgentState"),
        uint(field::STATE_DURATION),
        uint(field::SKILL_GROUP_NUMBER),
        uint(field::SKILL_GROUP_ID),
        ushort(field::SKILL_GROUP_PRIORITY),
        ushort(field::AGENT_STATE).of("AgentState"),
        ushort(field::EVENT_REASON_CODE),
        int(field::MRDID),
        uint(field::NUM_TASKS),
        ushort(field::AGENT_MODE).of("AgentMode"),
        uint(field::MAX_TASK_LIMIT),
        int(field::ICM_AGENT_ID),
        uint(field::AGENT_AVAILABILITY_STATUS).of("AgentAvailabilityStatus"),
        ushort(field::NUM_FLT_SKILL_GROUPS),
        int(field::DEPARTMENT_ID).since(19),
    ],
    floating: &[
        text(tag::CLIENT_SIGNATURE, 64),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::TERMINAL_DEVICE_NAME, 64).since(24),
        text(tag::AGENT_INSTRUMENT, 64),
        flt_uint(tag::DURATION),
        flt_ushort(tag::NEXT_AGENT_STATE),
        flt_uint(tag::DIRECTION).since(16),
        flt_uint(tag::SKILL_GROUP_NUMBER).repeats(),
        flt_uint(tag::SKILL_GROUP_ID).repeats(),
        flt_ushort(tag::SKILL_GROUP_PRIORITY).repeats(),
        flt_ushort(tag::SKILL_GROUP_STATE).repeats(),
        flt_uint(tag::MAX_BEYOND_TASK_LIMIT).since(22),
    ],
};

/// Body of QUERY_AGENT_STATE_REQ.
pub(super) static QUERY_AGENT_STATE_REQ: Layout = Layout {
    fixed: &[uint(field::INVOKE_ID), uint(field::PERIPHERAL_ID), int(field::MRDID), int(field::ICM_AGENT_ID)],
    floating: &[text(tag::AGENT_EXTENSION, 16), text(tag::AGENT_ID, 12), text(tag::AGENT_INSTRUMENT, 64)],
};

/// Body of QUERY_AGENT_STATE_CONF.
pub(super) static QUERY_AGENT_STATE_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        ushort(field::AGENT_STATE).of("AgentState"),
        ushort(field::NUM_SKILL_GROUPS),
        int(field::MRDID),
        uint(field::NUM_TASKS),
        ushort(field::AGENT_MODE).of("AgentMode"),
        uint(field::MAX_TASK_LIMIT),
        int(field::ICM_AGENT_ID),
        uint(field::AGENT_AVAILABILITY_STATUS).of("AgentAvailabilityStatus"),
        int(field::DEPARTMENT_ID).since(19),
    ],
    floating: &[
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_INSTRUMENT, 64),
        flt_uint(tag::SKILL_GROUP_NUMBER).repeats(),
        flt_uint(tag::SKILL_GROUP_ID).repeats(),
        flt_ushort(tag::SKILL_GROUP_PRIORITY).repeats(),
        flt_ushort(tag::SKILL_GROUP_STATE).repeats(),
        flt_ushort(tag::INTERNAL_AGENT_STATE).since(19),
        flt_uint(tag::MAX_BEYOND_TASK_LIMIT).since(22),
    ],
};

/// Body of SET_AGENT_STATE_REQ.
pub(super) static SET_AGENT_STATE_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::AGENT_STATE).of("AgentState"),
        ushort(field::AGENT_WORK_MODE).of("AgentWorkMode"),
        ushort(field::NUM_SKILL_GROUPS),
        ushort(field::EVENT_REASON_CODE),
        uchar(field::FORCED_FLAG).of("ForcedFlag"),
        uint(field::AGENT_SERVICE_REQ).of("AgentServiceReq"),
    ],
    floating: &[
        text(tag::AGENT_INSTRUMENT, 64).required(),
        text(tag::TERMINAL_DEVICE_NAME, 64).since(24),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_PASSWORD, 64),
        text(tag::POSITION_ID, 12),
        text(tag::SUPERVISOR_ID, 12),
        flt_ushort(tag::SSO_ENABLED).since(20),
        flt_uint(tag::SKILL_GROUP_NUMBER).repeats(),
        flt_ushort(tag::SKILL_GROUP_PRIORITY).repeats(),
    ],
};

/// Body of SET_AGENT_STATE_CONF.
pub(super) static SET_AGENT_STATE_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of AGENT_PRE_CALL_EVENT.
pub(super) static AGENT_PRE_CALL_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        ushort(field::NUM_NAMED_VARIABLES),
        ushort(field::NUM_NAMED_ARRAYS),
        uint(field::SERVICE_NUMBER),
        uint(field::SERVICE_ID),
        uint(field::SKILL_GROUP_NUMBER),
        uint(field::SKILL_GROUP_ID),
        ushort(field::SKILL_GROUP_PRIORITY),
        int(field::MRDID),
        uint(field::AGENT_SKILL_TARGET_ID).since(20),
    ],
    floating: &[
        text(tag::AGENT_INSTRUMENT, 64).required(),
        flt_uint(tag::ROUTER_CALL_KEY_DAY),
        flt_uint(tag::ROUTER_CALL_KEY_CALL_ID),
        flt_uint(tag::ROUTER_CALL_KEY_SEQUENCE_NUMBER),
        text(tag::ANI, 40),
        bytes(tag::USER_TO_USER_INFO, 131),
        text(tag::DIALED_NUMBER, 40),
        text(tag::CALLER_ENTERED_DIGITS, 40),
        flt_uint(tag::FLT_CALL_TYPE_ID).since(14),
        flt_uint(tag::PRE_CALL_INVOKE_ID).since(14),
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
        named_variable(tag::NAMED_VARIABLE),
        named_array(tag::NAMED_ARRAY),
        text(tag::AGENT_ID, 12).since(20),
        text(tag::PROTOCOL_REFERENCE_GUID, 64).since(24),
        flt_ushort(tag::NUM_OF_ENABLED_SERVICES).since(24),
        ushorts(tag::FLT_ENABLED_SERVICES).since(24),
        text(tag::CCAI_CONFIG_ID, 40).since(24),
    ],
};

/// Body of AGENT_PRE_CALL_ABORT_EVENT.
pub(super) static AGENT_PRE_CALL_ABORT_EVENT: Layout = Layout {
    fixed: &[uint(field::MONITOR_ID), int(field::MRDID)],
    floating: &[
        text(tag::AGENT_INSTRUMENT, 64).required(),
        flt_uint(tag::ROUTER_CALL_KEY_DAY),
        flt_uint(tag::ROUTER_CALL_KEY_CALL_ID),
        flt_uint(tag::ROUTER_CALL_KEY_SEQUENCE_NUMBER),
    ],
};

/// Body of AGENT_GREETING_CONTROL_REQ.
pub(super) static AGENT_GREETING_CONTROL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::AGENT_ACTION).of("AgentGreetingAction"),
    ],
    floating: &[text(tag::AGENT_ID, 12).required()],
};

/// Body of AGENT_GREETING_CONTROL_CONF.
pub(super) static AGENT_GREETING_CONTROL_CONF: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };
