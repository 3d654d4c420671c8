//! Which of two nodes is the active one (CCX): the one beside the active engine. In island mode both are, and when the
//! nodes see each other again the primary stays.

use std::time::{Duration, Instant};

use super::message::Status;

/// How long a node that has just started waits for the other one before it thinks that it is alone.
const START: Duration = Duration::from_secs(10);
/// How long a node has to be without a session before one with the engine beside the other node is good enough.
const DEAF: Duration = Duration::from_secs(15);

/// What a node of a pair does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Serves clients.
    Active,
    /// Is ready to, and out of service until then.
    Standby,
}

/// A node's CTI session.
#[derive(Clone, Copy, Debug)]
enum Session {
    /// There has been none since then.
    None(Instant),
    /// With the engine beside the other node.
    Remote,
    /// With the engine beside it, which is the active one then: a standby engine refuses sessions.
    Local,
}

impl Session {
    fn update(&mut self, now: Instant, open: bool, local: bool) {
        *self = match (open, local, &self) {
            (true, true, _) => Self::Local,
            (true, false, _) => Self::Remote,
            (false, _, Self::None(since)) => Self::None(*since),
            (false, ..) => Self::None(now),
        };
    }

    fn is_local(self) -> bool {
        matches!(self, Self::Local)
    }

    /// When the other node's remote session is better than this one.
    fn deaf_at(self) -> Option<Instant> {
        match self {
            Self::None(since) => Some(since + DEAF),
            Self::Remote | Self::Local => None,
        }
    }
}

/// The machine of one node.
#[derive(Debug)]
pub struct Roles {
    primary: bool,
    start: Instant,
    heard: bool,
    own: Session,
    peer: Option<Session>,
}

impl Roles {
    /// A node that has just started.
    pub fn new(primary: bool, now: Instant) -> Self {
        Self { primary, start: now, heard: false, own: Session::None(now), peer: None }
    }

    /// Whether the own CTI session is open, and with the engine beside this node.
    pub fn session(&mut self, now: Instant, open: bool, local: bool) {
        self.own.update(now, open, local);
    }

    /// What the other node says; `None`: it cannot be reached.
    pub fn peer(&mut self, now: Instant, said: Option<&Status>) {
        self.heard |= said.is_some();
        self.peer = said.map(|status| {
            let mut session = self.peer.unwrap_or(Session::None(now));
            session.update(now, status.cti.side.is_some(), status.cti.local);
            session
        });
    }

    /// The role at this moment. Of two nodes with the same claim the primary is active.
    pub fn role(&self, now: Instant) -> Role {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let active = match self.peer {
            Some(peer) if self.own.is_local() != peer.is_local() => self.own.is_local(),
            Some(peer) => match (due(self.own.deaf_at()), due(peer.deaf_at())) {
                (true, false) if matches!(peer, Session::Remote) => false,
                (false, true) if matches!(self.own, Session::Remote) => true,
                _ => self.primary,
            },
            None => self.heard || self.primary || now.saturating_duration_since(self.start) >= START,
        };
        if active { Role::Active } else { Role::Standby }
    }

    /// When the role may change by itself.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let start = (!self.heard && !self.primary).then_some(self.start + START);
        let deaf = self.peer.and_then(Session::deaf_at);
        [start, self.own.deaf_at(), deaf].into_iter().flatten().filter(|at| *at > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::{Cti, SideName};
    use super::*;
    use Role::{Active, Standby};

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Two nodes that are told of each other as long as the link between them holds.
    struct Pair {
        now: Instant,
        nodes: [Roles; 2],
        sessions: [(bool, bool); 2],
        linked: bool,
    }

    impl Pair {
        fn new() -> Self {
            let now = Instant::now();
            let nodes = [Roles::new(true, now), Roles::new(false, now)];
            Self { now, nodes, sessions: [(false, false); 2], linked: true }
        }

        /// The sessions as open, and with the engine beside the node.
        fn sessions(&mut self, one: (bool, bool), two: (bool, bool)) -> [Role; 2] {
            self.sessions = [one, two];
            self.roles()
        }

        fn pass(&mut self, time: Duration) -> [Role; 2] {
            self.now += time;
            self.roles()
        }

        fn roles(&mut self) -> [Role; 2] {
            for node in 0..2 {
                let (open, local) = self.sessions[node];
                self.nodes[node].session(self.now, open, local);
                let (open, local) = self.sessions[1 - node];
                let cti = Cti { side: open.then_some(SideName::A), local, moves: 0 };
                let status = Status { cti, ..Status::default() };
                self.nodes[node].peer(self.now, self.linked.then_some(&status));
            }
            [0, 1].map(|node| self.nodes[node].role(self.now))
        }
    }

    const NONE: (bool, bool) = (false, false);
    const LOCAL: (bool, bool) = (true, true);
    const REMOTE: (bool, bool) = (true, false);

    #[test]
    fn the_node_beside_the_active_engine_is_active() {
        let mut pair = Pair::new();
        assert_eq!(pair.sessions(LOCAL, REMOTE), [Active, Standby]);
        assert_eq!(pair.sessions(NONE, NONE), [Active, Standby], "the engines are changing");
        assert_eq!(pair.sessions(NONE, LOCAL), [Standby, Active]);
        assert_eq!(pair.sessions(REMOTE, LOCAL), [Standby, Active]);
    }

    #[test]
    fn in_island_mode_both_are_active_and_afterwards_the_primary_stays() {
        let mut pair = Pair::new();
        pair.sessions(LOCAL, REMOTE);
        pair.linked = false;
        assert_eq!(pair.sessions(LOCAL, NONE), [Active, Active]);
        assert_eq!(pair.sessions(LOCAL, LOCAL), [Active, Active]);
        pair.linked = true;
        assert_eq!(pair.roles(), [Active, Standby]);
    }

    #[test]
    fn a_session_that_breaks_for_a_moment_changes_nothing() {
        let mut pair = Pair::new();
        pair.sessions(LOCAL, REMOTE);
        assert_eq!(pair.sessions(NONE, REMOTE), [Active, Standby]);
        assert_eq!(pair.pass(seconds(14)), [Active, Standby]);
        assert_eq!(pair.sessions(LOCAL, REMOTE), [Active, Standby]);
    }

    #[test]
    fn a_node_that_stays_without_a_session_gives_way_to_one_that_has_any() {
        let mut pair = Pair::new();
        pair.sessions(LOCAL, REMOTE);
        pair.sessions(NONE, REMOTE);
        assert_eq!(pair.nodes[0].deadline(pair.now), Some(pair.now + seconds(15)));
        assert_eq!(pair.pass(seconds(15)), [Standby, Active]);
        assert_eq!(pair.sessions(NONE, NONE), [Active, Standby]);
    }

    #[test]
    fn a_secondary_node_waits_for_the_primary_before_it_thinks_that_it_is_alone() {
        let mut pair = Pair::new();
        pair.linked = false;
        assert_eq!(pair.sessions(NONE, REMOTE), [Active, Standby]);
        assert_eq!(pair.nodes[1].deadline(pair.now), Some(pair.now + seconds(10)));
        assert_eq!(pair.pass(seconds(10))[1], Active);
        pair.linked = true;
        pair.roles();
        pair.linked = false;
        assert_eq!(pair.roles()[1], Active, "once it was there it is known to be gone");
    }
}
