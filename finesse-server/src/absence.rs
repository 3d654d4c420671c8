//! Who signs out an agent that has gone without a word (Finesse desktop, "automatic sign-out").
//!
//! When a signed-in user's last available resource goes, a grace period begins. When it ends, the other node of a pair
//! is asked whether the user is there; only then a forced sign-out with reason 255 is sent. A node that cannot ask gives
//! a second grace period and decides alone. Out of service nothing is sent, and the grace period begins anew
//! afterwards. A user who comes back, on either node, is left in peace.
//!
//! [`Absences`] is a state machine without I/O and clock. It holds an entry for each absent user and one for each
//! present one, and so no more than there are users.

mod journal;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use journal::{Cause, Note, Step};

/// Reason of the forced sign-out.
pub const REASON: u16 = 255;

/// How long things take; [`Rules::default`] has the times of the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether absent users are signed out at all.
    pub sign_out: bool,
    /// How long a user may be away.
    pub grace: Duration,
    /// How much longer when the other node cannot be asked.
    pub second_grace: Duration,
    /// How long the other node may take to answer.
    pub answer: Duration,
    /// Whether the sign-out waits for the end of a call.
    pub after_call: bool,
    /// How often a sign-out that the CTI server refuses is sent, a grace period apart.
    pub attempts: u32,
    /// Most users about whom the other node or the CTI server is being asked; the others wait in line.
    pub window: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            sign_out: true,
            grace: Duration::from_secs(60),
            second_grace: Duration::from_secs(60),
            answer: Duration::from_secs(5),
            after_call: true,
            attempts: 3,
            window: 50,
        }
    }
}

/// A user as the CTI server knows him.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Signed out.
    Out,
    /// Signed in and in no call.
    Free,
    /// In a call, or reserved for one.
    OnCall,
}

/// Whether the other node can be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Peer {
    /// There is none.
    #[default]
    None,
    /// It does not answer.
    Unreachable,
    /// It answers.
    Reachable,
}

/// What one node knows of a user of whom the other one asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// He is available here.
    Here,
    /// He was here more recently, and this node sees to his sign-out.
    Mine,
    /// He is not here.
    Away,
    /// This node has just started and does not know yet.
    Unknown,
}

/// How a user's last resource went, for the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Last {
    /// The resource.
    pub resource: Arc<str>,
    /// `tcp`, `websocket` or `bosh`; empty if not known.
    pub transport: &'static str,
    /// Why.
    pub cause: &'static str,
}

/// What became of a sign-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The CTI server accepted it.
    Accepted,
    /// The CTI server refused it, with this code.
    Refused(u32),
    /// No answer came.
    Unanswered,
}

/// What the machine wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Ask the other node where the user is; its answer comes back with the number.
    Ask {
        /// The user.
        user: Arc<str>,
        /// Number of the question.
        question: u64,
        /// How long the user has been away from here.
        away: Duration,
    },
    /// Sign the user out, with force and [`REASON`].
    SignOut(Arc<str>),
    /// Something for the journal.
    Note(Note),
}

/// Where an absent user's case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Suspended,
    Grace(Instant),
    Line,
    Asking(u64, Instant),
    SecondGrace(Instant),
    AfterCall,
    Sending,
}

impl Stage {
    fn until(self) -> Option<Instant> {
        match self {
            Self::Grace(at) | Self::Asking(_, at) | Self::SecondGrace(at) => Some(at),
            Self::Suspended | Self::Line | Self::AfterCall | Self::Sending => None,
        }
    }

    /// Whether somebody has been asked and owes an answer.
    fn is_active(self) -> bool {
        matches!(self, Self::Asking(..) | Self::Sending)
    }

    fn step(self) -> Step {
        match self {
            Self::Suspended => Step::Suspended,
            Self::Grace(_) | Self::Line => Step::Grace,
            Self::Asking(..) => Step::Asking,
            Self::SecondGrace(_) => Step::SecondGrace,
            Self::AfterCall => Step::AfterCall,
            Self::Sending => Step::Sent,
        }
    }
}

