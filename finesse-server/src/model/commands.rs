//! Commands of the REST API: the order of checks, rights, and everything that only reads.
//!
//! Order: out of service, the caller's right on the `{id}` of the path, existence, body. Dialog requests look the
//! dialog up first and judge the right last.

use std::sync::Arc;

use super::Model;
use super::command::{Command, Reply, What};
use super::error::ApiError;
use super::time::Now;
use super::xml::Writer;
use crate::directory::User;

type Answer = Result<Reply, ApiError>;

impl Model {
    /// Judges and carries out a command.
    pub(super) fn command(&mut self, now: Now, command: Command) -> Answer {
        let Command { caller, request_id, what } = command;
        if let What::SystemInfo = what {
            return Ok(self.system_info(now));
        }
        // Served out of service as well: it is part of getting back in.
        if let What::Maintenance(action) = what {
            let caller = self.directory.user(&caller).cloned();
            let caller = caller.ok_or_else(|| ApiError::unauthorized(""))?;
            return self.maintain(now, &caller, action);
        }
        if !self.service.serving() {
            return Err(ApiError::out_of_service());
        }
        let caller = self.directory.user(&caller).cloned().ok_or_else(|| ApiError::unauthorized(&*caller))?;
        match what {
            // Answered above.
            What::SystemInfo | What::Maintenance(_) => Ok(self.system_info(now)),
            What::User(id) => self.get_user(&caller, &id),
            What::Users => self.get_users(&caller),
            What::Dialogs(id) => self.get_dialogs(&caller, &id, |_| true),
            What::Reservations(id) => self.get_dialogs(&caller, &id, super::dialog::Dialog::is_reservation),
            What::UserQueues(id) => self.get_user_queues(&id),
            What::Dialog(id) => self.get_dialog(&caller, &id),
            What::Team { team, include_logged_out } => self.get_team(&caller, &team, include_logged_out),
            What::Queue(id) => self.get_queue(&id),
            What::ChangeUser { user, body } => self.change_user(now, &caller, &user, body, request_id),
            What::CreateDialog { user, body } => self.create_dialog(now, &caller, &user, body, request_id),
            What::ActOnDialog { dialog, body } => self.act_on_dialog(now, &caller, &dialog, body, request_id),
        }
    }

    fn system_info(&self, now: Now) -> Reply {
        document(|w| self.system_view(now).write(w, "SystemInfo"))
    }

    /// The position of a user that `caller` may read: self, members of supervised teams, for administrators
    /// everybody.
    ///
    /// # Errors
    /// 401 before 404: whether an id exists is not told to those who may not read it.
    fn readable(&self, caller: &User, id: &str) -> Result<usize, ApiError> {
        let target = self.directory.resolve(id);
        match target {
            Some(user) if self.may_read(caller, user) => {
                self.directory.position(&user.id).ok_or_else(|| ApiError::user_not_found(id))
            }
            None if caller.roles.administrator => Err(ApiError::user_not_found(id)),
            _ => Err(ApiError::other_user(id)),
        }
    }

    fn may_read(&self, caller: &User, user: &User) -> bool {
        caller.roles.administrator || caller.id == user.id || self.directory.supervises(caller, user)
    }

    fn get_user(&self, caller: &User, id: &str) -> Answer {
        let at = self.readable(caller, id)?;
        Ok(document(|w| self.seats[at].view.write(w, "User", true)))
    }

    fn get_users(&self, caller: &User) -> Answer {
        if !caller.roles.administrator {
            return Err(ApiError::unauthorized(&*caller.id));
        }
        Ok(document(|w| {
            w.open("Users");
            for seat in &self.seats {
                seat.view.write(w, "User", false);
            }
            w.close("Users");
        }))
    }

    fn get_dialogs(&self, caller: &User, id: &str, which: fn(&super::dialog::Dialog) -> bool) -> Answer {
        let at = self.readable(caller, id)?;
        Ok(document(|w| {
            w.open("Dialogs");
            for id in &self.seats[at].calls {
                let listed = |d: &&Arc<super::dialog::Dialog>| {
                    d.parties.iter().any(|p| p.agent == Some(at) && p.listed) && which(d)
                };
                if let Some(dialog) = self.calls.dialog(*id).filter(listed) {
                    let dialog = self.as_read_by(caller, dialog);
                    dialog.write(w, "Dialog", self.settings.ccx());
                }
            }
            w.close("Dialogs");
        }))
    }

    /// Whether an agent has a part in a call.
    fn in_call(&self, at: usize) -> bool {
        let mut calls = self.seats[at].calls.iter().filter_map(|id| self.calls.dialog(*id));
        calls.any(|dialog| dialog.parties.iter().any(|p| p.agent == Some(at) && p.leg.is_live()))
    }

    fn get_user_queues(&self, id: &str) -> Answer {
        let user = self.directory.resolve(id).ok_or_else(|| ApiError::user_not_found(id))?;
        Ok(document(|w| {
            w.open("Queues");
            for queue in self.directory.queues_of(user) {
                if let Some(view) = self.readings.find(queue.id) {
                    view.write(w);
                }
            }
            w.close("Queues");
        }))
    }

    fn get_queue(&self, id: &str) -> Answer {
        let view = id.parse().ok().and_then(|id| self.readings.find(id));
        let view = view.ok_or_else(|| ApiError::not_found(id))?;
        Ok(document(|w| view.write(w)))
    }

    fn get_dialog(&self, caller: &User, id: &str) -> Answer {
        let dialog = id.parse().ok().and_then(|id: u32| self.calls.dialog(id));
        let dialog = dialog.ok_or_else(|| ApiError::not_found(id))?;
        let mut agents = dialog.parties.iter().filter_map(|p| p.agent);
        let allowed = caller.roles.administrator
            || agents.any(|at| self.may_read(caller, &self.seats[at].view.profile.user));
        if !allowed {
            return Err(ApiError::other_user(id));
        }
        let dialog = self.as_read_by(caller, dialog);
        Ok(document(|w| dialog.write(w, "Dialog", self.settings.ccx())))
    }

    fn get_team(&self, caller: &User, id: &str, include_logged_out: bool) -> Answer {
        let number: Option<u32> = id.parse().ok();
        let own = caller.roles.supervisor && number.is_some_and(|n| caller.supervises.contains(&n));
        if !own && !caller.roles.administrator {
            return Err(ApiError::unauthorized(&*caller.id));
        }
        let team = number.and_then(|n| self.directory.team(n)).ok_or_else(|| ApiError::not_found(id))?;
        Ok(document(|w| {
            w.open("Team");
            w.value("id", team.id);
            w.text("name", &team.name);
            w.value("uri", format_args!("/finesse/api/Team/{}", team.id));
            w.open("users");
            for user in self.directory.members(team.id).filter(|u| u.roles.agent) {
                let Some(at) = self.directory.position(&user.id) else { continue };
                let view = &self.seats[at].view;
                if include_logged_out || view.state != super::state::State::Logout {
                    let in_call = self.settings.ccx().then(|| self.in_call(at));
                    view.write_team_member(w, in_call);
                }
            }
            w.close("users");
            w.close("Team");
        }))
    }
}

fn document(write: impl FnOnce(&mut Writer<'_>)) -> Reply {
    let mut out = String::with_capacity(2048);
    write(&mut Writer::new(&mut out));
    Reply::Document(out)
}
