//! Layouts of configuration and team messages where the CCX dialect differs.

use super::super::layout::{Layout, bytes, flt_bool, flt_uint, flt_ushort, text, uint, unspec, ushort};
use crate::{field, tag};

/// Body of CONFIG_REQUEST_KEY_EVENT in CCX.
pub(super) static CONFIG_REQUEST_KEY_EVENT: Layout =
    Layout { fixed: &[uint(field::PERIPHERAL_ID)], floating: &[flt_uint(tag::CUSTOMER_ID)] };

/// Body of CONFIG_KEY_EVENT in CCX.
pub(super) static CONFIG_KEY_EVENT: Layout = Layout {
    fixed: &[uint(field::CONFIG_KEY_STATUS).of("ConfigKeyStatus")],
    floating: &[
        bytes(tag::SERVICE_CONFIG_KEY, 8),
        bytes(tag::SKILL_GROUP_CONFIG_KEY, 8),
        bytes(tag::AGENT_CONFIG_KEY, 8),
        bytes(tag::DEVICE_CONFIG_KEY, 8),
    ],
};

/// Body of CONFIG_REQUEST_EVENT in CCX.
pub(super) static CONFIG_REQUEST_EVENT: Layout = Layout {
    fixed: &[uint(field::CONFIG_INFORMATION).of("ConfigurationUploadCCX"), uint(field::PERIPHERAL_ID)],
    floating: &[flt_uint(tag::CUSTOMER_ID)],
};

/// Body of CONFIG_BEGIN_EVENT in CCX.
pub(super) static CONFIG_BEGIN_EVENT: Layout = Layout {
    fixed: &[
        ushort(field::CONFIG_TYPE).of("ConfigType"),
        uint(field::CONFIG_INFORMATION).of("ConfigurationUploadCCX"),
    ],
    floating: &[
        bytes(tag::SERVICE_CONFIG_KEY, 8),
        bytes(tag::SKILL_GROUP_CONFIG_KEY, 8),
        bytes(tag::AGENT_CONFIG_KEY, 8),
        bytes(tag::DEVICE_CONFIG_KEY, 8),
    ],
};

/// Body of CONFIG_SERVICE_EVENT in CCX.
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
    ],
};

/// Body of CONFIG_SKILL_GROUP_EVENT in CCX.
pub(super) static CONFIG_SKILL_GROUP_EVENT: Layout = Layout {
    fixed: &[ushort(field::NUM_RECORDS)],
    floating: &[
        flt_ushort(tag::RECORD_TYPE).repeats().required(),
        flt_uint(tag::FLT_PERIPHERAL_ID).repeats(),
        flt_uint(tag::PERIPHERAL_NUMBER).repeats(),
        flt_uint(tag::OLD_PERIPHERAL_NUMBER).repeats(),
        flt_ushort(tag::SKILL_GROUP_PRIORITY).repeats(),
        flt_uint(tag::SKILL_GROUP_SKILL_TARGET_ID).repeats(),
        flt_bool(tag::AGENT_SKILL_TARGET_ID185).wide().named("AutoWork").repeats(),
        text(tag::EXTENSION, 16).repeats(),
        text(tag::PERIPHERAL_NAME, 64).repeats(),
        text(tag::DESCRIPTION, 128).repeats(),
        flt_uint(tag::FLT_MR_DOMAIN_ID).repeats(),
        text(tag::CONFIG_PARAM, 255).repeats(),
    ],
};

/// Body of CONFIG_AGENT_EVENT in CCX.
pub(super) static CONFIG_AGENT_EVENT: Layout = Layout {
    fixed: &[ushort(field::NUM_RECORDS)],
    floating: &[
        flt_ushort(tag::RECORD_TYPE).repeats().required(),
        flt_uint(tag::FLT_PERIPHERAL_ID).repeats(),
        flt_ushort(tag::AGENT_TYPE).repeats(),
        text(tag::LOGIN_ID, 64).repeats(),
        text(tag::OLD_LOGIN_ID, 64).repeats(),
        text(tag::LOGIN_NAME, 255).repeats(),
        text(tag::LAST_NAME, 32).repeats(),
        text(tag::FIRST_NAME, 32).repeats(),
        text(tag::EXTENSION, 16).repeats(),
        text(tag::DESCRIPTION, 128).repeats(),
        flt_uint(tag::AGENT_SKILL_TARGET_ID).repeats(),
        flt_ushort(tag::NUM_SKILLS).repeats(),
        flt_uint(tag::SKILL_GROUP_NUMBER).repeats(),
        flt_ushort(tag::SKILL_GROUP_PRIORITY).repeats(),
        flt_ushort(tag::MEDIA_CLASS_ID).named("AgentStateInConfig").repeats(),
        flt_uint(tag::FLT_MRDID).since(17).repeats(),
        text(tag::TERMINAL_DEVICE_NAME, 64).since(18).repeats(),
    ],
};

/// Body of CONFIG_DEVICE_EVENT in CCX.
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

/// Body of TEAM_CONFIG_REQ in CCX.
pub(super) static TEAM_CONFIG_REQ: Layout = Layout {
    fixed: &[
        uint(field::INVOKE_ID),
        ushort(field::CONFIG_PARAM).of("TeamConfigParam"),
        unspec(field::RESERVED, 8),
    ],
    floating: &[],
};

/// Body of TEAM_CONFIG_EVENT in CCX.
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

/// Body of TEAM_CONFIG_CONF in CCX.
pub(super) static TEAM_CONFIG_CONF: Layout = Layout {
    fixed: &[uint(field::INVOKE_ID), uint(field::STATUS).of("TeamConfigStatus")],
    floating: &[text(tag::TEXT, 255)],
};

/// Body of CONFIG_TERMINAL_EVENT in CCX.
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
