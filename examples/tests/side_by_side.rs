//! Two notification services in one process share nothing: same user, same node, other domain.

use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use broker::Broker;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use xmpp::auth::Verdict;
use xmpp::tcp::TcpOptions;
use xmpp::{Authenticator, Credentials, OpenPolicy, Principal, Service};

const NODE: &str = "/news";

/// `1001`, a NUL before and the password `x` behind.
const LOGIN: &str = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>ADEwMDEAeA==</auth>";

/// Lets everybody in.
struct Anybody;

impl Authenticator for Anybody {
    fn authenticate(&self, login: Credentials) -> Verdict {
        Box::pin(ready(Ok(Principal { user: login.user.into(), tag: 0 })))
    }
}

struct House {
    domain: &'static str,
    service: Service,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl House {
    async fn build(domain: &'static str) -> Self {
        let broker = Broker::new(broker::Config::default());
        broker.create_node(NODE).unwrap();
        let service =
            Service::new(xmpp::Config::new(domain), broker, Arc::new(Anybody), Arc::new(OpenPolicy));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move { drop(stopped.await) };
        let serving =
            tokio::spawn(xmpp::tcp::serve(listener, service.clone(), TcpOptions::default(), stopped));
        Self { domain, service, address, stop, serving }
    }

    /// Tells the news to whoever listens.
    fn tell(&self, text: &str) -> usize {
        let pubsub = format!("pubsub.{}", self.domain);
        self.service.broker().publish_with(NODE, || xmpp::notification(&pubsub, NODE, text)).sessions
    }

    /// 1001 signs in and subscribes to the news.
    async fn enter(&self) -> Guest {
        let domain = self.domain;
        let header = format!(
            "<stream:stream to='{domain}' version='1.0' xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams'>"
        );
        let mut guest =
            Guest { socket: TcpStream::connect(self.address).await.unwrap(), heard: String::new() };
        guest.say(&format!("{header}{LOGIN}")).await;
        guest.hear("<success").await;
        guest.say(&header).await;
        guest.hear("</stream:features>").await;
        guest
            .say(&format!(
                "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>d</resource></bind></iq>\
                 <presence/><iq type='set' id='2' to='pubsub.{domain}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
                 <subscribe node='{NODE}' jid='1001@{domain}'/></pubsub></iq>"
            ))
            .await;
        guest.hear("subscription=\"subscribed\"").await;
        guest
    }
}

struct Guest {
    socket: TcpStream,
    heard: String,
}

impl Guest {
    async fn say(&mut self, text: &str) {
        self.socket.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads until `text` has come; what was before it is in `heard`.
    async fn hear(&mut self, text: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            if let Some(at) = self.heard.find(text) {
                let rest = self.heard.split_off(at + text.len());
                return std::mem::replace(&mut self.heard, rest);
            }
            let read = tokio::time::timeout(Duration::from_secs(20), self.socket.read(&mut buffer));
            let count = read.await.expect("an answer in time").unwrap();
            assert!(count > 0, "closed after {}", self.heard);
            self.heard.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
    }
}

#[tokio::test]
async fn two_services_in_one_process_share_nothing() {
    let (one, other) = (House::build("one.example").await, House::build("other.example").await);
    let (mut at_one, mut at_other) = (one.enter().await, other.enter().await);

    assert_eq!((one.tell("for one"), other.tell("for the other")), (1, 1));
    let heard = at_one.hear("</message>").await;
    assert!(heard.contains("for one") && heard.contains("pubsub.one.example"), "{heard}");
    let heard = at_other.hear("</message>").await;
    assert!(heard.contains("for the other") && heard.contains("to=\"1001@other.example\""), "{heard}");

    one.stop.send(()).unwrap();
    at_one.hear("<system-shutdown").await;
    drop(at_one);
    one.serving.await.unwrap();
    assert_eq!((one.service.sessions(), other.service.sessions()), (0, 1));
    assert_eq!(other.tell("still here"), 1);
    assert!(at_other.hear("</message>").await.contains("still here"));
}
