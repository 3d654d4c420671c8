//! Layouts of session, failure, maintenance and monitor messages (CCE dialect), in wire order.

use super::super::layout::{
    Layout, bool, bytes, flt_int, flt_uint, flt_ushort, int, text, time, uint, ushort,
};
use crate::{field, tag};

/// Body of FAILURE_CONF.
pub(super) static FAILURE_CONF: Layout = Layout {
    fixed: &[uint(field::INVOKE_ID), uint(field::STATUS).of("StatusCode")],
    floating: &[text(tag::CTIOSCIL_CLIENT_ID, 64)],
};

/// Body of FAILURE_EVENT.
pub(super) static FAILURE_EVENT: Layout =
    Layout { fixed: &[uint(field::STATUS).of("StatusCode")], floating: &[] };

/// Body of OPEN_REQ.
pub(super) static OPEN_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::VERSION_NUMBER),
        uint(field::IDLE_TIMEOUT),
        uint(field::PERIPHERAL_ID),
        uint(field::SERVICES_REQUESTED).of("CTIService"),
        uint(field::CALL_MSG_MASK).of("CallEventMask"),
        uint(field::AGENT_STATE_MASK).of("AgentStateMask"),
        uint(field::CONFIG_MSG_MASK).of("ConfigInformation"),
        uint(field::RESERVED1),
        uint(field::RESERVED2),
        uint(field::RESERVED3),
    ],
    floating: &[
        text(tag::CLIENT_ID, 64).required(),
        bytes(tag::CLIENT_PASSWORD, 64).required(),
        text(tag::CLIENT_SIGNATURE, 64),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_INSTRUMENT, 64),
        flt_int(tag::APPLICATION_PATH_ID),
    ],
};

/// Body of OPEN_CONF.
pub(super) static OPEN_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::SERVICES_GRANTED).of("CTIService"),
        uint(field::MONITOR_ID),
        uint(field::PG_STATUS).of("PGStatus"),
        time(field::ICM_CENTRAL_CONTROLLER_TIME),
        bool(field::PERIPHERAL_ONLINE),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::AGENT_STATE).of("AgentState"),
        int(field::DEPARTMENT_ID).since(19),
        ushort(field::SESSION_TYPE).since(24).of("SessionType"),
    ],
    floating: &[
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_INSTRUMENT, 64),
        flt_ushort(tag::NUM_PERIPHERALS).since(14),
        flt_uint(tag::FLT_PERIPHERAL_ID).since(14).repeats(),
        flt_ushort(tag::MULTILINE_AGENT_CONTROL).since(14).repeats(),
    ],
};

/// Body of HEARTBEAT_REQ.
pub(super) static HEARTBEAT_REQ: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of HEARTBEAT_CONF.
pub(super) static HEARTBEAT_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of CLOSE_REQ.
pub(super) static CLOSE_REQ: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID), uint(field::STATUS).of("StatusCode")], floating: &[] };

/// Body of CLOSE_CONF.
pub(super) static CLOSE_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of CONTROL_FAILURE_CONF.
pub(super) static CONTROL_FAILURE_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        ushort(field::FAILURE_CODE).of("ControlFailureCode"),
        uint(field::PERIPHERAL_ERROR_CODE),
    ],
    floating: &[text(tag::TEXT, 255), text(tag::CTIOSCIL_CLIENT_ID, 64)],
};

/// Body of MONITOR_START_REQ.
pub(super) static MONITOR_START_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        uint(field::CALL_MSG_MASK).of("CallEventMask"),
        uint(field::AGENT_STATE_MASK).of("AgentStateMask"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::MONITORED_DEVICE_TYPE).of("DeviceIDType"),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64), text(tag::MONITORED_DEVICE_ID, 64)],
};

/// Body of MONITOR_START_CONF.
pub(super) static MONITOR_START_CONF: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID), uint(field::MONITOR_ID)], floating: &[] };

/// Body of MONITOR_STOP_REQ.
pub(super) static MONITOR_STOP_REQ: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID), uint(field::MONITOR_ID)], floating: &[] };

