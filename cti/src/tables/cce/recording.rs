//! Layouts of recording messages (CCE dialect), in wire order.

use super::super::layout::{Layout, flt_ushort, text, uint, ushort};
use crate::{field, tag};

/// Body of START_RECORDING_REQ.
pub(super) static START_RECORDING_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        uint(field::CLIENT_PORT),
        uint(field::BIT_RATE),
        uint(field::PACKET_SIZE),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::DIRECTION).of("RTPDirection"),
        ushort(field::RTP_TYPE).of("RTPType"),
        ushort(field::ECHO_CANCELLATION),
        ushort(field::PAYLOAD_TYPE),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::CLIENT_ID, 64),
        text(tag::CLIENT_ADDRESS, 64),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::CLIENT_ADDRESS_IPV6, 0).since(14).until(18),
    ],
};

/// Body of START_RECORDING_CONF.
pub(super) static START_RECORDING_CONF: Layout = Layout {
    fixed: &[uint(field::INVOKE_ID), uint(field::SESSION_ID), uint(field::SERVER_DATA)],
    floating: &[
        text(tag::CLIENT_ID, 64),
        text(tag::CLIENT_ADDRESS, 64),
        text(tag::CLIENT_ADDRESS_IPV6, 0).since(14).until(18),
    ],
};

/// Body of STOP_RECORDING_REQ.
pub(super) static STOP_RECORDING_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        uint(field::CLIENT_PORT),
        uint(field::SESSION_ID),
        uint(field::SERVER_DATA),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::DIRECTION).of("RTPDirection"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::CLIENT_ID, 64),
        text(tag::CLIENT_ADDRESS, 64),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::CLIENT_ADDRESS_IPV6, 0).since(14).until(18),
    ],
};

/// Body of STOP_RECORDING_CONF.
pub(super) static STOP_RECORDING_CONF: Layout = Layout {
    fixed: &[uint(field::INVOKE_ID)],
    floating: &[
        text(tag::CLIENT_ID, 64),
        text(tag::CLIENT_ADDRESS, 64),
        text(tag::CLIENT_ADDRESS_IPV6, 0).since(14).until(18),
    ],
};

/// Body of START_NETWORK_RECORDING_REQ.
pub(super) static START_NETWORK_RECORDING_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
    ],
    floating: &[
        flt_ushort(tag::PLAY_TONE_DIRECTION).since(23),
        flt_ushort(tag::INVOCATION_TYPE).since(23),
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::AGENT_INSTRUMENT, 64),
    ],
};

/// Body of START_NETWORK_RECORDING_CONF.
pub(super) static START_NETWORK_RECORDING_CONF: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of STOP_NETWORK_RECORDING_REQ.
pub(super) static STOP_NETWORK_RECORDING_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
    ],
    floating: &[
        flt_ushort(tag::INVOCATION_TYPE).since(23),
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::AGENT_INSTRUMENT, 64),
    ],
};

/// Body of STOP_NETWORK_RECORDING_CONF.
pub(super) static STOP_NETWORK_RECORDING_CONF: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of NETWORK_RECORDING_STARTED_EVENT.
pub(super) static NETWORK_RECORDING_STARTED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::RECORDING_DEVICE_TYPE).of("DeviceIDType"),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64).required(), text(tag::RECORDING_DEVICE_ID, 64).since(23)],
};

/// Body of NETWORK_RECORDING_ENDED_EVENT.
pub(super) static NETWORK_RECORDING_ENDED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::RECORDING_DEVICE_TYPE).of("DeviceIDType"),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64).required(), text(tag::RECORDING_DEVICE_ID, 64).since(23)],
};

/// Body of NETWORK_RECORDING_FAILED_EVENT.
pub(super) static NETWORK_RECORDING_FAILED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::RECORDING_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::RECORD_FAILURE_CAUSE),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64).required(), text(tag::RECORDING_DEVICE_ID, 64).since(23)],
};

/// Body of NETWORK_RECORDING_TARGET_INFO_EVENT.
pub(super) static NETWORK_RECORDING_TARGET_INFO_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::RECORDING_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::RECORDING_TYPE).of("RecordingType"),
        ushort(field::MEDIA_FORKING_DEVICE_TYPE).of("MediaForkingDeviceType"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::RECORDING_DEVICE_ID, 64).since(23),
        text(tag::RECORDER_ADDRESS, 64).since(23).required(),
        text(tag::TERMINAL_NAME, 64).since(23).required(),
        text(tag::MEDIA_FORKING_DEVICE_NAME, 64).since(23).required(),
        text(tag::PROTOCOL_REFERENCE_GUID, 64).since(23).required(),
        text(tag::MEDIA_FORKING_CLUSTER_ID, 64).since(23).required(),
        text(tag::RECORDER_URI, 64).since(23),
        text(tag::RECORDER_ERROR_MSG, 64).since(23),
        flt_ushort(tag::RECORDER_TYPE).since(23),
        flt_ushort(tag::RECORDER_STATUS).since(23),
    ],
};
