//! Agents who have gone without a word: what the model knows of them, and their forced sign-out.

use super::Model;
use super::change_user::Extras;
use super::output::Output;
use super::requests::Purpose;
use super::state::Wanted;
use super::time::Now;
use crate::absence::{self, Outcome, Peer, REASON, Standing, Whereabouts};

/// What became of a user's presence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The first resource has become available.
    Came,
    /// The last one has gone.
    Went(absence::Last),
}

impl Model {
    /// A user's presence has changed. Users that are not in the directory are passed over.
    pub fn handle_presence(&mut self, now: Now, user: &str, presence: Presence) {
        let Some(at) = self.directory.position(user) else { return };
        let user = self.seats[at].view.profile.user.id.clone();
        match presence {
            Presence::Came => self.absences.came(now.instant, &user),
            Presence::Went(last) => self.absences.went(now.instant, &user, last, self.standing(at)),
        }
        self.flush(now);
    }

    /// The other node can be asked, or not any more.
    pub fn handle_peer(&mut self, now: Now, peer: Peer) {
        self.absences.peer(now.instant, peer);
        self.flush(now);
    }

    /// Of an active/standby pair the other node serves (`standby`), or this one.
    pub fn handle_standby(&mut self, now: Now, standby: bool) {
        self.set_standby(now, standby);
        self.flush(now);
    }

    /// The other node answered [`Output::AskPeer`].
    pub fn handle_whereabouts(&mut self, now: Now, user: &str, question: u64, answer: Whereabouts) {
        self.absences.answered(now.instant, &user.into(), question, answer);
        self.flush(now);
    }

    /// The other node says that the user has become available there.
    pub fn handle_elsewhere(&mut self, now: Now, user: &str) {
        self.absences.elsewhere(now.instant, &user.into());
        self.flush(now);
    }

    /// Answers the other node, from which the user has been away for `away`.
    pub fn whereabouts(&self, now: Now, user: &str, away: std::time::Duration) -> Whereabouts {
        self.absences.whereabouts(now.instant, user, away)
    }

    /// An agent as the CTI server knows him.
    fn standing(&self, at: usize) -> Standing {
        let seat = &self.seats[at];
        let live = |id: &u32| {
            self.calls
                .dialog(*id)
                .is_some_and(|dialog| dialog.parties.iter().any(|p| p.agent == Some(at) && p.leg.is_live()))
        };
        match seat.view.signed_in() {
            false => Standing::Out,
            true if seat.view.state.defers_changes() || seat.calls.iter().any(live) => Standing::OnCall,
            true => Standing::Free,
        }
    }

    /// An agent's state or calls have changed.
    pub(super) fn has_moved(&mut self, at: usize) {
        if !self.absences.is_idle() && !self.moved.contains(&at) {
            self.moved.push(at);
        }
    }

    /// Tells the absences what has changed, and does what they want.
    pub(super) fn settle_absences(&mut self, now: Now) {
        let serving = self.service.serving();
        if serving != self.absences.is_serving() {
            let absent = self.absences.users();
            self.moved = absent.iter().filter_map(|user| self.directory.position(user)).collect();
        }
        for at in std::mem::take(&mut self.moved) {
            let (user, standing) = (self.seats[at].view.profile.user.id.clone(), self.standing(at));
            self.absences.stands(now.instant, &user, standing);
        }
        self.absences.serve(now.instant, serving);
        for output in self.absences.take_outputs() {
            match output {
                absence::Output::Ask { user, question, away } => {
                    self.out.push_back(Output::AskPeer { user, question, away });
                }
                absence::Output::SignOut(user) => self.sign_out_absent(now, &user),
                absence::Output::Note(note) => {
                    let team = self.directory.user(&note.user).and_then(|user| user.team);
                    self.out.push_back(Output::Note(note, team));
                }
            }
        }
    }

    /// Sends the forced sign-out by itself: nobody is there whose requests it would have to wait for.
    fn sign_out_absent(&mut self, now: Now, user: &str) {
        let Some(at) = self.directory.position(user) else {
            // He is not a user any more.
            return self.absences.stands(now.instant, &user.into(), Standing::Out);
        };
        let message = self.state_request(at, Wanted::Logout, &Extras { reason: REASON, forced: true });
        self.send(now, message, Purpose::Absent(at));
    }

    pub(super) fn absent_concluded(&mut self, now: Now, at: usize, outcome: Outcome) {
        let user = self.seats[at].view.profile.user.id.clone();
        self.absences.concluded(now.instant, &user, outcome);
    }
}
