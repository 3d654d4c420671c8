//! Layouts of configuration and team messages (CCE dialect), in wire order.

use super::super::layout::{
    Layout, bytes, flt_bool, flt_uint, flt_ushort, text, uint, uints, unspec, ushort, ushorts,
};
use crate::{field, tag};

/// Body of CONFIG_REQUEST_KEY_EVENT.
pub(super) static CONFIG_REQUEST_KEY_EVENT: Layout =
    Layout { fixed: &[uint(field::PERIPHERAL_ID)], floating: &[flt_uint(tag::CUSTOMER_ID)] };

/// Body of CONFIG_KEY_EVENT.
pub(super) static CONFIG_KEY_EVENT: Layout = Layout {
    fixed: &[uint(field::CONFIG_KEY_STATUS).of("ConfigKeyStatus")],
    floating: &[
        bytes(tag::SERVICE_CONFIG_KEY, 8),
        bytes(tag::SKILL_GROUP_CONFIG_KEY, 8),
        bytes(tag::AGENT_CONFIG_KEY, 8),
        bytes(tag::DEVICE_CONFIG_KEY, 8),
        bytes(tag::CALL_TYPE_CONFIG_KEY, 8),
        bytes(tag::PERIPHERAL_CONFIG_KEY, 8).since(22),
        bytes(tag::AGENT_DESK_SETTINGS_CONFIG_KEY, 8).since(22),
    ],
};

/// Body of CONFIG_REQUEST_EVENT.
pub(super) static CONFIG_REQUEST_EVENT: Layout = Layout {
    fixed: &[
        uint(field::CONFIG_INFORMATION).of("ConfigInformation"),
        uint(field::CONFIG_MSG_MASK).since(24).of("ConfigInformation").optional(),
        uint(field::PERIPHERAL_ID),
    ],
    floating: &[flt_uint(tag::CUSTOMER_ID)],
};

/// Body of CONFIG_BEGIN_EVENT.
pub(super) static CONFIG_BEGIN_EVENT: Layout = Layout {
    fixed: &[
        ushort(field::CONFIG_TYPE).of("ConfigType"),
        uint(field::CONFIG_INFORMATION).of("ConfigInformation"),
    ],
    floating: &[
        bytes(tag::SERVICE_CONFIG_KEY, 8),
        bytes(tag::SKILL_GROUP_CONFIG_KEY, 8),
        bytes(tag::AGENT_CONFIG_KEY, 8),
        bytes(tag::DEVICE_CONFIG_KEY, 8),
        bytes(tag::CALL_TYPE_CONFIG_KEY, 8),
        bytes(tag::PERIPHERAL_CONFIG_KEY, 8).since(22),
        bytes(tag::AGENT_DESK_SETTINGS_CONFIG_KEY, 8).since(22),
    ],
};

/// Body of CONFIG_END_EVENT.
pub(super) static CONFIG_END_EVENT: Layout = Layout {
    fixed: &[uint(field::CONFIG_END_STATUS).of("ConfigEndStatus")],
    floating: &[text(tag::TEXT, 255)],
};

/// Body of CONFIG_SERVICE_EVENT.
pub(super) static CONFIG_SERVICE_EVENT: Layout = Layout {
    fixed: &[ushort(field::NUM_RECORDS)],
    floating: &[
        flt_ushort(tag::RECORD_TYPE).repeats().required(),
        flt_uint(tag::FLT_PERIPHERAL_ID).repeats(),
        flt_uint(tag::PERIPHERAL_NUMBER).repeats(),
        flt_uint(tag::OLD_PERIPHERAL_NUMBER).repeats(),
        flt_uint(tag::MAX_QUEUED).repeats(),
        text(tag::EXTENSION, 16).repeats(),
        flt_uint(tag::SERVICE_SKILL_TARGET_ID).repeats(),
        text(tag::PERIPHERAL_NAME, 64).repeats(),
        text(tag::DESCRIPTION, 128).repeats(),
        flt_uint(tag::SERVICE_LEVEL_THRESHOLD).repeats(),
        flt_uint(tag::SERVICE_LEVEL_TYPE).repeats(),
        text(tag::CONFIG_PARAM, 255).repeats(),
        flt_uint(tag::FLT_MR_DOMAIN_ID).repeats(),
        flt_ushort(tag::NUM_SERVICE_MEMBERS).repeats(),
        uints(tag::SERVICE_MEMBER).repeats(),
        ushorts(tag::SERVICE_PRIORITY).repeats(),
    ],
};

