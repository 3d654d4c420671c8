//! Layouts of call events (CCE dialect), in wire order.

use super::super::layout::{
    Layout, bytes, flt_uint, flt_ushort, named_array, named_variable, text, uint, ushort,
};
use crate::{field, tag};

/// Body of CALL_DELIVERED_EVENT.
pub(super) static CALL_DELIVERED_EVENT: Layout = Layout {
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
        flt_uint(tag::TRUNK_NUMBER),
        flt_uint(tag::TRUNK_GROUP_NUMBER),
        flt_uint(tag::SECONDARY_CONNECTION_CALL_ID),
        text(tag::ANI, 40),
        text(tag::ANI_II, 2),
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

/// Body of CALL_ESTABLISHED_EVENT.
pub(super) static CALL_ESTABLISHED_EVENT: Layout = Layout {
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
        ushort(field::ANSWERING_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::CALLING_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::CALLED_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::LAST_REDIRECT_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::LOCAL_CONNECTION_STATE).of("LocalConnectionState"),
        ushort(field::EVENT_CAUSE).of("EventCause"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::ANSWERING_DEVICE_ID, 64),
        text(tag::CALLING_DEVICE_ID, 64),
        text(tag::CALLED_DEVICE_ID, 64),
        text(tag::LAST_REDIRECT_DEVICE_ID, 64),
        flt_uint(tag::TRUNK_NUMBER),
        flt_uint(tag::TRUNK_GROUP_NUMBER),
    ],
};

/// Body of CALL_HELD_EVENT.
pub(super) static CALL_HELD_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::HOLDING_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::LOCAL_CONNECTION_STATE).of("LocalConnectionState"),
        ushort(field::EVENT_CAUSE).of("EventCause"),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64).required(), text(tag::HOLDING_DEVICE_ID, 64)],
};

/// Body of CALL_RETRIEVED_EVENT.
pub(super) static CALL_RETRIEVED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::RETRIEVING_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::LOCAL_CONNECTION_STATE).of("LocalConnectionState"),
        ushort(field::EVENT_CAUSE).of("EventCause"),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64).required(), text(tag::RETRIEVING_DEVICE_ID, 64)],
};

/// Body of CALL_CLEARED_EVENT.
pub(super) static CALL_CLEARED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::LOCAL_CONNECTION_STATE).of("LocalConnectionState"),
        ushort(field::EVENT_CAUSE).of("EventCause"),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64).required()],
};

/// Body of CALL_CONNECTION_CLEARED_EVENT.
pub(super) static CALL_CONNECTION_CLEARED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::RELEASING_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::LOCAL_CONNECTION_STATE).of("LocalConnectionState"),
        ushort(field::EVENT_CAUSE).of("EventCause"),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64).required(), text(tag::RELEASING_DEVICE_ID, 64)],
};

/// Body of CALL_ORIGINATED_EVENT.
pub(super) static CALL_ORIGINATED_EVENT: Layout = Layout {
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
        ushort(field::CALLED_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::LOCAL_CONNECTION_STATE).of("LocalConnectionState"),
        ushort(field::EVENT_CAUSE).of("EventCause"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::CALLING_DEVICE_ID, 64),
        text(tag::CALLED_DEVICE_ID, 64),
    ],
};

/// Body of CALL_FAILED_EVENT.
pub(super) static CALL_FAILED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::FAILING_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::CALLED_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::LOCAL_CONNECTION_STATE).of("LocalConnectionState"),
        ushort(field::EVENT_CAUSE).of("EventCause"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::FAILING_DEVICE_ID, 64),
        text(tag::CALLED_DEVICE_ID, 64),
    ],
};

/// Body of CALL_CONFERENCED_EVENT.
pub(super) static CALL_CONFERENCED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::PRIMARY_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::PRIMARY_CALL_ID),
        ushort(field::LINE_HANDLE),
        ushort(field::LINE_TYPE).of("LineType"),
        uint(field::SKILL_GROUP_NUMBER),
        uint(field::SKILL_GROUP_ID),
        ushort(field::SKILL_GROUP_PRIORITY),
        ushort(field::NUM_PARTIES),
        ushort(field::SECONDARY_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::SECONDARY_CALL_ID),
        ushort(field::CONTROLLER_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::ADDED_PARTY_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::LOCAL_CONNECTION_STATE).of("LocalConnectionState"),
        ushort(field::EVENT_CAUSE).of("EventCause"),
    ],
    floating: &[
        text(tag::PRIMARY_DEVICE_ID, 64).required(),
        text(tag::SECONDARY_DEVICE_ID, 64).required(),
        text(tag::CONTROLLER_DEVICE_ID, 64),
        text(tag::ADDED_PARTY_DEVICE_ID, 64),
        flt_uint(tag::CONNECTED_PARTY_CALL_ID).repeats(),
        flt_ushort(tag::CONNECTED_PARTY_DEVICE_ID_TYPE).repeats(),
        text(tag::CONNECTED_PARTY_DEVICE_ID, 64).repeats(),
    ],
};

/// Body of CALL_TRANSFERRED_EVENT.
pub(super) static CALL_TRANSFERRED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::PRIMARY_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::PRIMARY_CALL_ID),
        ushort(field::LINE_HANDLE),
        ushort(field::LINE_TYPE).of("LineType"),
        uint(field::SKILL_GROUP_NUMBER),
        uint(field::SKILL_GROUP_ID),
        ushort(field::SKILL_GROUP_PRIORITY),
        ushort(field::NUM_PARTIES),
        ushort(field::SECONDARY_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::SECONDARY_CALL_ID),
        ushort(field::TRANSFERRING_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::TRANSFERRED_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::LOCAL_CONNECTION_STATE).of("LocalConnectionState"),
        ushort(field::EVENT_CAUSE).of("EventCause"),
    ],
    floating: &[
        text(tag::PRIMARY_DEVICE_ID, 64).required(),
        text(tag::SECONDARY_DEVICE_ID, 64).required(),
        text(tag::TRANSFERRING_DEVICE_ID, 64),
        text(tag::TRANSFERRED_DEVICE_ID, 64),
        flt_uint(tag::CONNECTED_PARTY_CALL_ID).repeats(),
        flt_ushort(tag::CONNECTED_PARTY_DEVICE_ID_TYPE).repeats(),
        text(tag::CONNECTED_PARTY_DEVICE_ID, 64).repeats(),
    ],
};

/// Body of CALL_DIVERTED_EVENT.
pub(super) static CALL_DIVERTED_EVENT: Layout = Layout {
    fixed: &[
        uint(field::MONITOR_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::PERIPHERAL_TYPE).of("PeripheralType"),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        uint(field::SERVICE_NUMBER),
        uint(field::SERVICE_ID),
        ushort(field::DIVERTING_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::CALLED_DEVICE_TYPE).of("DeviceIDType"),
        ushort(field::LOCAL_CONNECTION_STATE).of("LocalConnectionState"),
        ushort(field::EVENT_CAUSE).of("EventCause"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::DIVERTING_DEVICE_ID, 64),
        text(tag::CALLED_DEVICE_ID, 64),
    ],
};
