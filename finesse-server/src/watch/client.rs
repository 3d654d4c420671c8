//! A small XMPP client: stream, SASL PLAIN, bind, presence, subscriptions (RFC 6120, XEP-0060), and then nothing
//! but listening. Speaks in clear; for looking at a server from its own machine or a trusted network.

use std::collections::VecDeque;
use std::time::Duration;

use base64::Engine as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use xmpp::reader::{Item, Reader};

use super::Options;

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
const PUBSUB_EVENT: &str = "http://jabber.org/protocol/pubsub#event";
const PING: &str = "urn:xmpp:ping";

/// How long the server may take for each step of signing in.
const STEP: Duration = Duration::from_secs(15);

/// Silence after which the client asks whether the server is there, and after another of which it gives up.
const SILENCE: Duration = Duration::from_secs(20);

/// Largest stanza taken, in bytes.
const LARGEST: usize = 4 << 20;

/// Why watching ended.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server does not accept the credentials.
    Refused,
    /// The connection failed; may be tried again.
    Lost(String),
    /// The line could not be printed.
    Output(std::io::Error),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::Lost(error.to_string())
    }
}

fn lost(why: impl Into<String>) -> Failure {
    Failure::Lost(why.into())
}

/// A stream that is signed in.
pub(super) struct Client {
    socket: TcpStream,
    reader: Reader,
    limits: xmpp::Limits,
    buffer: Vec<u8>,
    items: VecDeque<Item>,
    address: String,
    requests: u32,
}

impl Client {
    /// Connects, signs in, and becomes available.
    pub(super) async fn connect(options: &Options) -> Result<Client, Failure> {
        let socket = timeout(STEP, TcpStream::connect(&options.server))
            .await
            .map_err(|_| lost("no answer from the server"))?
            .map_err(|error| lost(format!("cannot connect to {}: {error}", options.server)))?;
        socket.set_nodelay(true)?;
        let limits = xmpp::Limits { stanza_bytes: LARGEST, ..xmpp::Limits::default() };
        let reader = Reader::new(&limits, LARGEST);
        let mut client = Client {
            socket,
            reader,
            limits,
            buffer: Vec::new(),
            items: VecDeque::new(),
            address: String::new(),
            requests: 0,
        };
        client.open(&options.domain).await?;
        client.authenticate(options).await?;
        client.reader.restart(&client.limits, LARGEST);
        client.open(&options.domain).await?;
        client.bind().await?;
        client.send("<presence xmlns=\"jabber:client\"/>").await?;
        for node in &options.nodes {
            client.subscribe(&options.domain, node).await?;
        }
        Ok(client)
    }

