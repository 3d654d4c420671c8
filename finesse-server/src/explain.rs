//! Why a user was signed out, refused or disconnected, told from the journal in the log.
//!
//! [`Reader`] keeps from the log what concerns the user, and what concerns everybody; [`tell`] finds the event asked for
//! and what led to it. Logs are lines of JSON as `log.format = "json"` writes them; anything else in them is passed over.

use std::collections::VecDeque;
use std::io::{BufRead, Read};

use jiff::Timestamp;
use memchr::memmem::Finder;
use serde_json::{Map, Value};

pub mod moment;
mod story;

use moment::Moment;
pub use story::{Answer, tell};

/// Longest line that is looked at, in bytes; what is behind is passed over.
const LONGEST_LINE: u64 = 64 * 1024;
/// Most entries that are kept: the latest of those that matter.
const KEPT: usize = 20_000;
/// Time before and after the one asked for that is looked at, in milliseconds.
const AROUND: i64 = 30 * 60 * 1000;

/// Which event is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The last sign-out, or else the last refusal or disconnect.
    Last,
    /// The one that is nearest to this time, and at most half an hour away.
    Near(Moment),
}

/// One line of the journal.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    pub message: String,
    /// Its fields.
    pub fields: Map<String, Value>,
}

impl Entry {
    /// A field that is text or a number, as text; empty if there is none.
    pub fn field(&self, name: &str) -> String {
        match self.fields.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    /// A line of the log, if it is one of the journal.
    fn parse(line: &[u8]) -> Option<Entry> {
        let mut line: Map<String, Value> = serde_json::from_slice(line).ok()?;
        if line.get("target")?.as_str()? != "journal" {
            return None;
        }
        let at = line.get("timestamp")?.as_str()?.parse().ok()?;
        let Some(Value::Object(mut fields)) = line.remove("fields") else { return None };
        let Some(Value::String(message)) = fields.remove("message") else { return None };
        Some(Entry { at, message, fields })
    }
}

/// Collects what matters from logs.
#[derive(Debug)]
pub struct Reader {
    user: String,
    journal: Finder<'static>,
    wanted: Wanted,
    kept: VecDeque<Entry>,
}

impl Reader {
    /// For this user.
    pub fn new(user: &str, wanted: Wanted) -> Reader {
        let journal = Finder::new(b"\"target\":\"journal\"");
        Reader { user: user.to_owned(), journal, wanted, kept: VecDeque::new() }
    }

    /// Reads a log to its end.
    ///
    /// # Errors
    /// What reading fails with.
    pub fn read(&mut self, mut log: impl BufRead) -> std::io::Result<()> {
        let mut line = Vec::new();
        // A name is looked for as JSON writes it, so that most lines need not be taken apart.
        let name = Value::from(self.user.as_str()).to_string();
        let own = Finder::new(name.as_bytes());
        let anybody = Finder::new(b"\"user\":");
        loop {
            line.clear();
            if log.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let candidate = self.journal.find(&line).is_some()
                && (own.find(&line).is_some() || anybody.find(&line).is_none());
            if let Some(entry) = candidate.then(|| Entry::parse(&line)).flatten() {
                self.keep(entry);
            }
        }
    }

    fn keep(&mut self, entry: Entry) {
        let user = entry.fields.get("user").and_then(Value::as_str);
        if user.is_some_and(|user| user != self.user) {
            return;
        }
        if let Wanted::Near(moment) = self.wanted
            && moment.distance(entry.at) > AROUND
        {
            return;
        }
        // A bound for logs in which a user does nothing but fail.
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(entry);
    }

    /// What was kept, in the order of time.
    pub fn finish(self) -> Vec<Entry> {
        let mut kept = Vec::from(self.kept);
        kept.sort_by_key(|entry| entry.at);
        kept
    }
}