/// Body of CONFIG_SKILL_GROUP_EVENT.
pub(super) static CONFIG_SKILL_GROUP_EVENT: Layout = Layout {
    fixed: &[ushort(field::NUM_RECORDS)],
    floating: &[
        flt_ushort(tag::RECORD_TYPE).repeats().required(),
        flt_uint(tag::FLT_PERIPHERAL_ID).repeats(),
        flt_uint(tag::PERIPHERAL_NUMBER).repeats(),
        flt_uint(tag::OLD_PERIPHERAL_NUMBER).repeats(),
        flt_ushort(tag::SKILL_GROUP_PRIORITY).repeats(),
        flt_uint(tag::SKILL_GROUP_SKILL_TARGET_ID).repeats(),
        text(tag::EXTENSION, 16).repeats(),
        text(tag::PERIPHERAL_NAME, 64).repeats(),
        text(tag::DESCRIPTION, 128).repeats(),
        flt_uint(tag::FLT_MR_DOMAIN_ID).repeats(),
        flt_uint(tag::FLT_PRECISION_QUEUE_ID).since(22).repeats(),
        text(tag::FLT_PRECISION_QUEUE_NAME, 32).since(22).repeats(),
        text(tag::CONFIG_PARAM, 255).repeats(),
    ],
};

/// Body of CONFIG_AGENT_EVENT.
pub(super) static CONFIG_AGENT_EVENT: Layout = Layout {
    fixed: &[ushort(field::NUM_RECORDS)],
    floating: &[
        flt_ushort(tag::RECORD_TYPE).repeats().required(),
        flt_uint(tag::FLT_PERIPHERAL_ID).repeats(),
        text(tag::TERMINAL_DEVICE_NAME, 64).since(24).repeats(),
        flt_ushort(tag::AGENT_TYPE).repeats(),
        flt_uint(tag::AGENT_DESK_SETTINGS_ID).since(22).repeats(),
        text(tag::LOGIN_ID, 64).repeats(),
        text(tag::OLD_LOGIN_ID, 64).repeats(),
        text(tag::LOGIN_NAME, 255).repeats(),
        text(tag::LAST_NAME, 32).repeats(),
        text(tag::FIRST_NAME, 32).repeats(),
        text(tag::EXTENSION, 16).repeats(),
        text(tag::DESCRIPTION, 128).repeats(),
        flt_uint(tag::AGENT_SKILL_TARGET_ID).repeats(),
        flt_ushort(tag::NUM_SKILLS).repeats(),
        flt_ushort(tag::SSO_ENABLED).since(20).repeats(),
        flt_ushort(tag::NUM_MR_DS).since(21).repeats(),
        flt_uint(tag::SKILL_GROUP_NUMBER).repeats(),
        flt_ushort(tag::SKILL_GROUP_PRIORITY).repeats(),
        uints(tag::FLT_AGENT_MRDID).since(21).repeats(),
        ushorts(tag::FLT_AGENT_MRD_STATE).since(21).repeats(),
    ],
};

/// Body of CONFIG_DEVICE_EVENT.
pub(super) static CONFIG_DEVICE_EVENT: Layout = Layout {
    fixed: &[ushort(field::NUM_RECORDS)],
    floating: &[
        flt_ushort(tag::RECORD_TYPE).repeats().required(),
        flt_uint(tag::FLT_PERIPHERAL_ID).repeats(),
        flt_uint(tag::PERIPHERAL_NUMBER).repeats(),
        flt_ushort(tag::DEVICE_TYPE).repeats(),
        flt_uint(tag::MAX_QUEUED).repeats(),
        flt_uint(tag::FLT_SERVICE_ID).repeats(),
        text(tag::DIALED_NUMBER, 40).repeats(),
        text(tag::DNIS, 32).repeats(),
        text(tag::EXTENSION, 16).repeats(),
        text(tag::DESCRIPTION, 128).repeats(),
    ],
};

/// Body of TEAM_CONFIG_REQ.
pub(super) static TEAM_CONFIG_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        ushort(field::CONFIG_PARAM).of("TeamConfigParam"),
        unspec(field::RESERVED, 8),
    ],
    floating: &[],
};

/// Body of TEAM_CONFIG_EVENT.
pub(super) static TEAM_CONFIG_EVENT: Layout = Layout {
    fixed: &[
        uint(field::TEAM_ID),
        ushort(field::NUM_RECORDS),
        ushort(field::OPERATION).of("TeamOperation"),
        unspec(field::RESERVED, 8),
    ],
    floating: &[
        text(tag::TEAM_NAME, 50).required(),
        text(tag::AGENT_ID_LONG, 129).repeats(),
        flt_ushort(tag::AGENT_FLAGS).repeats(),
        flt_ushort(tag::RECORD_TYPE).repeats(),
        flt_ushort(tag::MEMBER_TYPE).repeats(),
    ],
};

/// Body of TEAM_CONFIG_CONF.
pub(super) static TEAM_CONFIG_CONF: Layout = Layout {
    fixed: &[uint(field::INVOKE_ID), uint(field::STATUS).of("TeamConfigStatus")],
    floating: &[text(tag::TEXT, 255)],
};

/// Body of CONFIG_CALL_TYPE_EVENT.
pub(super) static CONFIG_CALL_TYPE_EVENT: Layout = Layout {
    fixed: &[ushort(field::NUM_RECORDS)],
    floating: &[
        flt_ushort(tag::RECORD_TYPE).repeats().required(),
        flt_uint(tag::FLT_CALL_TYPE_ID).repeats(),
        flt_uint(tag::CUSTOMER_DEFINITION_ID).repeats(),
        text(tag::ENTERPRISE_NAME, 32).repeats(),
        text(tag::DESCRIPTION, 128).repeats(),
        flt_uint(tag::SERVICE_LEVEL_THRESHOLD).repeats(),
        flt_uint(tag::SERVICE_LEVEL_TYPE).repeats(),
    ],
};

