//! One agent as clients see it, and its documents: the full `User`, and the summaries of team lists and feeds.

use std::sync::Arc;

use super::state::State;
use super::time::Utc;
use super::xml::Writer;
use crate::api::reasons::{REASON_CODE, category_name};
use crate::directory::{self, ReasonCategory, ReasonCode, Team};

/// What is configured about a user and never changes while the directory lives.
#[derive(Debug)]
pub struct Profile {
    /// The configured person.
    pub user: Arc<directory::User>,
    /// The team the user belongs to.
    pub team: Option<Arc<Team>>,
    /// The teams the user supervises.
    pub supervises: Vec<Arc<Team>>,
    /// `/finesse/api/User/{id}`: path, node and source at once.
    pub uri: Arc<str>,
    /// `/finesse/api/User/{id}/Dialogs`.
    pub dialogs: Arc<str>,
}

impl Profile {
    /// Collects the parts from the directory.
    pub fn new(user: &Arc<directory::User>, directory: &directory::Directory) -> Self {
        let uri = format!("/finesse/api/User/{}", user.id);
        Self {
            team: user.team.and_then(|id| directory.team(id).cloned()),
            supervises: user.supervises.iter().filter_map(|&id| directory.team(id).cloned()).collect(),
            dialogs: format!("{uri}/Dialogs").into(),
            uri: uri.into(),
            user: user.clone(),
        }
    }
}

/// Why an agent is not ready or signed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A configured code.
    Configured(Arc<ReasonCode>),
    /// A code of the system that is not configured: its category and number.
    System(ReasonCategory, u16),
}

/// Wrap-up rules of an agent (GED-188, AGENT_DESK_SETTINGS_CONF).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeskSettings {
    /// `wrapUpOnIncoming`.
    pub incoming: &'static str,
    /// `wrapUpOnOutgoing`.
    pub outgoing: &'static str,
}

/// How a mobile agent is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MobileAgent {
    /// `CALL_BY_CALL` or `NAILED_CONNECTION`.
    pub mode: &'static str,
    /// The number of the phone.
    pub dial_number: String,
}

/// The changing part of an agent, as clients see it.
#[derive(Clone, Debug)]
pub struct UserView {
    /// What is configured.
    pub profile: Arc<Profile>,
    /// Present state.
    pub state: State,
    /// When it was entered; unknown before the first event.
    pub since: Option<Utc>,
    /// State that follows the present call.
    pub pending: Option<State>,
    /// Why the agent is not ready or signed out.
    pub reason: Option<Reason>,
    /// Number of the phone; empty when signed out.
    pub extension: String,
    /// Wrap-up rules, once known.
    pub settings: Option<DeskSettings>,
    /// How a mobile agent is reached, while signed in as one here.
    pub mobile: Option<MobileAgent>,
}

impl UserView {
    /// An agent of whom nothing is known yet.
    pub fn new(profile: Profile) -> Self {
        Self {
            profile: Arc::new(profile),
            state: State::Logout,
            since: None,
            pending: None,
            reason: None,
            extension: String::new(),
            settings: None,
            mobile: None,
        }
    }

    /// Whether the agent is signed in as far as is known.
    pub fn signed_in(&self) -> bool {
        !matches!(self.state, State::Logout) && !self.extension.is_empty()
    }

