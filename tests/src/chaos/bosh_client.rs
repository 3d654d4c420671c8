//! A BOSH client that repeats broken requests as XEP-0124 §14.3 wants it: the same bytes, as often as needed.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::http::read_message;
use super::site::DOMAIN;
use super::{Dice, Report};

const HTTPBIND: &str = "http://jabber.org/protocol/httpbind";

/// One session.
pub struct Client {
    address: SocketAddr,
    sid: String,
    rid: u64,
    connections: [Option<Connection>; 2],
    report: Report,
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// The way of one request: where it goes, what it is, how often it was sent again.
struct Exchange {
    address: SocketAddr,
    request: Vec<u8>,
    repeats: u64,
}

impl Client {
    /// Logs in as `user` and becomes available.
    ///
    /// # Errors
    /// Anything but a session.
    pub async fn log_in(address: SocketAddr, user: &str) -> Result<Self> {
        let mut client = Self {
            address,
            sid: String::new(),
            rid: 1_000_000,
            connections: [None, None],
            report: Report::default(),
        };
        let xbosh = "xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'";
        let created = client
            .ask(&format!("to='{DOMAIN}' wait='20' hold='1' ver='1.11' content='text/xml' {xbosh}"), "")
            .await?;
        client.sid = attribute(&created, "sid").context("no sid")?.to_owned();
        let plain = base64::engine::general_purpose::STANDARD.encode(format!("\0{user}\0pw"));
        let auth = format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>");
        let answer = client.ask("", &auth).await?;
        ensure!(answer.contains("<success"), "{answer}");
        client.ask(&format!("to='{DOMAIN}' xmpp:restart='true' {xbosh}"), "").await?;
        let bind = "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
                    <resource>r</resource></bind></iq>";
        let answer = client.ask("", bind).await?;
        ensure!(answer.contains("type=\"result\""), "{answer}");
        client.ask("", "<presence xmlns='jabber:client'/>").await?;
        Ok(client)
    }

    /// Reads until event `last` has come or the session ends; now and then asks for something beside.
    ///
    /// # Errors
    /// What no client should see: an answer that is none, or silence.
    pub async fn listen(mut self, last: u64, dice: &Dice) -> Result<Report> {
        while self.report.received.last() != Some(&last) && self.report.ended.is_none() {
            if dice.permille(100) {
                let ping = "<iq xmlns='jabber:client' type='get' id='p' to='localhost'>\
                            <ping xmlns='urn:xmpp:ping'/></iq>";
                self.two(ping, dice.millis(30)).await?;
            } else {
                self.ask("", "").await?;
            }
        }
        Ok(self.report)
    }

    fn exchange(&mut self, attributes: &str, content: &str) -> Exchange {
        let sid = if self.sid.is_empty() { String::new() } else { format!(" sid='{}'", self.sid) };
        let body = format!("<body rid='{}'{sid} {attributes} xmlns='{HTTPBIND}'>{content}</body>", self.rid);
        self.rid += 1;
        let head =
            format!("POST /http-bind/ HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: {}\r\n\r\n", body.len());
        Exchange { address: self.address, request: (head + &body).into_bytes(), repeats: 0 }
    }

    async fn ask(&mut self, attributes: &str, content: &str) -> Result<String> {
        let mut exchange = self.exchange(attributes, content);
        let answer = exchange.answer(&mut self.connections[0]).await?;
        self.take(&exchange, &answer);
        Ok(answer)
    }

    /// A poll, and a request with content that comes `delay` later over another connection.
    async fn two(&mut self, content: &str, delay: Duration) -> Result<()> {
        let mut poll = self.exchange("", "");
        let mut with_content = self.exchange("", content);
        let [first, second] = &mut self.connections;
        let (first, second) = tokio::join!(poll.answer(first), async {
            tokio::time::sleep(delay).await;
            with_content.answer(second).await
        });
        // Answers are read in the order of their requests (XEP-0124 §14.1).
        self.take(&poll, &first?);
        self.take(&with_content, &second?);
        Ok(())
    }

    fn take(&mut self, exchange: &Exchange, answer: &str) {
        self.report.recovered += exchange.repeats;
        for piece in answer.split("&lt;n&gt;").skip(1) {
            let number = piece.split('&').next().and_then(|number| number.parse().ok());
            self.report.received.extend::<Option<u64>>(number);
        }
        if attribute(answer, "type") == Some("terminate") && self.report.ended.is_none() {
            self.report.ended = Some(attribute(answer, "condition").unwrap_or("no condition").to_owned());
        }
    }
}

impl Exchange {
    /// Sends the request until it is answered.
    async fn answer(&mut self, connection: &mut Option<Connection>) -> Result<String> {
        loop {
            let attempt = timeout(Duration::from_secs(40), self.attempt(connection)).await;
            match attempt.context("a request is never answered")? {
                Ok(answer) if attribute(&answer, "type") != Some("error") => return Ok(answer),
                // Recoverable, or the connection broke.
                _ => *connection = None,
            }
            self.repeats += 1;
            ensure!(self.repeats < 50, "a request is broken for ever");
        }
    }

    async fn attempt(&self, connection: &mut Option<Connection>) -> Result<String> {
        let Connection { stream, buffer } = match connection {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                connection.insert(Connection { stream, buffer: Vec::new() })
            }
        };
        stream.write_all(&self.request).await?;
        let message = read_message(stream, buffer).await?.context("closed")?;
        let text = String::from_utf8(message)?;
        ensure!(text.starts_with("HTTP/1.1 200"), "{text}");
        Ok(text.split_once("\r\n\r\n").context("no body")?.1.to_owned())
    }
}

/// An attribute of the body element.
fn attribute<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let tag = &body[..body.find('>')?];
    let at = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[at..].split('"').next()
}
