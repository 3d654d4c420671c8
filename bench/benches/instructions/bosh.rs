//! BOSH sessions: without HTTP, and behind hyper with a connection in memory in place of the socket.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bosh::core::Settings;
use bosh::{Body, Config, Endpoint};
use broker::{Address, Event};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::runtime::Runtime;
use xmpp::Service;

use crate::PAYLOAD;
use crate::streams::{plain, runtime, service};
use crate::wire::{Task, Wire};

const PEER: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
const NODE: &str = "/finesse/api/User/agent/Dialogs";
const NS: &str = "xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh'";

/// One session that is signed in and subscribed.
struct Client {
    runtime: Runtime,
    service: Service,
    endpoint: Endpoint,
    sid: String,
    rid: u64,
}

impl Client {
    fn login() -> Self {
        let runtime = runtime();
        let service = service();
        // The rounds are faster than a client may be.
        let settings = Settings { ignore_overactivity: true, ..Settings::default() };
        let endpoint = Endpoint::new(service.clone(), Config { settings, ..Config::default() });
        let mut client = Self { runtime, service, endpoint, sid: String::new(), rid: 1 };
        let open = format!("<body rid='1' wait='60' hold='1' ver='1.9' to='localhost' {NS}/>");
        let answer = client.ask(open);
        client.sid =
            answer.split("sid=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a sid").into();
        let auth = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'";
        for rest in [
            format!("><auth {auth}>{}</auth></body>", plain("agent")),
            " xmpp:restart='true' to='localhost'/>".to_owned(),
            "><iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq></body>".to_owned(),
            "><presence/></body>".to_owned(),
        ] {
            client.rid += 1;
            let body = format!("<body rid='{}' sid='{}' {NS}{rest}", client.rid, client.sid);
            client.ask(body);
        }
        client.service.broker().create_node(NODE).expect("new");
        client.service.broker().subscribe(&Address::bare("agent@localhost"), NODE).expect("there");
        client
    }

    fn ask(&self, body: String) -> String {
        self.runtime.block_on(async {
            let request = Request::post("/").body(Body::new(body.into())).expect("a request");
            let response = self.endpoint.handle(request, PEER, false).await;
            let mut body = pin!(response.into_body());
            let frame = std::future::poll_fn(|cx| hyper::body::Body::poll_frame(body.as_mut(), cx)).await;
            let data = frame.map(|frame| frame.expect("infallible").into_data().expect("data"));
            String::from_utf8_lossy(&data.unwrap_or_default()).into_owned()
        })
    }

    fn body(&mut self) -> String {
        self.rid += 1;
        format!("<body rid='{}' sid='{}' xmlns='http://jabber.org/protocol/httpbind'/>", self.rid, self.sid)
    }

    fn event(&self) -> Event {
        xmpp::notification("pubsub.localhost", NODE, &"x".repeat(PAYLOAD))
    }

    /// The future that answers a poll.
    fn poll(&mut self) -> Pin<Box<impl Future<Output = Response<Body>> + use<>>> {
        let request = Request::post("/").body(Body::new(self.body().into())).expect("a request");
        let endpoint = self.endpoint.clone();
        Box::pin(async move { endpoint.handle(request, PEER, false).await })
    }
}

fn look<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn length(response: Poll<Response<Body>>) -> u64 {
    let Poll::Ready(response) = response else { panic!("still held") };
    hyper::body::Body::size_hint(response.body()).exact().expect("known")
}

/// A poll that the next one sets free with nothing to say; per poll.
pub fn poll(rounds: usize) -> usize {
    let mut client = Client::login();
    let runtime = runtime();
    let _guard = runtime.enter();
    let mut held = client.poll();
    assert!(look(held.as_mut()).is_pending());
    for _ in 0..rounds {
        let mut next = client.poll();
        assert!(look(next.as_mut()).is_pending());
        assert!(length(look(held.as_mut())) < 100);
        held = next;
    }
    rounds
}

/// A poll that is held and answered with an event; per event.
pub fn event(rounds: usize) -> usize {
    let mut client = Client::login();
    let runtime = runtime();
    let _guard = runtime.enter();
    let event = client.event();
    for _ in 0..rounds {
        let mut held = client.poll();
        assert!(look(held.as_mut()).is_pending());
        client.service.broker().publish(NODE, event.clone());
        assert!(length(look(held.as_mut())) > 1024);
    }
    rounds
}

/// A connection of the client, with hyper at its other end.
struct Http {
    wire: Wire,
    task: Task<Pin<Box<dyn Future<Output = hyper::Result<()>>>>>,
}

impl Http {
    fn new(endpoint: &Endpoint) -> Self {
        let wire = Wire::default();
        let io = TokioIo::new(wire.clone());
        let http = hyper::server::conn::http1::Builder::new();
        let connection = http.serve_connection(io, endpoint.service(PEER, false));
        Self { wire, task: Task::new(Box::pin(connection)) }
    }

    /// Sends what a browser sends.
    fn post(&mut self, body: &str) {
        let head = format!(
            "POST /http-bind/ HTTP/1.1\r\nHost: fin-a.example.net:7443\r\nConnection: keep-alive\r\n\
             Content-Length: {}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/126.0.0.0 Safari/537.36\r\nContent-Type: text/xml; charset=utf-8\r\nAccept: */*\r\n\
             Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n\r\n",
            body.len()
        );
        self.wire.send((head + body).as_bytes());
        self.run();
    }

    fn run(&mut self) {
        assert!(self.task.run().is_none(), "closed");
    }

    fn answer(&mut self) -> usize {
        self.run();
        self.wire.received(|bytes| if bytes.starts_with(b"HTTP/1.1 200") { bytes.len() } else { 0 })
    }
}

/// As [`poll`], from bytes to bytes, on two connections in turn.
pub fn http_poll(rounds: usize) -> usize {
    let mut client = Client::login();
    let runtime = runtime();
    let _guard = runtime.enter();
    let mut connections = [Http::new(&client.endpoint), Http::new(&client.endpoint)];
    connections[0].post(&client.body());
    for round in 1..=rounds {
        connections[round % 2].post(&client.body());
        assert_ne!(connections[(round + 1) % 2].answer(), 0, "set free");
    }
    rounds
}

/// As [`event`], from bytes to bytes.
pub fn http_event(rounds: usize) -> usize {
    let mut client = Client::login();
    let runtime = runtime();
    let _guard = runtime.enter();
    let event = client.event();
    let mut connection = Http::new(&client.endpoint);
    for _ in 0..rounds {
        connection.post(&client.body());
        client.service.broker().publish(NODE, event.clone());
        assert!(connection.answer() > PAYLOAD);
    }
    rounds
}
