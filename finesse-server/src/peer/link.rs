//! The link on sockets: calls the other node, takes its calls, and tells the owner what it has learned.
//!
//! One task owns the [`Machine`]. One connection to the other node is kept and used again; what comes in is bounded in
//! number, size and time, and has shown its certificate before it can say anything.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::beat::{Failure, Machine, News, Rules};
use super::message::{BYTES, Envelope, Item, Status};
use super::tls::Ends;

/// Where the other node is called.
const PATH: &str = "/peer/v1";
/// Most connections of the other node, and of strangers that have not shown a certificate yet.
const CONNECTIONS: usize = 8;
/// How long a handshake may take, and a request to arrive.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the owner may take to answer what the other node asks.
const ANSWER: Duration = Duration::from_secs(1);
/// Most items and events that wait.
const QUEUE: usize = 1024;

/// What the link needs.
#[derive(Debug)]
pub struct Settings {
    /// `host:port` of the other node's link.
    pub address: String,
    /// Where the other node calls.
    pub listener: TcpListener,
    /// Certificates.
    pub ends: Ends,
    /// Times.
    pub rules: Rules,
}

/// What the owner learns.
#[derive(Debug)]
pub enum Event {
    /// News of the other node.
    News(News),
    /// The other node asks; the answers go back at once.
    Asked(Vec<Item>, oneshot::Sender<Vec<Item>>),
}

/// The owner's hold on the link. When the last clone is dropped the link ends.
#[derive(Clone, Debug)]
pub struct Handle {
    items: mpsc::Sender<Item>,
    status: Arc<watch::Sender<Status>>,
}

impl Handle {
    /// Says something to the other node. Never waits; what does not fit is dropped, and whoever asked notices that no
    /// answer comes.
    pub fn say(&self, item: Item) {
        if self.items.try_send(item).is_err() {
            tracing::debug!("too much to say to the peer");
        }
    }

    /// The own status from now on.
    pub fn set_status(&self, status: Status) {
        self.status.send_if_modified(|old| {
            let changed = *old != status;
            *old = status;
            changed
        });
    }
}

/// A call of the other node, the answers to what it asks, and where its answer goes.
type Call = (Envelope, Vec<Item>, oneshot::Sender<Envelope>);

/// Starts the link on the current tokio runtime.
pub fn spawn(settings: Settings) -> (Handle, mpsc::Receiver<Event>) {
    let (items, said) = mpsc::channel(QUEUE);
    let (status, own) = watch::channel(Status::default());
    let (events, receiver) = mpsc::channel(QUEUE);
    let (calls, called) = mpsc::channel(CONNECTIONS);
    let Settings { address, listener, ends, rules } = settings;
    let listening = tokio::spawn(listen(listener, ends.clone(), events.clone(), calls));
    let caller = Caller { address, ends, connection: None };
    tokio::spawn(async move {
        own_machine(rules, caller, said, own, called, events).await;
        listening.abort();
    });
    (Handle { items, status: Arc::new(status) }, receiver)
}

/// The life of the machine, until the owner is gone.
async fn own_machine(
    rules: Rules,
    caller: Caller,
    mut said: mpsc::Receiver<Item>,
    mut own: watch::Receiver<Status>,
    mut called: mpsc::Receiver<Call>,
    events: mpsc::Sender<Event>,
) {
    let mut boot = [0; 8];
    if let Err(error) = getrandom::fill(&mut boot) {
        return tracing::error!(%error, "no random bytes: the peer is not called");
    }
    let mut machine = Machine::new(rules, u64::from_ne_bytes(boot), Instant::now());
    let (orders, ordered) = mpsc::channel(1);
    let (outcomes, mut outcome) = mpsc::channel(1);
    let calling = tokio::spawn(caller.run(machine.patience(), ordered, outcomes));
    loop {
        let now = Instant::now();
        machine.handle_timeout(now);
        while let Some(news) = machine.poll_news() {
            journal(&news);
            if events.send(Event::News(news)).await.is_err() {
                return calling.abort();
            }
        }
        if let Some(envelope) = machine.poll_call(now) {
            // One call at a time: there is room.
            let _ = orders.try_send(envelope);
        }
        tokio::select! {
            item = said.recv() => match item {
                Some(item) => machine.say(Instant::now(), item),
                None => return calling.abort(),
            },
            changed = own.changed() => match changed {
                Ok(()) => machine.set_status(Instant::now(), own.borrow_and_update().clone()),
                Err(_) => return calling.abort(),
            },
            Some((call, answers, reply)) = called.recv() => {
                // Whoever does not wait any more does not get an answer.
                let _ = reply.send(machine.handle_call(call, answers));
            }
            Some((made, answer)) = outcome.recv() => machine.handle_answer(Instant::now(), made, answer),
            () = tokio::time::sleep_until(machine.deadline().into()) => {}
        }
    }
}

fn journal(news: &News) {
    match news {
        News::Reachable => {
            tracing::info!(target: "journal", from = "unreachable", to = "reachable", cause = "answered", "peer");
        }
        News::Unreachable(cause) => {
            tracing::info!(target: "journal", from = "reachable", to = "unreachable", cause, "peer");
        }
        News::Status(status) => tracing::debug!(?status, "status of the peer"),
        News::Item(_) => {}
    }
}

