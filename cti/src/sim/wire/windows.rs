//! Which fields of statistics belong to which window of time.

use crate::{Field, field};

/// Fields for one kind of calls: calls, talk time, time, calls held, time held.
type Five = [Field; 5];

/// Fields of one window.
pub(super) struct Window {
    /// Available, logged on, not ready.
    pub(super) times: [Field; 3],
    pub(super) out: Five,
    pub(super) auto_out: Five,
    pub(super) preview: Five,
    pub(super) reservation: Five,
    /// Calls, talk time, time of work after them, time of all.
    pub(super) handled: [Field; 4],
    /// Calls, time.
    pub(super) incoming_held: [Field; 2],
    pub(super) received: [Field; 2],
    pub(super) internal_held: [Field; 2],
    /// Barge-in, intercept, monitor, emergency.
    pub(super) supervision: [Field; 4],
}

pub(super) static SESSION: Window = Window {
    times: [field::AVAIL_TIME_SESSION, field::LOGGED_ON_TIME_SESSION, field::NOT_READY_TIME_SESSION],
    out: [
        field::AGENT_OUT_CALLS_SESSION,
        field::AGENT_OUT_CALLS_TALK_TIME_SESSION,
        field::AGENT_OUT_CALLS_TIME_SESSION,
        field::AGENT_OUT_CALLS_HELD_SESSION,
        field::AGENT_OUT_CALLS_HELD_TIME_SESSION,
    ],
    auto_out: [
        field::AUTO_OUT_CALLS_SESSION,
        field::AUTO_OUT_CALLS_TALK_TIME_SESSION,
        field::AUTO_OUT_CALLS_TIME_SESSION,
        field::AUTO_OUT_CALLS_HELD_SESSION,
        field::AUTO_OUT_CALLS_HELD_TIME_SESSION,
    ],
    preview: [
        field::PREVIEW_CALLS_SESSION,
        field::PREVIEW_CALLS_TALK_TIME_SESSION,
        field::PREVIEW_CALLS_TIME_SESSION,
        field::PREVIEW_CALLS_HELD_SESSION,
        field::PREVIEW_CALLS_HELD_TIME_SESSION,
    ],
    reservation: [
        field::RESERVATION_CALLS_SESSION,
        field::RESERVATION_CALLS_TALK_TIME_SESSION,
        field::RESERVATION_CALLS_TIME_SESSION,
        field::RESERVATION_CALLS_HELD_SESSION,
        field::RESERVATION_CALLS_HELD_TIME_SESSION,
    ],
    handled: [
        field::HANDLED_CALLS_SESSION,
        field::HANDLED_CALLS_TALK_TIME_SESSION,
        field::HANDLED_CALLS_AFTER_CALL_TIME_SESSION,
        field::HANDLED_CALLS_TIME_SESSION,
    ],
    incoming_held: [field::INCOMING_CALLS_HELD_SESSION, field::INCOMING_CALLS_HELD_TIME_SESSION],
    received: [field::INTERNAL_CALLS_RCVD_SESSION, field::INTERNAL_CALLS_RCVD_TIME_SESSION],
    internal_held: [field::INTERNAL_CALLS_HELD_SESSION, field::INTERNAL_CALLS_HELD_TIME_SESSION],
    supervision: [
        field::BARGE_IN_CALLS_SESSION,
        field::INTERCEPT_CALLS_SESSION,
        field::MONITOR_CALLS_SESSION,
        field::EMERGENCY_CALLS_SESSION,
    ],
};

pub(super) static TODAY: Window = Window {
    times: [field::AVAIL_TIME_TODAY, field::LOGGED_ON_TIME_TODAY, field::NOT_READY_TIME_TODAY],
    out: [
        field::AGENT_OUT_CALLS_TODAY,
        field::AGENT_OUT_CALLS_TALK_TIME_TODAY,
        field::AGENT_OUT_CALLS_TIME_TODAY,
        field::AGENT_OUT_CALLS_HELD_TODAY,
        field::AGENT_OUT_CALLS_HELD_TIME_TODAY,
    ],
    auto_out: [
        field::AUTO_OUT_CALLS_TODAY,
        field::AUTO_OUT_CALLS_TALK_TIME_TODAY,
        field::AUTO_OUT_CALLS_TIME_TODAY,
        field::AUTO_OUT_CALLS_HELD_TODAY,
        field::AUTO_OUT_CALLS_HELD_TIME_TODAY,
    ],
    preview: [
        field::PREVIEW_CALLS_TODAY,
        field::PREVIEW_CALLS_TALK_TIME_TODAY,
        field::PREVIEW_CALLS_TIME_TODAY,
        field::PREVIEW_CALLS_HELD_TODAY,
        field::PREVIEW_CALLS_HELD_TIME_TODAY,
    ],
    reservation: [
        field::RESERVATION_CALLS_TODAY,
        field::RESERVATION_CALLS_TALK_TIME_TODAY,
        field::RESERVATION_CALLS_TIME_TODAY,
        field::RESERVATION_CALLS_HELD_TODAY,
        field::RESERVATION_CALLS_HELD_TIME_TODAY,
    ],
    handled: [
        field::HANDLED_CALLS_TODAY,
        field::HANDLED_CALLS_TALK_TIME_TODAY,
        field::HANDLED_CALLS_AFTER_CALL_TIME_TODAY,
        field::HANDLED_CALLS_TIME_TODAY,
    ],
    incoming_held: [field::INCOMING_CALLS_HELD_TODAY, field::INCOMING_CALLS_HELD_TIME_TODAY],
    received: [field::INTERNAL_CALLS_RCVD_TODAY, field::INTERNAL_CALLS_RCVD_TIME_TODAY],
    internal_held: [field::INTERNAL_CALLS_HELD_TODAY, field::INTERNAL_CALLS_HELD_TIME_TODAY],
    supervision: [
        field::BARGE_IN_CALLS_TODAY,
        field::INTERCEPT_CALLS_TODAY,
        field::MONITOR_CALLS_TODAY,
        field::EMERGENCY_CALLS_TODAY,
    ],
};

