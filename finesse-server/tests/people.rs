//! Another directory while the server runs, as clients see it.

#[path = "support/live.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod live;

use std::sync::Arc;

use finesse_server::directory::{Builder, Directory, Roles, Team, User};
use live::*;
use tokio::net::TcpStream;

const TEAMS: &str = "[[team]]\nid = 1\nname = \"a\"\n[[team]]\nid = 2\nname = \"b\"\n";

/// 1001, a supervisor of these teams, and 1002 in team 1.
fn centre(supervises: &[u32], second: bool, former: &Directory) -> Arc<Directory> {
    let user = |id: &str, supervises: &[u32]| User {
        id: id.into(),
        login_name: String::new(),
        first_name: String::new(),
        last_name: String::new(),
        roles: Roles { agent: true, supervisor: !supervises.is_empty(), administrator: false },
        team: Some(1),
        supervises: supervises.to_vec(),
    };
    let teams = [1, 2]
        .into_iter()
        .fold(Directory::builder(), |all: Builder, id| all.team(Team { id, name: format!("team {id}") }));
    let all = teams.user(user("1001", supervises));
    let all = if second { all.user(user("1002", &[])) } else { all };
    Arc::new(all.build_after(former).unwrap())
}

fn subscribe_to(node: &str) -> String {
    format!(
        "<iq type='set' id='s' to='pubsub.localhost' xmlns='jabber:client'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <subscribe node='{node}' jid='1001@localhost'/></pubsub></iq>"
    )
}

fn clear() -> String {
    format!("{}[xmpp]\nstarttls = \"off\"\n{TEAMS}", listen(&[("xmpp", any())]))
}

/// Requirement 34 of the realms: after losing a team the subscription ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_who_loses_a_team_loses_the_subscriptions_to_it() {
    let server = start(&clear());
    server.exchange_directory(centre(&[1, 2], false, &server.directory())).await;
    let mut boss = Client::stream(TcpStream::connect(server.addresses().xmpp.unwrap()).await.unwrap()).await;
    boss.login("1001", "desk").await;
    for node in ["/finesse/api/Team/2/Users", "/finesse/api/Team/1/Users"] {
        boss.send(&subscribe_to(node)).await;
        assert!(boss.until("</iq>").await.contains("subscription=\"subscribed\""), "{node}");
    }
    server.exchange_directory(centre(&[1], false, &server.directory())).await;
    boss.send(
        "<iq type='get' id='l' to='pubsub.localhost' xmlns='jabber:client'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'><subscriptions/></pubsub></iq>",
    )
    .await;
    let list = boss.until("</iq>").await;
    assert!(list.contains("/finesse/api/Team/1/Users"), "{list}");
    assert!(!list.contains("/finesse/api/Team/2/Users"), "{list}");
    boss.send(&subscribe_to("/finesse/api/Team/2/Users")).await;
    assert!(boss.until("</iq>").await.contains("<forbidden"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_and_rights_of_somebody_new_are_there_at_once() {
    let server = start(&clear());
    server.exchange_directory(centre(&[1], false, &server.directory())).await;
    let mut boss = Client::stream(TcpStream::connect(server.addresses().xmpp.unwrap()).await.unwrap()).await;
    boss.login("1001", "desk").await;
    boss.send(&subscribe_to("/finesse/api/User/1002")).await;
    assert!(boss.until("</iq>").await.contains("error"), "nobody has that name");
    server.exchange_directory(centre(&[1], true, &server.directory())).await;
    boss.send(&subscribe_to("/finesse/api/User/1002")).await;
    assert!(boss.until("</iq>").await.contains("subscription=\"subscribed\""));
    server.stop().await;
}
