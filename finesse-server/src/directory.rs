//! Who and what is configured: users, teams, queues, reason codes. Immutable once built; a change of the
//! configuration builds a new one.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What a user may do. A supervisor is an agent as well; an administrator need not be one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// May sign in to a phone and take calls.
    pub agent: bool,
    /// May act on members of the teams in [`User::supervises`].
    pub supervisor: bool,
    /// May read every object and use the configuration APIs.
    pub administrator: bool,
}

/// One configured person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Peripheral number (CCE) or user id (CCX); the local part of the JID.
    pub id: Arc<str>,
    /// Name accepted for sign-in beside the id; compared without case.
    pub login_name: String,
    /// Given name; may be empty.
    pub first_name: String,
    /// Family name; may be empty.
    pub last_name: String,
    /// What the user may do.
    pub roles: Roles,
    /// Id of the team the user belongs to.
    pub team: Option<u32>,
    /// Ids of the teams the user supervises.
    pub supervises: Vec<u32>,
}

/// A group of agents with its supervisors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Number of the team, unique.
    pub id: u32,
    /// Display name.
    pub name: String,
}

/// A queue (CCE skill group, CCX contact service queue).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Number of the queue (peripheral number of the skill group), unique.
    pub id: u32,
    /// Display name.
    pub name: String,
    /// Ids of the users who serve it.
    pub members: Vec<Arc<str>>,
}

/// When a reason code may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReasonCategory {
    /// With a change to NOT_READY.
    NotReady,
    /// With a sign-out.
    Logout,
}

/// A reason an agent gives for going not ready or signing out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonCode {
    /// Database id: what `reasonCodeId` refers to.
    pub id: u32,
    /// When it may be given.
    pub category: ReasonCategory,
    /// The code sent to the CTI server (CCE 1-65535, CCX 1-999).
    pub code: u16,
    /// Text shown to people, at most 40 characters.
    pub label: String,
    /// Whether every team may use it.
    pub for_all: bool,
    /// Teams that may use it when not for all.
    pub teams: Vec<u32>,
}

/// Everything that is configured, with the look-ups the server needs.
#[derive(Debug, Default)]
pub struct Directory {
    users: Vec<Arc<User>>,
    by_id: HashMap<Arc<str>, usize>,
    by_lower_id: HashMap<String, usize>,
    by_login_name: HashMap<String, usize>,
    teams: BTreeMap<u32, Arc<Team>>,
    queues: BTreeMap<u32, Arc<Queue>>,
    reason_codes: Vec<Arc<ReasonCode>>,
}

/// Why a directory could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// Two users have ids that differ at most in case (the JID ignores case).
    #[error("user id {0:?} is used twice")]
    DuplicateUser(String),
    /// Two users have the same login name but for case.
    #[error("login name {0:?} is used twice")]
    DuplicateLoginName(String),
    /// An id that cannot be part of a path or of a node name.
    #[error("user id {0:?} is empty or has a character that is not allowed (/ < > | {{ }} or control)")]
    BadUserId(String),
    /// Two teams, queues or reason codes have the same number.
    #[error("{kind} {id} is defined twice")]
    Duplicate {
        /// "team", "queue" or "reason code".
        kind: &'static str,
        /// The number.
        id: u32,
    },
    /// Something refers to a team that is not defined.
    #[error("{by} refers to team {team}, which is not defined")]
    UnknownTeam {
        /// Who refers to it.
        by: String,
        /// The number of the team.
        team: u32,
    },
    /// A queue names a member that is not a user.
    #[error("queue {queue} has the member {user:?}, who is not defined")]
    UnknownMember {
        /// The number of the queue.
        queue: u32,
        /// The id given.
        user: String,
    },
    /// A user supervises teams without being a supervisor.
    #[error("user {0:?} supervises teams but has not the role of a supervisor")]
    NotSupervisor(String),
    /// Two reason codes of a category have the same code or label, or a label is too long.
    #[error("reason code {id}: {problem}")]
    ReasonCode {
        /// Its database id.
        id: u32,
        /// What is wrong.
        problem: &'static str,
    },
}

/// Collects what is configured and checks it as a whole.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    users: Vec<User>,
    teams: Vec<Team>,
    queues: Vec<Queue>,
    reason_codes: Vec<ReasonCode>,
}

