//! An agent moves between two nodes while they ask each other about him.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{Dice, Post};
use crate::absence::{Absences, Last, Outcome, Output, Peer, Rules, Standing, Whereabouts};

/// What the nodes say to each other.
enum Said {
    Ask { question: u64, away: Duration },
    Answer { question: u64, whereabouts: Whereabouts, made: Instant },
    Came,
}

/// How long a node needs to notice that the link has broken or holds again.
const NOTICE: Duration = Duration::from_secs(4);

struct Story {
    now: Instant,
    nodes: [Absences; 2],
    post: Post<Said>,
    user: Arc<str>,
    /// Where the agent is, and since when that has been so.
    at: Option<usize>,
    since: Instant,
    /// When he last left each node.
    left: [Instant; 2],
    /// When the link last broke or came back, and whether the nodes have noticed.
    changed: Instant,
    noticed: bool,
    /// When the answer that each node acts upon was made.
    made: [Instant; 2],
    sign_outs: Vec<(Instant, String)>,
}

impl Story {
    fn new(longest: Duration, seed: u64) -> Self {
        let now = Instant::now();
        let node = || {
            let mut node = Absences::new(Rules::default());
            node.serve(now, true);
            node.peer(now, Peer::Reachable);
            node
        };
        let nodes = [node(), node()];
        let now = now + Duration::from_secs(1000);
        Self {
            now,
            nodes,
            post: Post::new(longest, seed),
            user: "1002".into(),
            at: None,
            since: now,
            left: [now; 2],
            changed: now,
            noticed: true,
            made: [now; 2],
            sign_outs: vec![],
        }
    }

    fn goes_to(&mut self, place: Option<usize>) {
        if self.at == place {
            return;
        }
        if let Some(left) = self.at {
            self.left[left] = self.now;
            let last = Last { resource: "desktop".into(), transport: "tcp", cause: "connection lost" };
            self.nodes[left].went(self.now, &self.user, last, Standing::Free);
        }
        if let Some(node) = place {
            self.nodes[node].came(self.now, &self.user);
            self.post.send(self.now, 1 - node, Said::Came);
        }
        (self.at, self.since) = (place, self.now);
        self.settle();
    }

    fn link(&mut self, open: bool) {
        if self.post.open != open {
            self.post.open = open;
            (self.changed, self.noticed) = (self.now, false);
            self.post.letters.clear();
        }
    }

    /// Does what the nodes want.
    fn settle(&mut self) {
        for node in 0..2 {
            for output in self.nodes[node].take_outputs() {
                match output {
                    Output::Ask { question, away, .. } => {
                        self.post.send(self.now, 1 - node, Said::Ask { question, away });
                    }
                    Output::SignOut(user) => {
                        self.judge(node);
                        self.nodes[node].concluded(self.now, &user, Outcome::Accepted);
                    }
                    Output::Note(_) => {}
                }
            }
        }
    }

    /// A sign-out is sent: nobody who was present when it was decided may be hit.
    fn judge(&mut self, node: usize) {
        let away = self.now - self.since;
        let (here, there) = (self.at == Some(node), self.at == Some(1 - node));
        assert!(!here, "signed out by the node where he is");
        let answered = self.made[node] >= self.left[node] + seconds(60);
        if answered {
            // The other node decides by its answer; from then on it takes the time of a letter to hear the rest.
            assert!(!there || self.since >= self.made[node], "was on the other node for {away:?}");
        } else {
            // Nobody can know that he is on the other node, but both periods have passed.
            assert!(self.now - self.left[node] >= seconds(120), "after {:?}", self.now - self.left[node]);
        }
        self.sign_outs.push((self.now, format!("by {node}, away for {away:?}")));
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += Duration::from_millis(50);
            if !self.noticed && self.now >= self.changed + NOTICE {
                self.noticed = true;
                let peer = if self.post.open { Peer::Reachable } else { Peer::Unreachable };
                self.nodes.iter_mut().for_each(|node| node.peer(self.now, peer));
            }
            while let Some((to, said)) = self.post.take(self.now) {
                self.hear(to, said);
                self.settle();
            }
            for node in &mut self.nodes {
                node.handle_timeout(self.now);
            }
            self.settle();
        }
    }

    fn hear(&mut self, to: usize, said: Said) {
        let (now, user) = (self.now, self.user.clone());
        match said {
            Said::Ask { question, away } => {
                let whereabouts = self.nodes[to].whereabouts(now, &user, away);
                self.post.send(now, 1 - to, Said::Answer { question, whereabouts, made: now });
            }
            Said::Answer { question, whereabouts, made } => {
                self.made[to] = made;
                self.nodes[to].answered(now, &user, question, whereabouts);
            }
            Said::Came => self.nodes[to].elsewhere(now, &user),
        }
    }
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn who_moves_to_the_other_node_is_not_signed_out() {
    let mut story = Story::new(Duration::from_millis(200), 7);
    story.goes_to(Some(0));
    story.run(seconds(5));
    story.goes_to(None);
    story.run(seconds(20));
    story.goes_to(Some(1));
    story.run(seconds(1000));
    assert_eq!(story.sign_outs, []);
}

