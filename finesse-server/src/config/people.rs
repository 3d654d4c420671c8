//! Teams, queues, users and reason codes as the configuration file writes them.

use serde::Deserialize;

use super::values::{PasswordHash, ScramVerifier};
use crate::directory::{Queue, ReasonCategory, ReasonCode, Roles, Team, User};

/// `[[team]]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct TeamEntry {
    /// Number of the team.
    pub id: u32,
    /// Name shown to people.
    pub name: String,
}

/// `[[queue]]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct QueueEntry {
    /// Number of the skill group or contact service queue.
    pub id: u32,
    /// Name shown to people.
    pub name: String,
    /// Ids of the users who serve it.
    #[serde(default)]
    pub members: Vec<String>,
}

/// What a user may do.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum RoleName {
    /// Takes calls.
    Agent,
    /// Acts on members of teams; an agent as well.
    Supervisor,
    /// Reads everything and configures.
    Administrator,
}

/// `[[user]]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct UserEntry {
    /// Agent id (CCE) or user id (CCX).
    pub id: String,
    /// Name accepted for sign-in beside the id; the id when absent.
    pub login_name: Option<String>,
    /// Given name.
    #[serde(default)]
    pub first_name: String,
    /// Family name.
    #[serde(default)]
    pub last_name: String,
    /// Roles; agent when absent.
    #[serde(default = "agent")]
    pub roles: Vec<RoleName>,
    /// Number of the user's own team.
    pub team: Option<u32>,
    /// Numbers of the teams he supervises.
    #[serde(default)]
    pub supervises: Vec<u32>,
    /// argon2id hash of the password; without one, another realm verifies it.
    pub password_hash: Option<PasswordHash>,
    /// Verifiers of the same password for SCRAM, one for each hash function.
    #[serde(default)]
    pub scram: Vec<ScramVerifier>,
}

fn agent() -> Vec<RoleName> {
    vec![RoleName::Agent]
}

/// `[[reason_code]]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ReasonCodeEntry {
    /// What `reasonCodeId` refers to.
    pub id: u32,
    /// `NOT_READY` or `LOGOUT`.
    pub category: CategoryName,
    /// Code sent to the CTI server.
    pub code: u16,
    /// Text shown to people.
    pub label: String,
    /// Numbers of the teams that may use it; all when absent or empty.
    #[serde(default)]
    pub teams: Vec<u32>,
}

/// Spelling of the categories in the file: that of the API.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CategoryName {
    /// With NOT_READY.
    NotReady,
    /// With a sign-out.
    Logout,
}

impl UserEntry {
    /// Name accepted beside the id.
    pub fn login_name(&self) -> &str {
        self.login_name.as_deref().unwrap_or(&self.id)
    }

    fn has(&self, role: RoleName) -> bool {
        self.roles.contains(&role)
    }
}

impl From<&UserEntry> for User {
    fn from(entry: &UserEntry) -> User {
        let supervisor = entry.has(RoleName::Supervisor);
        User {
            id: entry.id.as_str().into(),
            login_name: entry.login_name().to_owned(),
            first_name: entry.first_name.clone(),
            last_name: entry.last_name.clone(),
            roles: Roles {
                agent: supervisor || entry.has(RoleName::Agent),
                supervisor,
                administrator: entry.has(RoleName::Administrator),
            },
            team: entry.team,
            supervises: entry.supervises.clone(),
        }
    }
}

impl From<&TeamEntry> for Team {
    fn from(entry: &TeamEntry) -> Team {
        Team { id: entry.id, name: entry.name.clone() }
    }
}

impl From<&QueueEntry> for Queue {
    fn from(entry: &QueueEntry) -> Queue {
        let members = entry.members.iter().map(|id| id.as_str().into()).collect();
        Queue { id: entry.id, name: entry.name.clone(), members }
    }
}

impl From<&ReasonCodeEntry> for ReasonCode {
    fn from(entry: &ReasonCodeEntry) -> ReasonCode {
        ReasonCode {
            id: entry.id,
            category: match entry.category {
                CategoryName::NotReady => ReasonCategory::NotReady,
                CategoryName::Logout => ReasonCategory::Logout,
            },
            code: entry.code,
            label: entry.label.clone(),
            for_all: entry.teams.is_empty(),
            teams: entry.teams.clone(),
        }
    }
}
