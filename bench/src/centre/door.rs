//! The simulator's control door, from another process.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::process::PATIENCE;
use super::view::Truth;

/// A connection to the control door.
#[derive(Debug)]
pub struct Door {
    stream: BufReader<TcpStream>,
}

impl Door {
    /// Connects.
    ///
    /// # Errors
    /// Nobody is there.
    pub async fn open(at: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(at).await.context("no control door")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends one order; the answer, an error included.
    ///
    /// # Errors
    /// The simulator is gone or silent.
    pub async fn ask(&mut self, order: &Value) -> Result<Value> {
        self.stream.get_mut().write_all(format!("{order}\n").as_bytes()).await?;
        let mut line = String::new();
        let read = timeout(PATIENCE, self.stream.read_line(&mut line)).await;
        ensure!(read.context("the simulator is silent")?? > 0, "the simulator ended");
        serde_json::from_str(&line).with_context(|| line.clone())
    }

    /// Sends one order that has to be carried out.
    ///
    /// # Errors
    /// It is not.
    pub async fn order(&mut self, order: Value) -> Result<Value> {
        let answer = self.ask(&order).await?;
        ensure!(answer.get("error").is_none(), "{order}: {answer}");
        Ok(answer)
    }

    /// A customer calls a queue and talks until somebody hangs up; the number of the call.
    ///
    /// # Errors
    /// The simulator refuses.
    pub async fn call(&mut self, ani: &str, queue: u32) -> Result<u32> {
        // Hours, which no run lasts.
        let call = json!({"do": "call", "ani": ani, "queue": queue, "talk_ms": 36_000_000, "patience_ms": 36_000_000});
        let call = self.order(call).await?;
        Ok(u32::try_from(call["call"].as_u64().context("no number")?)?)
    }

    /// The customer of a call hangs up; whether there still was one.
    ///
    /// # Errors
    /// The simulator is gone.
    pub async fn hang_up(&mut self, call: u32) -> Result<bool> {
        Ok(self.ask(&json!({"do": "hang_up", "call": call})).await?.get("error").is_none())
    }

    /// What is true at this moment.
    ///
    /// # Errors
    /// The simulator is gone.
    pub async fn truth(&mut self) -> Result<Truth> {
        Ok(serde_json::from_value(self.order(json!({"do": "snapshot"})).await?)?)
    }

    /// Open sessions on side A and side B.
    ///
    /// # Errors
    /// The simulator is gone.
    pub async fn sessions(&mut self) -> Result<[u64; 2]> {
        let answer = self.order(json!({"do": "sessions"})).await?;
        let of = |side: &str| answer[side].as_u64().context("no count");
        Ok([of("a")?, of("b")?])
    }
}
