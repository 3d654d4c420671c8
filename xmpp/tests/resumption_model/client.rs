//! The client's side: what it knows of its session, and what it takes for granted.

use std::collections::VecDeque;

use broker::Outbox;

/// What the client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has no connection.
    Away,
    /// The answer to `<resume/>`.
    Resuming,
    /// `<enabled/>`.
    Binding,
    /// Nothing.
    Online,
}

/// What has come of something that was heard.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    Nothing,
    /// To be sent at once.
    Say(Vec<String>),
    /// The session cannot be resumed; another one is to be bound.
    Lost,
    /// The server has ended the stream.
    Ended(String),
}

/// One session as the client sees it.
pub struct Client {
    pub state: State,
    /// Names the session, once the client was told.
    pub id: Option<String>,
    /// Of the session, by the connection on which it was bound.
    pub outbox: Option<Outbox>,
    /// Stanzas heard since `<enabled/>`.
    h: u32,
    /// Stanzas that the server has not acknowledged, and how many it has.
    unacknowledged: VecDeque<String>,
    acknowledged: u32,
    /// Answers requests for acknowledgement.
    pub diligent: bool,
    /// Numbers of the events heard, and of the pings answered.
    pub events: Vec<usize>,
    pub answers: Vec<usize>,
    pub pings: usize,
}

impl Client {
    pub fn new(diligent: bool) -> Self {
        Self {
            state: State::Away,
            id: None,
            outbox: None,
            h: 0,
            unacknowledged: VecDeque::new(),
            acknowledged: 0,
            diligent,
            events: Vec::new(),
            answers: Vec::new(),
            pings: 0,
        }
    }

    /// Gives the session up.
    pub fn forget(&mut self) {
        *self = Self::new(self.diligent);
    }

    /// Binds another session: everything in one go.
    pub fn bind(&mut self, outbox: Outbox) -> Vec<String> {
        self.forget();
        self.state = State::Binding;
        self.outbox = Some(outbox);
        let enable = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>".to_owned();
        let presence = self.stanza("<presence/>".to_owned());
        vec![super::support::bind("desk"), enable, presence]
    }

    /// What asks for the old session.
    pub fn resume(&mut self, id: &str) -> String {
        self.state = State::Resuming;
        format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='{}'/>", self.h)
    }

    fn stanza(&mut self, stanza: String) -> String {
        self.unacknowledged.push_back(stanza.clone());
        stanza
    }

    pub fn ping(&mut self) -> String {
        self.pings += 1;
        self.stanza(format!(
            "<iq type='get' id='ping-{}.'><ping xmlns='urn:xmpp:ping'/></iq>",
            self.pings - 1
        ))
    }

    pub fn acknowledgement(&self) -> String {
        format!("<a xmlns='urn:xmpp:sm:3' h='{}'/>", self.h)
    }

    pub fn hear(&mut self, element: &str) -> Heard {
        if element.contains("</stream:stream>") {
            return Heard::Ended(element.to_owned());
        }
        let name = element[1..].split([' ', '>', '/']).next().unwrap();
        match name {
            "r" if self.diligent => return Heard::Say(vec![self.acknowledgement()]),
            "a" => self.acknowledged_up_to(attr(element, "h").parse().unwrap()),
            "enabled" => {
                assert_eq!(self.state, State::Binding);
                (self.state, self.id) = (State::Online, Some(attr(element, "id").to_owned()));
            }
            "resumed" => {
                assert_eq!(self.state, State::Resuming);
                self.state = State::Online;
                self.acknowledged_up_to(attr(element, "h").parse().unwrap());
                return Heard::Say(self.unacknowledged.iter().cloned().collect());
            }
            "failed" => {
                assert!(self.state == State::Resuming && element.contains("<item-not-found "), "{element}");
                return Heard::Lost;
            }
            "message" | "presence" | "iq" if self.id.is_some() => return self.stanza_heard(element),
            _ => {}
        }
        Heard::Nothing
    }

    fn stanza_heard(&mut self, element: &str) -> Heard {
        assert_eq!(self.state, State::Online, "nothing comes before the session is there: {element}");
        self.h += 1;
        if let Some(number) = number(element, "event-") {
            let id = attr(element, "id");
            let id = id.rsplit("__").next().unwrap_or_else(|| panic!("{element}"));
            assert_eq!(
                usize::from_str_radix(id, 36).unwrap_or_else(|_| panic!("{element}")),
                self.events.len(),
                "{element}"
            );
            self.events.push(number);
        }
        if let Some(number) = number(element, "ping-") {
            assert!(element.contains("type=\"result\""), "{element}");
            self.answers.push(number);
        } else if element.starts_with("<iq") && element.contains("type=\"get\"") {
            let id = attr(element, "id").to_owned();
            return Heard::Say(vec![self.stanza(format!("<iq type='result' id='{id}'/>"))]);
        }
        Heard::Nothing
    }

    fn acknowledged_up_to(&mut self, h: u32) {
        let newly = h.checked_sub(self.acknowledged).expect("counts do not go back") as usize;
        assert!(newly <= self.unacknowledged.len(), "{h} is more than was sent");
        self.unacknowledged.drain(..newly);
        self.acknowledged = h;
    }

    /// Whether everything sent is acknowledged or answered.
    pub fn assert_settled(&self) {
        assert!(self.answers.iter().copied().eq(0..self.pings), "{:?} of {}", self.answers, self.pings);
    }
}

fn attr<'a>(xml: &'a str, name: &str) -> &'a str {
    let start = format!(" {name}=\"");
    let at = xml.find(&start).unwrap_or_else(|| panic!("no {name} in {xml}")) + start.len();
    &xml[at..at + xml[at..].find('"').unwrap()]
}

fn number(element: &str, prefix: &str) -> Option<usize> {
    let rest = &element[element.find(prefix)? + prefix.len()..];
    Some(rest.split('.').next().unwrap().parse().unwrap())
}
