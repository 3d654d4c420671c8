//! Layouts of call events (CCE dialect), in wire order.

use super::super::layout::{
    Layout, bytes, flt_time, flt_uint, flt_ushort, named_array, named_variable, text, uint, ushort,
};
use crate::{field, tag};

/// Body of CALL_SERVICE_INITIATED_EVENT.
pub(super) static CALL_SERVICE_INITIATED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::LINE_HANDLE),
        ushort(field::LINE_TYPE).of("LineType"),
        uint(field::SERVICE_NUMBER),
        uint(field::SERVICE_ID),
        uint(field::SKILL_GROUP_NUMBER),
        uint(field::SKILL_GROUP_ID),
        ushort(field::SKILL_GROUP_PRIORITY),
        ushort(field::CALLING_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::LOCAL_CONNECTION_STATE).of("LocalConnectionState"),
        ushort(field::EVENT_CAUSE).of("EventCause"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::CALLING_DEVICE_ID, 64),
        bytes(tag::CALL_REFERENCE_ID, 32).since(14),
        flt_uint(tag::COC_CONNECTION_CALL_ID).since(14),
        flt_ushort(tag::COC_CONNECTION_DEVICE_ID_TYPE).since(14),
        text(tag::COC_CONNECTION_DEVICE_ID, 64).since(14),
    ],
};

/// Body of CALL_QUEUED_EVENT.
pub(super) static CALL_QUEUED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        uint(field::SERVICE_NUMBER),
        uint(field::SERVICE_ID),
        ushort(field::QUEUE_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::CALLING_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::CALLED_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::LAST_REDIRECT_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::NUM_QUEUED),
        ushort(field::NUM_SKILL_GROUPS),
        ushort(field::LOCAL_CONNECTION_STATE).of("LocalConnectionState"),
        ushort(field::EVENT_CAUSE).of("EventCause"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::QUEUE_DEVICE_ID, 64),
        text(tag::CALLING_DEVICE_ID, 64),
        text(tag::CALLED_DEVICE_ID, 64),
        text(tag::LAST_REDIRECT_DEVICE_ID, 64),
        flt_uint(tag::SKILL_GROUP_NUMBER).repeats(),
        flt_uint(tag::SKILL_GROUP_ID).repeats(),
        flt_ushort(tag::SKILL_GROUP_PRIORITY).repeats(),
    ],
};

/// Body of CALL_TRANSLATION_ROUTE_EVENT.
pub(super) static CALL_TRANSLATION_ROUTE_EVENT: Layout = Layout {
    fixed: &[ushort(field::NUM_NAMED_VARIABLES), ushort(field::NUM_NAMED_ARRAYS)],
    floating: &[
        text(tag::ANI, 40),
        bytes(tag::USER_TO_USER_INFO, 131),
        text(tag::DNIS, 32).required(),
        text(tag::DIALED_NUMBER, 40),
        text(tag::CALLER_ENTERED_DIGITS, 40),
        flt_uint(tag::ROUTER_CALL_KEY_DAY),
        flt_uint(tag::ROUTER_CALL_KEY_CALL_ID),
        flt_uint(tag::ROUTER_CALL_KEY_SEQUENCE_NUMBER),
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
    ],
};

/// Body of BEGIN_CALL_EVENT.
pub(super) static BEGIN_CALL_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::NUM_CTI_CLIENTS),
        ushort(field::NUM_NAMED_VARIABLES),
        ushort(field::NUM_NAMED_ARRAYS),
        ushort(field::CALL_TYPE).of("CallType"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CALLED_PARTY_DISPOSITION).of("Disposition"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::ANI, 40),
        bytes(tag::USER_TO_USER_INFO, 131),
        text(tag::DNIS, 32),
        text(tag::DIALED_NUMBER, 40),
        text(tag::CALLER_ENTERED_DIGITS, 40),
        flt_uint(tag::ROUTER_CALL_KEY_DAY),
        flt_uint(tag::ROUTER_CALL_KEY_CALL_ID),
        flt_uint(tag::ROUTER_CALL_KEY_SEQUENCE_NUMBER),
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

/// Body of END_CALL_EVENT.
pub(super) static END_CALL_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64).required()],
};

