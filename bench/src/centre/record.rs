//! What a session writes down, and what must hold for it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::delivery::Delivery;

/// The feeds of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Feed {
    /// `/finesse/api/User/{id}`
    User,
    /// `/finesse/api/User/{id}/Dialogs`
    Dialogs,
    /// `/finesse/api/SystemInfo`
    System,
}

impl Feed {
    /// Which feed of agent `id` this node is.
    pub fn of(node: &str, id: &str) -> Option<Self> {
        let Some(rest) = node.strip_prefix("/finesse/api/User/").and_then(|rest| rest.strip_prefix(id))
        else {
            return (node == "/finesse/api/SystemInfo").then_some(Self::System);
        };
        match rest {
            "" => Some(Self::User),
            "/Dialogs" => Some(Self::Dialogs),
            _ => None,
        }
    }
}

/// An event: id of the item, and a digest of the document.
pub type Event = (String, u64);

/// What names a delivery and its content.
pub fn event(delivery: &Delivery) -> Event {
    let mut digest = DefaultHasher::new();
    delivery.update.hash(&mut digest);
    (delivery.item.clone(), digest.finish())
}

/// One session of one agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Number of the node, 0 or 1.
    pub node: usize,
    /// Events of each feed, in order of arrival.
    pub user: Vec<Event>,
    /// Likewise.
    pub dialogs: Vec<Event>,
    /// Likewise.
    pub system: Vec<Event>,
    /// What the SystemInfo events said: in service or not.
    pub status: Vec<bool>,
    /// When the desktop had subscribed and read everything anew, in microseconds since 1970.
    pub ready_us: Option<u64>,
    /// When it last had read everything anew after an outage, likewise.
    pub back_us: Option<u64>,
    /// Why it ended; `None`: it lives.
    pub ended: Option<String>,
}

impl Session {
    /// The events of one feed.
    pub fn feed(&self, feed: Feed) -> &[Event] {
        match feed {
            Feed::User => &self.user,
            Feed::Dialogs => &self.dialogs,
            Feed::System => &self.system,
        }
    }

    /// Writes a delivery down.
    pub fn enter(&mut self, feed: Feed, delivery: &Delivery) {
        let list = match feed {
            Feed::User => &mut self.user,
            Feed::Dialogs => &mut self.dialogs,
            Feed::System => &mut self.system,
        };
        list.push(event(delivery));
    }
}

/// Who was still there at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lives {
    /// Session and observer.
    Both,
    /// The observer.
    Observer,
    /// Nobody: the server was killed, or the observer was cut off.
    Neither,
}

/// All events of one node of one server process, as an observer saw them, to be compared with.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    events: Vec<Event>,
    places: HashMap<String, usize>,
}

impl Reference {
    /// Adds the next event.
    ///
    /// # Errors
    /// It came before.
    pub fn push(&mut self, event: Event) -> Result<()> {
        let before = self.places.insert(event.0.clone(), self.events.len());
        ensure!(before.is_none(), "the observer got item {} twice", event.0);
        self.events.push(event);
        Ok(())
    }

    /// Whether the item is one of these.
    pub fn has(&self, item: &str) -> bool {
        self.places.contains_key(item)
    }

    /// Judges what a session saw: an unbroken piece of all events; to the last of them, if both live. Of a server that
    /// was killed the observer may have heard less than the session.
    ///
    /// # Errors
    /// An event that is lost, doubled, out of order or different.
    pub fn judge(&self, seen: &[Event], lives: Lives) -> Result<()> {
        let Some(first) = seen.first() else { return Ok(()) };
        let start = self.places.get(&first.0);
        let Some(&start) = start else { anyhow::bail!("item {} was never published", first.0) };
        for (at, event) in seen.iter().enumerate() {
            let due = self.events.get(start + at);
            if due.is_none() && lives == Lives::Neither {
                return Ok(());
            }
            ensure!(
                due == Some(event),
                "event {at} of {} is {} where {due:?} was due{}",
                seen.len(),
                event.0,
                match self.places.get(&event.0) {
                    Some(&place) if place < start + at => ", which came before",
                    Some(_) => ": something was lost",
                    None => ": it was never published",
                }
            );
        }
        let missing = self.events.len() - start - seen.len();
        ensure!(lives != Lives::Both || missing == 0, "the last {missing} events are missing");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(numbers: &[u64]) -> Vec<Event> {
        numbers.iter().map(|number| (format!("i{number}"), *number)).collect()
    }

    #[test]
    fn what_is_lost_doubled_or_reordered_is_noticed() {
        let mut reference = Reference::default();
        all(&[1, 2, 3, 4, 5]).into_iter().for_each(|event| reference.push(event).unwrap());
        use Lives::{Both, Neither, Observer};
        reference.judge(&all(&[2, 3, 4]), Observer).unwrap();
        reference.judge(&all(&[2, 3, 4, 5]), Both).unwrap();
        reference.judge(&all(&[4, 5, 6]), Neither).unwrap();
        reference.judge(&[], Both).unwrap();
        for (bad, lives) in [
            (&[2, 3, 4][..], Both),
            (&[2, 4], Observer),
            (&[2, 3, 3], Observer),
            (&[3, 2], Observer),
            (&[9], Observer),
            (&[4, 5, 6], Observer),
        ] {
            assert!(reference.judge(&all(bad), lives).is_err(), "{bad:?}");
        }
        assert!(reference.judge(&[("i2".into(), 7)], Observer).is_err());
        assert!(reference.push(("i1".into(), 1)).is_err());
    }

    #[test]
    fn feeds_are_told_apart() {
        assert_eq!(Feed::of("/finesse/api/User/1001", "1001"), Some(Feed::User));
        assert_eq!(Feed::of("/finesse/api/User/1001/Dialogs", "1001"), Some(Feed::Dialogs));
        assert_eq!(Feed::of("/finesse/api/SystemInfo", "1001"), Some(Feed::System));
        assert_eq!(Feed::of("/finesse/api/User/10011", "1001"), None);
    }
}
