//! A client's side of a stream with a clock of its own, and a realm that knows a few users.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use broker::Broker;
use xmpp::auth::{Asked, Verdict};
use xmpp::{
    Access, AccessPolicy, Action, AuthFailure, Authenticator, Channel, Config, Credentials, Framing,
    Principal, Profile, Service, Stream, StreamError,
};

pub const DOMAIN: &str = "fin-a.example.net";

/// What `bearer` has for a password: as long as tokens of single sign-on get.
pub fn bearer_token() -> String {
    "t0k3n-._~+/".chars().cycle().take(16 << 10).collect()
}

/// Everybody's password is `secret`; some names stand for a state of the realm.
pub struct Realm;

impl Authenticator for Realm {
    fn authenticate(&self, credentials: Credentials) -> Verdict {
        let user = credentials.user.to_lowercase();
        let result = match (user.as_str(), credentials.password.expose()) {
            ("unreachable", _) => Err(AuthFailure::Temporary),
            ("disabled", _) => Err(AuthFailure::Disabled),
            ("panics", _) => panic!("the realm has a bug"),
            ("slow", _) => return Box::pin(std::future::pending()),
            ("bearer", token) if token == bearer_token() => Ok(Principal { user: "bearer".into(), tag: 0 }),
            (_, "secret") => Ok(Principal { user: user.as_str().into(), tag: 0 }),
            _ => Err(AuthFailure::NotAuthorized),
        };
        Box::pin(std::future::ready(result))
    }
}

/// Everything is allowed; users whose name begins with `pub` may flood.
pub struct Rights;

impl AccessPolicy for Rights {
    fn subscribe(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
    fn publish(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
    fn create(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
    fn configure(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
    fn retrieve(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
    fn may_flood(&self, who: &Principal) -> bool {
        who.user.starts_with("pub")
    }
}

pub fn config() -> Config {
    Config::new(DOMAIN)
}

pub fn strict() -> Config {
    Config { profile: Profile::Strict, ..config() }
}

pub fn service_with(config: Config) -> Service {
    let broker = Broker::new(broker::Config::default());
    Service::new(config, broker, Arc::new(Realm), Arc::new(Rights))
}

pub fn service() -> Service {
    service_with(config())
}

/// `authzid NUL authcid NUL password` as SASL PLAIN sends it.
pub fn plain(authzid: &str, authcid: &str, password: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(format!("{authzid}\0{authcid}\0{password}"))
}

pub fn auth(message: &str) -> String {
    format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{message}</auth>")
}

pub fn open_tcp(to: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream to='{to}' version='1.0' xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams'>"
    )
}

pub fn bind(resource: &str) -> String {
    format!(
        "<iq xmlns='jabber:client' type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
         <resource>{resource}</resource></bind></iq>"
    )
}

pub const SUCCESS: &str = "<success xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"/>";

/// A client on a stream, in virtual time.
pub struct Client {
    pub stream: Stream,
    pub now: Instant,
    /// Bytes the stream did not take yet.
    pub unread: Vec<u8>,
    pub closed: Option<Option<StreamError>>,
    pub starttls: bool,
    verdict: Option<Asked>,
}

impl Client {
    pub fn new(service: &Service, framing: Framing, channel: Channel) -> Self {
        let now = Instant::now();
        let stream = Stream::new(service.clone(), framing, channel, now);
        Self { stream, now, unread: Vec::new(), closed: None, starttls: false, verdict: None }
    }

    pub fn tcp(service: &Service) -> Self {
        Self::new(service, Framing::Tcp, Channel::default())
    }

    pub fn websocket(service: &Service) -> Self {
        Self::new(service, Framing::WebSocket, Channel::default())
    }

    /// Logged in and bound over TCP.
    pub fn bound(service: &Service, user: &str, resource: &str) -> Self {
        let mut client = Self::tcp(service);
        client.send(open_tcp(DOMAIN));
        client.send(auth(&plain("", user, "secret")));
        client.send(open_tcp(DOMAIN));
        let answer = client.send(bind(resource));
        assert!(answer.contains("type=\"result\""), "{answer}");
        client
    }

    /// Sends bytes; returns everything the stream says to it, the end included.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> String {
        self.unread.extend_from_slice(bytes.as_ref());
        let unread = std::mem::take(&mut self.unread);
        let mut input = unread.as_slice();
        loop {
            self.stream.handle_bytes(self.now, &mut input);
            if !self.act() {
                break;
            }
        }
        self.unread = input.to_vec();
        self.take()
    }

    /// Sends one WebSocket message.
    pub fn message(&mut self, message: &str) -> String {
        self.stream.handle_message(self.now, message);
        while self.act() {}
        self.take()
    }

    /// Time passes, deadlines are served in between.
    pub fn pass(&mut self, time: Duration) -> String {
        let end = self.now + time;
        let mut said = String::new();
        while let Some(deadline) = self.stream.deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.stream.handle_timeout(self.now);
            said += &self.send("");
        }
        self.now = end;
        self.stream.handle_timeout(self.now);
        said + &self.send("")
    }

    fn act(&mut self) -> bool {
        let mut acted = false;
        if let Some(action) = self.stream.poll_action() {
            acted = true;
            match action {
                Action::Authenticate(question) => self.verdict = Some(self.stream.service().ask(question)),
                Action::StartTls => self.starttls = true,
                Action::Close(error) => self.closed = Some(error),
            }
        }
        if let Some(verdict) = &mut self.verdict {
            let mut cx = Context::from_waker(Waker::noop());
            if let Poll::Ready(result) = verdict.as_mut().poll(&mut cx) {
                self.verdict = None;
                self.stream.handle_auth(self.now, result);
                acted = true;
            }
        }
        acted
    }

    /// What waits in the outbox, and the end if it was reached.
    pub fn take(&mut self) -> String {
        let mut said = self.parcels().concat();
        if let Some(error) = self.closed.filter(|_| self.stream.is_closed()) {
            said += &self.stream.farewell(error).concat();
        }
        said
    }

    /// What waits in the outbox, one string a parcel.
    pub fn parcels(&mut self) -> Vec<String> {
        let mut parcels = VecDeque::new();
        let mut said = Vec::new();
        loop {
            match self.stream.try_take(self.now, &mut parcels, usize::MAX) {
                Ok(0) => break,
                Ok(_) => {}
                Err(reason) => {
                    self.stream.handle_outbox_end(reason);
                    while self.act() {}
                    break;
                }
            }
        }
        while self.act() {}
        for parcel in parcels {
            let mut out = Vec::new();
            self.stream.write_parcel(&parcel, &mut out);
            said.push(String::from_utf8(out).expect("output is UTF-8"));
        }
        said
    }

    /// Name of the stream error with which the stream ended.
    pub fn error(&self) -> Option<&'static str> {
        self.closed.flatten().map(|error| error.name())
    }
}
