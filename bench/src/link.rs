//! One client connection over any transport: stanzas out, stanza text in.

use std::collections::VecDeque;
use std::net::IpAddr;

use anyhow::{Context, Result, bail, ensure};
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::options::{Options, Transport};

/// A connection and the text it has received and not yet consumed.
pub struct Link {
    pub input: Vec<u8>,
    wire: Wire,
}

enum Wire {
    Tcp(TcpStream),
    Ws(Ws),
    Bosh(Box<Bosh>),
}

struct Ws {
    stream: TcpStream,
    raw: Vec<u8>,
}

struct Bosh {
    connections: [Http; 2],
    options: Options,
    rid: u64,
    sid: String,
    /// Connections with an unanswered request, oldest first.
    waiting: VecDeque<usize>,
}

#[derive(Default)]
struct Http {
    stream: Option<TcpStream>,
    raw: Vec<u8>,
}

async fn dial(options: &Options, port: u16) -> Result<TcpStream> {
    let stream = match options.source {
        None => TcpStream::connect((options.host.as_str(), port)).await,
        Some(source) => dial_from(source, &options.host, port).await,
    };
    let stream = stream.context("cannot connect")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn dial_from(source: IpAddr, host: &str, port: u16) -> std::io::Result<TcpStream> {
    let to = tokio::net::lookup_host((host, port)).await?.find(|to| to.is_ipv4() == source.is_ipv4());
    let to = to.ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    let socket = if source.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind((source, 0).into())?;
    socket.connect(to).await
}

impl Link {
    pub async fn open(options: &Options, transport: Transport) -> Result<Link> {
        let wire = match transport {
            Transport::Tcp | Transport::Nats => Wire::Tcp(dial(options, options.port).await?),
            Transport::Ws => Wire::Ws(Ws::open(options).await?),
            Transport::Bosh => Wire::Bosh(Box::new(Bosh {
                connections: Default::default(),
                options: options.clone(),
                rid: 1_000_000,
                sid: String::new(),
                waiting: VecDeque::new(),
            })),
        };
        Ok(Link { input: Vec::new(), wire })
    }

    /// BOSH session id; empty on other transports and before there is one.
    pub fn sid(&self) -> &str {
        if let Wire::Bosh(bosh) = &self.wire { &bosh.sid } else { "" }
    }

    /// Sends one stanza (TCP: any text).
    pub async fn send(&mut self, xml: &str) -> Result<()> {
        match &mut self.wire {
            Wire::Tcp(stream) => stream.write_all(xml.as_bytes()).await?,
            Wire::Ws(ws) => ws.send(0x1, xml.as_bytes()).await?,
            Wire::Bosh(bosh) => bosh.send("", xml, &mut self.input).await?,
        }
        Ok(())
    }

    /// Opens the stream, or restarts it after SASL.
    pub async fn open_stream(&mut self, domain: &str, restart: bool) -> Result<()> {
        match &mut self.wire {
            Wire::Tcp(stream) => {
                let header = format!(
                    "<stream:stream to='{domain}' version='1.0' xmlns='jabber:client' \
                     xmlns:stream='http://etherx.jabber.org/streams'>"
                );
                stream.write_all(header.as_bytes()).await?;
            }
            Wire::Ws(ws) => {
                let open = format!(
                    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{domain}' version='1.0'/>"
                );
                ws.send(0x1, open.as_bytes()).await?;
            }
            Wire::Bosh(bosh) if restart => {
                let attributes = format!("to='{domain}' xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'");
                bosh.send(&attributes, "", &mut self.input).await?;
            }
            Wire::Bosh(bosh) => {
                let wait = bosh.options.bosh_wait;
                let attributes = format!(
                    "to='{domain}' wait='{wait}' hold='1' ver='1.6' content='text/xml; charset=utf-8' \
                     xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'"
                );
                bosh.send(&attributes, "", &mut self.input).await?;
            }
        }
        Ok(())
    }

    /// Waits for more input. BOSH keeps one empty request parked.
    pub async fn receive(&mut self) -> Result<()> {
        match &mut self.wire {
            Wire::Tcp(stream) => {
                ensure!(stream.read_buf(&mut self.input).await? > 0, "the server closed the connection");
            }
            Wire::Ws(ws) => ws.receive(&mut self.input).await?,
            Wire::Bosh(bosh) => {
                if bosh.waiting.is_empty() {
                    bosh.send("", "", &mut self.input).await?;
                }
                bosh.answer(&mut self.input).await?;
            }
        }
        Ok(())
    }

    /// Parks a request (BOSH) so that the session counts as waiting.
    pub async fn park(&mut self) -> Result<()> {
        if let Wire::Bosh(bosh) = &mut self.wire
            && bosh.waiting.is_empty()
        {
            bosh.send("", "", &mut self.input).await?;
        }
        Ok(())
    }

    /// Waits until the input holds `needle` and drops everything up to its end.
    pub async fn wait_for(&mut self, needle: &str) -> Result<()> {
        loop {
            if let Some(at) = memmem::find(&self.input, needle.as_bytes()) {
                self.input.drain(..at + needle.len());
                return Ok(());
            }
            for bad in ["<failure", "stream:error", "type=\"error\"", "type='error'", "terminate"] {
                if memmem::find(&self.input, bad.as_bytes()).is_some() {
                    bail!("refused while waiting for {needle}: {}", String::from_utf8_lossy(&self.input));
                }
            }
            self.receive().await?;
        }
    }
}

impl Ws {
    async fn open(options: &Options) -> Result<Ws> {
        let mut stream = dial(options, options.http_port).await?;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}:{}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n",
            options.ws_path, options.host, options.http_port
        );
        stream.write_all(request.as_bytes()).await?;
        let mut raw = Vec::new();
        let end = loop {
            if let Some(at) = memmem::find(&raw, b"\r\n\r\n") {
                break at + 4;
            }
            ensure!(stream.read_buf(&mut raw).await? > 0, "closed during the handshake");
        };
        ensure!(raw.starts_with(b"HTTP/1.1 101"), "no upgrade: {}", String::from_utf8_lossy(&raw));
        raw.drain(..end);
        Ok(Ws { stream, raw })
    }

    async fn send(&mut self, opcode: u8, payload: &[u8]) -> Result<()> {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            n @ 0..=125 => frame.push(0x80 | n as u8),
            n @ 126..=0xffff => {
                frame.push(0x80 | 126);
                frame.extend((n as u16).to_be_bytes());
            }
            n => {
                frame.push(0x80 | 127);
                frame.extend((n as u64).to_be_bytes());
            }
        }
        // A masking key of zero is legal and leaves the payload as it is.
        frame.extend([0; 4]);
        frame.extend(payload);
        self.stream.write_all(&frame).await?;
        Ok(())
    }

    async fn receive(&mut self, input: &mut Vec<u8>) -> Result<()> {
        ensure!(self.stream.read_buf(&mut self.raw).await? > 0, "the server closed the connection");
        let mut at = 0;
        while let Some((opcode, body, end)) = frame(&self.raw[at..]) {
            let payload = &self.raw[at + body..at + end];
            match opcode {
                0x9 => {
                    let pong = payload.to_vec();
                    self.send(0xa, &pong).await?;
                }
                0x8 => bail!("the server closed the WebSocket"),
                _ => input.extend_from_slice(payload),
            }
            at += end;
        }
        self.raw.drain(..at);
        Ok(())
    }
}

