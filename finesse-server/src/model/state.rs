//! States of an agent as the API names them, and how the CTI protocol numbers them (GED-188, AgentState).

use cti::enums::{agent_state, call_direction};

/// The state of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Signed out.
    Logout,
    /// Signed in, takes no routed calls.
    NotReady,
    /// Waits for a call.
    Ready,
    /// A routed call is being offered.
    Reserved,
    /// Reserved for a call of the dialer.
    ReservedOutbound,
    /// Reserved to preview a call of the dialer.
    ReservedOutboundPreview,
    /// In a call.
    Talking,
    /// All calls are held.
    Hold,
    /// After-call work, then not ready.
    Work,
    /// After-call work, then ready.
    WorkReady,
    /// The CTI server does not know.
    Unknown,
}

impl State {
    /// The name in documents and events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logout => "LOGOUT",
            Self::NotReady => "NOT_READY",
            Self::Ready => "READY",
            Self::Reserved => "RESERVED",
            Self::ReservedOutbound => "RESERVED_OUTBOUND",
            Self::ReservedOutboundPreview => "RESERVED_OUTBOUND_PREVIEW",
            Self::Talking => "TALKING",
            Self::Hold => "HOLD",
            Self::Work => "WORK",
            Self::WorkReady => "WORK_READY",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The state behind a number of the CTI protocol and the call direction that may come with it. `None` for
    /// LOGIN, which is a passage and not a state, and for the states of non-voice tasks.
    pub fn from_cti(number: u32, direction: Option<u32>) -> Option<Self> {
        Some(match number {
            agent_state::LOGOUT => Self::Logout,
            agent_state::NOT_READY => Self::NotReady,
            agent_state::AVAILABLE => Self::Ready,
            agent_state::TALKING => Self::Talking,
            agent_state::WORK_NOT_READY => Self::Work,
            agent_state::WORK_READY => Self::WorkReady,
            agent_state::HOLD => Self::Hold,
            agent_state::RESERVED => match direction {
                Some(call_direction::OUTBOUND_PREVIEW) => Self::ReservedOutboundPreview,
                Some(call_direction::OUTBOUND_RESERVE | call_direction::OUTBOUND_PREDICTIVE) => {
                    Self::ReservedOutbound
                }
                _ => Self::Reserved,
            },
            // Busy in another skill group has no counterpart in the API.
            agent_state::BUSY_OTHER | agent_state::UNKNOWN => Self::Unknown,
            _ => return None,
        })
    }

    /// Whether a change asked for now waits for the end of a call (user state chapter of the guide).
    pub fn defers_changes(self) -> bool {
        matches!(self, Self::Talking | Self::Hold | Self::Reserved | Self::ReservedOutboundPreview)
    }

    /// Whether it is after-call work.
    pub fn is_work(self) -> bool {
        matches!(self, Self::Work | Self::WorkReady)
    }
}

/// A state an agent or supervisor may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// Sign in.
    Login,
    /// Sign out.
    Logout,
    /// Take calls.
    Ready,
    /// Take no calls.
    NotReady,
    /// After-call work.
    Work,
    /// After-call work, then ready.
    WorkReady,
}

impl Wanted {
    /// Reads `state` of a request; `None` for what cannot be asked for.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "LOGIN" => Self::Login,
            "LOGOUT" => Self::Logout,
            "READY" => Self::Ready,
            "NOT_READY" => Self::NotReady,
            "WORK" => Self::Work,
            "WORK_READY" => Self::WorkReady,
            _ => return None,
        })
    }

    /// The number of the CTI protocol.
    pub fn cti(self) -> u32 {
        match self {
            Self::Login => agent_state::LOGIN,
            Self::Logout => agent_state::LOGOUT,
            Self::Ready => agent_state::AVAILABLE,
            Self::NotReady => agent_state::NOT_READY,
            Self::Work => agent_state::WORK_NOT_READY,
            Self::WorkReady => agent_state::WORK_READY,
        }
    }

    /// The state that follows when it is granted: `None` for a sign-in, which keeps the state of an agent who is
    /// signed in already.
    pub fn target(self) -> Option<State> {
        Some(match self {
            Self::Login => return None,
            Self::Logout => State::Logout,
            Self::Ready => State::Ready,
            Self::NotReady => State::NotReady,
            Self::Work => State::Work,
            Self::WorkReady => State::WorkReady,
        })
    }

    /// What `pendingState` shows while the change waits for the end of a call.
    pub fn pending(self) -> Option<State> {
        match self {
            Self::Logout => Some(State::Logout),
            Self::Ready | Self::WorkReady => Some(State::Ready),
            Self::NotReady | Self::Work => Some(State::NotReady),
            Self::Login => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_by_the_dialer_has_names_of_its_own() {
        let reserved = |direction| State::from_cti(agent_state::RESERVED, direction);
        assert_eq!(reserved(None), Some(State::Reserved));
        assert_eq!(reserved(Some(call_direction::IN)), Some(State::Reserved));
        assert_eq!(reserved(Some(call_direction::OUTBOUND_RESERVE)), Some(State::ReservedOutbound));
        assert_eq!(reserved(Some(call_direction::OUTBOUND_PREVIEW)), Some(State::ReservedOutboundPreview));
    }

    #[test]
    fn login_and_task_states_are_no_states() {
        assert_eq!(State::from_cti(agent_state::LOGIN, None), None);
        assert_eq!(State::from_cti(agent_state::PAUSED, None), None);
        assert_eq!(State::from_cti(77, None), None);
    }

    #[test]
    fn requests_and_states_meet_in_the_numbers() {
        for w in [Wanted::Logout, Wanted::Ready, Wanted::NotReady, Wanted::Work, Wanted::WorkReady] {
            assert_eq!(State::from_cti(w.cti(), None), w.target());
        }
        assert_eq!(Wanted::parse("TALKING"), None);
        assert_eq!(Wanted::parse("ready"), None);
    }
}
