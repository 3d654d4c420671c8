//! The hyper service: from an HTTP request to a session and back.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::ops::Deref;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use broker::Wheel;
use bytes::Bytes;
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use parking_lot::RwLock;
use xmpp::forwarded::{self, ForwardedHeader};
use xmpp::reader::XmlError;
use xmpp::stream::{Channel, Framing, StartTls, Stream};
use xmpp::{Network, Refusal, Service};

use crate::cell::{Cell, Held, Parts};
use crate::config::Config;
use crate::core::{self, Condition, Creation, Fingerprint, Identity, Reply, Session};
use crate::intake::{self, BodyError};
use crate::limits::{Gate, Miss};
use crate::registry::{Registry, Sid, random_text};
use crate::response::{self, Body, Origin, TEXT_XML};
use crate::stats::{Counters, Stats};

/// How often the wheel turns.
const TICK: Duration = Duration::from_millis(250);

/// A place where BOSH is spoken, to be mounted at any path of any hyper 1 server.
///
/// Cheap to clone; all clones share their sessions. Needs a tokio runtime with time enabled.
#[derive(Clone)]
pub struct Endpoint {
    shared: Arc<Shared>,
}

/// What the sessions of an endpoint have in common.
pub(crate) struct Shared {
    pub(crate) service: Service,
    current: RwLock<Arc<Current>>,
    /// [`Config::max_answer`], which is asked for with every answer.
    max_answer: AtomicUsize,
    pub(crate) registry: Registry,
    pub(crate) wheel: Wheel<Weak<Cell>>,
    pub(crate) counters: Counters,
    pub(crate) held: AtomicU64,
    gate: Arc<Gate>,
    fingerprint: Fingerprint,
    ticking: AtomicBool,
    stopping: AtomicBool,
}

/// What holds at present.
struct Current {
    config: Config,
    settings: Arc<core::Settings>,
}

impl Current {
    fn new(config: Config) -> Arc<Self> {
        Arc::new(Self { settings: Arc::new(config.settings.clone()), config })
    }
}

impl Deref for Current {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.config
    }
}

