//! Commands of the REST API: the order of checks, rights, and everything that only reads.
//!
//! Order: out of service, the caller's right on the `{id}` of the path, existence, body. Dialog requests look the
//! dialog up first and judge the right last.

use std::sync::Arc;

use super::Model;
use super::command::{Command, Reply, What};
use super::dialog::{Dialog, Party};
use super::error::ApiError;
use super::time::Now;
use super::xml::Writer;
use crate::authority::{self, Object, Operation};
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
            What::Reservations(id) => self.get_dialogs(&caller, &id, Dialog::is_reservation),
            What::UserQueues(id) => self.get_user_queues(&caller, &id),
            What::Dialog(id) => self.get_dialog(&caller, &id),
            What::Team { team, include_logged_out } => self.get_team(&caller, &team, include_logged_out),
            What::Queue(id) => self.get_queue(&caller, &id),
            What::ChangeUser { user, body } => self.change_user(now, &caller, &user, body, request_id),
            What::CreateDialog { user, body } => self.create_dialog(now, &caller, &user, body, request_id),
            What::ActOnDialog { dialog, body } => self.act_on_dialog(now, &caller, &dialog, body, request_id),
        }
    }

    fn system_info(&self, now: Now) -> Reply {
        document(|w| self.system_view(now).write(w, "SystemInfo"))
    }

    /// Judges whether `caller` may do this to `object`.
    ///
    /// # Errors
    /// 401, before existence: whether an id exists is not told to those who may not ask.
    pub(super) fn judge(
        &self,
        operation: Operation,
        caller: &User,
        object: Object<'_>,
    ) -> Result<(), ApiError> {
        authority::judge(&self.directory, operation, caller, object)
    }

    /// The position of the user in the path, to whom `caller` may do this.
    ///
    /// # Errors
    /// 401, then 404.
    pub(super) fn position(&self, operation: Operation, caller: &User, id: &str) -> Result<usize, ApiError> {
        self.judge(operation, caller, Object::User(id))?;
        let at = self.directory.resolve(id).and_then(|user| self.directory.position(&user.id));
        at.ok_or_else(|| ApiError::user_not_found(id))
    }

    /// The position of the agent who is signed in at a phone, and the phone as an object of requests.
    pub(super) fn phone<'a>(&'a self, number: &'a str) -> (Option<usize>, Object<'a>) {
        let at = self.by_device.get(number).copied().filter(|_| !number.is_empty());
        (at, Object::Phone(number, at.map(|at| &*self.seats[at].view.profile.user)))
    }

    /// Judges whether `caller` may do this to a call, as one of the agents whose legs `counts`.
    pub(super) fn judge_call(
        &self,
        operation: Operation,
        caller: &User,
        dialog: &Dialog,
        counts: fn(&Party) -> bool,
    ) -> Result<(), ApiError> {
        let agents = dialog.parties.iter().filter(|p| counts(p)).filter_map(|p| p.agent);
        let agents: Vec<&User> = agents.map(|at| &*self.seats[at].view.profile.user).collect();
        self.judge(operation, caller, Object::Call(&dialog.id.to_string(), &agents))
    }

    fn get_user(&self, caller: &User, id: &str) -> Answer {
        let at = self.position(Operation::ReadUser, caller, id)?;
        Ok(document(|w| self.seats[at].view.write(w, "User", true)))
    }

    fn get_users(&self, caller: &User) -> Answer {
        self.judge(Operation::ReadUsers, caller, Object::Nothing)?;
        Ok(document(|w| {
            w.open("Users");
            for seat in &self.seats {
                seat.view.write(w, "User", false);
            }
            w.close("Users");
        }))
    }

    fn get_dialogs(&self, caller: &User, id: &str, which: fn(&Dialog) -> bool) -> Answer {
        let at = self.position(Operation::ReadUser, caller, id)?;
        Ok(document(|w| {
            w.open("Dialogs");
            for id in &self.seats[at].calls {
                let listed =
                    |d: &&Arc<Dialog>| d.parties.iter().any(|p| p.agent == Some(at) && p.listed) && which(d);
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

    fn get_user_queues(&self, caller: &User, id: &str) -> Answer {
        self.judge(Operation::ReadShared, caller, Object::Nothing)?;
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

    fn get_queue(&self, caller: &User, id: &str) -> Answer {
        self.judge(Operation::ReadShared, caller, Object::Nothing)?;
        let view = id.parse().ok().and_then(|id| self.readings.find(id));
        let view = view.ok_or_else(|| ApiError::not_found(id))?;
        Ok(document(|w| view.write(w)))
    }

    fn get_dialog(&self, caller: &User, id: &str) -> Answer {
        let dialog = id.parse().ok().and_then(|id: u32| self.calls.dialog(id));
        let dialog = dialog.ok_or_else(|| ApiError::not_found(id))?;
        self.judge_call(Operation::ReadDialog, caller, dialog, |_| true)?;
        let dialog = self.as_read_by(caller, dialog);
        Ok(document(|w| dialog.write(w, "Dialog", self.settings.ccx())))
    }

    fn get_team(&self, caller: &User, id: &str, include_logged_out: bool) -> Answer {
        self.judge(Operation::ReadTeam, caller, Object::Team(id))?;
        let team = id.parse().ok().and_then(|id| self.directory.team(id));
        let team = team.ok_or_else(|| ApiError::not_found(id))?;
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
