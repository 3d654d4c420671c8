//! The agents of a peripheral as the database last told them: who may sign in, and what belongs to the directory.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::super::digest::Keyed;
use super::super::{Case, Identity, Kind, Known};
use super::database::{Row, Rows};
use super::sealed::Sealed;
use crate::directory::{Queue, Roles, Roster, Team, User};

/// One agent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Person {
    pub(super) user: User,
    /// Key of the agent in the database's other tables.
    target: i64,
    /// The stored password; `None`: there is none that can be understood.
    sealed: Option<Sealed>,
    /// Signs in by single sign-on only.
    pub(super) sso: bool,
    /// Whether signing in is switched off.
    disabled: bool,
}

impl Person {
    /// Whether this is the password.
    pub(super) fn has(&self, key: &Keyed, password: &str) -> bool {
        self.sealed.is_some_and(|sealed| sealed.is_of(key, &self.user.id, password))
    }

    pub(super) fn known(&self) -> Known {
        Known {
            identity: Identity { id: self.user.id.clone(), kind: Kind::Person },
            version: self.sealed.map_or(0, |sealed| sealed.version()),
        }
    }
}

/// Everything that was read at one time.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    people: HashMap<String, Arc<Person>>,
    by_login_name: HashMap<String, String>,
    teams: Vec<Team>,
    supervised: HashMap<i64, Vec<u32>>,
    queues: Vec<(Queue, Vec<i64>)>,
    /// Agents whose password is in a form that is not understood.
    pub(super) unreadable: usize,
}

/// The four results.
pub(super) struct Tables {
    pub(super) agents: Rows,
    pub(super) teams: Rows,
    pub(super) supervisors: Rows,
    pub(super) queues: Rows,
}

impl Snapshot {
    /// What the tables say, of at most so many agents.
    pub(super) fn new(key: &Keyed, tables: &Tables, most: usize) -> Snapshot {
        let mut all = Snapshot::default();
        for row in tables.supervisors.iter() {
            let pair = row.number("supervisorskilltargetid").zip(row.number("agentteamid"));
            if let Some((target, team)) = pair {
                all.supervised.entry(target).or_default().push(team);
            }
        }
        all.teams = tables.teams.iter().filter_map(team).collect();
        let mut queues = BTreeMap::new();
        for row in tables.queues.iter() {
            let Some(id) = row.number("peripheralnumber") else { continue };
            let name = row.text("enterprisename").unwrap_or_default();
            let queue = || (Queue { id, name: name.into(), members: Vec::new() }, Vec::new());
            queues.entry(id).or_insert_with(queue).1.extend(row.number::<i64>("agentskilltargetid"));
        }
        all.queues = queues.into_values().collect();
        for row in tables.agents.iter() {
            if all.people.len() < most
                && let Some(person) = all.person(key, row)
            {
                all.add(person);
            }
        }
        all
    }

    /// An agent as one row tells him; `None`: he is deleted, or has no number. An agent in several teams has several
    /// rows, of which the first counts.
    fn person(&mut self, key: &Keyed, row: Row<'_>) -> Option<Person> {
        let id = row.text("peripheralnumber").filter(|id| !id.is_empty())?;
        if row.is("deleted") {
            return None;
        }
        let stored = row.text("password").unwrap_or_default();
        let sealed = Sealed::new(key, id, stored);
        self.unreadable += usize::from(sealed.is_none() && !stored.is_empty());
        let target = row.number("skilltargetid").unwrap_or_default();
        let supervisor = row.is("supervisoragent");
        let text = |column| row.text(column).unwrap_or_default().to_owned();
        let supervises = self.supervised.get(&target).filter(|_| supervisor).cloned();
        Some(Person {
            user: User {
                id: id.into(),
                login_name: text("loginname"),
                first_name: text("firstname"),
                last_name: text("lastname"),
                roles: Roles { agent: true, supervisor, administrator: false },
                team: row.number("agentteamid"),
                supervises: supervises.unwrap_or_default(),
            },
            target,
            sealed,
            sso: row.is("ssoenabled"),
            disabled: row.text("loginenabled").is_some() && !row.is("loginenabled"),
        })
    }

