//! Two calls become one: conference, transfer, and calls that get another id.

use std::sync::Arc;

use cti::{Message, field, tag};

use super::Model;
use super::actions::Actions;
use super::dialog::{Connection, Dialog, Leg, Party};
use super::seat::Expect;
use super::time::{Now, Utc};

impl Model {
    /// CALL_CONFERENCED and CALL_TRANSFERRED: the survivor takes over the other's participants.
    pub(super) fn merged(&mut self, now: Now, m: &Message, call_type: u32) {
        let (Some(primary), secondary) = (m.uint(field::PRIMARY_CALL_ID), m.uint(field::SECONDARY_CALL_ID))
        else {
            return;
        };
        let (survivor, gone) = choose(m, primary, secondary);
        let other = gone.filter(|gone| *gone != survivor).and_then(|gone| self.calls.remove(gone));
        if self.calls.open(now.instant, survivor, self.settings.max_calls).is_none() {
            self.calls.farewell.extend(other.map(all_dropped));
            return;
        }
        self.absorb(survivor, m);
        if let Some(other) = &other {
            self.take_over(survivor, other);
        }
        self.add_connected(now, survivor, m);
        self.connect(now, survivor);
        if let Some(dialog) = self.calls.dialog_mut(survivor) {
            dialog.secondary = other.as_ref().map(|o| o.id).or(dialog.secondary);
            dialog.call_type = Some(call_type);
            if let Some(other) = &other {
                dialog.inherit_outbound(other);
            }
            let controller = m.tag_text(tag::CONTROLLER_DEVICE_ID).filter(|c| !c.is_empty());
            dialog.controller = controller.map(str::to_owned).or(dialog.controller.take());
        }
        self.calls.touch(survivor);
        if let Some(device) = m.tag_text(tag::TRANSFERRING_DEVICE_ID) {
            self.drop_leg(now, survivor, device, true);
        }
        for seat in self.agents_of(survivor) {
            for id in [Some(primary), secondary].into_iter().flatten() {
                self.close_merge(now, survivor, seat, id);
            }
        }
        self.calls.farewell.extend(other.map(all_dropped));
    }

    fn close_merge(&mut self, now: Now, survivor: u32, seat: usize, asked: u32) {
        for expect in [Expect::Transferred(asked), Expect::Conferenced(asked), Expect::Barged(asked)] {
            self.close_seat(now, survivor, seat, expect);
        }
    }

    fn take_over(&mut self, survivor: u32, other: &Dialog) {
        let mut joined = Vec::new();
        let Some(dialog) = self.calls.dialog_mut(survivor) else { return };
        for party in other.parties.iter().filter(|p| p.leg.is_live() && !other.overhears(p)) {
            match dialog.parties.iter_mut().find(|p| p.address == party.address) {
                Some(known) if known.leg.is_live() => {
                    if known.leg == Leg::Held {
                        known.leg = party.leg;
                    }
                }
                Some(known) => {
                    joined.extend(party.agent);
                    let listed = known.listed;
                    *known = Party { listed, leaving: false, ..party.clone() };
                }
                None => {
                    joined.extend(party.agent);
                    dialog.parties.push(Party { listed: false, leaving: false, ..party.clone() });
                }
            }
        }
        for seat in joined {
            self.seats[seat].join(survivor);
        }
    }

    /// The event lists who is connected; some may be news.
    fn add_connected(&mut self, now: Now, survivor: u32, m: &Message) {
        let time = Some(Utc(now.utc_ms));
        for group in m.groups(tag::CONNECTED_PARTY_CALL_ID) {
            let Some(address) = group.tag_text(tag::CONNECTED_PARTY_DEVICE_ID).filter(|a| !a.is_empty())
            else {
                continue;
            };
            let agent = self.by_device.get(address).copied();
            let id_type = group.tag_uint(tag::CONNECTED_PARTY_DEVICE_ID_TYPE);
            let Some(dialog) = self.calls.dialog_mut(survivor) else { return };
            if dialog.parties.iter().any(|p| p.address == address || p.connection.device == address) {
                continue;
            }
            let connection = Connection {
                id_type: id_type.unwrap_or(Connection::of_device(address).id_type),
                device: address.to_owned(),
            };
            dialog.parties.push(Party {
                address: address.to_owned(),
                device_type: None,
                agent,
                leg: Leg::Active,
                start: time,
                changed: time,
                actions: Actions::NONE,
                connection,
                listed: false,
                leaving: false,
            });
            if let Some(seat) = agent {
                self.seats[seat].join(survivor);
            }
        }
    }

    /// Nobody holds or dials in a merged call; who still rings, rings.
    fn connect(&mut self, now: Now, survivor: u32) {
        let Some(dialog) = self.calls.dialog_mut(survivor) else { return };
        for party in &mut dialog.parties {
            if matches!(party.leg, Leg::Held | Leg::Initiated | Leg::Initiating) {
                party.leg = Leg::Active;
                party.changed = Some(Utc(now.utc_ms));
            }
        }
    }

    /// A call got another id: for clients another dialog. If that id is known already, it was merged into that one.
    pub(super) fn rename(&mut self, old: u32, new: u32) {
        let known = self.calls.dialog(new).is_some();
        let Some(entry) = self.calls.map.get(&old) else { return };
        let (events, generation, last) = (entry.events, entry.generation, entry.last);
        let Some(dialog) = self.calls.remove(old) else { return };
        if !known {
            let mut renamed = Dialog::clone(&dialog);
            renamed.id = new;
            for party in &mut renamed.parties {
                party.listed = false;
                if let Some(seat) = party.agent {
                    self.seats[seat].join(new);
                }
            }
            self.calls.adopt(new, renamed, events, generation, last);
            for (_, id, _) in &mut self.calls.closing {
                if *id == old {
                    *id = new;
                }
            }
            self.calls.touch(new);
        }
        self.calls.farewell.push(all_dropped(dialog));
    }
}

fn all_dropped(mut dialog: Arc<Dialog>) -> Arc<Dialog> {
    for party in &mut Arc::make_mut(&mut dialog).parties {
        party.leg = Leg::Dropped;
    }
    dialog
}

/// Which of the two ids lives on: the primary, unless the list of connected parties says the secondary.
fn choose(m: &Message, primary: u32, secondary: Option<u32>) -> (u32, Option<u32>) {
    let groups = m.groups(tag::CONNECTED_PARTY_CALL_ID);
    let mut ids = groups.iter().filter_map(|g| g.tag_uint(tag::CONNECTED_PARTY_CALL_ID));
    match (secondary, ids.next()) {
        (Some(secondary), Some(first)) if first == secondary && ids.all(|id| id == first) => {
            (secondary, Some(primary))
        }
        _ => (primary, secondary),
    }
}