#[test]
fn who_is_nowhere_is_signed_out_once() {
    let mut story = Story::new(Duration::from_millis(200), 7);
    story.goes_to(Some(0));
    story.goes_to(None);
    let gone = story.now;
    story.run(seconds(1000));
    assert_eq!(story.sign_outs.len(), 1);
    assert!(story.sign_outs[0].0 - gone < seconds(62));
}

#[test]
fn who_moves_and_is_then_lost_on_the_other_node_is_signed_out_by_that_one_after_a_period_of_its_own() {
    let mut story = Story::new(Duration::from_millis(10), 7);
    story.goes_to(Some(0));
    story.goes_to(Some(1));
    story.run(seconds(50));
    story.goes_to(None);
    let gone = story.now;
    story.run(seconds(1000));
    assert_eq!(story.sign_outs.len(), 1, "{:?}", story.sign_outs);
    assert!(story.sign_outs[0].0 - gone >= seconds(60));
    assert!(story.sign_outs[0].1.starts_with("by 1"));
}

#[test]
fn while_the_link_is_down_nobody_is_signed_out_within_both_periods() {
    let mut story = Story::new(Duration::from_millis(10), 7);
    story.goes_to(Some(0));
    story.link(false);
    story.run(seconds(10));
    story.goes_to(None);
    story.run(seconds(119));
    assert_eq!(story.sign_outs, []);
    story.run(seconds(2));
    assert_eq!(story.sign_outs.len(), 1);
}

#[test]
fn a_link_that_heals_within_the_second_period_saves_who_has_moved() {
    let mut story = Story::new(Duration::from_millis(10), 7);
    story.goes_to(Some(0));
    story.link(false);
    story.run(seconds(10));
    story.goes_to(None);
    story.run(seconds(30));
    story.goes_to(Some(1));
    story.run(seconds(80));
    story.link(true);
    story.run(seconds(1000));
    assert_eq!(story.sign_outs, []);
}

/// The agent wanders, and the link breaks and heals if it may; every sign-out is judged.
fn wander(seed: u64, longest: Duration, breaks: bool) -> Story {
    let mut dice = Dice(seed);
    let mut story = Story::new(longest, seed);
    for _ in 0..40 {
        story.goes_to([None, Some(0), Some(1)][dice.roll(3) as usize]);
        story.link(!breaks || dice.roll(2) == 0);
        story.run(Duration::from_millis(dice.roll(150_000)));
    }
    story
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Letters take up to two seconds: nobody is signed out by a node on which he is, nor by one that acts on an answer
    /// given while he was on the other.
    #[test]
    fn nobody_who_is_present_is_signed_out_while_the_link_works(seed in any::<u64>()) {
        wander(seed, seconds(2), false);
    }

    /// Without an answer both periods pass.
    #[test]
    fn nobody_is_signed_out_within_both_periods_without_an_answer(seed in any::<u64>()) {
        wander(seed, seconds(1), true);
    }
}

#[test]
fn the_stories_are_not_all_peaceful() {
    let sign_outs: usize = (0..20).map(|seed| wander(seed, seconds(1), true).sign_outs.len()).sum();
    assert!(sign_outs > 20, "{sign_outs}");
}
