//! Layouts of call control requests and their confirmations (CCE dialect), in wire order.

use super::super::layout::{
    Layout, bool, bytes, flt_uint, flt_ushort, named_array, named_variable, text, uint, ushort,
};
use crate::{field, tag};

/// Body of ALTERNATE_CALL_REQ.
pub(super) static ALTERNATE_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::ACTIVE_CONNECTION_CALL_ID),
        uint(field::OTHER_CONNECTION_CALL_ID),
        ushort(field::ACTIVE_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::OTHER_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
    ],
    floating: &[
        text(tag::ACTIVE_CONNECTION_DEVICE_ID, 64).required(),
        text(tag::OTHER_CONNECTION_DEVICE_ID, 64).required(),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::CTIOSCIL_CLIENT_ID, 64),
    ],
};

/// Body of ALTERNATE_CALL_CONF.
pub(super) static ALTERNATE_CALL_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of ANSWER_CALL_REQ.
pub(super) static ANSWER_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::CTIOSCIL_CLIENT_ID, 64),
    ],
};

/// Body of ANSWER_CALL_CONF.
pub(super) static ANSWER_CALL_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of CLEAR_CALL_REQ.
pub(super) static CLEAR_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::CTIOSCIL_CLIENT_ID, 64),
    ],
};

/// Body of CLEAR_CALL_CONF.
pub(super) static CLEAR_CALL_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of CLEAR_CONNECTION_REQ.
pub(super) static CLEAR_CONNECTION_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::REQUESTING_DEVICE_ID, 64).since(14),
        flt_ushort(tag::REQUESTING_DEVICE_ID_TYPE).since(14),
        text(tag::CTIOSCIL_CLIENT_ID, 64),
    ],
};

/// Body of CLEAR_CONNECTION_CONF.
pub(super) static CLEAR_CONNECTION_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };

/// Body of CONFERENCE_CALL_REQ.
pub(super) static CONFERENCE_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::HELD_CONNECTION_CALL_ID),
        uint(field::ACTIVE_CONNECTION_CALL_ID),
        ushort(field::HELD_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::ACTIVE_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
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

/// Body of CONFERENCE_CALL_CONF.
pub(super) static CONFERENCE_CALL_CONF: Layout = Layout {
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

/// Body of CONSULTATION_CALL_REQ.
pub(super) static CONSULTATION_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::ACTIVE_CONNECTION_CALL_ID),
        ushort(field::ACTIVE_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::CALL_PLACEMENT_TYPE).of("CallPlacementType"),
        ushort(field::CALL_MANNER_TYPE).of("CallMannerType"),
        ushort(field::CONSULT_TYPE).of("ConsultType"),
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
        text(tag::DIALED_NUMBER, 40).required(),
        text(tag::AGENT_INSTRUMENT, 64),
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

/// Body of CONSULTATION_CALL_CONF.
pub(super) static CONSULTATION_CALL_CONF: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::NEW_CONNECTION_CALL_ID),
        ushort(field::NEW_CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::LINE_HANDLE),
        ushort(field::LINE_TYPE).of("LineType"),
    ],
    floating: &[text(tag::NEW_CONNECTION_DEVICE_ID, 64).required()],
};

/// Body of DEFLECT_CALL_REQ.
pub(super) static DEFLECT_CALL_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        uint(field::PERIPHERAL_ID),
        uint(field::CONNECTION_CALL_ID),
        ushort(field::CONNECTION_DEVICE_ID_TYPE).of("ConnectionDeviceIDType"),
        ushort(field::CALLED_DEVICE_TYPE).of("DeviceIDType"),
    ],
    floating: &[
        text(tag::CONNECTION_DEVICE_ID, 64).required(),
        text(tag::CALLED_DEVICE_ID, 64).required(),
        text(tag::AGENT_INSTRUMENT, 64),
        text(tag::CTIOSCIL_CLIENT_ID, 64),
    ],
};

/// Body of DEFLECT_CALL_CONF.
pub(super) static DEFLECT_CALL_CONF: Layout = Layout { fixed: &[uint(field::INVOKE_ID)], floating: &[] };
