//! A running demo on free ports.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;

/// The process; ended when dropped.
pub struct Demo {
    child: Child,
    pub ready: serde_json::Value,
}

/// `Authorization` header line.
pub fn basic(user: &str, password: &str) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("Authorization: Basic {text}\r\n")
}

impl Demo {
    pub fn start(more: &[&str]) -> Demo {
        let mut command = Command::new(env!("CARGO_BIN_EXE_finesse-server"));
        command.arg("demo").args(more);
        for option in ["http", "https", "bosh", "bosh-tls", "xmpp", "xmpp-tls", "cti"] {
            command.args([format!("--{option}-port"), "0".into()]);
        }
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the demo starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = line.strip_prefix("READY ").unwrap_or_else(|| panic!("no READY line: {line:?}"));
        Demo { ready: serde_json::from_str(ready).unwrap(), child }
    }

    pub fn value(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap_or_else(|| panic!("no {key}"))
    }

    /// Connects to the listener of a key of the READY line.
    pub fn connect(&self, key: &str) -> TcpStream {
        let address = self.value(key).split("://").last().unwrap().split('/').next().unwrap();
        TcpStream::connect(address).unwrap()
    }

    pub fn get(&self, key: &str, path: &str, headers: &str) -> String {
        self.send(key, "GET", path, headers)
    }

    /// One request; the whole answer.
    pub fn send(&self, key: &str, method: &str, path: &str, headers: &str) -> String {
        let mut socket = self.connect(key);
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
        let _ = socket.write_all(head.as_bytes());
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// One request whose connection stays open; the head of the answer.
    pub fn head(&self, key: &str, path: &str, headers: &str) -> String {
        let mut socket = self.connect(key);
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        socket
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").as_bytes())
            .unwrap();
        let lines = BufReader::new(socket).lines().map_while(Result::ok);
        lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// Sends a signal and waits for the end; the exit code.
    pub fn end(&mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([format!("-{signal}"), pid]).status().unwrap().success());
        let late = std::time::Instant::now() + Duration::from_secs(20);
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return status.code(),
                None if std::time::Instant::now() > late => return None,
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