/// Makes calls, one after the other, over one connection.
struct Caller {
    address: String,
    ends: Ends,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Caller {
    async fn run(
        mut self,
        patience: Duration,
        mut orders: mpsc::Receiver<Envelope>,
        outcomes: mpsc::Sender<(Instant, Result<Envelope, Failure>)>,
    ) {
        let mut told = String::new();
        while let Some(envelope) = orders.recv().await {
            let made = Instant::now();
            let answer = match timeout(patience, self.call(&envelope)).await {
                Ok(answer) => answer,
                Err(_) => Err(Failure(format!("no answer in {} s", patience.as_secs()))),
            };
            match &answer {
                Ok(_) => told.clear(),
                Err(failure) => {
                    self.connection = None;
                    // The same failure at each beat is told once.
                    if told != failure.0 {
                        tracing::warn!(address = self.address, %failure, "the peer does not answer");
                        told.clone_from(&failure.0);
                    }
                }
            }
            if outcomes.send((made, answer)).await.is_err() {
                return;
            }
        }
    }

    async fn call(&mut self, envelope: &Envelope) -> Result<Envelope, Failure> {
        let fail = |error: &dyn std::fmt::Display| Failure(error.to_string());
        let mut connection = match self.connection.take().filter(|connection| !connection.is_closed()) {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let request = Request::post(PATH)
            .header(header::HOST, self.address.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(envelope.to_json()))
            .map_err(|error| fail(&error))?;
        connection.ready().await.map_err(|error| fail(&error))?;
        let answer = connection.send_request(request).await.map_err(|error| fail(&root(&error)))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), BYTES).collect().await;
        let body = body.map_err(|error| Failure(error.to_string()))?.to_bytes();
        if status != StatusCode::OK {
            return Err(Failure(format!("answered {status}")));
        }
        let answer = Envelope::parse(&body).map_err(|error| fail(&error))?;
        self.connection = Some(connection);
        Ok(answer)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Failure> {
        let socket = TcpStream::connect(&self.address)
            .await
            .map_err(|error| Failure(format!("cannot connect: {error}")))?;
        // Small documents that are waited for.
        let _ = socket.set_nodelay(true);
        let tls = TlsConnector::from(self.ends.client.clone())
            .connect(self.ends.name.clone(), socket)
            .await
            .map_err(|error| Failure(format!("certificate or handshake refused: {error}")))?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls))
            .await
            .map_err(|error| Failure(error.to_string()))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the connection to the peer ended");
            }
        });
        Ok(sender)
    }
}

/// The innermost reason of an error: where a certificate is refused after the handshake, hyper only says that the
/// connection is gone.
fn root(error: &dyn std::error::Error) -> String {
    let mut at = error;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}

async fn listen(listener: TcpListener, ends: Ends, events: mpsc::Sender<Event>, calls: mpsc::Sender<Call>) {
    let acceptor = TlsAcceptor::from(ends.server);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let (socket, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "the link of the peer cannot be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!(%from, "too many connections on the link of the peer");
            continue;
        };
        let (acceptor, events, calls) = (acceptor.clone(), events.clone(), calls.clone());
        tokio::spawn(async move {
            let _place = place;
            let _ = socket.set_nodelay(true);
            match timeout(PATIENCE, acceptor.accept(socket)).await {
                Ok(Ok(stream)) => serve(stream, events, calls).await,
                Ok(Err(error)) => tracing::warn!(%from, %error, "refused on the link of the peer"),
                Err(_) => tracing::warn!(%from, "no handshake on the link of the peer"),
            }
        });
    }
}

/// Answers the calls of one connection.
async fn serve(
    stream: tokio_rustls::server::TlsStream<TcpStream>,
    events: mpsc::Sender<Event>,
    calls: mpsc::Sender<Call>,
) {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let (events, calls) = (events.clone(), calls.clone());
        async move {
            let (status, body) = match answer(request, &events, &calls).await {
                Ok(envelope) => (StatusCode::OK, envelope.to_json()),
                Err((status, why)) => {
                    tracing::warn!(%status, why, "a call of the peer is refused");
                    (status, Vec::new())
                }
            };
            let mut response = Response::new(Full::<Bytes>::from(body));
            *response.status_mut() = status;
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let outcome = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE * 4)
        .max_buf_size(16 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection of the peer ended");
    }
}

async fn answer(
    request: Request<hyper::body::Incoming>,
    events: &mpsc::Sender<Event>,
    calls: &mpsc::Sender<Call>,
) -> Result<Envelope, (StatusCode, String)> {
    if request.uri().path() != PATH {
        return Err((StatusCode::NOT_FOUND, request.uri().path().to_owned()));
    }
    if request.method() != Method::POST {
        return Err((StatusCode::METHOD_NOT_ALLOWED, request.method().to_string()));
    }
    let body = Limited::new(request.into_body(), BYTES).collect();
    let body = match timeout(PATIENCE, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) => return Err((StatusCode::PAYLOAD_TOO_LARGE, error.to_string())),
        Err(_) => return Err((StatusCode::REQUEST_TIMEOUT, "the body does not come".into())),
    };
    let mut call = Envelope::parse(&body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let asked: Vec<Item> = call.items.extract_if(.., |item| matches!(item, Item::Ask { .. })).collect();
    let answers = if asked.is_empty() { Vec::new() } else { ask_owner(events, asked).await };
    let (reply, answer) = oneshot::channel();
    let gone = || (StatusCode::SERVICE_UNAVAILABLE, "this node is ending".to_owned());
    calls.send((call, answers, reply)).await.map_err(|_| gone())?;
    answer.await.map_err(|_| gone())
}

/// An owner that takes too long gives no answer, which the other node takes for silence.
async fn ask_owner(events: &mpsc::Sender<Event>, asked: Vec<Item>) -> Vec<Item> {
    let (reply, answers) = oneshot::channel();
    let asking = async {
        events.send(Event::Asked(asked, reply)).await.ok()?;
        answers.await.ok()
    };
    timeout(ANSWER, asking).await.ok().flatten().unwrap_or_default()
}