    /// `reasonCodeId`: the database id; `-1` where a reason could be but none of the configured ones is; empty in
    /// states that have no reasons.
    fn reason_id(&self) -> ReasonId<'_> {
        ReasonId(self)
    }

    /// Writes the `User` document; `settings` are left out in lists.
    pub fn write(&self, w: &mut Writer<'_>, root: &str, settings: bool) {
        let user = &self.profile.user;
        w.open(root);
        w.text("dialogs", &self.profile.dialogs);
        w.text("extension", &self.extension);
        w.text("firstName", &user.first_name);
        w.text("lastName", &user.last_name);
        w.text("loginId", &user.id);
        w.text("loginName", &user.login_name);
        w.text("mediaType", "1");
        if let Some(mobile) = &self.mobile {
            w.open("mobileAgent");
            w.text("dialNumber", &mobile.dial_number);
            w.text("mode", mobile.mode);
            w.close("mobileAgent");
        }
        w.text("pendingState", self.pending.map_or("", State::name));
        self.write_reason(w, "ReasonCode");
        w.value("reasonCodeId", self.reason_id());
        w.open("roles");
        if user.roles.agent {
            w.text("role", "Agent");
        }
        if user.roles.supervisor {
            w.text("role", "Supervisor");
        }
        w.close("roles");
        if settings {
            self.write_settings(w);
        }
        w.text("state", self.state.name());
        w.option("stateChangeTime", self.since);
        w.option("teamId", self.profile.team.as_ref().map(|t| t.id));
        w.text("teamName", self.profile.team.as_ref().map_or("", |t| &t.name));
        w.open("teams");
        for team in &self.profile.supervises {
            w.open("Team");
            w.value("id", team.id);
            w.text("name", &team.name);
            w.value("uri", format_args!("/finesse/api/Team/{}", team.id));
            w.close("Team");
        }
        w.close("teams");
        w.text("uri", &self.profile.uri);
        w.close(root);
    }

    fn write_settings(&self, w: &mut Writer<'_>) {
        let shown = self.settings.filter(|_| self.signed_in());
        w.open("settings");
        w.text("wrapUpOnIncoming", shown.map_or("", |s| s.incoming));
        w.text("wrapUpOnOutgoing", shown.map_or("", |s| s.outgoing));
        w.close("settings");
    }

    /// Writes the member of a `Team` document: `User` with a lower-case `reasonCode`, as the guide prints it.
    /// `in_call`: on CCX, whether the agent has a call.
    pub fn write_team_member(&self, w: &mut Writer<'_>, in_call: Option<bool>) {
        let user = &self.profile.user;
        w.open("User");
        w.text("dialogs", &self.profile.dialogs);
        w.text("extension", &self.extension);
        w.text("firstName", &user.first_name);
        w.text("lastName", &user.last_name);
        w.text("loginId", &user.id);
        if let Some(in_call) = in_call {
            // CCX tells of a call in this state by this alone.
            let busy = in_call && self.state == State::NotReady;
            w.text("mediaState", if busy { "BUSY" } else { "IDLE" });
        }
        w.text("pendingState", self.pending.map_or("", State::name));
        self.write_reason(w, "reasonCode");
        w.text("state", self.state.name());
        w.option("stateChangeTime", self.since);
        w.text("uri", &self.profile.uri);
        w.close("User");
    }

    /// Writes the summary that travels on the feed of a team.
    pub fn write_summary(&self, w: &mut Writer<'_>) {
        let user = &self.profile.user;
        w.open("user");
        w.text("extension", &self.extension);
        w.text("firstName", &user.first_name);
        w.text("lastName", &user.last_name);
        w.text("loginId", &user.id);
        w.text("pendingState", self.pending.map_or("", State::name));
        self.write_reason(w, "ReasonCode");
        w.text("state", self.state.name());
        w.option("stateChangeTime", self.since);
        w.text("uri", &self.profile.uri);
        w.close("user");
    }

    fn write_reason(&self, w: &mut Writer<'_>, root: &str) {
        match &self.reason {
            Some(Reason::Configured(code)) => REASON_CODE.write_as(w, root, code),
            Some(Reason::System(category, number)) => write_system_reason(w, root, *category, *number),
            None => {}
        }
    }
}

struct ReasonId<'a>(&'a UserView);

impl std::fmt::Display for ReasonId<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.0.reason, self.0.state) {
            (Some(Reason::Configured(code)), _) => write!(f, "{}", code.id),
            (Some(Reason::System(..)), _) | (None, State::NotReady | State::Logout) => f.write_str("-1"),
            (None, _) => Ok(()),
        }
    }
}

fn write_system_reason(w: &mut Writer<'_>, root: &str, category: ReasonCategory, number: u16) {
    w.open(root);
    w.text("category", category_name(category));
    w.value("code", number);
    w.text("forAll", "true");
    w.text("id", "-1");
    w.text("label", system_label(category, number));
    w.text("systemCode", "true");
    w.empty("uri");
    w.close(root);
}

/// What the codes mean that the system gives by itself (guide, "Reason codes").
fn system_label(category: ReasonCategory, number: u16) -> &'static str {
    match (category, number) {
        (_, 999) => "Supervisor initiated",
        (ReasonCategory::NotReady, 33) => "Supervisor initiated not ready",
        (ReasonCategory::NotReady, 20001) => "Starting force logout",
        (ReasonCategory::NotReady, 20003) => "Agent logout request",
        (ReasonCategory::NotReady, 32762) => "Off-hook",
        (ReasonCategory::NotReady, 32767) => "Call not answered",
        (ReasonCategory::NotReady, 50002) => "Connection failure",
        (ReasonCategory::NotReady, 50005) => "Non-ACD busy",
        (ReasonCategory::NotReady, 50006) => "Off-hook for an outgoing call",
        (ReasonCategory::NotReady, 50010) => "Call overlap",
        (ReasonCategory::NotReady, 50041) => "Mobile agent call not answered",
        (ReasonCategory::NotReady, 65533) => "Extension modified",
        (ReasonCategory::NotReady, 65534) => "System reset",
        (ReasonCategory::NotReady, 65535) => "System reinitialised",
        (ReasonCategory::Logout, 255) => "Connection failure",
        (ReasonCategory::Logout, 20002) => "Forced logout",
        (ReasonCategory::Logout, 50001) => "System disconnect",
        (ReasonCategory::Logout, 50002) => "System failure",
        (ReasonCategory::Logout, 50003) => "Device error",
        (ReasonCategory::Logout, 50004) => "Inactivity timeout",
        (ReasonCategory::Logout, 50020) => "Queue change",
        (ReasonCategory::Logout, 50030) => "Device conflict",
        (ReasonCategory::Logout, 50040) => "Mobile agent call failed",
        (ReasonCategory::Logout, 50042) => "Mobile agent disconnect",
        _ => "",
    }
}
