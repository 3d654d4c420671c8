//! Layouts of call control requests and their confirmations (CCE dialect), in wire order.

use super::super::layout::{
    Layout, bool, bytes, flt_uchar, flt_uint, flt_ushort, named_array, named_variable, text, uint, ushort,
};
use crate::{field, tag};

/// Body of HOLD_CALL_REQ.
pub(super) static HOLD_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        bool(field::RESERVATION),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::CTIOSCIL_CLIENT_ID, 64),
    ],
};

/// Body of HOLD_CALL_CONF.
pub(super) static HOLD_CALL_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of MAKE_CALL_REQ.
pub(super) static MAKE_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::CALL_PLACEMENT_TYPE).of("CallPlacementType"),
        ushort(field::CALL_MANNER_TYPE).of("CallMannerType"),
        ushort(field::ALERT_RINGS),
        ushort(field::CALL_OPTION).of("CallOption"),
        ushort(field::FACILITY_TYPE).of("FacilityType"),
        ushort(field::ANSWERING_MACHINE).of("AnsweringMachine"),
        bool(field::PRIORITY),
        bool(field::POST_ROUTE),
        ushort(field::NUM_NAMED_VARIABLES),
        ushort(field::NUM_NAMED_ARRAYS),
        uint(field::SKILL_GROUP_NUMBER).since(14),
    ],
    floating: &[
        text(tag::AGENT_INSTRUMENT, 64).required(),
        text(tag::DIALED_NUMBER, 40).required(),
        bytes(tag::USER_TO_USER_INFO, 131),
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
        text(tag::FACILITY_CODE, 40),
        text(tag::AUTHORIZATION_CODE, 40),
        text(tag::ACCOUNT_CODE, 40),
        text(tag::CCT, 4),
    ],
};

/// Body of MAKE_CALL_CONF.
pub(super) static MAKE_CALL_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::NEW_CONNECTION_CALL_ID),
        ushort(field::NEW_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::LINE_HANDLE),
        ushort(field::LINE_TYPE).of("LineType"),
    ],
    floating: &[text(tag::NEW_CONNECTION_DEVICE_ID, 64).required()],
};

/// Body of MAKE_PREDICTIVE_CALL_REQ.
pub(super) static MAKE_PREDICTIVE_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::CALL_PLACEMENT_TYPE).of("CallPlacementType"),
        ushort(field::CALL_MANNER_TYPE).of("CallMannerType"),
        ushort(field::ALERT_RINGS),
        ushort(field::CALL_OPTION).of("CallOption"),
        ushort(field::FACILITY_TYPE).of("FacilityType"),
        ushort(field::ANSWERING_MACHINE).of("AnsweringMachine"),
        bool(field::PRIORITY),
        ushort(field::ALLOCATION_STATE).of("AllocationState"),
        ushort(field::DESTINATION_COUNTRY).of("DestinationCountry"),
        ushort(field::ANSWER_DETECT_MODE).of("AnswerDetectMode"),
        ushort(field::ANSWER_DETECT_TIME),
        uint(field::ANSWER_DETECT_CONTROL1),
        uint(field::ANSWER_DETECT_CONTROL2),
        ushort(field::NUM_NAMED_VARIABLES),
        ushort(field::NUM_NAMED_ARRAYS),
    ],
    floating: &[
        text(tag::ORIGINATING_DEVICE_ID, 64).required(),
        text(tag::DIALED_NUMBER, 40).required(),
        bytes(tag::USER_TO_USER_INFO, 131),
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
        text(tag::FACILITY_CODE, 40),
        text(tag::AUTHORIZATION_CODE, 40),
        text(tag::ACCOUNT_CODE, 40),
        text(tag::ORIGINATING_LINE_ID, 40),
        text(tag::CCT, 4),
    ],
};

/// Body of MAKE_PREDICTIVE_CALL_CONF.
pub(super) static MAKE_PREDICTIVE_CALL_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::NEW_CONNECTION_CALL_ID),
        ushort(field::NEW_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::LINE_HANDLE),
        ushort(field::LINE_TYPE).of("LineType"),
    ],
    floating: &[text(tag::NEW_CONNECTION_DEVICE_ID, 64).required()],
};

/// Body of RECONNECT_CALL_REQ.
pub(super) static RECONNECT_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::ACTIVE_CONNECTION_CALL_ID),
        uint(field::HELD_CONNECTION_CALL_ID),
        ushort(field::ACTIVE_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::HELD_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
    ],
    floating: &[
        text(tag::ACTIVE_CONNECTION_DEVICE_ID, 64).required(),
        text(tag::HELD_CONNECTION_DEVICE_ID, 64).required(),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::CTIOSCIL_CLIENT_ID, 64),
    ],
};

/// Body of RECONNECT_CALL_CONF.
pub(super) static RECONNECT_CALL_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of RETRIEVE_CALL_REQ.
pub(super) static RETRIEVE_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::HELD_CONNECTION_CALL_ID),
        ushort(field::HELD_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
    ],
    floating: &[
        text(tag::HELD_CONNECTION_DEVICE_ID, 64).required(),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::CTIOSCIL_CLIENT_ID, 64),
    ],
};

