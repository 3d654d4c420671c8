//! Team messages: what supervisors and administrators tell teams (guide, "TeamMessage"). They are kept in memory until
//! their time is over, in a bounded number, and do not outlive the process. Time enters as an argument.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::body::Element;
use crate::api::bodies::TEAM_MESSAGE as TEAM_MESSAGE_BODY;
use crate::api::define::document;
use crate::api::messages::TEAM_MESSAGE;
use crate::authority::{self, Object, Operation};
use crate::directory::{Directory, User};
use crate::model::error::ApiError;
use crate::model::xml::Writer;

/// Longest text, in characters.
const LONGEST: usize = 255;

/// Longest time, in seconds: a week.
const LONGEST_TIME: u32 = 7 * 24 * 60 * 60;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// UUID.
    pub id: String,
    /// Who sent it.
    pub creator: Arc<User>,
    /// When, in seconds since 1970.
    pub created_at: i64,
    /// For how many seconds it is shown.
    pub duration: u32,
    /// Its text.
    pub content: String,
    /// The teams it is for.
    pub teams: Vec<u32>,
}

/// The present moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// For expiry.
    pub(super) instant: Instant,
    /// For people, in seconds since 1970.
    pub(super) seconds: i64,
}

/// A request for a message.
pub(super) struct Draft<'a> {
    /// Who sends it.
    pub(super) caller: &'a Arc<User>,
    /// The body, or what is wrong with it.
    pub(super) body: Result<Element, ApiError>,
    /// Goes into the events.
    pub(super) request_id: Option<&'a str>,
}

struct Kept {
    message: Arc<Message>,
    until: Instant,
    /// Whether its event has been published: before that nobody can delete it, so that the events keep their order.
    told: bool,
}

/// The messages whose time is not over.
#[derive(Default)]
pub(super) struct Messages(Mutex<Vec<Kept>>);

/// What to publish: the node, which is the source as well, and the document.
pub(super) type Event = (String, String);

impl Messages {
    /// The messages that `which` picks, the oldest first.
    pub(super) fn list(&self, now: Instant, which: impl Fn(&Message) -> bool) -> Vec<Arc<Message>> {
        let mut all = self.0.lock();
        all.retain(|kept| kept.until > now);
        let told = all.iter().filter(|kept| kept.told && which(&kept.message));
        told.map(|kept| kept.message.clone()).collect()
    }

    /// Takes a message in for which there is room among `most`. It is not to be found before [`Messages::told`].
    ///
    /// # Errors
    /// 400 when there is none.
    fn reserve(&self, now: Instant, message: &Arc<Message>, most: usize) -> Result<(), ApiError> {
        let mut all = self.0.lock();
        all.retain(|kept| kept.until > now);
        if all.len() >= most {
            return Err(ApiError::new(
                400,
                "System Resource Limit Exceeded",
                "MAX_ACTIVE_MESSAGE_LIMIT_EXCEEDED",
                "teammessage.max.limit.exceeded",
            ));
        }
        let until = now + Duration::from_secs(message.duration.into());
        all.push(Kept { message: message.clone(), until, told: false });
        Ok(())
    }

    fn told(&self, id: &str) {
        let mut all = self.0.lock();
        for kept in all.iter_mut().filter(|kept| kept.message.id == id) {
            kept.told = true;
        }
    }

    /// Creates a message and publishes it. Returns its id.
    ///
    /// # Errors
    /// What is wrong with the caller's right, the body or the teams, or 400 when there are too many.
    pub(super) fn create(
        &self,
        now: Moment,
        most: usize,
        directory: &Directory,
        draft: Draft<'_>,
        publish: impl Fn(Event),
    ) -> Result<String, ApiError> {
        let Draft { caller, body, request_id } = draft;
        authority::judge(directory, Operation::ReadOwnMessages, caller, Object::Nothing)?;
        let message = Arc::new(read(now, directory, caller, &body?)?);
        self.reserve(now.instant, &message, most)?;
        events(&message, "POST", request_id).for_each(publish);
        self.told(&message.id);
        Ok(message.id.clone())
    }

