//! The REST API as HTTP sees it: who asks, which resource, which method, what the body says; and the way back from
//! the model's answer to a response.
//!
//! The order of checks is fixed: credentials (401), path (404), method (405), then the model's own (out of
//! service 503, rights 401, existence 404), last content type and body. The body is read before the model is
//! asked, but what is wrong with it travels with the question, so that the model can put it in its place. What a
//! user may do, and what a value may be, is not decided here.

mod answer;
pub mod body;
pub mod client_logs;
pub mod cors;
mod locked;
pub(crate) mod messages;
mod rate;
pub(crate) mod reads;
mod receive;
mod router;
pub(crate) mod routes;

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::{Buf, Bytes};
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue, RANGE, VARY};
use hyper::{Method, Request, Response};
use parking_lot::RwLock;

use crate::api::bodies::{DIALOG, USER};
use crate::api::{Shape, runtime};
use crate::authority::{self, Object, Operation};
use crate::catalogue::Catalogue;
use crate::directory::{Shared, User};
use crate::model::command::{ApiError, Command, Password, Reply, UserBody, What};
use crate::realm::basic::Basic;
use crate::realm::{Case, Identity, Kind, Realm, Refused};
use answer::Format;
use client_logs::{ClientLogs, Writers};
use cors::Origins;
use messages::{Messages, Moment};
use rate::Rates;
use router::{Miss, Plan};

/// Path under which the API lives.
pub const BASE: &str = "/finesse/api";

/// Longest `requestId` that is passed on, in bytes.
const LONGEST_REQUEST_ID: usize = 1024;

/// A response of the API.
pub type Answer = Response<Full<Bytes>>;

/// Whoever answers commands: the model's task.
pub trait Ask: Send + Sync + 'static {
    /// Puts a command to the model. A model that is gone or too busy answers as out of service.
    fn ask(&self, command: Command) -> Pin<Box<dyn Future<Output = Reply> + Send + '_>>;

    /// Whether commands are served at this moment.
    fn serving(&self) -> bool;

    /// Publishes a document on a node.
    fn publish(&self, node: &str, document: &str);
}

/// Settings of the API.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Realm of the challenge.
    pub realm: String,
    /// Whether SystemInfo needs no credentials.
    pub public_system_info: bool,
    /// Longest body, in bytes.
    pub body_bytes: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// Requests per second and user; 0: no limit.
    pub rate: u32,
    /// Requests at once before the rate applies.
    pub burst: u32,
    /// Origins whose pages may call the API.
    pub origins: Origins,
    /// Whether documents can be had in JSON, and the API describes itself.
    pub extensions: bool,
    /// Team messages at once.
    pub team_messages: usize,
    /// What becomes of logs that desktops send.
    pub client_logs: ClientLogs,
    /// What is configured for desktops.
    pub catalogue: Arc<Catalogue>,
}

/// The API. Clones share everything.
#[derive(Clone)]
pub struct Rest(Arc<Inner>);

struct Inner {
    current: RwLock<Arc<Current>>,
    realm: Arc<Realm>,
    model: Arc<dyn Ask>,
    directory: Shared,
    messages: Messages,
    log_writers: Writers,
}

/// What holds at present.
struct Current {
    settings: Settings,
    rates: Rates,
}

impl Current {
    fn new(settings: Settings) -> Arc<Current> {
        let rates = Rates::new(settings.rate, settings.burst);
        Arc::new(Current { settings, rates })
    }
}

impl Rest {
    /// The API in front of a model; `directory` is where the one that the model has is found.
    pub fn new(
        settings: Settings,
        realm: Arc<Realm>,
        model: Arc<dyn Ask>,
        directory: impl Into<Shared>,
    ) -> Rest {
        let directory = directory.into();
        let current = RwLock::new(Current::new(settings));
        Rest(Arc::new(Inner {
            current,
            realm,
            model,
            directory,
            messages: Messages::default(),
            log_writers: Writers::default(),
        }))
    }

    /// From now on these settings hold; what users have used up of their rate is forgotten.
    pub fn reconfigure(&self, settings: Settings) {
        *self.0.current.write() = Current::new(settings);
    }

    fn current(&self) -> Arc<Current> {
        self.0.current.read().clone()
    }

