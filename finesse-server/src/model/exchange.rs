//! Another directory while the server runs: people who come, change and go, teams and queues that are others now.

use std::sync::Arc;

use super::Model;
use super::output::{Change, Output, Payload, Source, Update};
use super::seat::Seat;
use super::time::Now;
use super::user::{Profile, UserView};
use crate::directory::{Directory, Roles, User};

impl Model {
    /// From now on this directory holds, which was built after the one before ([`Builder::build_after`]). Who has
    /// changed is published on the own feed and on those of the teams, as is who is new; who is gone is published as
    /// deleted, loses his phone and is nobody any more. States, calls and requests of everybody else go on.
    ///
    /// [`Builder::build_after`]: crate::directory::Builder::build_after
    pub fn handle_directory(&mut self, now: Now, directory: Arc<Directory>) {
        let former = std::mem::replace(&mut self.directory, directory.clone());
        for (at, user) in directory.positions().enumerate() {
            let was =
                self.seats.get(at).filter(|seat| former.position(&seat.view.profile.user.id) == Some(at));
            match (was.map(|seat| seat.view.profile.user.clone()), user) {
                (Some(was), Some(user)) if was.id == user.id => self.profile(at, user, &former),
                (was, user) => {
                    if was.is_some() {
                        self.leave(now, at);
                    }
                    if let Some(user) = user {
                        self.arrive(now, at, user);
                    }
                }
            }
        }
        self.follow_queues(now);
        self.flush(now);
    }

    /// Somebody who was there before: published if anything about him is another.
    fn profile(&mut self, at: usize, user: &Arc<User>, former: &Directory) {
        let teams = |directory: &Directory, user: &User| -> Vec<_> {
            user.team.iter().chain(&user.supervises).map(|&id| directory.team(id).cloned()).collect()
        };
        let was = self.seats[at].view.profile.user.clone();
        if *was == **user && teams(former, &was) == teams(&self.directory, user) {
            return;
        }
        let seat = &mut self.seats[at];
        Arc::make_mut(&mut seat.view).profile = Arc::new(Profile::new(user, &self.directory));
        let team = team_feed(user);
        if seat.team_feed != team {
            self.publish_departure(at);
            self.seats[at].team_feed = team;
        }
        self.publish_user(at, None);
        self.has_moved(at);
    }

    fn arrive(&mut self, now: Now, at: usize, user: &Arc<User>) {
        while self.seats.len() <= at {
            self.seats.push(seat(None, &self.directory));
        }
        self.seats[at] = seat(Some(user), &self.directory);
        self.publish_user(at, None);
        if user.roles.agent {
            self.ask_after(now, at);
        }
    }

    fn leave(&mut self, now: Now, at: usize) {
        self.agent_unknown(now, at);
        self.publish_departure(at);
        if self.service.serving() {
            let view = self.seats[at].view.clone();
            let node = view.profile.uri.clone();
            self.out.push_back(deletion(node, Payload::Nothing, view.profile.uri.clone()));
        }
        self.seats[at].forget_requests();
    }

    /// Tells the present team that the agent is no member any more.
    fn publish_departure(&mut self, at: usize) {
        let seat = &self.seats[at];
        if let Some(node) = seat.team_feed.clone().filter(|_| self.service.serving()) {
            let source = seat.view.profile.uri.clone();
            self.out.push_back(deletion(node, Payload::UserSummary(seat.view.clone()), source));
        }
    }
}

/// A seat of which nothing is known yet; of nobody where a user is gone.
pub(super) fn seat(user: Option<&Arc<User>>, directory: &Directory) -> Seat {
    let nobody = || User {
        id: "".into(),
        login_name: String::new(),
        first_name: String::new(),
        last_name: String::new(),
        roles: Roles::default(),
        team: None,
        supervises: Vec::new(),
    };
    let user = user.cloned().unwrap_or_else(|| Arc::new(nobody()));
    let feed = team_feed(&user);
    Seat::new(UserView::new(Profile::new(&user, directory)), feed)
}

fn team_feed(user: &User) -> Option<Arc<str>> {
    user.team.map(|id| format!("/finesse/api/Team/{id}/Users").into())
}

fn deletion(node: Arc<str>, payload: Payload, source: Arc<str>) -> Output {
    let source = Source::Path(source);
    Output::Publish { node, update: Update { payload, change: Change::Delete, request_id: None, source } }
}
