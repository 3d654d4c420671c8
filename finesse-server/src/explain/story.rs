//! From the entries of the journal to sentences.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Entry, Wanted};

/// How far back what led to an event is looked for, in milliseconds: longer than both grace periods and a resumption.
const BEFORE: i64 = 10 * 60 * 1000;

/// An event with its cause.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Whom it happened to.
    pub user: String,
    /// When.
    pub at: Timestamp,
    /// The cause in one or two words, for programs: `own`, `supervisor`, `absent`, `cti`, `conflict` and so on.
    pub cause: String,
    /// What happened and why, in a sentence.
    pub sentence: String,
    /// What went before, in the order of time.
    pub before: Vec<(Timestamp, String)>,
}

impl Answer {
    /// For people; times in `zone`.
    pub fn to_text(&self, zone: &TimeZone) -> String {
        let time = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string();
        let mut text = format!("{}  User {} {}\n", time(self.at), self.user, self.sentence);
        if !self.before.is_empty() {
            text.push_str("Before that:\n");
        }
        for (at, sentence) in &self.before {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {}  {sentence}", time(*at));
        }
        text
    }

    /// For programs: `user`, `at`, `cause`, `sentence`, and `before` with `at` and `sentence`.
    pub fn to_json(&self) -> Value {
        let line =
            |(at, sentence): &(Timestamp, String)| json!({ "at": at.to_string(), "sentence": sentence });
        let before: Vec<_> = self.before.iter().map(line).collect();
        json!({
            "user": self.user, "at": self.at.to_string(), "cause": self.cause, "sentence": self.sentence,
            "before": before,
        })
    }
}

/// Finds the event asked for among `entries`, which are in the order of time, and what led to it.
pub fn tell(user: &str, wanted: Wanted, entries: &[Entry]) -> Option<Answer> {
    let events = entries.iter().enumerate().filter_map(|(at, entry)| Some((at, rank(entry)?)));
    let (at, _) = match wanted {
        Wanted::Last => events.max_by_key(|(at, rank)| (std::cmp::Reverse(*rank), *at))?,
        Wanted::Near(moment) => events.min_by_key(|(at, rank)| (moment.distance(entries[*at].at), *rank))?,
    };
    let event = &entries[at];
    let (cause, sentence) = event_told(event)?;
    let since = event.at.as_millisecond() - BEFORE;
    let before = entries[..at].iter().filter(|entry| entry.at.as_millisecond() >= since);
    let before = before.filter_map(|entry| Some((entry.at, told(entry)?))).collect();
    Some(Answer { user: user.to_owned(), at: event.at, cause, sentence, before })
}

/// How much an event is what people ask about, 0 most; `None` for what is only part of a story.
fn rank(entry: &Entry) -> Option<u8> {
    let own = entry.fields.contains_key("user");
    Some(match entry.message.as_str() {
        "state" if entry.field("to") == "LOGOUT" => 0,
        "state" if entry.field("to") == "NOT_READY" && entry.field("cause") != "asked by the agent" => 2,
        "user locked out" => 1,
        "credentials refused" | "request refused" | "request refused by the CTI server" => 2,
        "session ends" | "user removed" if own => 1,
        "service" if entry.field("to") == "OUT_OF_SERVICE" => 3,
        _ => return None,
    })
}

/// Cause and sentence of an event that has a rank.
fn event_told(entry: &Entry) -> Option<(String, String)> {
    let field = |name: &str| entry.field(name);
    let (cause, sentence) = match entry.message.as_str() {
        "state" => return Some(state(entry)),
        "session ends" => return Some(session_end(entry)),
        "user locked out" => {
            let seconds = field("seconds");
            ("locked out", format!("was locked out for {seconds} s after too many wrong passwords."))
        }
        "credentials refused" => match field("reason").as_str() {
            "credentials" => ("wrong password", "was refused: the password was wrong.".to_owned()),
            reason => return Some((reason.to_owned(), format!("was refused by the realm: {reason}."))),
        },
        "request refused" => {
            ("rate limit", "made more requests than the rate limit lets in (429).".to_owned())
        }
        "request refused by the CTI server" => {
            let (cause, reason) = (field("cause"), field("reason"));
            ("cti refusal", format!("asked for something that the CTI server refused: {cause} ({reason})."))
        }
        "user removed" => ("removed", format!("was removed: {}.", field("cause"))),
        "service" => (
            "out of service",
            format!("could not be served: the node went out of service ({}).", field("cause")),
        ),
        _ => return None,
    };
    Some((cause.to_owned(), sentence))
}

fn state(entry: &Entry) -> (String, String) {
    let (reason, by) = (entry.field("reason"), entry.field("by"));
    let what = if entry.field("to") == "LOGOUT" { "was signed out" } else { "was set Not Ready" };
    let (cause, why) = match (entry.field("cause").as_str(), reason.as_str()) {
        ("asked by the agent", _) => ("own", "he asked for it himself".to_owned()),
        ("asked by a supervisor", _) => ("supervisor", format!("supervisor {by} asked for it")),
        ("absent", _) => {
            ("absent", "no client of his was present any more, and the grace period was over".to_owned())
        }
        (_, "32767") => ("call not answered", "he did not answer a call".to_owned()),
        (_, "50001" | "50002") => {
            ("cti", "the CTI server or the peripheral lost the connection that stood for him".to_owned())
        }
        (_, "50003") => ("phone", "his phone was out of service".to_owned()),
        (_, "50004") => ("inactivity", "the peripheral found him inactive for too long".to_owned()),
        (_, "50030") => ("device conflict", "somebody else signed in with his phone".to_owned()),
        _ => ("cti", "the CTI server told so without a request of this server".to_owned()),
    };
    let reason = if reason == "0" { "no reason code".to_owned() } else { format!("reason code {reason}") };
    (cause.to_owned(), format!("{what}: {why} ({reason})."))
}

fn session_end(entry: &Entry) -> (String, String) {
    let (cause, detail) = (entry.field("cause"), entry.field("detail"));
    let why = match (cause.as_str(), detail.as_str()) {
        ("conflict", _) => "the same resource signed in elsewhere",
        (_, "too slow in reading") => "the client did not read what waited for it",
        (_, "too many stanzas") => "the client sent too many stanzas",
        ("connection-timeout", _) => "the client was silent for too long",
        ("inactivity", _) => "the client did not poll in time",
        ("closed by the client", _) => "the client closed it",
        ("connection lost", _) => "the connection broke without a word",
        ("system-shutdown" | "see-other-host", _) => "the server was stopping",
        ("not-authorized", _) => "the user is not known any more",
        (_, "") => cause.as_str(),
        (_, detail) => detail,
    };
    let name = if detail == "too slow in reading" { "overflow".to_owned() } else { cause.clone() };
    (name, format!("was disconnected ({}, {}): {why}.", entry.field("transport"), entry.field("session")))
}

