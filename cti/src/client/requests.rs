//! Requests that wait for their answer.
//!
//! Owns the table of outstanding InvokeIDs and their deadlines; bounded by the configuration. Every request taken in
//! leaves exactly once: answered, expired, or drained when the session ends.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::enums::{config_end_status, config_type};
use crate::field;
use crate::kind::{self, Kind};
use crate::message::Message;
use crate::tables::{self, Category};

/// Why a request is not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    Full,
    Duplicate,
    Busy,
}

/// The one configuration request that may be outstanding: those messages carry no InvokeID.
#[derive(Debug)]
struct Upload {
    invoke_id: u32,
    kind: Kind,
    until: Instant,
    solicited: bool,
}

#[derive(Debug)]
pub(super) struct Requests {
    waiting: HashMap<u32, Instant>,
    /// Deadlines in rising order; an entry counts only while `waiting` agrees with it.
    deadlines: VecDeque<(Instant, u32)>,
    upload: Option<Upload>,
    max: usize,
    timeout: Duration,
    upload_timeout: Duration,
}

impl Requests {
    pub(super) fn new(max: usize, timeout: Duration, upload_timeout: Duration) -> Self {
        let (waiting, deadlines) = (HashMap::new(), VecDeque::new());
        Self { waiting, deadlines, upload: None, max, timeout, upload_timeout }
    }

    /// Takes a request in. Messages that expect no answer are not remembered.
    pub(super) fn take(&mut self, now: Instant, invoke_id: u32, message: Kind) -> Result<(), NotTaken> {
        if matches!(message, kind::CONFIG_REQUEST_KEY_EVENT | kind::CONFIG_REQUEST_EVENT) {
            if self.upload.is_some() {
                return Err(NotTaken::Busy);
            }
            let until = now + self.upload_timeout;
            self.upload = Some(Upload { invoke_id, kind: message, until, solicited: false });
            return Ok(());
        }
        if self.waiting.len() >= self.max {
            return Err(NotTaken::Full);
        }
        if self.waiting.contains_key(&invoke_id) {
            return Err(NotTaken::Duplicate);
        }
        self.arm(now, invoke_id);
        Ok(())
    }

    fn arm(&mut self, now: Instant, invoke_id: u32) {
        let until = now + self.timeout;
        self.waiting.insert(invoke_id, until);
        // Answered requests leave their deadline behind; sweep before those outnumber the live ones.
        if self.deadlines.len() > 2 * self.max {
            let waiting = &self.waiting;
            self.deadlines.retain(|(until, id)| waiting.get(id) == Some(until));
        }
        self.deadlines.push_back((until, invoke_id));
    }

    /// An answer arrived: whether its request was still waiting. A confirmation that announces more segments keeps
    /// its request open.
    pub(super) fn answer(&mut self, now: Instant, invoke_id: u32, more: bool) -> bool {
        if self.waiting.remove(&invoke_id).is_none() {
            return false;
        }
        if more {
            self.arm(now, invoke_id);
        }
        true
    }

    /// A message of the configuration protocol arrived. Returns the id of the request that it completes.
    pub(super) fn upload_progress(&mut self, now: Instant, message: &Message) -> Option<u32> {
        let config = tables::message(message.kind).is_some_and(|m| m.category == Category::Config);
        let upload = self.upload.as_mut().filter(|_| config)?;
        let done = match message.kind {
            kind::CONFIG_KEY_EVENT => upload.kind == kind::CONFIG_REQUEST_KEY_EVENT,
            kind::CONFIG_BEGIN_EVENT => {
                upload.solicited = message.raw(field::CONFIG_TYPE) != Some(config_type::UNSOLICITED);
                false
            }
            kind::CONFIG_END_EVENT => {
                let partial = message.raw(field::CONFIG_END_STATUS) == Some(config_end_status::PARTIAL);
                upload.kind == kind::CONFIG_REQUEST_EVENT && upload.solicited && !partial
            }
            _ => false,
        };
        upload.until = now + self.upload_timeout;
        done.then(|| self.upload.take().map(|upload| upload.invoke_id)).flatten()
    }

    /// A refusal that names no request known: it can only concern the configuration request.
    pub(super) fn upload_refused(&mut self) -> Option<u32> {
        self.upload.take().map(|upload| upload.invoke_id)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let live = |(until, id): &&(Instant, u32)| self.waiting.get(id) == Some(until);
        let request = self.deadlines.iter().find(live).map(|(until, _)| *until);
        [request, self.upload.as_ref().map(|upload| upload.until)].into_iter().flatten().min()
    }

    /// Takes out one request whose time is over.
    pub(super) fn expire(&mut self, now: Instant) -> Option<u32> {
        while let Some(&(until, id)) = self.deadlines.front() {
            let live = self.waiting.get(&id) == Some(&until);
            if live && until > now {
                break;
            }
            self.deadlines.pop_front();
            if live {
                self.waiting.remove(&id);
                return Some(id);
            }
        }
        let over = self.upload.as_ref().is_some_and(|upload| upload.until <= now);
        over.then(|| self.upload_refused()).flatten()
    }

    /// Takes everything out.
    pub(super) fn drain(&mut self) -> Vec<u32> {
        self.deadlines.clear();
        let mut all: Vec<u32> = self.waiting.drain().map(|(id, _)| id).collect();
        all.sort_unstable();
        all.extend(self.upload_refused());
        all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.upload.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_of_answered_requests_do_not_pile_up() {
        let start = Instant::now();
        let mut requests = Requests::new(4, Duration::from_secs(20), Duration::from_secs(60));
        for id in 0..1000 {
            requests.take(start, id, kind::HOLD_CALL_REQ).unwrap();
            assert!(requests.answer(start, id, false));
        }
        assert!(requests.deadlines.len() <= 10);
        assert_eq!(requests.deadline(), None);
    }

    #[test]
    fn an_id_used_again_gets_its_own_time() {
        let start = Instant::now();
        let mut requests = Requests::new(4, Duration::from_secs(20), Duration::from_secs(60));
        requests.take(start, 1, kind::HOLD_CALL_REQ).unwrap();
        assert!(requests.answer(start, 1, false));
        requests.take(start + Duration::from_secs(10), 1, kind::HOLD_CALL_REQ).unwrap();
        assert_eq!(requests.expire(start + Duration::from_secs(20)), None);
        assert_eq!(requests.expire(start + Duration::from_secs(30)), Some(1));
        assert_eq!(requests.expire(start + Duration::from_secs(30)), None);
    }
}