    /// The full address the server gave.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    async fn open(&mut self, domain: &str) -> Result<(), Failure> {
        let header = format!(
            "<stream:stream to=\"{}\" version=\"1.0\" xmlns=\"jabber:client\" \
             xmlns:stream=\"http://etherx.jabber.org/streams\">",
            escape(domain)
        );
        self.send(&header).await?;
        self.element(|element| element.name() == "features").await.map(drop)
    }

    async fn authenticate(&mut self, options: &Options) -> Result<(), Failure> {
        let plain = zeroize::Zeroizing::new(format!("\0{}\0{}", options.user, options.password.expose()));
        let text =
            zeroize::Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(plain.as_bytes()));
        let auth =
            zeroize::Zeroizing::new(format!("<auth xmlns=\"{SASL}\" mechanism=\"PLAIN\">{}</auth>", *text));
        self.send(&auth).await?;
        let verdict =
            self.element(|element| element.is("success", SASL) || element.is("failure", SASL)).await?;
        match verdict.name() {
            "success" => Ok(()),
            _ if verdict.has_child("temporary-auth-failure", SASL) => {
                Err(lost("the server cannot check passwords now"))
            }
            _ => Err(Failure::Refused),
        }
    }

    async fn bind(&mut self) -> Result<(), Failure> {
        let bind = format!(
            "<iq xmlns=\"jabber:client\" type=\"set\" id=\"bind\"><bind xmlns=\"{BIND}\"><resource>watch-{}</resource></bind></iq>",
            std::process::id()
        );
        self.send(&bind).await?;
        let answer = self.answer("bind").await?;
        let jid = answer.get_child("bind", BIND).and_then(|bind| bind.get_child("jid", BIND));
        self.address = jid.map(minidom::Element::text).ok_or_else(|| lost("the server gave no address"))?;
        Ok(())
    }

    async fn subscribe(&mut self, domain: &str, node: &str) -> Result<(), Failure> {
        self.requests += 1;
        let id = format!("s{}", self.requests);
        let request = format!(
            "<iq xmlns=\"jabber:client\" type=\"set\" to=\"pubsub.{}\" id=\"{id}\"><pubsub xmlns=\"{PUBSUB}\">\
             <subscribe node=\"{}\" jid=\"{}\"/></pubsub></iq>",
            escape(domain),
            escape(node),
            escape(&self.address)
        );
        self.send(&request).await?;
        let answer = self.answer(&id).await?;
        if answer.attr("type") == Some("error") {
            let error = answer.children().find(|child| child.name() == "error");
            let condition =
                error.and_then(|error| error.children().next()).map_or("error", |condition| condition.name());
            eprintln!("watch: cannot subscribe to {node}: {condition}");
        }
        Ok(())
    }

    /// Waits for the answer to a request; what arrives before it stays queued.
    async fn answer(&mut self, id: &str) -> Result<minidom::Element, Failure> {
        self.element(|element| element.name() == "iq" && element.attr("id") == Some(id)).await
    }

    /// Waits for an element; others stay queued, in order.
    async fn element(
        &mut self,
        wanted: impl Fn(&minidom::Element) -> bool,
    ) -> Result<minidom::Element, Failure> {
        let wait = async {
            let mut seen = 0;
            loop {
                while seen < self.items.len() {
                    match &self.items[seen] {
                        Item::Element(element) if element.name() == "error" => {
                            return Err(stream_error(element));
                        }
                        Item::Element(element) if wanted(element) => {
                            if let Some(Item::Element(element)) = self.items.remove(seen) {
                                return Ok(element);
                            }
                        }
                        Item::Closed => return Err(lost("the server closed the stream")),
                        _ => seen += 1,
                    }
                }
                self.read().await?;
            }
        };
        timeout(STEP, wait).await.map_err(|_| lost("no answer from the server"))?
    }

    /// The next event: its node and the text of its notification.
    pub(super) async fn next_event(&mut self) -> Result<(String, String), Failure> {
        loop {
            match self.items.pop_front() {
                None => self.listen().await?,
                Some(Item::Header(_)) => {}
                Some(Item::Closed) => return Err(lost("the server closed the stream")),
                Some(Item::Element(element)) => {
                    if element.name() == "error" {
                        return Err(stream_error(&element));
                    }
                    self.answer_request(&element).await?;
                    if let Some(event) = event(&element) {
                        return Ok(event);
                    }
                }
            }
        }
    }

    /// Reads; asks after a silence whether the server is there.
    async fn listen(&mut self) -> Result<(), Failure> {
        if let Ok(read) = timeout(SILENCE, self.read()).await {
            return read;
        }
        self.send(&format!(
            "<iq xmlns=\"jabber:client\" type=\"get\" id=\"ping\"><ping xmlns=\"{PING}\"/></iq>"
        ))
        .await?;
        timeout(SILENCE, self.read()).await.map_err(|_| lost("the server is silent"))?
    }

    /// Answers requests of the server: pings with a result, others with an error.
    async fn answer_request(&mut self, element: &minidom::Element) -> Result<(), Failure> {
        if element.name() != "iq" || !matches!(element.attr("type"), Some("get" | "set")) {
            return Ok(());
        }
        let id = escape(element.attr("id").unwrap_or_default());
        let to = element.attr("from").map(|from| format!(" to=\"{}\"", escape(from))).unwrap_or_default();
        let (kind, content) = match element.has_child("ping", PING) {
            true => ("result", ""),
            false => (
                "error",
                "<error type=\"cancel\"><service-unavailable xmlns=\"urn:ietf:params:xml:ns:xmpp-stanzas\"/></error>",
            ),
        };
        self.send(&format!("<iq xmlns=\"jabber:client\" type=\"{kind}\" id=\"{id}\"{to}>{content}</iq>"))
            .await
    }

    async fn send(&mut self, text: &str) -> Result<(), Failure> {
        timeout(STEP, self.socket.write_all(text.as_bytes()))
            .await
            .map_err(|_| lost("the server does not read"))??;
        Ok(())
    }

    async fn read(&mut self) -> Result<(), Failure> {
        self.buffer.clear();
        self.buffer.reserve(16 * 1024);
        if self.socket.read_buf(&mut self.buffer).await? == 0 {
            return Err(lost("the server closed the connection"));
        }
        let mut input = self.buffer.as_slice();
        while let Some(item) = self
            .reader
            .read(&mut input, &self.limits)
            .map_err(|error| lost(format!("unreadable stream: {error:?}")))?
        {
            // The reader says so for as long as it is asked.
            let closed = matches!(item, Item::Closed);
            self.items.push_back(item);
            if closed {
                break;
            }
        }
        Ok(())
    }
}

fn stream_error(element: &minidom::Element) -> Failure {
    let condition = element.children().next().map_or("error", |condition| condition.name());
    lost(format!("the server ended the stream ({condition})"))
}

/// Node and text of a pubsub event's notification.
fn event(message: &minidom::Element) -> Option<(String, String)> {
    let items = message.get_child("event", PUBSUB_EVENT)?.get_child("items", PUBSUB_EVENT)?;
    let item = items.get_child("item", PUBSUB_EVENT)?;
    let payload = item.children().next()?;
    let text = if payload.name() == "notification" { payload.text() } else { String::from(payload) };
    Some((items.attr("node").unwrap_or_default().to_owned(), text))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
