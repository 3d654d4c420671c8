//! Which side of the CTI server both nodes use.
//!
//! Who has to leave a side says so: his number of moves rises. The other one follows when it has seen him steady there,
//! if its own session allows: the side was not lost here lately and accepts a connection. A node that could not follow
//! does not try again for the same move, so that two nodes that reach different sides stay apart in peace.

use std::time::{Duration, Instant};

use cti::failover::Side;

use super::message::Cti;

/// How long the other node has to be steady on its side before it is followed.
const STEADY: Duration = Duration::from_secs(10);
/// How long a side that was lost here is not followed to.
const BARRED: Duration = Duration::from_secs(300);
/// How long a node stays where it has followed to.
const DWELL: Duration = Duration::from_secs(60);

/// The machine of one node.
#[derive(Debug)]
pub struct Sides {
    follow: bool,
    primary: bool,
    side: Option<Side>,
    /// The side of the last session.
    before: Option<Side>,
    moves: u64,
    lost: [Option<Instant>; 2],
    peer: Option<Seen>,
    /// On the way to the other node's side, for this move.
    following: Option<u64>,
    /// A move that could not be followed.
    failed: Option<u64>,
    stay_until: Option<Instant>,
    wish: Option<Side>,
}

/// The other node's session, and since when it has been so.
#[derive(Clone, Copy, Debug)]
struct Seen {
    side: Side,
    moves: u64,
    primary: bool,
    since: Instant,
}

impl Sides {
    /// A node without a session. With `follow` off it only tells.
    pub fn new(follow: bool, primary: bool) -> Self {
        Self {
            follow,
            primary,
            side: None,
            before: None,
            moves: 0,
            lost: [None; 2],
            peer: None,
            following: None,
            failed: None,
            stay_until: None,
            wish: None,
        }
    }

    /// A session with `side` is open.
    pub fn up(&mut self, now: Instant, side: Side) {
        let peer = self.peer.map_or(0, |peer| peer.moves);
        let followed = self.following.take();
        match (followed, self.peer) {
            (Some(moves), Some(peer)) if peer.side == side => {
                self.moves = self.moves.max(moves);
                self.stay_until = Some(now + DWELL);
            }
            // The other side did not take this node.
            (Some(moves), _) => {
                self.failed = Some(moves);
                self.moves = self.moves.max(moves);
                self.lost[side.other().index()] = Some(now);
            }
            // A first session with B means that A was not to be had.
            (None, _) if self.before.unwrap_or(Side::A) != side => self.moves = self.moves.max(peer) + 1,
            (None, _) => {}
        }
        (self.side, self.before) = (Some(side), Some(side));
    }

    /// The session is over, or an attempt failed.
    pub fn lost(&mut self, now: Instant, side: Side) {
        let moves_away = self.following.is_some() && self.before == Some(side);
        if !moves_away {
            self.lost[side.index()] = Some(now);
        }
        if self.side == Some(side) {
            self.side = None;
        }
    }

    /// What the other node says of its session; `None`: it cannot be reached.
    pub fn peer(&mut self, now: Instant, said: Option<(Cti, bool)>) {
        let said = said.and_then(|(cti, primary)| Some((Side::from(cti.side?), cti.moves, primary)));
        self.peer = said.map(|(side, moves, primary)| {
            let same = self.peer.filter(|peer| peer.side == side && peer.moves == moves);
            Seen { side, moves, primary, since: same.map_or(now, |peer| peer.since) }
        });
    }

    /// When [`Sides::wish`] may have something new.
    pub fn deadline(&self) -> Option<Instant> {
        let (_, at) = self.goal()?;
        Some(at)
    }

    /// The side to go to, if there is one: it has to be tried first ([`Sides::tried`]).
    pub fn wish(&mut self, now: Instant) -> Option<Side> {
        let (peer, at) = self.goal()?;
        if now < at || self.wish.is_some() {
            return None;
        }
        self.wish = Some(peer.side);
        self.wish
    }

    /// Whether the wished side accepts connections; if so, the session may be moved now.
    pub fn tried(&mut self, now: Instant, accepts: bool) -> Option<Side> {
        let wished = self.wish.take()?;
        // Things may have changed meanwhile.
        let (peer, at) = self.goal()?;
        if peer.side != wished || now < at {
            return None;
        }
        if !accepts {
            self.lost[wished.index()] = Some(now);
            self.failed = Some(peer.moves);
            return None;
        }
        self.following = Some(peer.moves);
        Some(wished)
    }

    /// What this node says of its session; `local`: the side that stands beside it.
    pub fn status(&self, local: Side) -> Cti {
        Cti { side: self.side.map(Into::into), local: self.side == Some(local), moves: self.moves }
    }

    /// The other node, if it is to be followed, and the earliest moment for it.
    fn goal(&self) -> Option<(Seen, Instant)> {
        let (own, peer) = (self.side?, self.peer?);
        let later = peer.moves > self.moves;
        let outranked = peer.moves == self.moves && peer.primary && !self.primary;
        let done = self.failed.is_some_and(|moves| moves >= peer.moves) || self.following.is_some();
        if !self.follow || own == peer.side || !(later || outranked) || done {
            return None;
        }
        let barred = self.lost[peer.side.index()].map(|at| at + BARRED);
        let at = [Some(peer.since + STEADY), barred, self.stay_until].into_iter().flatten().max()?;
        Some((peer, at))
    }
}
