//! Layouts of the CCX dialect where they differ from CCE.

use super::layout::Layout;

mod config;
mod session;

/// The layout that CCX has of its own, by message number.
pub(super) const fn layout(id: u32) -> Option<&'static Layout> {
    Some(match id {
        3 => &session::OPEN_REQ,
        4 => &session::OPEN_CONF,
        9 => &session::CALL_DELIVERED_EVENT,
        23 => &session::BEGIN_CALL_EVENT,
        30 => &session::AGENT_STATE_EVENT,
        31 => &session::SYSTEM_EVENT,
        36 => &session::QUERY_AGENT_STATE_REQ,
        37 => &session::QUERY_AGENT_STATE_CONF,
        38 => &session::SET_AGENT_STATE_REQ,
        230 => &config::CONFIG_REQUEST_KEY_EVENT,
        231 => &config::CONFIG_KEY_EVENT,
        232 => &config::CONFIG_REQUEST_EVENT,
        233 => &config::CONFIG_BEGIN_EVENT,
        235 => &config::CONFIG_SERVICE_EVENT,
        236 => &config::CONFIG_SKILL_GROUP_EVENT,
        237 => &config::CONFIG_AGENT_EVENT,
        238 => &config::CONFIG_DEVICE_EVENT,
        242 => &config::TEAM_CONFIG_REQ,
        243 => &config::TEAM_CONFIG_EVENT,
        244 => &config::TEAM_CONFIG_CONF,
        276 => &config::CONFIG_TERMINAL_EVENT,
        _ => return None,
    })
}
