//! A REST client for one user: requests over one kept-alive connection.

use anyhow::{Context, Result, ensure};
use base64::Engine;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A user's connection to the REST API.
pub struct Rest {
    stream: TcpStream,
    authorization: String,
    input: Vec<u8>,
}

impl Rest {
    /// Connects to `address` (host and port) as `user`.
    pub async fn connect(address: &str, user: &str, password: &str) -> Result<Rest> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let authorization = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        Ok(Rest { stream, authorization, input: Vec::new() })
    }

    /// Sends a request; status code and body of the answer.
    pub async fn request(
        &mut self,
        method: &str,
        path: &str,
        request_id: &str,
        body: &str,
    ) -> Result<(u16, String)> {
        let request = format!(
            "{method} /finesse/api/{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {}\r\n\
             Content-Type: application/xml\r\nrequestId: {request_id}\r\nContent-Length: {}\r\n\r\n{body}",
            self.authorization,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        loop {
            if let Some((status, end, len)) = head(&self.input)?
                && self.input.len() >= end + len
            {
                let body = String::from_utf8(self.input[end..end + len].to_vec())?;
                self.input.drain(..end + len);
                return Ok((status, body));
            }
            ensure!(self.stream.read_buf(&mut self.input).await? > 0, "the server closed the connection");
        }
    }

    /// A PUT or POST that has to be accepted (202, no body).
    pub async fn accepted(&mut self, method: &str, path: &str, request_id: &str, body: &str) -> Result<()> {
        let (status, text) = self.request(method, path, request_id, body).await?;
        ensure!(status == 202 && text.is_empty(), "{method} {path}: {status} {text}");
        Ok(())
    }
}

/// Status, end of the head and length of the body, once the head is there.
fn head(input: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    let Some(end) = input.windows(4).position(|w| w == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&input[..end])?;
    let status = text.get(9..12).context("no status line")?.parse()?;
    let len = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Ok(0), |(_, value)| value.trim().parse())?;
    Ok(Some((status, end + 4, len)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_head_is_read_when_whole() {
        assert_eq!(super::head(b"HTTP/1.1 202 Accepted\r\n").unwrap(), None);
        let text = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc";
        assert_eq!(super::head(text).unwrap(), Some((200, 38, 3)));
    }
}
