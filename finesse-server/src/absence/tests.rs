//! Absent users in virtual time, one node at a time. Two nodes and a link between them are in `peer::tests`.

use super::*;

struct Bench {
    absences: Absences,
    now: Instant,
    log: Vec<String>,
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn last() -> Last {
    Last { resource: "desktop".into(), transport: "bosh", cause: "connection lost" }
}

impl Bench {
    /// A node that has been in service for long.
    fn serving(rules: Rules) -> Self {
        let mut absences = Absences::new(rules);
        let start = Instant::now();
        absences.serve(start, true);
        Self { absences, now: start + seconds(1000), log: vec![] }
    }

    fn with_peer(peer: Peer) -> Self {
        let mut bench = Self::serving(Rules::default());
        bench.absences.peer(bench.now, peer);
        bench
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.absences.deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.absences.handle_timeout(self.now);
            assert!(self.absences.deadline().is_none_or(|next| next > at), "a timeout that does nothing");
        }
        self.now = end;
    }

    fn went(&mut self, user: &str) {
        self.absences.went(self.now, &user.into(), last(), Standing::Free);
    }

    fn stands(&mut self, user: &str, standing: Standing) {
        self.absences.stands(self.now, &user.into(), standing);
    }

    /// What was put out since the last look: questions, sign-outs, and notes as `from > to: cause`.
    fn said(&mut self) -> Vec<String> {
        for output in self.absences.take_outputs() {
            self.log.push(match output {
                Output::Ask { user, question, .. } => format!("ask {user} {question}"),
                Output::SignOut(user) => format!("sign out {user}"),
                Output::Note(note) => {
                    format!("{} > {}: {}", note.from.name(), note.to.name(), note.cause.text())
                }
            });
        }
        std::mem::take(&mut self.log)
    }
}

#[test]
fn every_step_is_noted_with_its_cause() {
    let mut b = Bench::serving(Rules::default());
    b.went("1002");
    assert_eq!(b.said(), ["present > grace: presence lost: connection lost"]);
    b.pass(seconds(60));
    assert_eq!(b.said(), ["grace > sign-out sent: grace over", "sign out 1002"]);
    b.absences.concluded(b.now, &"1002".into(), Outcome::Accepted);
    assert_eq!(b.said(), ["sign-out sent > sign-out accepted: accepted"]);
    assert!(b.absences.is_idle() && b.absences.deadline().is_none());
}

#[test]
fn the_other_node_is_asked_before_anybody_is_signed_out() {
    let mut b = Bench::with_peer(Peer::Reachable);
    for (whereabouts, end) in [
        (Whereabouts::Here, "asking the peer > cancelled: present on the peer"),
        (Whereabouts::Mine, "asking the peer > cancelled: lost later on the peer, which decides"),
        (Whereabouts::Away, "asking the peer > sign-out sent: not present on the peer"),
    ] {
        b.went("1002");
        b.pass(seconds(60));
        let question = b.absences.questions;
        assert_eq!(b.said()[1..], ["grace > asking the peer: grace over", &format!("ask 1002 {question}")]);
        b.absences.answered(b.now, &"1002".into(), question - 1, Whereabouts::Away);
        assert!(b.said().is_empty(), "the answer to another question");
        b.absences.answered(b.now, &"1002".into(), question, whereabouts);
        assert_eq!(b.said()[0], end);
        b.absences.came(b.now, &"1002".into());
        b.said();
    }
}

#[test]
fn a_peer_that_does_not_answer_costs_a_second_grace_period_and_another_question() {
    let mut b = Bench::with_peer(Peer::Reachable);
    b.went("1002");
    b.pass(seconds(60 + 5));
    assert_eq!(
        b.said()[1..],
        [
            "grace > asking the peer: grace over",
            "ask 1002 1",
            "asking the peer > second grace: the peer cannot be asked",
        ]
    );
    b.pass(seconds(60));
    assert_eq!(b.said(), ["second grace > asking the peer: second grace over", "ask 1002 2"]);
    b.pass(seconds(5));
    assert_eq!(
        b.said(),
        [
            "asking the peer > sign-out sent: both grace periods over without an answer of the peer",
            "sign out 1002",
        ]
    );
}

#[test]
fn an_unreachable_peer_costs_exactly_both_periods() {
    let mut b = Bench::with_peer(Peer::Unreachable);
    b.went("1002");
    b.pass(seconds(119));
    assert!(!b.said().iter().any(|said| said.starts_with("sign out")));
    b.pass(seconds(1));
    assert!(b.said().iter().any(|said| said.starts_with("sign out")));
}

#[test]
fn a_peer_that_comes_back_is_asked_at_once() {
    let mut b = Bench::with_peer(Peer::Unreachable);
    b.went("1002");
    b.pass(seconds(70));
    b.said();
    b.absences.peer(b.now, Peer::Reachable);
    assert_eq!(b.said(), ["second grace > asking the peer: the peer can be asked again", "ask 1002 1"]);
    // And lost again while it has the question: the second period has been given, so this one decides.
    b.absences.peer(b.now, Peer::Unreachable);
    assert_eq!(b.said()[1], "sign out 1002");
}

#[test]
fn who_is_told_to_be_on_the_other_node_is_left_in_peace() {
    let mut b = Bench::with_peer(Peer::Reachable);
    b.went("1002");
    b.absences.elsewhere(b.now, &"1002".into());
    b.absences.elsewhere(b.now, &"1003".into());
    assert_eq!(b.said()[1..], ["grace > cancelled: present on the peer"]);
    b.pass(seconds(1000));
    assert!(b.said().is_empty());
}

