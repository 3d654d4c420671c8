//! Maintenance mode as clients and administrators see it.

use super::Model;
use super::command::{Maintenance, Reply};
use super::error::ApiError;
use super::output::Output;
use super::time::Now;
use super::xml::Writer;
use crate::authority::{Object, Operation};
use crate::directory::User;
use crate::maintenance::Sessions;

/// Path of the document.
const URI: &str = "/finesse/api/MaintenanceMode";

impl Model {
    /// `MaintenanceMode`, for administrators.
    pub(super) fn maintain(
        &mut self,
        now: Now,
        caller: &User,
        action: Maintenance,
    ) -> Result<Reply, ApiError> {
        self.judge(Operation::ReadConfiguration, caller, Object::Nothing)?;
        match action {
            Maintenance::Show => return Ok(self.maintenance_document()),
            Maintenance::Start if !self.drain(now, true, &caller.id) => {
                return Err(ApiError::bad_request("The clients have nowhere to go", "MaintenanceMode"));
            }
            Maintenance::Start => {}
            Maintenance::Cancel => drop(self.drain(now, false, &caller.id)),
        }
        Ok(Reply::Accepted)
    }

    /// Begins to move clients away, or stops doing so; `who` wants it. False if they have nowhere to go.
    pub fn drain(&mut self, now: Now, start: bool, who: &str) -> bool {
        let changed = match start {
            true => self.drain.start(now.instant, self.refuge),
            false => Ok(self.drain.cancel()),
        };
        let allowed = changed.is_ok();
        let to = if allowed { self.drain.mode().name() } else { "refused" };
        let cause = match (start, allowed) {
            (true, true) => "asked for",
            (true, false) => "the clients have nowhere to go",
            (false, _) => "cancelled",
        };
        if changed != Ok(false) {
            tracing::info!(target: "journal", user = who, to, cause, "maintenance");
        }
        if changed == Ok(true) {
            self.publish_system(now);
        }
        self.move_sessions(now);
        allowed
    }

    /// Whether clients have somewhere to go: another node that serves, or one that is configured.
    pub fn handle_refuge(&mut self, refuge: bool) {
        self.refuge = refuge;
    }

    /// The sessions that are left after a batch was moved.
    pub fn handle_sessions(&mut self, now: Now, left: Sessions) {
        if self.drain.look(now.instant, left) {
            let (to, left) = (self.drain.mode().name(), left.total());
            tracing::info!(target: "journal", from = "IN_PROGRESS", to, cause = "moved", left, "maintenance");
            self.publish_system(now);
        }
    }

    /// State of maintenance, as `finesseMMode` shows it.
    pub fn maintenance(&self) -> &'static str {
        self.drain.mode().name()
    }

    pub(super) fn move_sessions(&mut self, now: Now) {
        if let Some(most) = self.drain.batch(now.instant, self.refuge) {
            self.out.push_back(Output::MoveSessions(most));
        }
    }

    /// Seconds in maintenance; -1 outside.
    pub(super) fn seconds_in_maintenance(&self, now: Now) -> i64 {
        let since = self.drain.since().map(|since| now.instant.saturating_duration_since(since));
        since.map_or(-1, |time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
    }

    fn maintenance_document(&self) -> Reply {
        let left = self.drain.left();
        let mut out = String::new();
        let mut w = Writer::new(&mut out);
        w.open("MaintenanceMode");
        w.value("estimatedCompletionTime", self.drain.estimate().as_secs());
        w.value("pendingUserDisconnections", left.total());
        w.text("status", self.drain.mode().name());
        w.text("uri", URI);
        w.open("usersLoggedIn");
        w.value("desktop", left.desktop);
        w.value("fippa", 0);
        w.value("thirdpartyclients", left.others);
        w.close("usersLoggedIn");
        w.close("MaintenanceMode");
        Reply::Document(out)
    }
}