    /// Whether a path belongs to the API.
    pub fn owns(path: &str) -> bool {
        path.strip_prefix(BASE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Answers one request. Dropping the future abandons it; a command already with the model is carried out.
    pub async fn handle<B>(&self, request: Request<B>, peer: Option<IpAddr>) -> Answer
    where
        B: hyper::body::Body + Send,
        B::Data: Buf + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let cors = cors::Headers::of(&head.headers, &self.current().settings.origins);
        if head.method == Method::OPTIONS {
            return cors.preflight(&head.headers);
        }
        let echo = head.headers.get(answer::REQUEST_ID).cloned();
        let format = self.format(&head);
        let mut answer = match self.decide(&head, body, peer).await {
            Ok(outcome) => answer::of(outcome, format),
            Err(refusal) => refusal.into_answer(&self.current().settings.realm, format),
        };
        answer::finish(&mut answer, echo);
        if self.current().settings.extensions {
            answer.headers_mut().append(VARY, HeaderValue::from_static("Accept"));
        }
        cors.apply(answer.headers_mut());
        answer
    }

    async fn decide<B>(
        &self,
        head: &hyper::http::request::Parts,
        body: B,
        peer: Option<IpAddr>,
    ) -> Result<Outcome, Refusal>
    where
        B: hyper::body::Body + Send,
        B::Data: Buf + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let path = head.uri.path().strip_prefix(BASE).unwrap_or_default();
        let planned = router::plan(&head.method, path, head.uri.query().unwrap_or_default());
        let public =
            matches!(planned, Ok(Plan::Read(What::SystemInfo))) && self.current().settings.public_system_info;
        let (caller, password) = match public {
            true => ("".into(), None),
            false => self.caller(&head.headers, peer).await?,
        };
        if !public && let Err(wait) = self.current().rates.admit(&caller, Instant::now()) {
            let user = &*caller;
            tracing::info!(target: "journal", user, transport = "rest", cause = "rate limit", "request refused");
            return Err(Refusal::TooMany { user: caller, wait });
        }
        let what = match planned.map_err(Refusal::Miss)? {
            Plan::LockedUsers => return Ok(self.locked_users(&caller)),
            Plan::Unlock(user) => return Ok(self.unlock(&caller, &user)),
            Plan::Description if self.current().settings.extensions => return Ok(Outcome::Description),
            Plan::Description => {
                return Err(Refusal::Miss(Miss::Path(head.uri.path().to_owned())));
            }
            Plan::CreateMessage => {
                let body = self.body(&head.headers, body).await;
                return Ok(self.create_message(&caller, body, request_id(&head.headers)));
            }
            Plan::DeleteMessage(id) => {
                return Ok(self.delete_message(&caller, &id, request_id(&head.headers)));
            }
            Plan::SendLog { user, compressed } => {
                return Ok(self.take_log(&caller, &user, compressed, &head.headers, body).await);
            }
            Plan::Unavailable { operation, user } => {
                return Ok(Outcome::Reply(Reply::Refused(self.unavailable(&caller, operation, &user)), None));
            }
            Plan::Read(what) => what,
            Plan::Look(found) => return Ok(self.look(&found, &caller, &head.headers)),
            Plan::ChangeUser(user) => {
                let body = self.body(&head.headers, body).await.and_then(|body| USER.read(&body));
                let body = body.map(|body| UserBody { password, ..body });
                What::ChangeUser { user, body }
            }
            Plan::CreateDialog(user) => {
                let body = self.body(&head.headers, body).await.and_then(|body| DIALOG.read(&body));
                What::CreateDialog { user, body }
            }
            Plan::ActOnDialog(dialog) => {
                let body = self.body(&head.headers, body).await.and_then(|body| DIALOG.read(&body));
                What::ActOnDialog { dialog, body }
            }
        };
        let request_id = match head.method {
            Method::PUT | Method::POST | Method::DELETE => request_id(&head.headers),
            _ => None,
        };
        let shape = runtime::shape(&what);
        Ok(Outcome::Reply(self.0.model.ask(Command { caller, request_id, what }).await, shape))
    }

    /// What the configuration answers.
    fn look(&self, found: &reads::Match, caller: &str, headers: &HeaderMap) -> Outcome {
        let current = self.current();
        let sources = reads::Sources {
            directory: &self.0.directory.load(),
            catalogue: &current.settings.catalogue,
            serving: self.0.model.serving(),
            messages: &self.0.messages,
            now: Instant::now(),
            range: headers.get(RANGE).and_then(|value| value.to_str().ok()),
        };
        match found.answer(sources, caller) {
            Ok(document) => Outcome::Found(document, found.shape),
            Err(error) => Outcome::Reply(Reply::Refused(error), None),
        }
    }

    fn create_message(
        &self,
        caller: &str,
        body: Result<body::Element, ApiError>,
        request_id: Option<String>,
    ) -> Outcome {
        let publish = |(node, document): messages::Event| self.0.model.publish(&node, &document);
        let most = self.current().settings.team_messages;
        let created = self.person(caller).and_then(|caller| {
            let draft = messages::Draft { caller: &caller, body, request_id: request_id.as_deref() };
            self.0.messages.create(moment(), most, &self.0.directory.load(), draft, publish)
        });
        match created {
            Ok(id) => Outcome::Done(Some(format!("{BASE}/TeamMessage/{id}"))),
            Err(error) => Outcome::Reply(Reply::Refused(error), None),
        }
    }