pub(super) static FIVE: Window = Window {
    times: [field::AVAIL_TIME_TO5, field::LOGGED_ON_TIME_TO5, field::NOT_READY_TIME_TO5],
    out: [
        field::AGENT_OUT_CALLS_TO5,
        field::AGENT_OUT_CALLS_TALK_TIME_TO5,
        field::AGENT_OUT_CALLS_TIME_TO5,
        field::AGENT_OUT_CALLS_HELD_TO5,
        field::AGENT_OUT_CALLS_HELD_TIME_TO5,
    ],
    auto_out: [
        field::AUTO_OUT_CALLS_TO5,
        field::AUTO_OUT_CALLS_TALK_TIME_TO5,
        field::AUTO_OUT_CALLS_TIME_TO5,
        field::AUTO_OUT_CALLS_HELD_TO5,
        field::AUTO_OUT_CALLS_HELD_TIME_TO5,
    ],
    preview: [
        field::PREVIEW_CALLS_TO5,
        field::PREVIEW_CALLS_TALK_TIME_TO5,
        field::PREVIEW_CALLS_TIME_TO5,
        field::PREVIEW_CALLS_HELD_TO5,
        field::PREVIEW_CALLS_HELD_TIME_TO5,
    ],
    reservation: [
        field::RESERVATION_CALLS_TO5,
        field::RESERVATION_CALLS_TALK_TIME_TO5,
        field::RESERVATION_CALLS_TIME_TO5,
        field::RESERVATION_CALLS_HELD_TO5,
        field::RESERVATION_CALLS_HELD_TIME_TO5,
    ],
    handled: [
        field::HANDLED_CALLS_TO5,
        field::HANDLED_CALLS_TALK_TIME_TO5,
        field::HANDLED_CALLS_AFTER_CALL_TIME_TO5,
        field::HANDLED_CALLS_TIME_TO5,
    ],
    incoming_held: [field::INCOMING_CALLS_HELD_TO5, field::INCOMING_CALLS_HELD_TIME_TO5],
    received: [field::INTERNAL_CALLS_RCVD_TO5, field::INTERNAL_CALLS_RCVD_TIME_TO5],
    internal_held: [field::INTERNAL_CALLS_HELD_TO5, field::INTERNAL_CALLS_HELD_TIME_TO5],
    supervision: [
        field::BARGE_IN_CALLS_TO5,
        field::INTERCEPT_CALLS_TO5,
        field::MONITOR_CALLS_TO5,
        field::EMERGENCY_CALLS_TO5,
    ],
};

pub(super) static HALF: Window = Window {
    times: [field::AVAIL_TIME_TO_HALF, field::LOGGED_ON_TIME_TO_HALF, field::NOT_READY_TIME_TO_HALF],
    out: [
        field::AGENT_OUT_CALLS_TO_HALF,
        field::AGENT_OUT_CALLS_TALK_TIME_TO_HALF,
        field::AGENT_OUT_CALLS_TIME_TO_HALF,
        field::AGENT_OUT_CALLS_HELD_TO_HALF,
        field::AGENT_OUT_CALLS_HELD_TIME_TO_HALF,
    ],
    auto_out: [
        field::AUTO_OUT_CALLS_TO_HALF,
        field::AUTO_OUT_CALLS_TALK_TIME_TO_HALF,
        field::AUTO_OUT_CALLS_TIME_TO_HALF,
        field::AUTO_OUT_CALLS_HELD_TO_HALF,
        field::AUTO_OUT_CALLS_HELD_TIME_TO_HALF,
    ],
    preview: [
        field::PREVIEW_CALLS_TO_HALF,
        field::PREVIEW_CALLS_TALK_TIME_TO_HALF,
        field::PREVIEW_CALLS_TIME_TO_HALF,
        field::PREVIEW_CALLS_HELD_TO_HALF,
        field::PREVIEW_CALLS_HELD_TIME_TO_HALF,
    ],
    reservation: [
        field::RESERVATION_CALLS_TO_HALF,
        field::RESERVATION_CALLS_TALK_TIME_TO_HALF,
        field::RESERVATION_CALLS_TIME_TO_HALF,
        field::RESERVATION_CALLS_HELD_TO_HALF,
        field::RESERVATION_CALLS_HELD_TIME_TO_HALF,
    ],
    handled: [
        field::HANDLED_CALLS_TO_HALF,
        field::HANDLED_CALLS_TALK_TIME_TO_HALF,
        field::HANDLED_CALLS_AFTER_CALL_TIME_TO_HALF,
        field::HANDLED_CALLS_TIME_TO_HALF,
    ],
    incoming_held: [field::INCOMING_CALLS_HELD_TO_HALF, field::INCOMING_CALLS_HELD_TIME_TO_HALF],
    received: [field::INTERNAL_CALLS_RCVD_TO_HALF, field::INTERNAL_CALLS_RCVD_TIME_TO_HALF],
    internal_held: [field::INTERNAL_CALLS_HELD_TO_HALF, field::INTERNAL_CALLS_HELD_TIME_TO_HALF],
    supervision: [
        field::BARGE_IN_CALLS_TO_HALF,
        field::INTERCEPT_CALLS_TO_HALF,
        field::MONITOR_CALLS_TO_HALF,
        field::EMERGENCY_CALLS_TO_HALF,
    ],
};
