//! Which node of Unified CM is asked: the first that has not failed lately. No sockets and no clock of its own.

use std::time::{Duration, Instant};

/// The longest rest of a node that says that it has too much to do.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// The nodes in the order of the configuration.
#[derive(Debug)]
pub(super) struct Nodes {
    retry: Duration,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// Left alone until then.
    resting: Option<Instant>,
    /// How often in a row it had too much to do.
    throttled: u32,
}

impl Nodes {
    /// So many nodes; one that failed is left alone for `retry`.
    pub(super) fn new(count: usize, retry: Duration) -> Nodes {
        Nodes { retry, nodes: vec![Node::default(); count] }
    }

    /// Whom to ask, one after the other: those that are well, in order. Empty while all are left alone.
    pub(super) fn order(&self, now: Instant) -> Vec<usize> {
        let well = |node: &Node| node.resting.is_none_or(|until| now >= until);
        (0..self.nodes.len()).filter(|&at| well(&self.nodes[at])).collect()
    }

    /// It answered.
    pub(super) fn well(&mut self, at: usize) {
        self.nodes[at] = Node::default();
    }

    /// It did not answer. Whether that is news.
    pub(super) fn failed(&mut self, at: usize, now: Instant) -> bool {
        let was = self.nodes[at].resting.replace(now + self.retry);
        was.is_none()
    }

    /// It had too much to do: a second, and twice as long each time, spread by `dice` (0 to 1) so that not everybody
    /// comes back at once.
    pub(super) fn throttled(&mut self, at: usize, now: Instant, dice: f64) {
        let node = &mut self.nodes[at];
        let rest = Duration::from_secs(1).saturating_mul(1 << node.throttled.min(10)).min(LONGEST_REST);
        node.throttled = node.throttled.saturating_add(1);
        node.resting = Some(now + rest.mul_f64(0.5 + dice.clamp(0.0, 1.0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Duration = Duration::from_secs(30);

    #[test]
    fn a_node_that_failed_is_left_alone_for_a_while() {
        let (mut nodes, now) = (Nodes::new(2, RETRY), Instant::now());
        assert_eq!(nodes.order(now), [0, 1]);
        assert!(nodes.failed(0, now));
        assert_eq!(nodes.order(now + RETRY - Duration::from_millis(1)), [1]);
        assert_eq!(nodes.order(now + RETRY), [0, 1]);
        assert!(!nodes.failed(0, now + RETRY), "no news");
        nodes.well(0);
        assert_eq!(nodes.order(now + RETRY), [0, 1]);
        nodes.failed(0, now);
        nodes.failed(1, now);
        assert!(nodes.order(now).is_empty());
    }

    #[test]
    fn a_node_with_too_much_to_do_rests_longer_each_time() {
        let (mut nodes, mut now) = (Nodes::new(1, RETRY), Instant::now());
        let mut rests = Vec::new();
        for _ in 0..8 {
            nodes.throttled(0, now, 0.5);
            let rest = (1..200).find(|&s| !nodes.order(now + Duration::from_secs(s)).is_empty()).unwrap();
            rests.push(rest);
            now += Duration::from_secs(rest);
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 32, 60, 60]);
        nodes.well(0);
        nodes.throttled(0, now, 0.0);
        assert_eq!(nodes.order(now + Duration::from_millis(500)), [0], "from the beginning");
    }
}