#[test]
fn a_call_that_begins_while_the_peer_thinks_is_waited_for() {
    let mut b = Bench::with_peer(Peer::Reachable);
    b.went("1002");
    b.pass(seconds(60));
    b.stands("1002", Standing::OnCall);
    b.said();
    b.absences.answered(b.now, &"1002".into(), 1, Whereabouts::Away);
    assert_eq!(b.said(), ["asking the peer > after the call: not present on the peer"]);
    b.pass(seconds(500));
    b.stands("1002", Standing::Free);
    assert_eq!(
        b.said(),
        ["after the call > asking the peer: call over", "ask 1002 2"],
        "the answer is old by now"
    );
}

#[test]
fn where_calls_are_not_waited_for_the_sign_out_is_sent_in_a_call() {
    let mut b = Bench::serving(Rules { after_call: false, ..Rules::default() });
    b.went("1002");
    b.stands("1002", Standing::OnCall);
    b.pass(seconds(60));
    assert_eq!(b.said()[2], "sign out 1002");
}

#[test]
fn a_refused_sign_out_is_tried_again_and_then_given_up() {
    let mut b = Bench::serving(Rules::default());
    b.went("1002");
    let mut sent = 0;
    for _ in 0..10 {
        b.pass(seconds(60));
        sent += b.said().iter().filter(|said| *said == "sign out 1002").count();
        b.absences.concluded(b.now, &"1002".into(), Outcome::Refused(22));
    }
    assert_eq!(sent, 3);
    assert_eq!(b.said().last().map(String::as_str), None);
    assert!(b.absences.is_idle());
}

#[test]
fn many_who_go_at_once_are_asked_about_and_signed_out_in_turn() {
    let mut b = Bench::with_peer(Peer::Reachable);
    for user in 0..2000 {
        b.went(&format!("{user:04}"));
    }
    b.pass(seconds(60));
    let mut signed_out = 0;
    loop {
        assert!(b.absences.active <= 50);
        let said = b.said();
        let asked: Vec<(Arc<str>, u64)> = said
            .iter()
            .filter_map(|said| said.strip_prefix("ask ")?.split_once(' '))
            .map(|(user, question)| (user.into(), question.parse().unwrap()))
            .collect();
        let sent: Vec<Arc<str>> =
            said.iter().filter_map(|said| said.strip_prefix("sign out ")).map(Into::into).collect();
        if asked.is_empty() && sent.is_empty() {
            break;
        }
        for (user, question) in asked {
            b.absences.answered(b.now, &user, question, Whereabouts::Away);
        }
        for user in sent {
            signed_out += 1;
            b.absences.concluded(b.now, &user, Outcome::Accepted);
        }
    }
    assert_eq!(signed_out, 2000);
    assert!(b.absences.is_idle() && b.absences.line.is_empty() && b.absences.due.is_empty());
}

#[test]
fn who_waits_in_line_and_comes_back_is_out_of_it() {
    let mut b = Bench::with_peer(Peer::Reachable);
    for user in 0..60 {
        b.went(&format!("{user:04}"));
    }
    b.pass(seconds(60));
    b.absences.came(b.now, &"0059".into());
    assert_eq!(b.absences.line.len(), 9);
    b.pass(seconds(5));
    assert!(!b.said().iter().any(|said| said.starts_with("ask 0059")));
}

#[test]
fn of_two_nodes_that_lost_a_user_the_later_one_sees_to_him() {
    let mut b = Bench::serving(Rules::default());
    let ask = |b: &Bench, away| b.absences.whereabouts(b.now, "1002", seconds(away));
    assert_eq!(ask(&b, 60), Whereabouts::Away);
    b.absences.came(b.now, &"1002".into());
    assert_eq!(ask(&b, 60), Whereabouts::Here);
    b.went("1002");
    b.pass(seconds(30));
    assert_eq!(ask(&b, 60), Whereabouts::Mine);
    assert_eq!(ask(&b, 20), Whereabouts::Away, "the other one lost him later");
    // Out of service it sees to nobody.
    b.absences.serve(b.now, false);
    assert_eq!(ask(&b, 60), Whereabouts::Away);
}

#[test]
fn a_node_that_has_just_started_does_not_say_that_anybody_is_away() {
    let mut absences = Absences::new(Rules::default());
    let now = Instant::now();
    assert_eq!(absences.whereabouts(now, "1002", seconds(60)), Whereabouts::Unknown);
    absences.serve(now, true);
    assert_eq!(absences.whereabouts(now + seconds(59), "1002", seconds(60)), Whereabouts::Unknown);
    assert_eq!(absences.whereabouts(now + seconds(60), "1002", seconds(60)), Whereabouts::Away);
    absences.came(now, &"1002".into());
    assert_eq!(absences.whereabouts(now, "1002", seconds(60)), Whereabouts::Here);
}

#[test]
fn switched_off_nobody_is_signed_out_but_the_other_node_is_told_the_truth() {
    let mut b = Bench::serving(Rules { sign_out: false, ..Rules::default() });
    b.absences.came(b.now, &"1002".into());
    assert_eq!(b.absences.whereabouts(b.now, "1002", seconds(60)), Whereabouts::Here);
    b.went("1002");
    b.pass(seconds(1000));
    assert!(b.said().is_empty());
}
