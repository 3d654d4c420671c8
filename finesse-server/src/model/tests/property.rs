//! Any sequence of CTI messages, outcomes and commands: no panic, and no dialog is left after its call has ended.

use std::time::Duration;

use cti::kind::Kind;
use cti::tag::Tag;
use cti::{Message, field, kind, tag};
use proptest::prelude::*;

use crate::model::Link;
use crate::model::command::What;
use crate::model::testing::{Bench, call_event, state_body, text};

const PHONES: [&str; 4] = ["2001", "2002", "2003", "0301234"];
const AGENTS: [&str; 3] = ["1001", "1002", "1003"];
const EVENTS: [(Kind, Option<Tag>); 14] = [
    (kind::BEGIN_CALL_EVENT, None),
    (kind::CALL_SERVICE_INITIATED_EVENT, Some(tag::CALLING_DEVICE_ID)),
    (kind::CALL_ORIGINATED_EVENT, Some(tag::CALLING_DEVICE_ID)),
    (kind::CALL_DELIVERED_EVENT, Some(tag::ALERTING_DEVICE_ID)),
    (kind::CALL_ESTABLISHED_EVENT, Some(tag::ANSWERING_DEVICE_ID)),
    (kind::CALL_HELD_EVENT, Some(tag::HOLDING_DEVICE_ID)),
    (kind::CALL_RETRIEVED_EVENT, Some(tag::RETRIEVING_DEVICE_ID)),
    (kind::CALL_CONNECTION_CLEARED_EVENT, Some(tag::RELEASING_DEVICE_ID)),
    (kind::CALL_DIVERTED_EVENT, Some(tag::DIVERTING_DEVICE_ID)),
    (kind::CALL_FAILED_EVENT, Some(tag::FAILING_DEVICE_ID)),
    (kind::CALL_CLEARED_EVENT, None),
    (kind::CALL_QUEUED_EVENT, None),
    (kind::CALL_DATA_UPDATE_EVENT, None),
    (kind::END_CALL_EVENT, None),
];

#[derive(Clone, Debug)]
enum Step {
    Call { event: usize, id: u32, phone: usize, other: usize, renamed: Option<u32> },
    Merge { conference: bool, primary: u32, secondary: u32, phone: usize },
    State { agent: usize, state: u32 },
    Outcome { refused: bool },
    Act { agent: usize, id: u32, action: usize },
    Ask { agent: usize, ready: bool },
    Pass(u64),
    Link(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let id = 100u32..104;
    prop_oneof![
        12 => (0..EVENTS.len(), id.clone(), 0..4usize, 0..4usize, prop::option::weighted(0.1, id.clone()))
            .prop_map(|(event, id, phone, other, renamed)| Step::Call { event, id, phone, other, renamed }),
        2 => (any::<bool>(), id.clone(), id.clone(), 0..4usize)
            .prop_map(|(conference, primary, secondary, phone)| Step::Merge { conference, primary, secondary, phone }),
        3 => (0..3usize, 0u32..12).prop_map(|(agent, state)| Step::State { agent, state }),
        3 => any::<bool>().prop_map(|refused| Step::Outcome { refused }),
        2 => (0..3usize, id, 0..5usize).prop_map(|(agent, id, action)| Step::Act { agent, id, action }),
        2 => (0..3usize, any::<bool>()).prop_map(|(agent, ready)| Step::Ask { agent, ready }),
        1 => (1u64..40).prop_map(Step::Pass),
        1 => (0u8..8).prop_map(Step::Link),
    ]
}

fn run(b: &mut Bench, step: &Step) {
    match *step {
        Step::Call { event, id, phone, other, renamed } => {
            let (kind, device) = EVENTS[event];
            let mut m = call_event(kind, id, PHONES[phone]);
            if let Some(device) = device {
                m.push(device, PHONES[phone]);
            }
            if device != Some(tag::CALLING_DEVICE_ID) {
                m.push(tag::CALLING_DEVICE_ID, PHONES[other]);
            }
            if let Some(new) = renamed.filter(|_| kind == kind::CALL_DATA_UPDATE_EVENT) {
                m.set(field::NEW_CONNECTION_CALL_ID, new);
            }
            b.cti(&m);
        }
        Step::Merge { conference, primary, secondary, phone } => {
            let kind = if conference { kind::CALL_CONFERENCED_EVENT } else { kind::CALL_TRANSFERRED_EVENT };
            let m = Message::new(kind)
                .with(field::PRIMARY_CALL_ID, primary)
                .with(field::SECONDARY_CALL_ID, secondary)
                .with_tag(tag::TRANSFERRING_DEVICE_ID, PHONES[phone])
                .with_tag(tag::CONNECTED_PARTY_CALL_ID, primary)
                .with_tag(tag::CONNECTED_PARTY_DEVICE_ID, PHONES[(phone + 1) % 4]);
            b.cti(&m);
        }
        Step::State { agent, state } => b.state(AGENTS[agent], PHONES[agent], state, 0),
        Step::Outcome { refused } => {
            if let Some((token, request)) = b.requests.pop() {
                match refused {
                    true => b.refuse(token, 22, 0),
                    false => b.confirm(token, request.kind),
                }
            }
        }
        Step::Act { agent, id, action } => {
            let action = ["ANSWER", "HOLD", "RETRIEVE", "DROP", "TRANSFER"][action];
            b.act(AGENTS[agent], id, "r", action, PHONES[agent]);
        }
        Step::Ask { agent, ready } => {
            let state = if ready { "READY" } else { "NOT_READY" };
            b.put_user(AGENTS[agent], AGENTS[agent], "r", state_body(state));
        }
        Step::Pass(seconds) => b.pass(Duration::from_secs(seconds)),
        Step::Link(0) => b.link(Link::Down),
        Step::Link(_) => {
            if !b.model.in_service() {
                b.link(Link::Up { healthy: true });
                while let Some((token, request)) = b.requests.pop() {
                    b.confirm(token, request.kind);
                }
            }
        }
    }
}

/// Replays what a client of each agent saw: POST adds, DELETE removes, PUT is about something that is there.
fn collections(b: &mut Bench) -> Result<Vec<Vec<String>>, TestCaseError> {
    let mut all = vec![];
    for agent in AGENTS {
        let mut seen: Vec<String> = vec![];
        for event in b.on(&format!("User/{agent}/Dialogs")) {
            if event.contains("<apiError>") {
                continue;
            }
            let id = text(&event, "id").to_owned();
            let known = seen.contains(&id);
            match text(&event, "event") {
                "POST" => {
                    prop_assert!(!known, "{id} entered twice");
                    seen.push(id);
                }
                "DELETE" => {
                    prop_assert!(known, "{id} left without having entered");
                    seen.retain(|s| *s != id);
                }
                _ => prop_assert!(known, "{id} changed before it entered"),
            }
        }
        all.push(seen);
    }
    Ok(all)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn dialogs_enter_once_and_leave_when_their_calls_end(steps in prop::collection::vec(step(), 1..120)) {
        let mut b = Bench::staffed();
        for step in &steps {
            run(&mut b, step);
        }
        // Back in service, every call ends.
        run(&mut b, &Step::Link(1));
        for id in 100..104 {
            b.end(id);
        }
        prop_assert_eq!(b.model.counts().1, 0);
        for (agent, left) in collections(&mut b)?.into_iter().enumerate() {
            prop_assert!(left.is_empty(), "{} keeps {left:?}", AGENTS[agent]);
            let what = What::Dialogs(AGENTS[agent].into());
            prop_assert_eq!(b.document(AGENTS[agent], what), "<Dialogs></Dialogs>");
        }
    }
}