#[derive(Debug)]
struct Case {
    stage: Stage,
    since: Instant,
    standing: Standing,
    last: Last,
    /// The second grace period has been given.
    alone: bool,
    attempts: u32,
}

/// The machine. See the module's documentation.
#[derive(Debug)]
pub struct Absences {
    rules: Rules,
    /// When the node went in service for the first time.
    served: Option<Instant>,
    serving: bool,
    peer: Peer,
    present: HashSet<Arc<str>>,
    absent: HashMap<Arc<str>, Case>,
    due: BTreeSet<(Instant, Arc<str>)>,
    line: VecDeque<(Arc<str>, Cause)>,
    active: usize,
    questions: u64,
    out: Vec<Output>,
}

impl Absences {
    /// Nobody is there yet, and the node is out of service.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            served: None,
            serving: false,
            peer: Peer::None,
            present: HashSet::new(),
            absent: HashMap::new(),
            due: BTreeSet::new(),
            line: VecDeque::new(),
            active: 0,
            questions: 0,
            out: Vec::new(),
        }
    }

    /// Takes what is wanted, in order.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out)
    }

    /// When [`Absences::handle_timeout`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Whether anybody is absent: otherwise nobody's standing matters.
    pub fn is_idle(&self) -> bool {
        self.absent.is_empty()
    }

    /// Whether it was told that the node is in service.
    pub fn is_serving(&self) -> bool {
        self.serving
    }

    /// Whether the user is available on this node.
    pub fn is_present(&self, user: &str) -> bool {
        self.present.contains(user)
    }

    /// The user has become available here.
    pub fn came(&mut self, now: Instant, user: &Arc<str>) {
        self.present.insert(user.clone());
        self.cancel(user, Cause::Back);
        self.admit(now);
    }

    /// The user's last resource here has gone. Who is not signed in is not looked after: he signed in over REST alone,
    /// or not at all.
    pub fn went(&mut self, now: Instant, user: &Arc<str>, last: Last, standing: Standing) {
        self.present.remove(user);
        if !self.rules.sign_out || (self.serving && standing == Standing::Out) {
            return;
        }
        let case = Case {
            stage: Stage::Suspended,
            since: now,
            standing,
            last: last.clone(),
            alone: false,
            attempts: 0,
        };
        self.drop_case(user);
        self.absent.insert(user.clone(), case);
        let stage = if self.serving { Stage::Grace(now + self.rules.grace) } else { Stage::Suspended };
        self.enter(user, stage, Cause::Lost(last));
    }

    /// The CTI server tells of a user; those who are not absent may be left out.
    pub fn stands(&mut self, now: Instant, user: &Arc<str>, standing: Standing) {
        let Some(case) = self.absent.get_mut(user) else { return };
        case.standing = standing;
        if !self.serving {
            return;
        }
        match (standing, case.stage) {
            (Standing::Out, _) => self.cancel(user, Cause::SignedOut),
            (Standing::Free, Stage::AfterCall) => self.decide(now, user, Cause::CallOver),
            _ => {}
        }
        self.admit(now);
    }

    /// The node goes in or out of service. Before it goes in, it says how the absent [stand](Self::stands).
    pub fn serve(&mut self, now: Instant, serving: bool) {
        if self.serving == serving {
            return;
        }
        self.serving = serving;
        if serving {
            self.served.get_or_insert(now);
        }
        for user in self.users() {
            let Some(case) = self.absent.get_mut(&user) else { continue };
            if !serving {
                self.enter(&user, Stage::Suspended, Cause::OutOfService);
            } else if case.standing == Standing::Out {
                self.cancel(&user, Cause::SignedOut);
            } else {
                (case.alone, case.attempts) = (false, 0);
                self.enter(&user, Stage::Grace(now + self.rules.grace), Cause::InService);
            }
        }
    }

    /// The other node can be asked, or not any more.
    pub fn peer(&mut self, now: Instant, peer: Peer) {
        if std::mem::replace(&mut self.peer, peer) == peer {
            return;
        }
        for user in self.users() {
            match (self.absent.get(&user).map(|case| case.stage), peer) {
                (Some(Stage::Asking(..)), Peer::Unreachable | Peer::None) => self.unheard(now, &user),
                (Some(Stage::SecondGrace(_)), Peer::Reachable) => self.decide(now, &user, Cause::PeerBack),
                _ => {}
            }
        }
        self.admit(now);
    }

    /// The other node answered a question.
    pub fn answered(&mut self, now: Instant, user: &Arc<str>, question: u64, whereabouts: Whereabouts) {
        let asked = matches!(self.absent.get(user), Some(Case { stage: Stage::Asking(asked, _), .. }) if *asked == question);
        if !asked {
            return;
        }
        match whereabouts {
            Whereabouts::Here => self.cancel(user, Cause::Elsewhere),
            Whereabouts::Mine => self.cancel(user, Cause::PeerSees),
            Whereabouts::Unknown => self.unheard(now, user),
            Whereabouts::Away => self.send(user, Cause::PeerAgrees),
        }
        self.admit(now);
    }

    /// The other node says unasked that the user has become available there.
    pub fn elsewhere(&mut self, now: Instant, user: &Arc<str>) {
        if self.absent.get(user).is_some_and(|case| case.stage != Stage::Sending) {
            self.cancel(user, Cause::Elsewhere);
            self.admit(now);
        }
    }

    /// Answers the other node, from which the user has been away for `away`.
    pub fn whereabouts(&self, now: Instant, user: &str, away: Duration) -> Whereabouts {
        if self.present.contains(user) {
            return Whereabouts::Here;
        }
        match self.absent.get(user) {
            // Both nodes may have lost him: the later one decides, and only one of two can be that.
            Some(case)
                if case.stage != Stage::Suspended && now.saturating_duration_since(case.since) < away =>
            {
                Whereabouts::Mine
            }
            // Clients of a node that was restarted are on their way back to it.
            _ if self.served.is_none_or(|at| now.saturating_duration_since(at) < self.rules.grace) => {
                Whereabouts::Unknown
            }
            _ => Whereabouts::Away,
        }
    }

    /// A sign-out was answered, or not.
    pub fn concluded(&mut self, now: Instant, user: &Arc<str>, outcome: Outcome) {
        let Some(case) = self.absent.get_mut(user).filter(|case| case.stage == Stage::Sending) else {
            return;
        };
        match outcome {
            Outcome::Accepted => self.cancel(user, Cause::Accepted),
            // Whoever is out already needs no sign-out.
            _ if case.standing == Standing::Out => self.cancel(user, Cause::SignedOut),
            _ if case.attempts >= self.rules.attempts => self.cancel(user, Cause::GivenUp(outcome)),
            _ => self.enter(user, Stage::Grace(now + self.rules.grace), Cause::Failed(outcome)),
        }
        self.admit(now);
    }

    /// Does what is due; to be called at [`Absences::deadline`] or later.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, user)) = self.due.first().filter(|(at, _)| *at <= now).cloned() {
            match self.absent.get(&user).map(|case| case.stage) {
                Some(Stage::Asking(..)) => self.unheard(now, &user),
                Some(Stage::Grace(_)) => self.decide(now, &user, Cause::GraceOver),
                Some(Stage::SecondGrace(_)) => self.decide(now, &user, Cause::SecondGraceOver),
                _ => {}
            }
            self.due.remove(&(at, user));
        }
        self.admit(now);
    }

    /// Lets those in line go on as far as the window has room.
    fn admit(&mut self, now: Instant) {
        while self.active < self.rules.window.max(1) {
            let Some((user, cause)) = self.line.pop_front() else { return };
            self.decide(now, &user, cause);
        }
    }

    /// Time is up: wait for a call's end, ask, wait once more, or sign out.
    fn decide(&mut self, now: Instant, user: &Arc<str>, cause: Cause) {
        let Some(case) = self.absent.get(user) else { return };
        let (alone, away) = (case.alone, now.saturating_duration_since(case.since));
        if case.standing == Standing::OnCall && self.rules.after_call {
            return self.enter(user, Stage::AfterCall, cause);
        }
        if self.active >= self.rules.window.max(1) {
            self.settle(user, Stage::Line);
            return self.line.push_back((user.clone(), cause));
        }
        match self.peer {
            Peer::None => self.send(user, cause),
            Peer::Unreachable if alone => self.send(user, Cause::Alone),
            Peer::Unreachable => self.unheard(now, user),
            Peer::Reachable => {
                self.questions += 1;
                let question = self.questions;
                self.enter(user, Stage::Asking(question, now + self.rules.answer), cause);
                self.out.push(Output::Ask { user: user.clone(), question, away });
            }
        }
    }

    /// The other node has not said where the user is.
    fn unheard(&mut self, now: Instant, user: &Arc<str>) {
        let Some(case) = self.absent.get_mut(user) else { return };
        if std::mem::replace(&mut case.alone, true) {
            return self.send(user, Cause::Alone);
        }
        self.enter(user, Stage::SecondGrace(now + self.rules.second_grace), Cause::PeerSilent);
    }

    /// Signs out, unless a call has begun meanwhile.
    fn send(&mut self, user: &Arc<str>, cause: Cause) {
        let Some(case) = self.absent.get_mut(user) else { return };
        if case.standing == Standing::OnCall && self.rules.after_call {
            return self.enter(user, Stage::AfterCall, cause);
        }
        case.attempts += 1;
        self.enter(user, Stage::Sending, cause);
        self.out.push(Output::SignOut(user.clone()));
    }

    fn enter(&mut self, user: &Arc<str>, stage: Stage, cause: Cause) {
        let Some(before) = self.settle(user, stage) else { return };
        let from = if matches!(cause, Cause::Lost(_)) { Step::Present } else { before.step() };
        self.note(user, from, stage.step(), cause);
    }

    /// Puts a case into a stage; the stage before.
    fn settle(&mut self, user: &Arc<str>, stage: Stage) -> Option<Stage> {
        let before = std::mem::replace(&mut self.absent.get_mut(user)?.stage, stage);
        self.leave(user, before);
        if let Some(at) = stage.until() {
            self.due.insert((at, user.clone()));
        }
        self.active += usize::from(stage.is_active());
        Some(before)
    }

    fn leave(&mut self, user: &Arc<str>, stage: Stage) {
        if let Some(at) = stage.until() {
            self.due.remove(&(at, user.clone()));
        }
        if stage == Stage::Line {
            self.line.retain(|(waiting, _)| waiting != user);
        }
        self.active -= usize::from(stage.is_active());
    }

    /// The case is closed.
    fn cancel(&mut self, user: &Arc<str>, cause: Cause) {
        let Some(stage) = self.absent.get(user).map(|case| case.stage) else { return };
        self.note(user, stage.step(), cause.ends_in(), cause);
        self.drop_case(user);
    }

    fn note(&mut self, user: &Arc<str>, from: Step, to: Step, cause: Cause) {
        let Some(case) = self.absent.get(user) else { return };
        self.out.push(Output::Note(Note { user: user.clone(), from, to, cause, last: case.last.clone() }));
    }

    fn drop_case(&mut self, user: &Arc<str>) {
        if let Some(case) = self.absent.remove(user) {
            self.leave(user, case.stage);
        }
    }

    /// Who is absent.
    pub fn users(&self) -> Vec<Arc<str>> {
        let mut users: Vec<_> = self.absent.keys().cloned().collect();
        users.sort_unstable();
        users
    }
}
