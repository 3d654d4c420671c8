//! Both nodes follow the same side, and neither chases the other.

use std::time::{Duration, Instant};

use cti::failover::{Failover, Side};
use proptest::prelude::*;

use super::super::Sides;
use super::super::message::Cti;
use super::Dice;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A node: its link in small, and what it makes of the other one.
struct Node {
    sides: Sides,
    failover: Failover,
    up: Option<Side>,
    primary: bool,
    /// Moves that it made to follow.
    followed: u32,
    /// Sessions that it lost.
    lost: u32,
}

struct Pair {
    now: Instant,
    nodes: [Node; 2],
    /// Whether a node reaches a side.
    reaches: [[bool; 2]; 2],
    linked: bool,
}

impl Pair {
    fn new() -> Self {
        let now = Instant::now();
        let node = |primary| Node {
            sides: Sides::new(true, primary),
            failover: Failover::new(now),
            up: None,
            primary,
            followed: 0,
            lost: 0,
        };
        Self { now, nodes: [node(true), node(false)], reaches: [[true; 2]; 2], linked: true }
    }

    /// One second of both nodes.
    fn second(&mut self) {
        self.now += seconds(1);
        let now = self.now;
        for at in 0..2 {
            let (reaches, node) = (self.reaches[at], &mut self.nodes[at]);
            if let Some(side) = node.up.filter(|side| !reaches[side.index()]) {
                node.up = None;
                node.lost += 1;
                node.failover.failed(now);
                node.sides.lost(now, side);
            }
            while node.up.is_none() && node.failover.next().1 <= now {
                let (side, _) = node.failover.next();
                if reaches[side.index()] {
                    node.failover.up(now);
                    node.sides.up(now, side);
                    node.up = Some(side);
                } else {
                    node.failover.failed(now);
                    node.sides.lost(now, side);
                }
            }
        }
        let said: [(Cti, bool); 2] = [0, 1].map(|at| {
            let local = [Side::A, Side::B][at];
            (self.nodes[at].sides.status(local), self.nodes[at].primary)
        });
        for at in 0..2 {
            let (reaches, node) = (self.reaches[at], &mut self.nodes[at]);
            node.sides.peer(now, self.linked.then_some(said[1 - at]));
            let Some(wish) = node.sides.wish(now) else { continue };
            let Some(side) = node.sides.tried(now, reaches[wish.index()]) else { continue };
            node.followed += 1;
            node.failover.prefer(now, side);
            if let Some(left) = node.up.take() {
                node.sides.lost(now, left);
            }
        }
    }

    fn run(&mut self, time: u64) {
        (0..time).for_each(|_| self.second());
    }

    fn sides(&self) -> [Option<Side>; 2] {
        [self.nodes[0].up, self.nodes[1].up]
    }

    fn followed(&self) -> u32 {
        self.nodes[0].followed + self.nodes[1].followed
    }
}

#[test]
fn who_has_to_leave_a_side_is_followed_by_the_other() {
    for leaves in 0..2 {
        let mut pair = Pair::new();
        pair.run(60);
        assert_eq!(pair.sides(), [Some(Side::A); 2]);
        pair.reaches[leaves][0] = false;
        pair.run(5);
        assert_eq!(pair.sides()[leaves], Some(Side::B));
        assert_eq!(pair.sides()[1 - leaves], Some(Side::A), "not before the other one is steady there");
        pair.run(60);
        assert_eq!(pair.sides(), [Some(Side::B); 2]);
        // The way back is free again, and nobody takes it.
        pair.reaches[leaves][0] = true;
        pair.run(3600);
        assert_eq!(pair.sides(), [Some(Side::B); 2]);
        assert_eq!(pair.followed(), 1);
    }
}

#[test]
fn nodes_that_reach_different_sides_stay_apart_without_losing_a_session_over_it() {
    let mut pair = Pair::new();
    pair.reaches = [[true, false], [false, true]];
    pair.run(24 * 3600);
    assert_eq!(pair.sides(), [Some(Side::A), Some(Side::B)]);
    assert_eq!(pair.followed(), 0);
    // As soon as there is another move that can be followed, they meet.
    pair.reaches = [[false, true], [true, true]];
    pair.run(60);
    assert_eq!(pair.sides(), [Some(Side::B); 2]);
}

#[test]
fn a_node_that_starts_on_the_other_side_brings_the_pair_together() {
    let mut pair = Pair::new();
    pair.reaches[1][0] = false;
    pair.run(300);
    assert_eq!(pair.sides(), [Some(Side::B); 2]);
}

#[test]
fn while_the_link_is_down_each_stays_where_it_is() {
    let mut pair = Pair::new();
    pair.run(10);
    pair.linked = false;
    pair.reaches[0][0] = false;
    pair.run(600);
    assert_eq!(pair.sides(), [Some(Side::B), Some(Side::A)]);
    pair.linked = true;
    pair.run(60);
    assert_eq!(pair.sides(), [Some(Side::B); 2]);
}

#[test]
fn with_following_off_each_goes_its_own_way() {
    let mut pair = Pair::new();
    pair.nodes[1].sides = Sides::new(false, false);
    pair.reaches[0][0] = false;
    pair.run(600);
    assert_eq!(pair.sides(), [Some(Side::B), Some(Side::A)]);
}

proptest! {
    /// However sides and the link come and go: each loss makes the other node follow once at most, and in the end, when
    /// a side is there for both and stays, nobody moves any more.
    #[test]
    fn neither_chases_the_other(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let mut pair = Pair::new();
        for _ in 0..30 {
            let (node, side) = (dice.roll(2) as usize, dice.roll(2) as usize);
            pair.reaches[node][side] ^= true;
            pair.linked = dice.roll(8) != 0;
            pair.run(1 + dice.roll(400));
        }
        let lost = pair.nodes[0].lost + pair.nodes[1].lost;
        // The first choice of a side counts as one.
        prop_assert!(pair.followed() <= lost + 2, "{} times for {lost} losses", pair.followed());
        pair.reaches = [[true; 2]; 2];
        pair.linked = true;
        pair.run(2 * 3600);
        let before = pair.followed();
        prop_assert_eq!(pair.sides().iter().flatten().count(), 2);
        pair.run(24 * 3600);
        prop_assert_eq!(pair.followed(), before);
    }
}