/// Body of RETRIEVE_CALL_CONF.
pub(super) static RETRIEVE_CALL_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of TRANSFER_CALL_REQ.
pub(super) static TRANSFER_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::ACTIVE_CONNECTION_CALL_ID),
        uint(field::HELD_CONNECTION_CALL_ID),
        ushort(field::ACTIVE_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::HELD_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::CALL_PLACEMENT_TYPE).of("CallPlacementType"),
        ushort(field::CALL_MANNER_TYPE).of("CallMannerType"),
        ushort(field::ALERT_RINGS),
        ushort(field::CALL_OPTION).of("CallOption"),
        ushort(field::FACILITY_TYPE).of("FacilityType"),
        ushort(field::ANSWERING_MACHINE).of("AnsweringMachine"),
        bool(field::PRIORITY),
        bool(field::POST_ROUTE),
        ushort(field::NUM_NAMED_VARIABLES),
        ushort(field::NUM_NAMED_ARRAYS),
    ],
    floating: &[
        text(tag::ACTIVE_CONNECTION_DEVICE_ID, 64).required(),
        text(tag::HELD_CONNECTION_DEVICE_ID, 64),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::DIALED_NUMBER, 40),
        bytes(tag::USER_TO_USER_INFO, 131),
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
        text(tag::FACILITY_CODE, 40),
        text(tag::AUTHORIZATION_CODE, 40),
        text(tag::ACCOUNT_CODE, 40),
    ],
};

/// Body of TRANSFER_CALL_CONF.
pub(super) static TRANSFER_CALL_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::NEW_CONNECTION_CALL_ID),
        ushort(field::NEW_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::NUM_PARTIES),
        ushort(field::LINE_HANDLE),
        ushort(field::LINE_TYPE).of("LineType"),
    ],
    floating: &[
        text(tag::NEW_CONNECTION_DEVICE_ID, 64).required(),
        flt_uint(tag::CONNECTED_PARTY_CALL_ID).repeats(),
        flt_ushort(tag::CONNECTED_PARTY_DEVICE_ID_TYPE).repeats(),
        text(tag::CONNECTED_PARTY_DEVICE_ID, 64).repeats(),
    ],
};

/// Body of SEND_DTMF_SIGNAL_REQ.
pub(super) static SEND_DTMF_SIGNAL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::TONE_DURATION),
        uint(field::PAUSE_DURATION),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::DTMF_STRING, 32).required(),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::CTIOSCIL_CLIENT_ID, 64),
    ],
};

/// Body of SEND_DTMF_SIGNAL_CONF.
pub(super) static SEND_DTMF_SIGNAL_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of SET_CALL_DATA_REQ.
pub(super) static SET_CALL_DATA_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::NUM_NAMED_VARIABLES),
        ushort(field::NUM_NAMED_ARRAYS),
        ushort(field::CALL_TYPE).of("CallType"),
        ushort(field::CALLED_PARTY_DISPOSITION).of("Disposition"),
        uint(field::CAMPAIGN_ID),
        uint(field::QUERY_RULE_ID),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::ANI, 40),
        bytes(tag::USER_TO_USER_INFO, 131),
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
        text(tag::CUSTOMER_PHONE_NUMBER, 20),
        text(tag::CUSTOMER_ACCOUNT_NUMBER, 32),
        flt_uint(tag::ROUTER_CALL_KEY_DAY).since(14),
        flt_uint(tag::ROUTER_CALL_KEY_CALL_ID).since(14),
        flt_uint(tag::ROUTER_CALL_KEY_SEQUENCE_NUMBER).since(14),
        flt_uchar(tag::CALL_ORIGINATED_FROM).since(14),
        text(tag::CTIOSCIL_CLIENT_ID, 64),
    ],
};

/// Body of SET_CALL_DATA_CONF.
pub(super) static SET_CALL_DATA_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of RELEASE_CALL_REQ.
pub(super) static RELEASE_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        uint(field::CONNECTION_CALL_ID),
    ],
    floating: &[text(tag::CONNECTION_DEVICE_ID, 64).required()],
};

/// Body of RELEASE_CALL_CONF.
pub(super) static RELEASE_CALL_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of SET_DEVICE_ATTRIBUTES_REQ.
pub(super) static SET_DEVICE_ATTRIBUTES_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::SERVICE_NUMBER),
        uint(field::SERVICE_ID),
        uint(field::SKILL_GROUP_NUMBER),
        uint(field::SKILL_GROUP_ID),
        ushort(field::SKILL_GROUP_PRIORITY),
        ushort(field::CALL_TYPE).of("CallType"),
        ushort(field::CALLING_DEVICE_TYPE).of("DeviceIDType"),
    ],
    floating: &[text(tag::CALLING_DEVICE_ID, 64).required()],
};

/// Body of SET_DEVICE_ATTRIBUTES_CONF.
pub(super) static SET_DEVICE_ATTRIBUTES_CONF: Layout =
    Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };
