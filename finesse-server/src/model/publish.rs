//! From changed calls to events: who gets POST, PUT or DELETE. A dialog is in the collection of every signed-in
//! agent who has a leg in it, from the leg's first state until the call goes on without the agent or ends.

use std::mem;
use std::sync::Arc;

use super::Model;
use super::actions::{self, Actions};
use super::dialog::{Dialog, Leg, Party};
use super::output::{Change, Output, Payload, Source, Update};
use super::seat::Expect;
use super::time::Now;

impl Model {
    /// Publishes what the last input changed. While the server is out of service nothing is published, and
    /// everything stays due.
    pub(super) fn flush(&mut self, now: Now) {
        self.publish_changes(now);
        self.settle_absences(now);
    }

    fn publish_changes(&mut self, now: Now) {
        if self.calls.dirty.is_empty() && self.calls.farewell.is_empty() {
            self.calls.closing.clear();
            return;
        }
        self.hide_monitored();
        self.settle_outbound(now);
        self.refresh_actions();
        if self.service.serving() {
            for id in mem::take(&mut self.calls.dirty) {
                self.publish_dialog(now, id);
            }
        } else {
            self.calls.dirty.clear();
        }
        for dialog in mem::take(&mut self.calls.farewell) {
            self.publish_farewell(&dialog);
        }
        self.calls.closing.clear();
    }

    /// What an agent may do with one call depends on the others: a change can touch all calls of the agent.
    fn refresh_actions(&mut self) {
        let mut agents: Vec<usize> = Vec::new();
        let dirty = self.calls.dirty.iter().filter_map(|id| self.calls.dialog(*id));
        for dialog in dirty.chain(&self.calls.farewell) {
            agents.extend(dialog.parties.iter().filter_map(|p| p.agent));
        }
        agents.sort_unstable();
        agents.dedup();
        for at in 0..self.calls.dirty.len() {
            self.refresh_dialog(self.calls.dirty[at]);
        }
        for seat in agents {
            for id in self.seats[seat].calls.clone() {
                if self.refresh_dialog(id) {
                    self.calls.touch(id);
                }
            }
        }
    }

    fn refresh_dialog(&mut self, id: u32) -> bool {
        let Some(dialog) = self.calls.dialog(id) else { return false };
        let fresh: Vec<Actions> = dialog.parties.iter().map(|p| self.actions_of(dialog, p)).collect();
        if dialog.parties.iter().zip(&fresh).all(|(p, a)| p.actions == *a) {
            return false;
        }
        if let Some(dialog) = self.calls.dialog_mut(id) {
            for (party, actions) in dialog.parties.iter_mut().zip(fresh) {
                party.actions = actions;
            }
        }
        true
    }

    fn actions_of(&self, dialog: &Dialog, party: &Party) -> Actions {
        if dialog.is_monitor() {
            return self.actions_of_monitor(dialog, party);
        }
        let held = party.leg == Leg::Held;
        let other = held && party.agent.is_some_and(|seat| self.active_elsewhere(seat, dialog.id));
        let all = Self::outbound_actions(dialog, party, party.leg.actions(other, self.records()));
        if self.may_drop_others(dialog, party) { all.and(actions::PARTICIPANT_DROP) } else { all }
    }

    fn active_elsewhere(&self, seat: usize, id: u32) -> bool {
        self.active_call(seat, id).is_some()
    }

    /// Another call than `id` in which the agent talks.
    pub(super) fn active_call(&self, seat: usize, id: u32) -> Option<&Arc<Dialog>> {
        self.seats[seat].calls.iter().filter(|other| **other != id).find_map(|other| {
            self.calls
                .dialog(*other)
                .filter(|d| d.parties.iter().any(|p| p.agent == Some(seat) && p.leg == Leg::Active))
        })
    }

    fn publish_dialog(&mut self, now: Now, id: u32) {
        let Some(dialog) = self.calls.dialog_mut(id) else { return };
        let mut events: Vec<(usize, Change, bool)> = Vec::new();
        for party in &mut dialog.parties {
            let Some(seat) = party.agent else { continue };
            let change = match (party.listed, party.leaving) {
                (true, true) => Change::Delete,
                (true, false) => Change::Put,
                (false, _) if party.leg.is_live() => Change::Post,
                (false, _) => continue,
            };
            let makes = matches!(party.leg, Leg::Initiating | Leg::Initiated);
            party.listed = change != Change::Delete;
            party.leaving = false;
            events.push((seat, change, makes));
        }
        for (seat, change, makes) in events {
            let mut request_id = self.closing_of(seat, id);
            let monitors = self.calls.dialog(id).is_some_and(|d| d.is_monitor());
            if change == Change::Post && (makes || monitors) && request_id.is_none() {
                request_id = self.close_making(now, seat, id);
            }
            if change == Change::Delete {
                self.seats[seat].calls.retain(|c| *c != id);
            }
            if let Some(dialog) = self.calls.dialog(id).cloned() {
                self.publish_change(seat, dialog, change, request_id);
            }
        }
    }

    /// The first event of a call that this agent's phone makes closes the request to make or to consult.
    fn close_making(&mut self, now: Now, seat: usize, id: u32) -> Option<String> {
        let about = self.calls.dialog(id).and_then(|d| d.associated);
        let monitors = self.calls.dialog(id).is_some_and(|d| d.is_monitor());
        self.seats[seat]
            .close(now.instant, |e| match e {
                Expect::Monitoring => monitors,
                Expect::Made => about.is_none() && !monitors,
                Expect::Consulted(original) => about.is_none() || about == Some(*original),
                _ => false,
            })
            .flatten()
    }

    fn publish_farewell(&mut self, dialog: &Arc<Dialog>) {
        let mut dialog = dialog.clone();
        for party in &mut Arc::make_mut(&mut dialog).parties {
            party.actions = party.leg.actions(false, false);
        }
        for party in &dialog.parties {
            let Some(seat) = party.agent else { continue };
            self.seats[seat].calls.retain(|c| *c != dialog.id);
            if party.listed {
                let request_id = self.closing_of(seat, dialog.id);
                self.publish_leave(seat, dialog.clone(), request_id);
            }
        }
    }

    /// A dialog leaves an agent's collection. Out of service the client hears of it afterwards.
    pub(super) fn publish_leave(&mut self, seat: usize, dialog: Arc<Dialog>, request_id: Option<String>) {
        if self.service.serving() {
            self.publish_change(seat, dialog, Change::Delete, request_id);
        } else {
            self.calls.missed.push((seat, dialog));
        }
    }

    /// Publishes what left while the server was out of service.
    pub(super) fn publish_missed(&mut self) {
        for (seat, dialog) in mem::take(&mut self.calls.missed) {
            self.publish_change(seat, dialog, Change::Delete, None);
        }
    }

    fn closing_of(&mut self, seat: usize, id: u32) -> Option<String> {
        let at = self.calls.closing.iter().position(|(s, c, _)| (*s, *c) == (seat, id))?;
        self.calls.closing.swap_remove(at).2
    }

    fn publish_change(
        &mut self,
        seat: usize,
        dialog: Arc<Dialog>,
        change: Change,
        request_id: Option<String>,
    ) {
        self.has_moved(seat);
        let node = self.seats[seat].view.profile.dialogs.clone();
        let ccx = self.settings.ccx();
        let (payload, source) = match change {
            Change::Put => {
                let source = Source::Dialog(dialog.id);
                (Payload::Dialog(dialog, ccx), source)
            }
            Change::Post | Change::Delete => (Payload::Dialogs(dialog, ccx), Source::Path(node.clone())),
        };
        self.out.push_back(Output::Publish { node, update: Update { payload, change, request_id, source } });
    }

    /// An agent signs in at a phone that has calls already.
    pub(super) fn adopt_calls(&mut self, seat: usize) {
        let devices = [self.seats[seat].view.extension.clone(), self.seats[seat].instrument.clone()];
        let ids: Vec<u32> = self.calls.map.keys().copied().collect();
        for id in ids {
            let matches = |p: &super::dialog::Party| devices.contains(&p.address);
            if !self.calls.dialog(id).is_some_and(|d| d.parties.iter().any(matches)) {
                continue;
            }
            if let Some(dialog) = self.calls.dialog_mut(id) {
                for party in dialog.parties.iter_mut().filter(|p| matches(p)) {
                    party.agent = Some(seat);
                    party.listed = false;
                }
            }
            self.seats[seat].join(id);
            self.calls.touch(id);
        }
    }

    /// An agent leaves a phone; its calls are the agent's no longer.
    pub(super) fn give_up_calls(&mut self, seat: usize) {
        for id in mem::take(&mut self.seats[seat].calls) {
            let Some(dialog) = self.calls.dialog_mut(id) else { continue };
            let mut listed = false;
            for party in dialog.parties.iter_mut().filter(|p| p.agent == Some(seat)) {
                listed |= mem::take(&mut party.listed);
                party.agent = None;
                party.leaving = false;
            }
            self.calls.touch(id);
            if listed && let Some(dialog) = self.calls.dialog(id).cloned() {
                self.publish_leave(seat, dialog, None);
            }
        }
    }
}