/// Body of CONFIG_MRD_EVENT.
pub(super) static CONFIG_MRD_EVENT: Layout = Layout {
    fixed: &[ushort(field::NUM_RECORDS)],
    floating: &[
        flt_ushort(tag::RECORD_TYPE).repeats().required(),
        flt_uint(tag::FLT_MR_DOMAIN_ID).repeats(),
        text(tag::ENTERPRISE_NAME, 32).repeats(),
        text(tag::DESCRIPTION, 128).repeats(),
        flt_uint(tag::FLT_MAX_TASK_DURATION).since(18).repeats(),
        flt_bool(tag::FLT_INTERRUPTIBLE).since(18).repeats(),
    ],
};

/// Body of CONFIG_PERIPHERAL_EVENT.
pub(super) static CONFIG_PERIPHERAL_EVENT: Layout = Layout {
    fixed: &[ushort(field::NUM_RECORDS)],
    floating: &[
        flt_ushort(tag::RECORD_TYPE).repeats().required(),
        flt_uint(tag::CONFIG_PERIPHERAL_ID).since(22).repeats(),
        flt_uint(tag::DEFAULT_AGENT_DESK_SETTINGS_ID).since(22).repeats(),
    ],
};

/// Body of CONFIG_AGENT_DESK_SETTINGS_EVENT.
pub(super) static CONFIG_AGENT_DESK_SETTINGS_EVENT: Layout = Layout {
    fixed: &[ushort(field::NUM_RECORDS)],
    floating: &[
        flt_ushort(tag::RECORD_TYPE).repeats().required(),
        flt_uint(tag::AGENT_DESK_SETTINGS_ID).since(22).repeats(),
        flt_uint(tag::FLT_DESK_SETTINGS_MASK).since(22).repeats(),
        flt_uint(tag::FLT_WRAP_UP_DATA_INCOMING_MODE).since(22).repeats(),
        flt_uint(tag::FLT_WRAP_UP_DATA_OUTGOING_MODE).since(22).repeats(),
        flt_uint(tag::FLT_LOGOUT_NON_ACTIVITY_TIME).since(22).repeats(),
        flt_uint(tag::FLT_QUALITY_RECORDING_RATE).since(22).repeats(),
        flt_uint(tag::FLT_RING_NO_ANSWER_TIME).since(22).repeats(),
        flt_uint(tag::FLT_SILENT_MONITOR_WARNING_MESSAGE).since(22).repeats(),
        flt_uint(tag::FLT_SILENT_MONITOR_AUDIBLE_INDICATION).since(22).repeats(),
        flt_uint(tag::FLT_SUPERVISOR_ASSIST_CALL_METHOD).since(22).repeats(),
        flt_uint(tag::FLT_EMERGENCY_CALL_METHOD).since(22).repeats(),
        flt_uint(tag::FLT_AUTO_RECORD_ON_EMERGENCY).since(22).repeats(),
        flt_uint(tag::FLT_RECORDING_MODE).since(22).repeats(),
        flt_uint(tag::FLT_WORK_MODE_TIMER).since(22).repeats(),
        flt_uint(tag::FLT_RING_NO_ANSWER_DN_ID).since(22).repeats(),
        text(tag::FLT_DEFAULT_DEVICE_PORT_ADDRESS, 32).since(22).repeats(),
        flt_uint(tag::PLAY_ZIP_TONE).since(24).repeats(),
        flt_uint(tag::ACD_SHARED_LINE_USAGE).since(24).repeats(),
    ],
};

/// Body of CONFIG_TERMINAL_EVENT.
pub(super) static CONFIG_TERMINAL_EVENT: Layout = Layout {
    fixed: &[ushort(field::NUM_RECORDS)],
    floating: &[
        flt_ushort(tag::RECORD_TYPE).repeats().required(),
        flt_ushort(tag::TERMINAL_TYPE).since(24).repeats(),
        text(tag::TERMINAL_DEVICE_NAME, 64).since(24).repeats(),
        text(tag::TERMINAL_TYPE_NAME, 100).since(24).repeats(),
        flt_ushort(tag::NUM_INSTRUMENTS).since(24).repeats(),
        text(tag::AGENT_INSTRUMENT, 64).repeats(),
    ],
};

/// Body of CONFIG_AGENT_SERVICE_EVENT.
pub(super) static CONFIG_AGENT_SERVICE_EVENT: Layout = Layout {
    fixed: &[ushort(field::NUM_RECORDS)],
    floating: &[
        flt_uint(tag::AGENT_SKILL_TARGET_ID).repeats(),
        flt_ushort(tag::NUM_OF_ENABLED_SERVICES).since(24).repeats(),
        ushorts(tag::FLT_ENABLED_SERVICES).since(24).repeats(),
        flt_ushort(tag::RECORD_TYPE).repeats(),
    ],
};
