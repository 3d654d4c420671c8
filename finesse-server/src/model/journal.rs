//! What the journal says of agents: changes of state with their cause, and requests that the CTI server refused.

use std::sync::Arc;

use super::state::State;

/// Why an agent's state changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The agent asked for it.
    Own,
    /// This supervisor asked for it.
    Supervisor(Arc<str>),
    /// The server asked for it, because the agent was not present any more.
    Absent,
    /// The CTI server told it of itself.
    Cti,
}

impl Cause {
    /// The words in the journal.
    pub fn text(&self) -> &'static str {
        match self {
            Self::Own => "asked by the agent",
            Self::Supervisor(_) => "asked by a supervisor",
            Self::Absent => "absent",
            Self::Cti => "told by the CTI server",
        }
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An agent's state, its reason code, or the state that waits for the end of a call changed.
    State {
        /// The agent.
        user: Arc<str>,
        /// His team.
        team: Option<u32>,
        /// The state before.
        from: State,
        /// The state now.
        to: State,
        /// The state that follows the call.
        pending: Option<State>,
        /// Number of the reason; 0: none.
        reason: u16,
        /// Why.
        cause: Cause,
    },
    /// The CTI server refused what a client asked for, or did not answer.
    Refused {
        /// The agent it was about.
        user: Arc<str>,
        /// His team.
        team: Option<u32>,
        /// Who asked, if it was about the state.
        by: Option<Arc<str>>,
        /// `errorData` of the answer.
        reason: u32,
        /// Its `errorMessage`.
        cause: String,
    },
}

impl Entry {
    /// Writes the entry to the journal.
    pub fn write(&self) {
        match self {
            Self::State { user, team, from, to, pending, reason, cause } => {
                let by = match cause {
                    Cause::Supervisor(id) => Some(&**id),
                    _ => None,
                };
                tracing::info!(
                    target: "journal",
                    user = &**user,
                    team,
                    from = from.name(),
                    to = to.name(),
                    pending = pending.map(State::name),
                    reason,
                    cause = cause.text(),
                    by,
                    "state"
                );
            }
            Self::Refused { user, team, by, reason, cause } => {
                let (user, by) = (&**user, by.as_deref());
                tracing::info!(target: "journal", user, team, by, reason, cause, "request refused by the CTI server");
            }
        }
    }
}