impl Endpoint {
    /// An endpoint for the streams of `service`.
    pub fn new(service: Service, config: Config) -> Self {
        let now = Instant::now();
        let shared = Shared {
            gate: Gate::new(now, config.limits.clone()),
            registry: Registry::new(),
            wheel: Wheel::new(now, TICK),
            counters: Counters::default(),
            held: AtomicU64::new(0),
            fingerprint: Fingerprint::default(),
            ticking: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            max_answer: AtomicUsize::new(config.max_answer),
            current: RwLock::new(Current::new(config)),
            service,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Replaces the configuration. Bounds, origins and sizes hold at once; what a session was offered when it was
    /// created stays with it.
    pub fn reconfigure(&self, config: Config) {
        let shared = &self.shared;
        shared.gate.set_limits(config.limits.clone());
        shared.max_answer.store(config.max_answer, Ordering::Relaxed);
        *shared.current.write() = Current::new(config);
    }

    /// Answers one HTTP request, whatever its path. `peer` is the address of the client as far as the
    /// connection tells, `secure` whether the connection is encrypted.
    ///
    /// Cancel safe in the sense of the protocol: dropping the future means that the connection of this
    /// request is gone. A request that has been read completely by then is processed all the same, and its
    /// answer is kept for a repetition.
    pub async fn handle<B>(&self, request: Request<B>, peer: Option<IpAddr>, secure: bool) -> Response<Body>
    where
        B: hyper::body::Body<Data = Bytes>,
    {
        let shared = &self.shared;
        shared.start_ticking();
        let (parts, body) = request.into_parts();
        let config = shared.config();
        let origin = Origin::of(&parts.headers, &config);
        match parts.method {
            Method::POST => {}
            Method::OPTIONS => return response::preflight(&config, origin),
            _ => return response::bare(StatusCode::METHOD_NOT_ALLOWED, origin),
        }
        if matches!(origin, Origin::Refused) {
            shared.counters.origin_refused.add();
            shared.service.count_refusal(Refusal::Origin);
            return response::bare(StatusCode::FORBIDDEN, origin);
        }
        if is_encoded(&parts.headers) {
            shared.service.count_refusal(Refusal::Encoding);
            let mut refusal = response::bare(StatusCode::UNSUPPORTED_MEDIA_TYPE, origin);
            refusal.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            return refusal;
        }
        let peer = peer.map(|peer| client(peer, &config.limits.proxies, &parts.headers));
        drop(parts);
        let outcome = match intake::read(shared, &config, body).await {
            Ok(body) => shared.process(&body, &config, peer, secure),
            Err(BodyError::Session(cell)) => {
                shared.oversize();
                if cell.admits(peer, secure, config.pin_address).is_ok() {
                    cell.fail(shared, Instant::now(), Condition::PolicyViolation);
                }
                Outcome::failure(Condition::PolicyViolation)
            }
            Err(BodyError::TooLarge) => {
                shared.oversize();
                Outcome::Status(StatusCode::PAYLOAD_TOO_LARGE)
            }
            Err(BodyError::Memory) => {
                shared.service.count_refusal(Refusal::Memory);
                Outcome::Status(StatusCode::SERVICE_UNAVAILABLE)
            }
            Err(BodyError::Timeout) => {
                shared.counters.body_timeouts.add();
                shared.service.count_refusal(Refusal::Timeout);
                Outcome::Status(StatusCode::REQUEST_TIMEOUT)
            }
            Err(BodyError::Broken) => Outcome::Status(StatusCode::BAD_REQUEST),
        };
        self.answer(outcome, origin).await
    }

    async fn answer(&self, outcome: Outcome, origin: Origin) -> Response<Body> {
        match outcome {
            Outcome::Held(held) => {
                let cell = Arc::clone(held.cell());
                let reply = held.await;
                let (content_type, legacy) = cell.manners();
                self.reply(reply, content_type, legacy, origin)
            }
            Outcome::Reply { reply, legacy } => self.reply(reply, None, legacy, origin),
            Outcome::NoRoot => {
                let bytes = Reply::failure(Condition::BadRequest).bytes;
                response::document(StatusCode::BAD_REQUEST, TEXT_XML, origin, bytes)
            }
            Outcome::Status(status) => response::bare(status, origin),
            Outcome::Delayed(delay) => {
                let _over = OnDrop(|| self.shared.gate.delay_over());
                tokio::time::sleep(delay).await;
                self.reply(Reply::failure(Condition::ItemNotFound), None, false, origin)
            }
        }
    }

    fn reply(
        &self,
        reply: Reply,
        content_type: Option<HeaderValue>,
        legacy: bool,
        origin: Origin,
    ) -> Response<Body> {
        let status = reply
            .condition
            .filter(|_| legacy || self.shared.config().legacy_http_errors)
            .and_then(Condition::legacy_status)
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or(StatusCode::OK);
        response::document(status, content_type.unwrap_or(TEXT_XML), origin, reply.bytes)
    }

    /// This endpoint as a hyper service for one connection.
    pub fn service(&self, peer: Option<IpAddr>, secure: bool) -> ConnectionService {
        ConnectionService { endpoint: self.clone(), peer, secure }
    }

    /// What has been counted so far.
    pub fn stats(&self) -> Stats {
        let held = self.shared.held.load(Ordering::Relaxed);
        self.shared.counters.snapshot(self.shared.registry.len() as u64, held)
    }

    /// Stops: every held request is answered with `system-shutdown`, and so is every request that still
    /// comes. Sessions leave the service at once.
    pub fn shutdown(&self) {
        self.shared.stopping.store(true, Ordering::Release);
        let now = Instant::now();
        for cell in self.shared.registry.all() {
            cell.shutdown(&self.shared, now);
        }
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("stats", &self.stats()).finish()
    }
}

/// An [`Endpoint`] for one connection, as hyper wants it.
#[derive(Clone, Debug)]
pub struct ConnectionService {
    endpoint: Endpoint,
    peer: Option<IpAddr>,
    secure: bool,
}

impl<B> hyper::service::Service<Request<B>> for ConnectionService
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let Self { endpoint, peer, secure } = self.clone();
        Box::pin(async move { Ok(endpoint.handle(request, peer, secure).await) })
    }
}

/// What is to be answered, and when.
enum Outcome {
    /// When the session says so.
    Held(Held),
    Reply {
        reply: Reply,
        legacy: bool,
    },
    /// The body was not even a `<body/>`.
    NoRoot,
    Status(StatusCode),
    /// An unknown session from an address that guesses.
    Delayed(Duration),
}

impl Outcome {
    fn failure(condition: Condition) -> Self {
        Self::Reply { reply: Reply::failure(condition), legacy: false }
    }
}

impl Shared {
    fn config(&self) -> Arc<Current> {
        Arc::clone(&self.current.read())
    }

    pub(crate) fn max_answer(&self) -> usize {
        self.max_answer.load(Ordering::Relaxed)
    }