    fn add(&mut self, person: Person) {
        let id = person.user.id.to_lowercase();
        if self.people.contains_key(&id) {
            return;
        }
        if !person.user.login_name.is_empty() {
            self.by_login_name.entry(person.user.login_name.to_lowercase()).or_insert_with(|| id.clone());
        }
        self.people.insert(id, Arc::new(person));
    }

    /// This one with what the database says of one agent now; `None`: it says nothing new.
    pub(super) fn with(&self, key: &Keyed, name: &str, rows: &Rows, most: usize) -> Option<Snapshot> {
        let mut next = Snapshot {
            people: HashMap::new(),
            by_login_name: HashMap::new(),
            teams: self.teams.clone(),
            supervised: self.supervised.clone(),
            queues: self.queues.clone(),
            unreadable: 0,
        };
        let mut said: Vec<Person> = Vec::new();
        for row in rows.iter() {
            let person = next.person(key, row);
            said.extend(person.filter(|person| said.iter().all(|other| other.user.id != person.user.id)));
        }
        let before = |person: &Person| self.people.get(&person.user.id.to_lowercase());
        let gone = self
            .person_named(name, Case::Folded, true)
            .filter(|former| said.iter().all(|person| !person.user.id.eq_ignore_ascii_case(&former.user.id)));
        let news = said.iter().any(|person| before(person).is_none_or(|former| **former != *person));
        if !news && gone.is_none() {
            return None;
        }
        for person in self.people.values() {
            let is_old = |other: &Person| other.user.id.to_lowercase() == person.user.id.to_lowercase();
            if !said.iter().any(is_old) && !gone.is_some_and(is_old) {
                next.add((**person).clone());
            }
        }
        for person in said {
            if next.people.len() < most {
                next.add(person);
            }
        }
        Some(next)
    }

    /// Those of this one who are in `former` too, as they are now.
    pub(super) fn without_newcomers(&self, former: &Snapshot) -> Snapshot {
        let stays = |id: &String| former.people.contains_key(id);
        let people = self.people.iter().filter(|(id, _)| stays(id));
        let names = self.by_login_name.iter().filter(|(_, id)| stays(id));
        Snapshot {
            people: people.map(|(id, person)| (id.clone(), person.clone())).collect(),
            by_login_name: names.map(|(name, id)| (name.clone(), id.clone())).collect(),
            ..Snapshot::default()
        }
    }

    /// The agent whom a name means and who may sign in.
    pub(super) fn find(&self, name: &str, case: Case, login_names: bool) -> Option<&Person> {
        self.person_named(name, case, login_names).filter(|person| !person.disabled)
    }

    fn person_named(&self, name: &str, case: Case, login_names: bool) -> Option<&Person> {
        let folded = name.to_lowercase();
        let by_id = self.people.get(&folded).filter(|found| case == Case::Folded || *found.user.id == *name);
        let by_name = || self.people.get(self.by_login_name.get(&folded)?);
        let found = by_id.or_else(|| by_name().filter(|_| login_names));
        found.map(AsRef::as_ref)
    }

    /// How many agents there are.
    pub(super) fn len(&self) -> usize {
        self.people.len()
    }

    /// What belongs to the directory, in an order that stays the same.
    pub(super) fn roster(&self) -> Roster {
        let present = self.people.values().filter(|person| !person.disabled);
        let mut users: Vec<User> = present.map(|person| person.user.clone()).collect();
        users.sort_by(|one, other| one.id.cmp(&other.id));
        let ids: HashMap<i64, &Arc<str>> =
            self.people.values().map(|person| (person.target, &person.user.id)).collect();
        let queue = |(queue, targets): &(Queue, Vec<i64>)| Queue {
            members: targets.iter().filter_map(|target| ids.get(target).map(|id| (*id).clone())).collect(),
            ..queue.clone()
        };
        Roster { users, teams: self.teams.clone(), queues: self.queues.iter().map(queue).collect() }
    }
}

fn team(row: Row<'_>) -> Option<Team> {
    let name = row.text("enterprisename").unwrap_or_default().to_owned();
    Some(Team { id: row.number("agentteamid")?, name })
}

#[cfg(test)]
mod tests {
    use md5::{Digest as _, Md5};

    use super::*;

    const AGENTS: [&str; 9] = [
        "SkillTargetID",
        "PeripheralNumber",
        "LoginName",
        "LastName",
        "Password",
        "LoginEnabled",
        "SupervisorAgent",
        "AgentTeamID",
        "Deleted",
    ];

