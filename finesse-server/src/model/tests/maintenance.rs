//! Maintenance mode.

use std::time::Duration;

use crate::maintenance::Sessions;
use crate::model::Link;
use crate::model::command::{Maintenance, Reply, What};
use crate::model::testing::{Bench, text};

fn sessions(desktop: usize, others: usize) -> Sessions {
    Sessions { desktop, others }
}

#[test]
fn an_administrator_moves_the_clients_away_and_everybody_is_told() {
    let mut b = Bench::staffed();
    b.model.handle_refuge(true);
    assert_eq!(b.ask("admin", None, What::Maintenance(Maintenance::Start)), Reply::Accepted);
    assert_eq!(b.log, ["publish /finesse/api/SystemInfo", "move 200"]);
    let told = b.on("SystemInfo");
    assert_eq!(text(&told[0], "finesseMMode"), "IN_PROGRESS");
    assert_eq!(text(&told[0], "status"), "IN_SERVICE", "it serves on");
    b.model.handle_sessions(b.now, sessions(250, 50));
    b.pass(Duration::from_secs(1));
    assert_eq!(b.log.last().map(String::as_str), Some("move 200"));
    let shown = b.document("admin", What::Maintenance(Maintenance::Show));
    for (name, value) in [
        ("status", "IN_PROGRESS"),
        ("pendingUserDisconnections", "300"),
        ("estimatedCompletionTime", "2"),
        ("desktop", "250"),
        ("thirdpartyclients", "50"),
    ] {
        assert_eq!(text(&shown, name), value, "{shown}");
    }
    b.pass(Duration::from_secs(2));
    b.model.handle_sessions(b.now, sessions(0, 0));
    b.collect();
    let told = b.on("SystemInfo");
    assert_eq!(text(&told[0], "finesseMMode"), "COMPLETED");
    assert_eq!(text(&told[0], "finesseTimeInMMode"), "3");
}

#[test]
fn it_can_be_cancelled() {
    let mut b = Bench::staffed();
    b.model.handle_refuge(true);
    b.ask("admin", None, What::Maintenance(Maintenance::Start));
    assert_eq!(b.ask("admin", None, What::Maintenance(Maintenance::Cancel)), Reply::Accepted);
    let told = b.on("SystemInfo");
    assert_eq!(text(&told[1], "finesseMMode"), "");
    assert_eq!(text(&told[1], "finesseTimeInMMode"), "-1");
    b.log.clear();
    b.pass(Duration::from_secs(60));
    assert!(b.log.is_empty(), "{:?}", b.log);
}

#[test]
fn without_another_node_it_is_refused_and_to_others_than_administrators_as_well() {
    let mut b = Bench::staffed();
    assert_eq!(b.refused("admin", What::Maintenance(Maintenance::Start)), "400 Bad Request");
    assert!(b.on("SystemInfo").is_empty());
    b.model.handle_refuge(true);
    for action in [Maintenance::Show, Maintenance::Start, Maintenance::Cancel] {
        assert_eq!(b.refused("1001", What::Maintenance(action)), "401 Authorization Failure");
    }
    b.link(Link::Down);
    assert_eq!(
        b.ask("admin", None, What::Maintenance(Maintenance::Start)),
        Reply::Accepted,
        "out of service too"
    );
}
