//! What the journal says of an absent user: from which step to which, and why.

use std::sync::Arc;

use super::{Last, Outcome, REASON};

/// Where an absent user's case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The user was available.
    Present,
    /// The node is out of service: time stands still.
    Suspended,
    /// The grace period runs.
    Grace,
    /// The other node has been asked.
    Asking,
    /// The other node cannot be asked: the second grace period runs.
    SecondGrace,
    /// A call has to end first.
    AfterCall,
    /// A forced sign-out has been sent.
    Sent,
    /// Nothing more is to be done.
    Cancelled,
    /// The CTI server has accepted the sign-out.
    Done,
    /// The CTI server has refused it for good.
    GivenUp,
}

impl Step {
    /// The word in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Suspended => "suspended",
            Self::Grace => "grace",
            Self::Asking => "asking the peer",
            Self::SecondGrace => "second grace",
            Self::AfterCall => "after the call",
            Self::Sent => "sign-out sent",
            Self::Cancelled => "cancelled",
            Self::Done => "sign-out accepted",
            Self::GivenUp => "sign-out given up",
        }
    }
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The last available resource has gone.
    Lost(Last),
    /// The user is available again.
    Back,
    /// The user is available on the other node.
    Elsewhere,
    /// The other node lost him later and decides.
    PeerSees,
    /// The other node does not have him.
    PeerAgrees,
    /// The other node cannot be asked, or has not answered.
    PeerSilent,
    /// The other node can be asked again.
    PeerBack,
    /// Both grace periods are over and the other node could not be asked.
    Alone,
    /// The agent is signed out.
    SignedOut,
    /// The node went out of service.
    OutOfService,
    /// The node is in service again.
    InService,
    /// The grace period is over.
    GraceOver,
    /// The second grace period is over.
    SecondGraceOver,
    /// The call is over.
    CallOver,
    /// The CTI server accepted the sign-out.
    Accepted,
    /// The sign-out failed and is tried again.
    Failed(Outcome),
    /// The sign-out failed too often.
    GivenUp(Outcome),
}

impl Cause {
    /// The step that a case closed for this cause ends in.
    pub(super) fn ends_in(&self) -> Step {
        match self {
            Self::Accepted => Step::Done,
            Self::GivenUp(_) => Step::GivenUp,
            _ => Step::Cancelled,
        }
    }

    /// The words in the journal.
    pub fn text(&self) -> String {
        let words = match self {
            Self::Lost(last) => return format!("presence lost: {}", last.cause),
            Self::Failed(Outcome::Refused(code)) | Self::GivenUp(Outcome::Refused(code)) => {
                return format!("the CTI server refused: {code}");
            }
            Self::Failed(_) | Self::GivenUp(_) => "the CTI server did not answer",
            Self::Back => "presence back",
            Self::Elsewhere => "present on the peer",
            Self::PeerSees => "lost later on the peer, which decides",
            Self::PeerAgrees => "not present on the peer",
            Self::PeerSilent => "the peer cannot be asked",
            Self::PeerBack => "the peer can be asked again",
            Self::Alone => "both grace periods over without an answer of the peer",
            Self::SignedOut => "signed out",
            Self::OutOfService => "out of service",
            Self::InService => "in service",
            Self::GraceOver => "grace over",
            Self::SecondGraceOver => "second grace over",
            Self::CallOver => "call over",
            Self::Accepted => "accepted",
        };
        words.to_owned()
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The user.
    pub user: Arc<str>,
    /// The step before.
    pub from: Step,
    /// The step now.
    pub to: Step,
    /// Why.
    pub cause: Cause,
    /// How the last resource went.
    pub last: Last,
}

impl Note {
    /// Writes the entry to the journal; `team` is the user's.
    pub fn write(&self, team: Option<u32>) {
        let reason = matches!(self.to, Step::Sent | Step::Done | Step::GivenUp).then_some(REASON);
        tracing::info!(
            target: "journal",
            user = %self.user,
            team,
            from = self.from.name(),
            to = self.to.name(),
            reason,
            cause = self.cause.text(),
            session = %self.last.resource,
            transport = self.last.transport,
            "absence"
        );
    }
}