    fn delete_message(&self, caller: &str, id: &str, request_id: Option<String>) -> Outcome {
        let publish = |(node, document): messages::Event| self.0.model.publish(&node, &document);
        let deleted = self.person(caller).and_then(|caller| {
            let request_id = request_id.as_deref();
            self.0.messages.delete(moment(), &self.0.directory.load(), &caller, id, publish, request_id)
        });
        match deleted {
            Ok(()) => Outcome::Done(None),
            Err(error) => Outcome::Reply(Reply::Refused(error), None),
        }
    }

    /// The caller in the directory, while the server is in service.
    fn person(&self, caller: &str) -> Result<Arc<User>, ApiError> {
        if !self.0.model.serving() {
            return Err(ApiError::out_of_service());
        }
        self.0.directory.load().user(caller).cloned().ok_or_else(|| ApiError::unauthorized(caller))
    }

    /// Why there is no answer to a question about a medium that nothing is known of here.
    fn unavailable(&self, caller: &str, operation: Operation, user: &str) -> ApiError {
        let directory = self.0.directory.load();
        let judged = self.person(caller).and_then(|caller| {
            authority::judge(&directory, operation, &caller, Object::User(user))?;
            directory.resolve(user).map(|_| ()).ok_or_else(|| ApiError::user_not_found(user))
        });
        judged.err().unwrap_or_else(|| ApiError::not_implemented("Media"))
    }

    /// The form in which a request wants its answer.
    fn format(&self, head: &hyper::http::request::Parts) -> Format {
        let read = matches!(head.method, Method::GET | Method::HEAD);
        match read && self.current().settings.extensions {
            true => Format::wanted(&head.headers),
            false => Format::Xml,
        }
    }

    /// The authenticated user of a request, with the password, which the CTI server wants at sign-in.
    async fn caller(
        &self,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
    ) -> Result<(Arc<str>, Option<Password>), Refusal> {
        let basic = headers.get(AUTHORIZATION).and_then(|value| Basic::parse(value.as_bytes()));
        let Some(basic) = basic else { return Err(Refusal::Unauthorized(String::new())) };
        let verified =
            self.0.realm.verify(basic.user(), Case::Exact, basic.password(), peer, Instant::now()).await;
        match verified {
            Ok(Identity { id, kind: Kind::Person }) => Ok((id, Some(Password::new(basic.password())))),
            Err(Refused::Busy) => Err(Refusal::Busy),
            Err(Refused::Unavailable) => Err(Refusal::NoRealm),
            _ => Err(Refusal::Unauthorized(basic.user().to_owned())),
        }
    }
}

/// The present moment on both clocks.
fn moment() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment { instant: Instant::now(), seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX) }
}

/// The `requestId` header, if it is one that can stand in an event.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(answer::REQUEST_ID)?.to_str().ok()?;
    (value.len() <= LONGEST_REQUEST_ID).then(|| value.replace('\t', " "))
}

/// What a request led to.
enum Outcome {
    /// The model's answer, and what its document looks like.
    Reply(Reply, Option<fn() -> Shape>),
    /// A document made from the configuration.
    Found(reads::Found, fn() -> Shape),
    /// Done; the path of what was made.
    Done(Option<String>),
    /// The OpenAPI description is wanted.
    Description,
}

/// Why a request does not get as far as the model.
enum Refusal {
    /// No, wrong or locked credentials; the user name given.
    Unauthorized(String),
    /// So many passwords are being verified that this one was not looked at.
    Busy,
    /// Whoever knows the passwords does not answer.
    NoRealm,
    /// Too many requests of one user.
    TooMany { user: Arc<str>, wait: Duration },
    /// No such path, or not with this method.
    Miss(Miss),
}

impl Refusal {
    fn into_answer(self, realm: &str, format: Format) -> Answer {
        match self {
            Refusal::Unauthorized(user) => answer::challenge(&ApiError::unauthorized(user), realm, format),
            Refusal::Busy => answer::busy("Too many users sign in at this moment", format),
            Refusal::NoRealm => answer::busy("The credentials cannot be verified at this moment", format),
            Refusal::TooMany { user, wait } => answer::too_many(&user, wait, format),
            Refusal::Miss(Miss::Path(path)) => answer::refused(&ApiError::not_found(path), format),
            Refusal::Miss(Miss::Method { method, allow }) => answer::not_allowed(&method, &allow, format),
        }
    }
}
