//! Random histories of one subscriber's requests, compared with a list that is obviously right.

mod common;

use std::collections::BTreeMap;

use common::{Client, DATA, Received, client, config};
use proptest::prelude::*;
use xmpp::{Config, Profile};

const JIDS: [&str; 2] = ["agent1@localhost", "agent1@localhost/a"];
const SHOWS: [&str; 3] = ["online", "away", "dnd"];

/// What is asked of one subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wish {
    deliver: bool,
    body: bool,
    shows: Vec<&'static str>,
}

#[derive(Clone, Debug)]
enum Step {
    Subscribe(usize, Option<Wish>),
    /// The subscription is picked by its place in the model's list; beyond it: without a subid.
    Unsubscribe(usize, usize),
    Options(usize, usize, Wish),
    Show(&'static str),
    Hide,
    Publish,
}

fn wish() -> impl Strategy<Value = Wish> {
    let shows = prop::sample::subsequence(SHOWS.to_vec(), 1..=SHOWS.len());
    (prop::bool::weighted(0.8), any::<bool>(), shows).prop_map(|(deliver, body, shows)| Wish {
        deliver,
        body,
        shows,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let jid = || 0..JIDS.len();
    prop_oneof![
        4 => (jid(), prop::option::of(wish())).prop_map(|(jid, wish)| Step::Subscribe(jid, wish)),
        2 => (jid(), 0..4_usize).prop_map(|(jid, at)| Step::Unsubscribe(jid, at)),
        2 => (jid(), 0..4_usize, wish()).prop_map(|(jid, at, wish)| Step::Options(jid, at, wish)),
        2 => prop::sample::select(SHOWS.to_vec()).prop_map(Step::Show),
        1 => Just(Step::Hide),
        6 => Just(Step::Publish),
    ]
}

fn form(wish: &Wish) -> String {
    let shows: String = wish.shows.iter().map(|show| format!("<value>{show}</value>")).collect();
    format!(
        "<x xmlns='{DATA}' type='submit'><field var='pubsub#deliver'><value>{}</value></field>\
         <field var='pubsub#include_body'><value>{}</value></field>\
         <field var='pubsub#show-values'>{shows}</field></x>",
        wish.deliver, wish.body
    )
}

struct Run {
    many: bool,
    owner: Client,
    agent: Client,
    /// For each address its subscriptions in their order.
    subscribed: BTreeMap<usize, Vec<(Option<String>, Wish)>>,
    show: Option<&'static str>,
    published: usize,
}

impl Run {
    fn new(many: bool) -> Self {
        let service = common::service_with(Config { multi_subscribe: many, ..config(Profile::Strict) });
        let mut owner = client(&service, "own1", "o");
        owner.create("/n", &[]);
        let agent = client(&service, "agent1", "a");
        Self { many, owner, agent, subscribed: BTreeMap::new(), show: Some("online"), published: 0 }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Subscribe(jid, wish) => self.subscribe(*jid, wish.as_ref()),
            Step::Unsubscribe(jid, at) => {
                let request = |subid: &str| format!("<unsubscribe node='/n' jid='{}'{subid}/>", JIDS[*jid]);
                if let Some(at) = self.ask(*jid, *at, request) {
                    self.subscribed.get_mut(jid).unwrap().remove(at);
                }
            }
            Step::Options(jid, at, wish) => {
                let form = form(wish);
                let request =
                    |subid: &str| format!("<options node='/n' jid='{}'{subid}>{form}</options>", JIDS[*jid]);
                if let Some(at) = self.ask(*jid, *at, request) {
                    self.subscribed.get_mut(jid).unwrap()[at].1 = wish.clone();
                }
            }
            Step::Show(show) => {
                self.show = Some(show);
                let child = if *show == "online" { String::new() } else { format!("<show>{show}</show>") };
                self.agent.send(&format!("<presence>{child}</presence>"));
                self.agent.read();
            }
            Step::Hide => {
                self.show = None;
                self.agent.send("<presence type='unavailable'/>");
                self.agent.read();
            }
            Step::Publish => self.publish(),
        }
    }

    fn subscribe(&mut self, jid: usize, wish: Option<&Wish>) {
        let options = wish.map(|wish| format!("<options>{}</options>", form(wish))).unwrap_or_default();
        let answer = self.agent.set(&format!("<subscribe node='/n' jid='{}'/>{options}", JIDS[jid]));
        let list = self.subscribed.entry(jid).or_default();
        if list.len() == 16 {
            return answer.fails("policy-violation too-many-subscriptions");
        }
        let answer = answer.ok();
        let subid = answer.find(&["pubsub", "subscription"]).unwrap().attr("subid").map(str::to_owned);
        assert_eq!(subid.is_some(), self.many);
        let plain = Wish { deliver: true, body: false, shows: SHOWS.to_vec() };
        match list.first_mut() {
            Some(old) if !self.many => old.1 = wish.cloned().unwrap_or(old.1.clone()),
            _ => list.push((subid, wish.cloned().unwrap_or(plain))),
        }
    }

    /// Asks for something about one subscription; its place if that is granted.
    fn ask(&mut self, jid: usize, at: usize, request: impl Fn(&str) -> String) -> Option<usize> {
        let list = self.subscribed.entry(jid).or_default();
        let subid = list.get(at).and_then(|(subid, _)| subid.clone());
        let attribute = subid.as_ref().map(|id| format!(" subid='{id}'")).unwrap_or_default();
        let answer = self.agent.set(&request(&attribute));
        match list.len() {
            0 => answer.fails("unexpected-request not-subscribed"),
            1 if subid.is_none() => {
                answer.ok();
                return Some(0);
            }
            _ if subid.is_none() => answer.fails("bad-request subid-required"),
            _ => {
                answer.ok();
                return Some(at);
            }
        }
        None
    }

    fn publish(&mut self) {
        self.published += 1;
        self.owner.publish("/n", &self.published.to_string()).ok();
        let mut expected = Vec::new();
        for (jid, list) in &self.subscribed {
            let wants = |(_, wish): &&(Option<String>, Wish)| {
                wish.deliver && self.show.is_some_and(|show| wish.shows.contains(&show))
            };
            let wanted: Vec<_> = list.iter().filter(wants).collect();
            if !wanted.is_empty() {
                let ids: Vec<String> = wanted.iter().filter_map(|(subid, _)| subid.clone()).collect();
                let body = wanted.iter().any(|(_, wish)| wish.body);
                expected.push((JIDS[*jid].to_owned(), self.published.to_string(), ids, body));
            }
        }
        let mut got: Vec<_> = self.agent.read().iter().map(seen).collect();
        got.sort();
        assert_eq!(got, expected);
    }
}

fn seen(event: &Received) -> (String, String, Vec<String>, bool) {
    let headers = event.find(&["headers"]).map(|headers| headers.children().map(|h| h.text()).collect());
    let to = event.attr("to").unwrap().to_owned();
    (to, event.items().concat(), headers.unwrap_or_default(), event.find(&["body"]).is_some())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn x61_x63_agrees_with_the_model(many in any::<bool>(), steps in prop::collection::vec(step(), 1..80)) {
        let mut run = Run::new(many);
        steps.iter().for_each(|step| run.step(step));
    }
}