/// Body of CALL_DATA_UPDATE_EVENT.
pub(super) static CALL_DATA_UPDATE_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::NUM_CTI_CLIENTS),
        ushort(field::NUM_NAMED_VARIABLES),
        ushort(field::NUM_NAMED_ARRAYS),
        ushort(field::CALL_TYPE).of("CallType"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::NEW_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::NEW_CONNECTION_CALL_ID),
        ushort(field::CALLED_PARTY_DISPOSITION).of("Disposition"),
        uint(field::CAMPAIGN_ID),
        uint(field::QUERY_RULE_ID),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::NEW_CONNECTION_DEVICE_ID, 64).required(),
        text(tag::ANI, 40),
        bytes(tag::USER_TO_USER_INFO, 131),
        text(tag::DNIS, 32),
        text(tag::DIALED_NUMBER, 40),
        text(tag::CALLER_ENTERED_DIGITS, 40),
        flt_uint(tag::ROUTER_CALL_KEY_DAY),
        flt_uint(tag::ROUTER_CALL_KEY_CALL_ID),
        flt_uint(tag::ROUTER_CALL_KEY_SEQUENCE_NUMBER),
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
        text(tag::CUSTOMER_PHONE_NUMBER, 20),
        text(tag::CUSTOMER_ACCOUNT_NUMBER, 32),
        text(tag::CTI_CLIENT_SIGNATURE, 64).repeats(),
        flt_time(tag::CTI_CLIENT_TIMESTAMP).repeats(),
        bytes(tag::CALL_REFERENCE_ID, 32).since(14),
    ],
};

/// Body of CALL_REACHED_NETWORK_EVENT.
pub(super) static CALL_REACHED_NETWORK_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::LINE_HANDLE),
        ushort(field::LINE_TYPE).of("LineType"),
        ushort(field::TRUNK_USED_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::CALLED_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::LOCAL_CONNECTION_STATE).of("LocalConnectionState"),
        ushort(field::EVENT_CAUSE).of("EventCause"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::TRUNK_USED_DEVICE_ID, 64),
        text(tag::CALLED_DEVICE_ID, 64),
        flt_uint(tag::TRUNK_NUMBER),
        flt_uint(tag::TRUNK_GROUP_NUMBER),
    ],
};

/// Body of CALL_DEQUEUED_EVENT.
pub(super) static CALL_DEQUEUED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::QUEUE_DEVICE_TYPE).of("DeviceIDType"),
        uint(field::SERVICE_NUMBER),
        uint(field::SERVICE_ID),
        ushort(field::NUM_QUEUED),
        ushort(field::NUM_SKILL_GROUPS),
        ushort(field::LOCAL_CONNECTION_STATE).of("LocalConnectionState"),
        ushort(field::EVENT_CAUSE).of("EventCause"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::QUEUE_DEVICE_ID, 64),
        flt_uint(tag::SKILL_GROUP_NUMBER).repeats(),
        flt_uint(tag::SKILL_GROUP_ID).repeats(),
        flt_ushort(tag::SKILL_GROUP_PRIORITY).repeats(),
        flt_ushort(tag::DEQUEUE_TYPE),
    ],
};

/// Body of RTP_STARTED_EVENT.
pub(super) static RTP_STARTED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CLIENT_PORT),
        ushort(field::DIRECTION).of("RTPDirection"),
        ushort(field::RTP_TYPE).of("RTPType"),
        uint(field::BIT_RATE),
        ushort(field::ECHO_CANCELLATION),
        uint(field::PACKET_SIZE),
        ushort(field::PAYLOAD_TYPE),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::CLIENT_ADDRESS, 64),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::SENDING_ADDRESS, 64),
        flt_uint(tag::SENDING_PORT),
        text(tag::CLIENT_ADDRESS_IPV6, 0).since(14).until(18),
        text(tag::SENDING_ADDRESS_IPV6, 0).since(14).until(18),
    ],
};

/// Body of RTP_STOPPED_EVENT.
pub(super) static RTP_STOPPED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CLIENT_PORT),
        ushort(field::DIRECTION).of("RTPDirection"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::CLIENT_ADDRESS, 64),
        text(tag::AGENT_ID, 12),
        text(tag::AGENT_EXTENSION, 16),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::SENDING_ADDRESS, 64),
        flt_uint(tag::SENDING_PORT),
        text(tag::CLIENT_ADDRESS_IPV6, 0).since(14).until(18),
        text(tag::SENDING_ADDRESS_IPV6, 0).since(14).until(18),
    ],
};

/// Body of CALL_ATTRIBUTE_CHANGE_EVENT.
pub(super) static CALL_ATTRIBUTE_CHANGE_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CALL_TYPE_ID),
        uint(field::SERVICE_NUMBER),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64)],
};

/// Body of CALL_AGENT_GREETING_EVENT.
pub(super) static CALL_AGENT_GREETING_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::EVENT_CODE).of("GreetingEventCode"),
        uint(field::PERIPHERAL_ERROR_CODE),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64).required(), text(tag::AGENT_ID, 12).required()],
};
