//! The directory by itself.

use super::*;

fn user(id: &str, login: &str) -> User {
    User {
        id: id.into(),
        login_name: login.into(),
        first_name: String::new(),
        last_name: String::new(),
        roles: Roles { agent: true, ..Roles::default() },
        team: None,
        supervises: vec![],
    }
}

fn team(id: u32) -> Team {
    Team { id, name: format!("team {id}") }
}

fn code(id: u32, category: ReasonCategory, number: u16, label: &str) -> ReasonCode {
    ReasonCode { id, category, code: number, label: label.into(), for_all: true, teams: vec![] }
}

#[test]
fn an_id_wins_over_the_login_name_of_another() {
    let d = Directory::builder().user(user("1001", "1002")).user(user("1002", "Ann")).build().unwrap();
    assert_eq!(&*d.resolve("1002").unwrap().id, "1002");
    assert_eq!(&*d.resolve("aNN").unwrap().id, "1002");
    assert!(d.resolve("nobody").is_none());
    assert!(d.user("ann").is_none());
}

#[test]
fn ids_are_found_without_case_for_jids_only() {
    let d = Directory::builder().user(user("MKeller", "")).build().unwrap();
    assert!(d.user("mkeller").is_none());
    assert_eq!(&*d.user_ignoring_case("mkeller").unwrap().id, "MKeller");
}

#[test]
fn contradictions_are_errors() {
    let twice = Directory::builder().user(user("a", "x")).user(user("A", "y")).build();
    assert!(matches!(twice, Err(DirectoryError::DuplicateUser(_))));
    let names = Directory::builder().user(user("a", "x")).user(user("b", "X")).build();
    assert!(matches!(names, Err(DirectoryError::DuplicateLoginName(_))));
    let bad = Directory::builder().user(user("a/b", "x")).build();
    assert!(matches!(bad, Err(DirectoryError::BadUserId(_))));
    let mut lost = user("a", "x");
    lost.team = Some(7);
    assert!(matches!(
        Directory::builder().user(lost).build(),
        Err(DirectoryError::UnknownTeam { team: 7, .. })
    ));
    let queue = Queue { id: 1, name: String::new(), members: vec!["zed".into()] };
    assert!(matches!(Directory::builder().queue(queue).build(), Err(DirectoryError::UnknownMember { .. })));
    let codes = Directory::builder()
        .reason_code(code(1, ReasonCategory::Logout, 5, "a"))
        .reason_code(code(2, ReasonCategory::Logout, 5, "b"))
        .build();
    assert!(matches!(codes, Err(DirectoryError::ReasonCode { id: 2, .. })));
}

#[test]
fn a_supervisor_is_an_agent_and_reaches_only_the_own_teams() {
    let mut boss = user("9", "boss");
    boss.roles = Roles { supervisor: true, ..Roles::default() };
    boss.supervises = vec![1];
    let mut a = user("1", "a");
    a.team = Some(1);
    let mut b = user("2", "b");
    b.team = Some(2);
    let d = Directory::builder()
        .team(team(1))
        .team(team(2))
        .user(boss)
        .user(a)
        .user(b)
        .queue(Queue { id: 5, name: "q".into(), members: vec!["1".into()] })
        .build()
        .unwrap();
    let boss = d.user("9").unwrap();
    assert!(boss.roles.agent);
    assert!(d.supervises(boss, d.user("1").unwrap()));
    assert!(!d.supervises(boss, d.user("2").unwrap()));
    assert_eq!(d.queues_of(boss).count(), 1);
    assert_eq!(d.queues_of(d.user("2").unwrap()).count(), 0);
}

#[test]
fn team_reason_codes_are_for_the_team() {
    let mut a = user("1", "a");
    a.team = Some(1);
    let mut special = code(3, ReasonCategory::NotReady, 7, "special");
    special.for_all = false;
    special.teams = vec![2];
    let d = Directory::builder()
        .team(team(1))
        .team(team(2))
        .user(a)
        .reason_code(code(1, ReasonCategory::NotReady, 5, "break"))
        .reason_code(code(2, ReasonCategory::Logout, 5, "end"))
        .reason_code(special)
        .build()
        .unwrap();
    let a = d.user("1").unwrap();
    assert_eq!(d.reason_codes(a, ReasonCategory::NotReady).count(), 1);
    assert!(d.reason_code(a, 3).is_none());
    assert_eq!(d.reason_by_number(a, ReasonCategory::Logout, 5).unwrap().id, 2);
}

#[test]
fn who_stays_keeps_his_position_and_who_goes_leaves_it_empty() {
    let build = |ids: &[&str], former: &Directory| {
        let all = ids.iter().fold(Directory::builder(), |all, id| all.user(user(id, "")));
        all.build_after(former).unwrap()
    };
    let first = build(&["a", "b", "c"], &Directory::default());
    let second = build(&["c", "d", "a"], &first);
    assert_eq!(second.position("a"), first.position("a"));
    assert_eq!(second.position("c"), first.position("c"));
    assert_eq!(
        (second.position("b"), second.position("d")),
        (None, Some(3)),
        "no position is used again at once"
    );
    assert!(second.user("b").is_none() && second.user_ignoring_case("B").is_none());
    assert_eq!(second.user_count(), 3);
    assert!(Arc::ptr_eq(first.user("a").unwrap(), second.user("a").unwrap()));
    let ids: Vec<&str> = second.users().map(|user| &*user.id).collect();
    assert_eq!(ids, ["a", "c", "d"]);
    let back = build(&["a", "b", "c", "d"], &second);
    assert_eq!(back.position("b"), Some(4), "who comes back is new");
}

#[test]
fn positions_of_those_who_went_long_ago_are_used_again() {
    let mut directory = Directory::default();
    for generation in 0..2 * VACANCIES {
        let all = Directory::builder().user(user(&format!("u{generation}"), "")).user(user("stays", ""));
        directory = all.build_after(&directory).unwrap();
    }
    assert!(directory.positions().count() <= VACANCIES + 4, "{}", directory.positions().count());
    assert_eq!(directory.user_count(), 2);
    assert!(directory.vacant.iter().all(|&at| directory.users[at].is_none()));
}

#[test]
fn what_a_realm_says_wrongly_does_not_keep_the_rest_out() {
    let file = || Directory::builder().team(team(1)).user(user("admin", "root"));
    let mut lost = user("1002", "ROOT");
    lost.team = Some(7);
    let mut supervisor = user("1003", "c");
    (supervisor.roles.supervisor, supervisor.supervises) = (true, vec![2, 9]);
    let roster = Roster {
        users: vec![
            user("1001", "a"),
            user("1001", "b"),
            user("ADMIN", "x"),
            lost,
            supervisor,
            user("a/b", "d"),
        ],
        teams: vec![Team { id: 1, name: "of the realm".into() }, team(2)],
        queues: vec![Queue { id: 5, name: "q".into(), members: vec!["1001".into(), "gone".into()] }],
    };
    let (directory, left_out) = file().build_with(&roster, &Directory::default());
    assert_eq!(
        directory.users().map(|user| &*user.id).collect::<Vec<_>>(),
        ["admin", "1001", "1002", "1003"]
    );
    assert_eq!(directory.team(1).unwrap().name, "team 1");
    let lost = directory.user("1002").unwrap();
    assert_eq!((lost.team, lost.login_name.as_str()), (None, ""));
    assert_eq!(directory.user("1003").unwrap().supervises, [2]);
    assert_eq!(directory.queue(5).unwrap().members.len(), 1);
    assert_eq!(left_out.len(), 6, "{left_out:?}");
}