impl Builder {
    /// Adds a user. A supervisor becomes an agent as well.
    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// Adds a team.
    pub fn team(mut self, team: Team) -> Self {
        self.teams.push(team);
        self
    }

    /// Adds a queue.
    pub fn queue(mut self, queue: Queue) -> Self {
        self.queues.push(queue);
        self
    }

    /// Adds a reason code.
    pub fn reason_code(mut self, code: ReasonCode) -> Self {
        self.reason_codes.push(code);
        self
    }

    /// Checks uniqueness and references, and builds the look-ups.
    ///
    /// # Errors
    /// The first contradiction found.
    pub fn build(self) -> Result<Directory, DirectoryError> {
        let mut d = Directory::default();
        for team in self.teams {
            let id = team.id;
            if d.teams.insert(id, Arc::new(team)).is_some() {
                return Err(DirectoryError::Duplicate { kind: "team", id });
            }
        }
        for user in self.users {
            d.add_user(user)?;
        }
        for queue in self.queues {
            d.add_queue(queue)?;
        }
        for code in self.reason_codes {
            d.add_reason_code(code)?;
        }
        Ok(d)
    }
}

impl Directory {
    /// Starts an empty configuration.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn add_user(&mut self, mut user: User) -> Result<(), DirectoryError> {
        let bad = |c: char| c.is_control() || "/<>|{}\"'&".contains(c);
        if user.id.is_empty() || user.id.chars().any(bad) {
            return Err(DirectoryError::BadUserId(user.id.to_string()));
        }
        if !user.roles.supervisor && !user.supervises.is_empty() {
            return Err(DirectoryError::NotSupervisor(user.id.to_string()));
        }
        user.roles.agent |= user.roles.supervisor;
        for &team in user.team.iter().chain(&user.supervises) {
            self.require_team(team, || format!("user {:?}", user.id))?;
        }
        let at = self.users.len();
        if self.by_lower_id.insert(user.id.to_lowercase(), at).is_some() {
            return Err(DirectoryError::DuplicateUser(user.id.to_string()));
        }
        self.by_id.insert(user.id.clone(), at);
        if !user.login_name.is_empty()
            && self.by_login_name.insert(user.login_name.to_lowercase(), at).is_some()
        {
            return Err(DirectoryError::DuplicateLoginName(user.login_name));
        }
        self.users.push(Arc::new(user));
        Ok(())
    }

    fn add_queue(&mut self, queue: Queue) -> Result<(), DirectoryError> {
        let id = queue.id;
        if let Some(user) = queue.members.iter().find(|m| !self.by_id.contains_key(*m)) {
            return Err(DirectoryError::UnknownMember { queue: id, user: user.to_string() });
        }
        match self.queues.insert(id, Arc::new(queue)) {
            None => Ok(()),
            Some(_) => Err(DirectoryError::Duplicate { kind: "queue", id }),
        }
    }

    fn add_reason_code(&mut self, code: ReasonCode) -> Result<(), DirectoryError> {
        let id = code.id;
        let fail = |problem| Err(DirectoryError::ReasonCode { id, problem });
        for &team in &code.teams {
            self.require_team(team, || format!("reason code {id}"))?;
        }
        if code.label.chars().count() > 40 {
            return fail("the label is longer than 40 characters");
        }
        for other in &self.reason_codes {
            if other.id == id {
                return Err(DirectoryError::Duplicate { kind: "reason code", id });
            }
            if other.category == code.category && other.code == code.code {
                return fail("the code is used by another of its category");
            }
            if other.category == code.category && other.label == code.label {
                return fail("the label is used by another of its category");
            }
        }
        self.reason_codes.push(Arc::new(code));
        Ok(())
    }

    fn require_team(&self, team: u32, by: impl FnOnce() -> String) -> Result<(), DirectoryError> {
        if self.teams.contains_key(&team) {
            Ok(())
        } else {
            Err(DirectoryError::UnknownTeam { by: by(), team })
        }
    }

    /// All users, in the order of the configuration. The position is stable and names a user in [`Self::at`].
    pub fn users(&self) -> &[Arc<User>] {
        &self.users
    }

    /// The position of the user with exactly this id.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The user at a position given by [`Self::position`] or [`Self::position_ignoring_case`].
    ///
    /// # Panics
    /// When the position was not given by this directory.
    pub fn at(&self, position: usize) -> &Arc<User> {
        &self.users[position]
    }

    /// The user with exactly this id.
    pub fn user(&self, id: &str) -> Option<&Arc<User>> {
        self.position(id).map(|at| &self.users[at])
    }

    /// The position of the user with this id, whatever its case: the local part of a JID has lost it.
    pub fn position_ignoring_case(&self, id: &str) -> Option<usize> {
        self.position(id).or_else(|| self.by_lower_id.get(&id.to_lowercase()).copied())
    }

    /// The user with this id, whatever its case.
    pub fn user_ignoring_case(&self, id: &str) -> Option<&Arc<User>> {
        self.position_ignoring_case(id).map(|at| &self.users[at])
    }

    /// The user whose id this is, or else whose login name it is (case ignored): an id wins over another user's
    /// login name.
    pub fn resolve(&self, id_or_login_name: &str) -> Option<&Arc<User>> {
        self.user(id_or_login_name).or_else(|| {
            let at = self.by_login_name.get(&id_or_login_name.to_lowercase())?;
            Some(&self.users[*at])
        })
    }

    /// The team with this number.
    pub fn team(&self, id: u32) -> Option<&Arc<Team>> {
        self.teams.get(&id)
    }

    /// All teams by number.
    pub fn teams(&self) -> impl Iterator<Item = &Arc<Team>> {
        self.teams.values()
    }

    /// The users who belong to a team, in the order of the configuration.
    pub fn members(&self, team: u32) -> impl Iterator<Item = &Arc<User>> {
        self.users.iter().filter(move |u| u.team == Some(team))
    }

    /// Whether `supervisor` supervises the team that `user` belongs to.
    pub fn supervises(&self, supervisor: &User, user: &User) -> bool {
        supervisor.roles.supervisor && user.team.is_some_and(|team| supervisor.supervises.contains(&team))
    }

    /// The queue with this number.
    pub fn queue(&self, id: u32) -> Option<&Arc<Queue>> {
        self.queues.get(&id)
    }

    /// All queues by number.
    pub fn queues(&self) -> impl Iterator<Item = &Arc<Queue>> {
        self.queues.values()
    }

    /// The queues a user serves; for a supervisor also those of the members of the supervised teams.
    pub fn queues_of<'a>(&'a self, user: &'a User) -> impl Iterator<Item = &'a Arc<Queue>> {
        self.queues.values().filter(move |queue| {
            queue.members.iter().any(|member| {
                **member == *user.id || self.user(member).is_some_and(|member| self.supervises(user, member))
            })
        })
    }

    /// The reason codes a user may give in a category: the global ones and those of the user's team.
    pub fn reason_codes<'a>(
        &'a self,
        user: &'a User,
        category: ReasonCategory,
    ) -> impl Iterator<Item = &'a Arc<ReasonCode>> {
        self.reason_codes.iter().filter(move |code| code.category == category && available(code, user))
    }

    /// The reason codes of a team, or of somebody without one: the global ones and the team's.
    pub fn reason_codes_of(&self, team: Option<u32>) -> impl Iterator<Item = &Arc<ReasonCode>> {
        let own = move |code: &ReasonCode| team.is_some_and(|team| code.teams.contains(&team));
        self.reason_codes.iter().filter(move |code| code.for_all || own(code))
    }

    /// All reason codes, in the order of the configuration.
    pub fn all_reason_codes(&self) -> &[Arc<ReasonCode>] {
        &self.reason_codes
    }

    /// A reason code the user may give, by its database id, whatever its category.
    pub fn reason_code(&self, user: &User, id: u32) -> Option<&Arc<ReasonCode>> {
        self.reason_codes.iter().find(|code| code.id == id && available(code, user))
    }

    /// The reason code behind a number seen on the CTI link, if one is configured for the user.
    pub fn reason_by_number(
        &self,
        user: &User,
        category: ReasonCategory,
        number: u16,
    ) -> Option<&Arc<ReasonCode>> {
        self.reason_codes.iter().find(|c| c.category == category && c.code == number && available(c, user))
    }
}

fn available(code: &ReasonCode, user: &User) -> bool {
    code.for_all || user.team.is_some_and(|team| code.teams.contains(&team))
}

#[cfg(test)]
mod tests {
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
        assert!(matches!(
            Directory::builder().queue(queue).build(),
            Err(DirectoryError::UnknownMember { .. })
        ));
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
}