/// Body of MONITOR_STOP_CONF.
pub(super) static MONITOR_STOP_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of CHANGE_MONITOR_MASK_REQ.
pub(super) static CHANGE_MONITOR_MASK_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::MONITOR_ID),
        uint(field::CALL_MSG_MASK).of("CallEventMask"),
        uint(field::AGENT_STATE_MASK).of("AgentStateMask"),
    ],
    floating: &[],
};

/// Body of CHANGE_MONITOR_MASK_CONF.
pub(super) static CHANGE_MONITOR_MASK_CONF: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of CLIENT_SESSION_OPENED_EVENT.
pub(super) static CLIENT_SESSION_OPENED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::SESSION_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::SERVICES_GRANTED).of("CTIService"),
        uint(field::CALL_MSG_MASK).of("CallEventMask"),
        uint(field::AGENT_STATE_MASK).of("AgentStateMask"),
        uint(field::CLIENT_PORT),
    ],
    floating: &[
        text(tag::CLIENT_ADDRESS, 64).required(),
        text(tag::CLIENT_ID, 64).required(),
        text(tag::CLIENT_SIGNATURE, 64).required(),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::CLIENT_ADDRESS_IPV6, 0).since(14).until(18),
    ],
};

/// Body of CLIENT_SESSION_CLOSED_EVENT.
pub(super) static CLIENT_SESSION_CLOSED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::SESSION_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::STATUS).of("StatusCode"),
        uint(field::CLIENT_PORT),
    ],
    floating: &[
        text(tag::CLIENT_ADDRESS, 64).required(),
        text(tag::CLIENT_ID, 64).required(),
        text(tag::CLIENT_SIGNATURE, 64).required(),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::CLIENT_ADDRESS_IPV6, 0).since(14).until(18),
    ],
};

/// Body of SESSION_MONITOR_START_REQ.
pub(super) static SESSION_MONITOR_START_REQ: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID), uint(field::SESSION_ID)], floating: &[] };

/// Body of SESSION_MONITOR_START_CONF.
pub(super) static SESSION_MONITOR_START_CONF: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID), uint(field::MONITOR_ID)], floating: &[] };

/// Body of SESSION_MONITOR_STOP_REQ.
pub(super) static SESSION_MONITOR_STOP_REQ: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID), uint(field::MONITOR_ID)], floating: &[] };

/// Body of SESSION_MONITOR_STOP_CONF.
pub(super) static SESSION_MONITOR_STOP_CONF: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of REGISTER_SERVICE_REQ.
pub(super) static REGISTER_SERVICE_REQ: Layout = Layout {
    fixed: &[uint(field::INVOKE_ID), ushort(field::SERVER_MODE).of("ServerMode")],
    floating: &[text(tag::SERVICE_NAME, 64).required()],
};

/// Body of REGISTER_SERVICE_CONF.
pub(super) static REGISTER_SERVICE_CONF: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID), uint(field::REGISTERED_SERVICE_ID)], floating: &[] };

/// Body of UNREGISTER_SERVICE_REQ.
pub(super) static UNREGISTER_SERVICE_REQ: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID), uint(field::REGISTERED_SERVICE_ID)], floating: &[] };

/// Body of UNREGISTER_SERVICE_CONF.
pub(super) static UNREGISTER_SERVICE_CONF: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of ACTIVE_MAINTENANCE_REQ.
pub(super) static ACTIVE_MAINTENANCE_REQ: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of ACTIVE_MAINTENANCE_RESP.
pub(super) static ACTIVE_MAINTENANCE_RESP: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID), bool(field::MAINTENANCE_MODE_ACCEPTED)], floating: &[] };

/// Body of ACTIVE_MAINTENANCE_EVENT.
pub(super) static ACTIVE_MAINTENANCE_EVENT: Layout =
    Layout { fixed: &[bool(field::MAINTENANCE_MODE_CONTINUE)], floating: &[] };