/// An entry that went before, in a sentence.
fn told(entry: &Entry) -> Option<String> {
    let field = |name: &str| entry.field(name);
    let (from, to, cause) = (field("from"), field("to"), field("cause"));
    Some(match entry.message.as_str() {
        "state" => format!("State {from} to {to}: {cause}, reason {}.", field("reason")),
        "absence" => format!("Absent: {from}, then {to} ({cause})."),
        "session begins" | "session resumed" | "session waits" => {
            format!("{} over {} ({}).", sentence(&entry.message), field("transport"), field("session"))
        }
        "cti" => format!("CTI link, side {}: {to} ({cause}).", field("side")),
        "service" => format!("Node {from} to {to} ({cause})."),
        "peer" => format!("Other node {from}, then {to} ({cause})."),
        "role" => format!("This node {from}, then {to} ({cause})."),
        _ => return event_told(entry).map(|(_, told)| format!("User {told}")),
    })
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::explain::{Reader, Wanted, moment, tell};
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    fn line(time: &str, fields: &str) -> String {
        format!(
            "{{\"timestamp\":\"2026-03-02T{time}Z\",\"level\":\"INFO\",\"fields\":{{{fields}}},\"target\":\"journal\"}}\n"
        )
    }

    fn answer(log: &str, at: Option<&str>) -> Option<super::Answer> {
        let now: Timestamp = "2026-03-02T23:00:00Z".parse().unwrap();
        let wanted =
            at.map_or(Wanted::Last, |at| Wanted::Near(moment::parse(at, now, &TimeZone::UTC).unwrap()));
        let mut reader = Reader::new("1001", wanted);
        reader.read(log.as_bytes()).unwrap();
        tell("1001", wanted, &reader.finish())
    }

    #[test]
    fn each_cause_has_its_name() {
        let state = |to: &str, reason: u32, cause: &str| {
            format!(
                r#""message":"state","user":"1001","from":"READY","to":"{to}","reason":{reason},"cause":"{cause}","by":"1009""#
            )
        };
        let ends = |cause: &str, detail: &str| {
            format!(
                r#""message":"session ends","user":"1001","session":"desktop","transport":"tcp","cause":"{cause}","detail":"{detail}""#
            )
        };
        let cases = [
            (state("LOGOUT", 7, "asked by the agent"), "own"),
            (state("LOGOUT", 999, "asked by a supervisor"), "supervisor"),
            (state("LOGOUT", 255, "absent"), "absent"),
            (state("LOGOUT", 50002, "told by the CTI server"), "cti"),
            (state("NOT_READY", 32767, "told by the CTI server"), "call not answered"),
            (ends("conflict", ""), "conflict"),
            (ends("policy-violation", "too slow in reading"), "overflow"),
            (ends("connection-timeout", ""), "connection-timeout"),
            (ends("inactivity", ""), "inactivity"),
            (ends("system-shutdown", ""), "system-shutdown"),
            (ends("closed by the client", ""), "closed by the client"),
            (
                r#""message":"credentials refused","user":"1001","reason":"credentials""#.into(),
                "wrong password",
            ),
            (r#""message":"user locked out","user":"1001","seconds":300"#.into(), "locked out"),
            (r#""message":"request refused","user":"1001","cause":"rate limit""#.into(), "rate limit"),
            (
                r#""message":"service","from":"IN_SERVICE","to":"OUT_OF_SERVICE","cause":"CTI down""#.into(),
                "out of service",
            ),
        ];
        for (fields, cause) in cases {
            let log = line("10:42:01.5", &fields);
            assert_eq!(answer(&log, None).expect(&fields).cause, cause);
            assert!(answer(&log.replace("1001", "1002"), None).is_none_or(|_| cause == "out of service"));
        }
    }

    #[test]
    fn the_event_at_the_time_is_told_with_what_led_to_it() {
        let out =
            r#""message":"state","user":"1001","from":"READY","to":"LOGOUT","reason":255,"cause":"absent""#;
        let own = r#""message":"state","user":"1001","from":"READY","to":"LOGOUT","reason":0,"cause":"asked by the agent""#;
        let lost = r#""message":"absence","user":"1001","from":"present","to":"grace","cause":"presence lost: inactivity""#;
        let peer = r#""message":"peer","from":"reachable","to":"unreachable","cause":"no answer""#;
        let log = [
            line("10:41:00", lost),
            line("10:41:30", peer),
            "no JSON at all\n".to_owned(),
            line("10:42:00", out),
            line("18:00:00", own),
        ]
        .concat();
        let told = answer(&log, Some("10:42")).unwrap();
        assert_eq!((told.cause.as_str(), told.before.len()), ("absent", 2));
        let text = told.to_text(&TimeZone::UTC);
        assert!(
            text.contains("10:41:00.000  Absent: present, then grace (presence lost: inactivity)."),
            "{text}"
        );
        assert_eq!(answer(&log, None).unwrap().cause, "own");
        assert!(answer(&log, Some("14:00")).is_none(), "nothing within half an hour");
    }
}
