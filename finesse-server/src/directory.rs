//! Who and what is configured: users, teams, queues, reason codes. Immutable once built; a change builds a new one, in
//! which everybody who stays keeps his position, and exchanges the two as a whole ([`Shared`]).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

mod roster;
mod shared;

pub use roster::Roster;
pub use shared::Shared;

/// Positions of users who are gone that are kept free at least, the latest ones, so that what is still on its way about
/// one of them does not reach another.
const VACANCIES: usize = 1024;

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
    /// `None`: the user of this position is gone.
    users: Vec<Option<Arc<User>>>,
    /// Positions of those who are gone, in the order in which they went.
    vacant: VecDeque<usize>,
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
        self.build_after(&Directory::default())
    }

    /// As [`build`](Self::build), with everybody who is in `former` too at the position that he has there.
    ///
    /// # Errors
    /// The first contradiction found.
    pub fn build_after(self, former: &Directory) -> Result<Directory, DirectoryError> {
        let mut d = Directory::empty_after(former);
        for team in self.teams {
            d.add_team(team)?;
        }
        for user in self.users {
            d.add_user(user, former)?;
        }
        d.leave_vacant(former);
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

    /// One without anybody, in which the positions of `former` are kept free.
    fn empty_after(former: &Directory) -> Directory {
        let users = vec![None; former.users.len()];
        Directory { users, vacant: former.vacant.clone(), ..Directory::default() }
    }

    /// Notes the positions of those who have gone.
    fn leave_vacant(&mut self, former: &Directory) {
        let gone = |at: &usize| former.users[*at].is_some() && self.users[*at].is_none();
        let gone: Vec<usize> = (0..former.users.len()).filter(gone).collect();
        self.vacant.extend(gone);
    }

    fn add_team(&mut self, team: Team) -> Result<(), DirectoryError> {
        let id = team.id;
        match self.teams.contains_key(&id) {
            true => Err(DirectoryError::Duplicate { kind: "team", id }),
            false => {
                self.teams.insert(id, Arc::new(team));
                Ok(())
            }
        }
    }

    fn add_user(&mut self, mut user: User, former: &Directory) -> Result<(), DirectoryError> {
        let bad = |c: char| c.is_control() || "/<>|{}".contains(c);
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
        let (id, login_name) = (user.id.to_lowercase(), user.login_name.to_lowercase());
        if self.by_lower_id.contains_key(&id) {
            return Err(DirectoryError::DuplicateUser(user.id.to_string()));
        }
        if !login_name.is_empty() && self.by_login_name.contains_key(&login_name) {
            return Err(DirectoryError::DuplicateLoginName(user.login_name));
        }
        let at = former.position(&user.id).unwrap_or_else(|| self.free_position());
        self.by_lower_id.insert(id, at);
        self.by_id.insert(user.id.clone(), at);
        if !login_name.is_empty() {
            self.by_login_name.insert(login_name, at);
        }
        // Whoever is unchanged stays the same object, which is quick to compare.
        let same = former.users.get(at).and_then(Option::as_ref).filter(|former| ***former == user).cloned();
        self.users[at] = Some(same.unwrap_or_else(|| Arc::new(user)));
        Ok(())
    }

    /// A position for somebody new.
    fn free_position(&mut self) -> usize {
        if self.vacant.len() > VACANCIES
            && let Some(at) = self.vacant.pop_front()
        {
            return at;
        }
        self.users.push(None);
        self.users.len() - 1
    }

    fn add_queue(&mut self, queue: Queue) -> Result<(), DirectoryError> {
        let id = queue.id;
        if let Some(user) = queue.members.iter().find(|m| !self.by_id.contains_key(*m)) {
            return Err(DirectoryError::UnknownMember { queue: id, user: user.to_string() });
        }
        match self.queues.contains_key(&id) {
            true => Err(DirectoryError::Duplicate { kind: "queue", id }),
            false => {
                self.queues.insert(id, Arc::new(queue));
                Ok(())
            }
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

    /// All users, in the order of their positions: that of the configuration, with those who came later behind.
    pub fn users(&self) -> impl Iterator<Item = &Arc<User>> {
        self.users.iter().flatten()
    }

    /// How many users there are.
    pub fn user_count(&self) -> usize {
        self.by_id.len()
    }

    /// Who is at each position; `None`: nobody any more. A position is that of the same user in every later directory.
    pub fn positions(&self) -> impl Iterator<Item = Option<&Arc<User>>> {
        self.users.iter().map(Option::as_ref)
    }

    /// The position of the user with exactly this id.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The user with exactly this id.
    pub fn user(&self, id: &str) -> Option<&Arc<User>> {
        self.position(id).and_then(|at| self.users[at].as_ref())
    }

    /// The position of the user with this id, whatever its case: the local part of a JID has lost it.
    pub fn position_ignoring_case(&self, id: &str) -> Option<usize> {
        self.position(id).or_else(|| self.by_lower_id.get(&id.to_lowercase()).copied())
    }

    /// The user with this id, whatever its case.
    pub fn user_ignoring_case(&self, id: &str) -> Option<&Arc<User>> {
        self.position_ignoring_case(id).and_then(|at| self.users[at].as_ref())
    }

    /// The user whose id this is, or else whose login name it is (case ignored): an id wins over another user's
    /// login name.
    pub fn resolve(&self, id_or_login_name: &str) -> Option<&Arc<User>> {
        self.user(id_or_login_name).or_else(|| {
            let at = self.by_login_name.get(&id_or_login_name.to_lowercase())?;
            self.users[*at].as_ref()
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
        self.users().filter(move |u| u.team == Some(team))
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
mod tests;