    fn process(
        self: &Arc<Self>,
        body: &[u8],
        config: &Config,
        peer: Option<IpAddr>,
        secure: bool,
    ) -> Outcome {
        let now = Instant::now();
        self.counters.requests.add();
        let request = match core::scan_empty(body, &self.fingerprint) {
            Some(request) => {
                self.counters.polls.add();
                request
            }
            None => match self.parse(body) {
                Ok(request) => request,
                Err(condition) => return self.unreadable(now, body, condition, peer, secure),
            },
        };
        match request.sid.as_deref() {
            None => self.create(now, request, peer, secure),
            Some(sid) => match self.registry.get(sid) {
                None => self.unknown(now, peer),
                Some(cell) => match cell.admits(peer, secure, config.pin_address) {
                    Ok(()) if is_too_large(body, &request, &cell) => {
                        self.oversize();
                        cell.fail(self, now, Condition::PolicyViolation);
                        Outcome::failure(Condition::PolicyViolation)
                    }
                    Ok(()) => Outcome::Held(cell.request(self, now, request)),
                    Err(condition) => {
                        self.service.count_refusal(Refusal::BadRequest);
                        Outcome::failure(condition)
                    }
                },
            },
        }
    }

    fn oversize(&self) {
        self.counters.oversize.add();
        self.service.count_refusal(Refusal::Oversize);
    }

    fn parse(&self, body: &[u8]) -> Result<core::Request<'static>, Condition> {
        let limits = &self.service.config().limits;
        match xmpp::reader::parse_document(body, limits) {
            Ok(root) => {
                let request = core::from_element(root, self.fingerprint.of(body));
                let request = request.ok_or(Condition::BadRequest)?;
                Ok(core::Request { weight: weight(body), ..request })
            }
            Err(XmlError::Limit(_)) => Err(Condition::PolicyViolation),
            Err(_) => Err(Condition::BadRequest),
        }
    }

    /// A body that the parser refused: the session named in its start tag ends, as its client believes.
    fn unreadable(
        self: &Arc<Self>,
        now: Instant,
        body: &[u8],
        condition: Condition,
        peer: Option<IpAddr>,
        secure: bool,
    ) -> Outcome {
        self.counters.malformed.add();
        let structural = condition == Condition::PolicyViolation;
        let reason = if structural { Refusal::Structure } else { Refusal::Malformed };
        self.service.count_refusal(reason);
        if condition == Condition::BadRequest && !core::has_root(body) {
            return Outcome::NoRoot;
        }
        let cell = core::peek_sid(body).and_then(|sid| self.registry.get(sid));
        if let Some(cell) = cell.filter(|cell| cell.admits(peer, secure, self.config().pin_address).is_ok()) {
            cell.fail(self, now, condition);
        }
        Outcome::failure(condition)
    }

    /// Unknown session ids are answered alike and touch no session.
    fn unknown(&self, now: Instant, peer: Option<IpAddr>) -> Outcome {
        self.counters.unknown_sid.add();
        self.service.count_refusal(Refusal::UnknownSid);
        match self.gate.miss(now, peer) {
            Miss::Answer => Outcome::failure(Condition::ItemNotFound),
            Miss::Delay(delay) => Outcome::Delayed(delay),
            Miss::Refuse => {
                self.counters.guesses_refused.add();
                self.service.count_refusal(Refusal::Guessing);
                Outcome::Status(StatusCode::FORBIDDEN)
            }
        }
    }

    fn create(
        self: &Arc<Self>,
        now: Instant,
        request: core::Request<'_>,
        peer: Option<IpAddr>,
        secure: bool,
    ) -> Outcome {
        let creation = request.creation.as_deref().cloned().unwrap_or_default();
        let legacy = creation.ver.is_none();
        let failure = |condition| Outcome::Reply { reply: Reply::failure(condition), legacy };
        if self.stopping.load(Ordering::Acquire) {
            self.service.count_refusal(Refusal::Stopping);
            return failure(Condition::SystemShutdown);
        }
        let permit = match self.gate.admit(now, peer, self.service.broker().budget()) {
            Ok(permit) => permit,
            Err(reason) => {
                self.service.count_refusal(reason);
                return match reason {
                    Refusal::AddressConnections | Refusal::AddressRate => {
                        self.counters.address_refused.add();
                        failure(Condition::PolicyViolation)
                    }
                    _ => {
                        self.counters.total_refused.add();
                        Outcome::Status(StatusCode::SERVICE_UNAVAILABLE)
                    }
                };
            }
        };
        let (Some(sid), Some(authid)) = (Sid::random(), random_text()) else {
            return failure(Condition::InternalServerError);
        };
        let identity = Identity {
            sid: sid.as_str(),
            authid: std::str::from_utf8(&authid[..22]).unwrap_or_default(),
            from: &self.service.config().domain,
        };
        let core = match Session::create(now, self.config().settings.clone(), &request, identity, Cell::FIRST)
        {
            Ok(core) => core,
            Err(condition) => {
                self.service.count_refusal(Refusal::BadRequest);
                return failure(condition);
            }
        };
        let channel = Channel { secure, starttls: StartTls::Off, peer, binding: None };
        let stream = Stream::new(self.service.clone(), Framing::Bosh, channel, now);
        let content_type = creation.content.as_deref().and_then(response::content_type);
        let parts = Parts { sid, core, stream, permit, creator: peer, content_type, secure };
        Outcome::Held(self.open(now, Arc::new(Cell::new(parts)), &creation))
    }

    fn open(self: &Arc<Self>, now: Instant, cell: Arc<Cell>, creation: &Creation) -> Held {
        self.counters.created.add();
        self.registry.insert(Arc::clone(&cell));
        cell.open(self, now, creation);
        // A stop that began in between has not seen this session.
        if self.stopping.load(Ordering::Acquire) {
            cell.shutdown(self, now);
        }
        cell.wait(self, Cell::FIRST)
    }

    /// Starts the one task that turns the wheel. It ends with the endpoint.
    fn start_ticking(self: &Arc<Self>) {
        if !self.ticking.load(Ordering::Relaxed) && !self.ticking.swap(true, Ordering::Relaxed) {
            tokio::spawn(tick(Arc::downgrade(self)));
        }
    }
}