    fn md5(password: &str) -> String {
        Md5::digest(password).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn tables(agents: &[&[&str]]) -> Tables {
        Tables {
            agents: Rows::of(&AGENTS, agents),
            teams: Rows::of(&["AgentTeamID", "EnterpriseName"], &[&["1", "Sales"], &["2", "Billing"]]),
            supervisors: Rows::of(&["AgentTeamID", "SupervisorSkillTargetID"], &[&["1", "50"], &["2", "50"]]),
            queues: Rows::of(
                &["PeripheralNumber", "EnterpriseName", "AgentSkillTargetID"],
                &[&["10", "Sales_EN", "50"], &["10", "Sales_EN", "51"], &["11", "Empty", ""]],
            ),
        }
    }

    #[test]
    fn tables_become_accounts_and_a_roster() {
        let key = Keyed::random().unwrap();
        let (a, b) = (md5("a"), md5("b"));
        let rows: [&[&str]; 5] = [
            &["50", "1001", "Anna", "Keller", &a, "Y", "Y", "1", "N"],
            &["51", "1002", "ben", "Braun", &b, "Y", "N", "1", "N"],
            &["52", "1003", "cleo", "Koch", &b, "N", "N", "2", "N"],
            &["53", "1004", "dirk", "Lang", &b, "Y", "N", "2", "Y"],
            &["54", "1005", "eva", "Meier", "in clear?", "Y", "N", "", "N"],
        ];
        let all = Snapshot::new(&key, &tables(&rows), 100);
        let find = |name, case| all.find(name, case, true).map(|person| person.user.id.to_string());
        assert_eq!(find("1001", Case::Exact).as_deref(), Some("1001"));
        assert_eq!(find("ANNA", Case::Exact).as_deref(), Some("1001"));
        assert_eq!(find("1003", Case::Exact), None, "signing in is switched off");
        assert_eq!(find("1004", Case::Exact), None, "deleted");
        assert!(all.find("1001", Case::Exact, true).unwrap().has(&key, "a"));
        assert_eq!(all.unreadable, 1);
        let roster = all.roster();
        let ids: Vec<&str> = roster.users.iter().map(|user| &*user.id).collect();
        assert_eq!(ids, ["1001", "1002", "1005"]);
        assert_eq!((roster.users[0].roles.supervisor, &roster.users[0].supervises[..]), (true, &[1, 2][..]));
        assert_eq!(roster.queues.len(), 2);
        assert_eq!(roster.queues[0].members, ["1001".into(), "1002".into()]);
    }

    #[test]
    fn one_agent_is_replaced_added_and_taken_out() {
        let key = Keyed::random().unwrap();
        let (a, b) = (md5("a"), md5("b"));
        let first: &[&str] = &["50", "1001", "anna", "Keller", &a, "Y", "N", "1", "N"];
        let all = Snapshot::new(&key, &tables(&[first]), 100);
        let said = |row: &[&str]| Rows::of(&AGENTS, &[row]);
        assert!(all.with(&key, "anna", &said(first), 100).is_none(), "nothing new");
        let changed =
            all.with(&key, "anna", &said(&["50", "1001", "anna", "Keller", &b, "Y", "N", "1", "N"]), 100);
        let changed = changed.unwrap();
        assert!(changed.find("1001", Case::Exact, true).unwrap().has(&key, "b"));
        let more =
            all.with(&key, "1002", &said(&["51", "1002", "ben", "", &b, "Y", "N", "", "N"]), 100).unwrap();
        assert_eq!(more.len(), 2);
        let gone = all.with(&key, "1001", &Rows::default(), 100).unwrap();
        assert_eq!(gone.len(), 0);
        assert!(all.with(&key, "nobody", &Rows::default(), 100).is_none());
    }

    #[test]
    fn no_more_agents_than_configured() {
        let key = Keyed::random().unwrap();
        let rows: Vec<Vec<String>> = (0..20).map(|n| vec![n.to_string(), format!("{n}")]).collect();
        let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
        let agents = Rows::of(&["SkillTargetID", "PeripheralNumber"], &rows);
        let all = Snapshot::new(&key, &Tables { agents, ..tables(&[]) }, 7);
        assert_eq!(all.len(), 7);
    }
}
