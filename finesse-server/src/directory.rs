//! Who and what is configured: users, teams, queues, reason codes. Immutable once built; a change of the
//! configuration builds a new one.

use std::collections::HashMap;
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
    users: HashMap<Arc<str>, Arc<User>>,
    by_login_name: HashMap<String, Arc<str>>,
    teams: HashMap<u32, Team>,
    queues: HashMap<u32, Queue>,
    reason_codes: Vec<ReasonCode>,
}