/// Opcode, start of the payload and end of the first whole server frame in `raw`.
fn frame(raw: &[u8]) -> Option<(u8, usize, usize)> {
    let (body, len) = match *raw.get(1)? & 0x7f {
        126 => (4, u64::from(u16::from_be_bytes(raw.get(2..4)?.try_into().ok()?))),
        127 => (10, u64::from_be_bytes(raw.get(2..10)?.try_into().ok()?)),
        n => (2, u64::from(n)),
    };
    let end = body + usize::try_from(len).ok()?;
    (raw.len() >= end).then_some((raw[0] & 0x0f, body, end))
}

impl Bosh {
    async fn send(&mut self, attributes: &str, payload: &str, input: &mut Vec<u8>) -> Result<()> {
        while self.waiting.len() == 2 {
            self.answer(input).await?;
        }
        let index = usize::from(self.waiting.front() == Some(&0));
        let sid = if self.sid.is_empty() { String::new() } else { format!(" sid='{}'", self.sid) };
        let body = format!(
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='{}'{sid} {attributes}>{payload}</body>",
            self.rid
        );
        self.rid += 1;
        let request = format!(
            "POST {} HTTP/1.1\r\nHost: {}:{}\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
            self.options.bosh_path,
            self.options.host,
            self.options.http_port,
            body.len()
        );
        let http = &mut self.connections[index];
        if http.stream.is_none() {
            http.stream = Some(dial(&self.options, self.options.http_port).await?);
        }
        http.stream.as_mut().context("dialled above")?.write_all(request.as_bytes()).await?;
        self.waiting.push_back(index);
        Ok(())
    }

    /// The answer to the oldest request; answers come in the order of the requests.
    async fn answer(&mut self, input: &mut Vec<u8>) -> Result<()> {
        let index = *self.waiting.front().context("nothing is asked")?;
        let http = &mut self.connections[index];
        let stream = http.stream.as_mut().context("a request went out on it")?;
        let (body, end) = loop {
            if let Some(found) = response(&http.raw)? {
                break found;
            }
            ensure!(stream.read_buf(&mut http.raw).await? > 0, "the server closed the connection");
        };
        let text = &http.raw[body..end];
        if self.sid.is_empty() {
            let at = memmem::find(text, b"sid=").context("no sid")? + 5;
            let len = text[at..].iter().position(|&b| b == b'"' || b == b'\'').context("open sid")?;
            self.sid = String::from_utf8_lossy(&text[at..at + len]).into_owned();
        }
        input.extend_from_slice(text);
        http.raw.drain(..end);
        self.waiting.pop_front();
        Ok(())
    }
}

/// Start and end of the body of the first whole response in `raw`.
fn response(raw: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(head) = memmem::find(raw, b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&raw[..head])?;
    ensure!(text.starts_with("HTTP/1.1 200"), "{}", text.lines().next().unwrap_or_default());
    let len: usize = text
        .lines()
        .find_map(|l| {
            l.split_once(':').filter(|(k, _)| k.eq_ignore_ascii_case("content-length"))?.1.trim().parse().ok()
        })
        .context("no Content-Length")?;
    let end = head + 4 + len;
    Ok((raw.len() >= end).then_some((head + 4, end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_responses_wait_for_their_end() {
        assert_eq!(frame(&[0x81, 3, b'a', b'b']), None);
        assert_eq!(frame(&[0x81, 2, b'a', b'b']), Some((1, 2, 4)));
        let text = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        assert_eq!(response(&text[..text.len() - 1]).unwrap(), None);
        assert_eq!(response(text).unwrap(), Some((38, 40)));
        assert!(response(b"HTTP/1.1 404 Not Found\r\n\r\n").is_err());
    }
}