async fn tick(shared: Weak<Shared>) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut fired = Vec::new();
    let mut swept = Instant::now();
    loop {
        interval.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        let now = Instant::now();
        shared.wheel.advance(now, &mut fired);
        shared.service.handle_timeout(now);
        for (at, cell) in fired.drain(..).enumerate() {
            if at % 256 == 255 {
                tokio::task::yield_now().await;
            }
            expire(&shared, &cell, now);
        }
        if now.saturating_duration_since(swept) > Duration::from_secs(60) {
            swept = now;
            shared.gate.sweep(now);
        }
    }
}

/// A panic in one session must not stop the wheel for all others.
fn expire(shared: &Arc<Shared>, cell: &Weak<Cell>, now: Instant) {
    let Some(cell) = cell.upgrade() else { return };
    if std::panic::catch_unwind(AssertUnwindSafe(|| cell.expire(shared, now))).is_err() {
        tracing::error!("a BOSH session failed at its deadline and was removed");
        shared.registry.remove(&cell);
    }
}

/// About how many bytes of memory a parsed body takes: each tag may be an element, which is much larger than
/// its text. Small ones count as nothing.
fn weight(body: &[u8]) -> usize {
    const TAG: usize = 160;
    const SMALL: usize = 1 << 10;
    if body.len() < SMALL { 0 } else { body.len() + TAG * body.iter().filter(|byte| **byte == b'<').count() }
}

/// Whether there is a stanza in a request that is larger than its session may send.
fn is_too_large(body: &[u8], request: &core::Request<'_>, cell: &Cell) -> bool {
    if request.payload.is_empty() {
        return false;
    }
    let most = cell.max_stanza();
    body.len() > most && has_larger(request, most)
}

/// Whether one child is larger than a stanza may be. Counted as it would be written, which is close enough
/// to how it came; only bodies of that size are looked at.
fn has_larger(request: &core::Request<'_>, most: usize) -> bool {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    request.payload.iter().any(|stanza| {
        let mut count = Count(0);
        stanza.write_to(&mut count).is_err() || count.0 > most
    })
}

/// The client's address, as told by a proxy if the connection is one's.
fn client(peer: IpAddr, proxies: &[Network], headers: &HeaderMap) -> IpAddr {
    if proxies.is_empty() {
        return peer.to_canonical();
    }
    let header = ForwardedHeader::XForwardedFor;
    let values = headers.get_all(header.name()).iter().map(HeaderValue::as_bytes);
    forwarded::client(peer, proxies, header, values)
}

/// Whether the body is said to be encoded. libpurple 2 writes its media type here; that is no coding, which is a
/// token and has no slash (RFC 9110 §8.4.1), and such a body is read as it is.
fn is_encoded(headers: &HeaderMap) -> bool {
    let is_coding = |value: &HeaderValue| {
        let bytes = value.as_bytes();
        let media_type = bytes.contains(&b'/') && !bytes.contains(&b',');
        !(bytes.is_empty() || bytes == b"identity" || media_type)
    };
    headers.get_all(CONTENT_ENCODING).iter().any(is_coding)
}

/// Runs something when it goes out of scope, also when a future is dropped half-way.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
