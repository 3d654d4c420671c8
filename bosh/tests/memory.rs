//! Requirement 74: what an idle session costs, counted at the allocator.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

use bosh::{Body, Config, Endpoint};
use broker::{Address, Broker};
use hyper::Request;
use xmpp::auth::Verdict;
use xmpp::{Authenticator, Credentials, OpenPolicy, Principal, Service};

struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: forwards to the system allocator and only counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The published number: bytes of heap for a bound and present session between two polls, its place in the
/// broker and its two last answers included, HTTP connections not.
const PUBLISHED: usize = 6 << 10;

struct Anybody;

impl Authenticator for Anybody {
    fn authenticate(&self, credentials: Credentials) -> Verdict {
        Box::pin(async move { Ok(Principal { user: credentials.user.into(), tag: 0 }) })
    }
}

const NS: &str = "xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh'";

async fn ask(endpoint: &Endpoint, body: String) -> String {
    let request = Request::post("/").body(Body::new(body.into())).unwrap();
    let response = endpoint.handle(request, Some("127.0.0.1".parse().unwrap()), false).await;
    let mut body = std::pin::pin!(response.into_body());
    let frame = std::future::poll_fn(|cx| hyper::body::Body::poll_frame(body.as_mut(), cx)).await;
    String::from_utf8(frame.unwrap().unwrap().into_data().unwrap().to_vec()).unwrap()
}

/// Signs somebody in and returns the session id.
async fn login(endpoint: &Endpoint, number: usize) -> String {
    let body =
        ask(endpoint, format!("<body rid='1' wait='30' hold='1' ver='1.9' to='localhost' {NS}/>")).await;
    let sid = body.split("sid=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let message = base64(format!("\0user{number:04}\0pw").as_bytes());
    let steps = [
        format!("><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{message}</auth></body>"),
        " xmpp:restart='true' to='localhost'/>".to_owned(),
        "><iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq></body>".to_owned(),
        "><presence/></body>".to_owned(),
    ];
    let mut answer = String::new();
    for (step, rest) in steps.iter().enumerate() {
        answer = ask(endpoint, format!("<body rid='{}' sid='{sid}' {NS}{rest}", step + 2)).await;
    }
    assert!(answer.contains("<presence"), "{answer}");
    sid
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = ALPHABET[(word >> (18 - 6 * place) & 63) as usize] as char;
            out.push(if place <= chunk.len() { letter } else { '=' });
        }
    }
    out
}

/// Holds a poll, publishes, takes the answer; the request itself comes from the caller.
async fn allocations_per_delivery(endpoint: &Endpoint, service: &Service, sid: &str) -> f64 {
    const ROUNDS: usize = 500;
    let broker = service.broker();
    broker.create_node("/n").unwrap();
    let jid = "user0549@localhost";
    broker.subscribe(&Address::bare(jid), "/n").unwrap();
    let event = xmpp::notification("pubsub.localhost", "/n", &"x".repeat(1024));
    let requests: Vec<_> = (0..ROUNDS + 50)
        .map(|n| format!("<body rid='{}' sid='{sid}' {NS}/>", n + 6))
        .map(|body| Request::post("/").body(Body::new(body.into())).unwrap())
        .collect();
    let mut before = 0;
    for (round, request) in requests.into_iter().enumerate() {
        if round == 50 {
            before = ALLOCATIONS.load(Ordering::Relaxed);
        }
        let mut answer = std::pin::pin!(endpoint.handle(request, None, false));
        std::future::poll_fn(|cx| {
            assert!(answer.as_mut().poll(cx).is_pending(), "held");
            std::task::Poll::Ready(())
        })
        .await;
        assert_eq!(broker.publish("/n", event.clone()).sessions, 1);
        let response = answer.await;
        assert!(hyper::body::Body::size_hint(response.body()).exact().unwrap() > 1024);
    }
    (ALLOCATIONS.load(Ordering::Relaxed) - before) as f64 / ROUNDS as f64
}

#[tokio::test]
async fn x74_an_idle_session_stays_below_the_published_size() {
    let broker = Broker::new(broker::Config::default());
    let service =
        Service::new(xmpp::Config::new("localhost"), broker, Arc::new(Anybody), Arc::new(OpenPolicy));
    let endpoint = Endpoint::new(service.clone(), Config::default());
    // Tables and thread-local buffers reach their first size.
    for number in 0..50 {
        login(&endpoint, number).await;
    }
    let before = LIVE.load(Ordering::Relaxed);
    let mut sessions = Vec::with_capacity(500);
    for number in 50..550 {
        sessions.push(login(&endpoint, number).await);
    }
    let ids: usize = sessions.iter().map(String::capacity).sum();
    let used = LIVE.load(Ordering::Relaxed) - before - ids as isize;
    let each = usize::try_from(used).unwrap() / 500;
    println!("{each} bytes for each idle session");
    assert!(each < PUBLISHED, "{each} bytes");

    let deliveries = allocations_per_delivery(&endpoint, &service, &sessions.pop().unwrap()).await;
    println!("{deliveries:.1} allocations for each poll and the event that answers it");
    assert!(deliveries < 8.0, "{deliveries}");

    for sid in sessions {
        ask(&endpoint, format!("<body rid='6' sid='{sid}' type='terminate' {NS}/>")).await;
    }
    assert_eq!(service.sessions(), 51);
    // Cancelled timers leave the wheel with its next turn.
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    let left = LIVE.load(Ordering::Relaxed) - before;
    assert!(left < used / 10, "{left} bytes of {used} are still there after all have left");
}