    /// Deletes a message and publishes that.
    ///
    /// # Errors
    /// 401 for agents and for those who have not sent it, 404 when there is none.
    pub(super) fn delete(
        &self,
        now: Moment,
        directory: &Directory,
        caller: &User,
        id: &str,
        publish: impl Fn(Event),
        request_id: Option<&str>,
    ) -> Result<(), ApiError> {
        authority::judge(directory, Operation::ReadOwnMessages, caller, Object::Nothing)?;
        let message = {
            let mut all = self.0.lock();
            all.retain(|kept| kept.until > now.instant);
            let at = all.iter().position(|kept| kept.told && kept.message.id == id);
            let at = at.ok_or_else(|| ApiError::not_found(id))?;
            let sender = Object::Message(&all[at].message.creator.id);
            authority::judge(directory, Operation::DeleteTeamMessage, caller, sender)?;
            all.remove(at).message
        };
        events(&message, "DELETE", request_id).for_each(publish);
        Ok(())
    }
}

/// The message that a body describes.
fn read(now: Moment, directory: &Directory, caller: &Arc<User>, body: &Element) -> Result<Message, ApiError> {
    let body = TEAM_MESSAGE_BODY.read(body)?;
    let missing = ApiError::parameter_missing;
    let duration = body.duration.ok_or_else(|| missing("duration"))?;
    let content = body.content.ok_or_else(|| missing("content"))?;
    let valid = duration.parse().ok().filter(|seconds| (1..=LONGEST_TIME).contains(seconds));
    let duration = valid.ok_or_else(|| ApiError::invalid_input("The duration is not valid", duration))?;
    if content.chars().count() > LONGEST {
        return Err(ApiError::invalid_input("The content is longer than 255 characters", "content"));
    }
    let teams = body.teams;
    if teams.is_empty() {
        return Err(ApiError::parameter_missing("teams"));
    }
    let mut numbers = Vec::new();
    for team in &teams {
        authority::judge(directory, Operation::SendTeamMessage, caller, Object::Team(team))?;
        let number = team.parse().ok().filter(|number| directory.team(*number).is_some());
        let number = number.ok_or_else(|| ApiError::not_found(team))?;
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    Ok(Message {
        id: uuid()?,
        creator: caller.clone(),
        created_at: now.seconds,
        duration,
        content,
        teams: numbers,
    })
}

/// The events for the teams of a message.
fn events<'a>(
    message: &'a Message,
    event: &'static str,
    request_id: Option<&'a str>,
) -> impl Iterator<Item = Event> + 'a {
    let object = document(&TEAM_MESSAGE, message);
    message.teams.iter().map(move |team| {
        let node = format!("/finesse/api/Team/{team}/TeamMessages");
        let mut out = format!("<Update><data>{object}</data>");
        let mut w = Writer::new(&mut out);
        w.text("event", event);
        w.text("requestId", request_id.unwrap_or_default());
        w.text("source", &node);
        w.close("Update");
        (node, out)
    })
}

/// A random UUID (RFC 9562, version 4).
fn uuid() -> Result<String, ApiError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| ApiError::internal())?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::directory;

    fn message(id: &str, duration: u32) -> Arc<Message> {
        let creator = directory().user("1001").unwrap().clone();
        let (id, content) = (id.to_owned(), String::new());
        Arc::new(Message { id, creator, created_at: 0, duration, content, teams: vec![1] })
    }

    #[test]
    fn messages_vanish_when_their_time_is_over_and_make_room() {
        let messages = Messages::default();
        let now = Instant::now();
        messages.reserve(now, &message("a", 10), 1).unwrap();
        assert!(messages.list(now, |_| true).is_empty(), "not published yet");
        messages.told("a");
        assert_eq!(messages.list(now, |_| true).len(), 1);
        let error = messages.reserve(now, &message("b", 10), 1).unwrap_err();
        assert_eq!((error.status, error.kind), (400, "System Resource Limit Exceeded"));
        let later = now + Duration::from_secs(10);
        assert!(messages.list(later, |_| true).is_empty());
        messages.reserve(later, &message("b", 10), 1).unwrap();
    }

    #[test]
    fn ids_are_random_uuids() {
        let (one, two) = (uuid().unwrap(), uuid().unwrap());
        assert!(one != two && one.len() == 36 && one.as_bytes()[14] == b'4', "{one}");
    }
}
