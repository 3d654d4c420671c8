//! Another directory while the model runs.

use std::sync::Arc;

use cti::{Dialect, Message, field, kind};

use crate::directory::{Builder, Directory, Queue, Roles, Team, User};
use crate::model::Link;
use crate::model::command::What;
use crate::model::testing::{Bench, directory, text};

fn user(id: &str, last_name: &str, team: u32) -> User {
    User {
        id: id.into(),
        login_name: format!("login-{id}"),
        first_name: "Maria".into(),
        last_name: last_name.into(),
        roles: Roles { agent: true, ..Roles::default() },
        team: Some(team),
        supervises: vec![],
    }
}

/// Teams 1 and 2, queue 10 with the first of these users.
fn centre(users: &[User], former: &Directory) -> Arc<Directory> {
    let teams = [(1, "Sales"), (2, "Billing")]
        .into_iter()
        .fold(Directory::builder(), |all: Builder, (id, name)| all.team(Team { id, name: name.into() }));
    let members = users.iter().take(1).map(|user| user.id.clone()).collect();
    let queue = Queue { id: 10, name: "Sales_EN".into(), members };
    let all = users.iter().cloned().fold(teams, Builder::user).queue(queue);
    Arc::new(all.build_after(former).unwrap())
}

/// A model in service with 1, 2 and 3 in team 1, of whom 2 is ready.
fn bench() -> (Bench, Arc<Directory>) {
    let users = ["1", "2", "3"].map(|id| user(id, "Keller", 1));
    let first = centre(&users, &Directory::default());
    let mut b = Bench::serving(first.clone(), Dialect::Cce);
    b.state("2", "2002", 3, 0);
    b.requests.clear();
    b.events.clear();
    (b, first)
}

fn exchange(b: &mut Bench, directory: &Arc<Directory>) {
    b.model.handle_directory(b.now, directory.clone());
    b.collect();
}

#[test]
fn who_has_not_changed_hears_nothing_and_keeps_his_state() {
    let (mut b, first) = bench();
    let same = centre(&["1", "2", "3"].map(|id| user(id, "Keller", 1)), &first);
    exchange(&mut b, &same);
    assert!(b.events.is_empty() && b.requests.is_empty(), "{:?}", b.events);
    assert!(b.document("2", What::User("2".into())).contains("<state>READY</state>"));
}

#[test]
fn another_name_is_an_event_on_the_own_feed_and_the_teams() {
    let (mut b, first) = bench();
    let next = centre(&[user("1", "Keller", 1), user("2", "Braun", 1), user("3", "Keller", 1)], &first);
    exchange(&mut b, &next);
    let nodes: Vec<&str> = b.events.iter().map(|(node, _)| node.as_str()).collect();
    assert_eq!(nodes, ["/finesse/api/User/2", "/finesse/api/Team/1/Users"]);
    let event = &b.events[0].1;
    assert_eq!(
        (text(event, "event"), text(event, "lastName"), text(event, "state")),
        ("PUT", "Braun", "READY")
    );
}

#[test]
fn who_moves_leaves_the_feed_of_one_team_and_comes_to_that_of_the_other() {
    let (mut b, first) = bench();
    let next = centre(&[user("1", "Keller", 1), user("2", "Keller", 2), user("3", "Keller", 1)], &first);
    exchange(&mut b, &next);
    let told: Vec<(&str, &str)> =
        b.events.iter().map(|(node, event)| (node.as_str(), text(event, "event"))).collect();
    assert_eq!(
        told,
        [
            ("/finesse/api/Team/1/Users", "DELETE"),
            ("/finesse/api/User/2", "PUT"),
            ("/finesse/api/Team/2/Users", "PUT"),
        ]
    );
    assert_eq!(text(&b.events[1].1, "teamName"), "Billing");
    b.events.clear();
    b.state("2", "2002", 2, 0);
    assert!(b.events.iter().any(|(node, _)| node == "/finesse/api/Team/2/Users"));
    assert!(b.events.iter().all(|(node, _)| node != "/finesse/api/Team/1/Users"));
}

/// Requirement 29: DELETE without data on removal.
#[test]
fn r29_who_is_removed_is_signed_out_and_deleted_and_nobody_any_more() {
    let (mut b, first) = bench();
    let next = centre(&[user("1", "Keller", 1), user("3", "Keller", 1)], &first);
    exchange(&mut b, &next);
    let own: Vec<&String> =
        b.events.iter().filter(|(node, _)| node == "/finesse/api/User/2").map(|(_, event)| event).collect();
    let kinds: Vec<&str> = own.iter().map(|event| text(event, "event")).collect();
    assert_eq!(kinds, ["PUT", "DELETE"]);
    assert_eq!(text(own[0], "state"), "LOGOUT");
    assert!(own[1].contains("<data></data>"), "{}", own[1]);
    assert_eq!(text(own[1], "source"), "/finesse/api/User/2");
    b.events.clear();
    b.state("2", "2002", 3, 0);
    assert!(b.events.is_empty(), "the CTI server goes on telling of him");
    assert_eq!(b.refused("2", What::User("2".into())), "401 Authorization Failure");
    assert!(b.document("3", What::User("3".into())).contains("<loginId>3</loginId>"));
}

#[test]
fn who_is_new_is_asked_after_and_may_be_at_work_already() {
    let (mut b, first) = bench();
    let users = ["1", "2", "3", "4"].map(|id| user(id, "Keller", 1));
    exchange(&mut b, &centre(&users, &first));
    let (token, request) = b.request();
    assert_eq!((request.kind, request.agent_id()), (kind::QUERY_AGENT_STATE_REQ, Some("4")));
    let message = Message::new(kind::QUERY_AGENT_STATE_CONF).with(field::AGENT_STATE, 3u32);
    b.link(Link::Confirmed { token, message });
    assert!(b.document("4", What::User("4".into())).contains("<state>READY</state>"));
    assert!(b.model.in_service());
}

#[test]
fn a_directory_that_comes_while_the_state_is_rebuilt_is_asked_for_with_the_rest() {
    let first = centre(&[user("1", "Keller", 1)], &Directory::default());
    let mut b = Bench::down(first.clone(), Dialect::Cce);
    b.link(Link::Up { healthy: true });
    let next = centre(&["1", "2"].map(|id| user(id, "Keller", 1)), &first);
    exchange(&mut b, &next);
    let mut asked = Vec::new();
    while !b.requests.is_empty() {
        let (token, request) = b.requests.remove(0);
        asked.push(request.agent_id().unwrap().to_owned());
        let message = Message::new(kind::QUERY_AGENT_STATE_CONF).with(field::AGENT_STATE, 1u32);
        b.link(Link::Confirmed { token, message });
    }
    assert_eq!(asked, ["1", "2"]);
    assert!(b.model.in_service());
}

#[test]
fn queues_come_and_go() {
    let former = directory();
    let mut b = Bench::serving(former.clone(), Dialect::Cce);
    assert!(b.document("1002", What::Queue("10".into())).contains("Sales_EN"));
    let users: Vec<User> = former.users().map(|user| (**user).clone()).collect();
    let all = former.teams().fold(Directory::builder(), |all, team| all.team((**team).clone()));
    let all = users.into_iter().fold(all, Builder::user);
    let all = all.queue(Queue { id: 12, name: "New".into(), members: vec!["1002".into()] });
    exchange(&mut b, &Arc::new(all.build_after(&former).unwrap()));
    assert_eq!(b.refused("1002", What::Queue("10".into())), "404 Not Found");
    assert!(b.document("1002", What::Queue("12".into())).contains("New"));
}
