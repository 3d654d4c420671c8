//! Many desktops in a process of their own: the process, and the handle by which others speak with it.
//!
//! It reads its [`Task`] from the first line of its standard input and orders from the others; it answers `record` with
//! what all desktops show, and `brief` with the same without what their sessions wrote down.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::watch;
use tokio::task::LocalSet;

use super::desk::{Desk, Orders, Patience, Record};
use super::node::Node;
use super::process::Process;
use super::record::Session;
use super::{agent_id, extension};
use crate::options::Transport;

/// What a process of desktops is to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// Number of the first agent.
    pub first: usize,
    /// How many.
    pub count: usize,
    /// How they connect, in turn: `tcp`, `bosh`, `ws`.
    pub transports: Vec<String>,
    /// The two servers.
    pub nodes: [Node; 2],
    /// The one they begin at.
    pub home: usize,
    /// How long they wait.
    pub patience: Patience,
    /// They keep the moments at which User events arrive.
    pub keep_arrivals: bool,
    /// Desktops that start in a second; 0: all at once.
    pub per_second: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Orders(Orders),
    Brief,
    Record,
}

fn transport(name: &str) -> Result<Transport> {
    Ok(match name {
        "tcp" => Transport::Tcp,
        "bosh" => Transport::Bosh,
        "ws" => Transport::Ws,
        _ => bail!("no transport {name}"),
    })
}

/// The process: lives until its standard input ends.
///
/// # Errors
/// What it is told makes no sense.
pub async fn run() -> Result<()> {
    LocalSet::new().run_until(live()).await
}

async fn live() -> Result<()> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let task: Task = serde_json::from_str(&lines.next_line().await?.context("no task")?)?;
    let (orders, told) = watch::channel(Orders { work: false, moves: 0, node: task.home });
    let mut records = Vec::new();
    let mut desks = Vec::new();
    for number in task.first..task.first + task.count {
        let id = agent_id(number);
        let record = Rc::new(RefCell::new(Record { id: id.clone(), ..Record::default() }));
        records.push(record.clone());
        desks.push(Desk {
            id,
            extension: extension(number),
            transport: transport(&task.transports[number % task.transports.len()])?,
            nodes: task.nodes,
            at: task.home,
            patience: task.patience,
            keeps_arrivals: task.keep_arrivals,
            orders: told.clone(),
            record,
            failures: 0,
            signed_in: false,
            moved: 0,
            requests: 0,
        });
    }
    tokio::task::spawn_local(start(desks, task.per_second));
    println!("READY {}", std::process::id());
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str(&line)? {
            Word::Orders(new) => drop(orders.send_replace(new)),
            Word::Brief => {
                let brief = |record: &Rc<RefCell<Record>>| {
                    let record = record.borrow();
                    let last = record.sessions.last();
                    let sessions = last.map(|last| Session {
                        user: Vec::new(),
                        dialogs: Vec::new(),
                        system: Vec::new(),
                        ..last.clone()
                    });
                    Record {
                        sessions: sessions.into_iter().collect(),
                        arrivals: Vec::new(),
                        waits: Vec::new(),
                        ..record.clone()
                    }
                };
                println!("{}", serde_json::to_string(&records.iter().map(brief).collect::<Vec<_>>())?);
            }
            Word::Record => {
                let all: Vec<Record> = records.iter().map(|record| record.borrow().clone()).collect();
                println!("{}", serde_json::to_string(&all)?);
            }
        }
    }
    Ok(())
}

async fn start(desks: Vec<Desk>, per_second: u64) {
    let mut clock = (per_second > 0)
        .then(|| tokio::time::interval(std::time::Duration::from_micros(1_000_000 / per_second)));
    for desk in desks {
        if let Some(clock) = &mut clock {
            clock.tick().await;
        }
        tokio::task::spawn_local(desk.live());
    }
}

/// A process of desktops.
#[derive(Debug)]
pub struct Crowd {
    process: Process,
    /// What they were told last.
    pub orders: Orders,
}

impl Crowd {
    /// Starts it.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(task: &Task) -> Result<Self> {
        let mut process = Process::part("desks", &[])?;
        process.tell(&serde_json::to_string(task)?).await?;
        process.ready().await.context("desks")?;
        Ok(Self { process, orders: Orders { work: false, moves: 0, node: task.home } })
    }

    /// Lets them work, or only answer what rings.
    ///
    /// # Errors
    /// The process is gone.
    pub async fn work(&mut self, on: bool) -> Result<()> {
        self.orders.work = on;
        self.pass_on().await
    }

    /// Sends all of them to a node.
    ///
    /// # Errors
    /// The process is gone.
    pub async fn go_to(&mut self, node: usize) -> Result<()> {
        self.orders = Orders { moves: self.orders.moves + 1, node, ..self.orders };
        self.pass_on().await
    }

    async fn pass_on(&mut self) -> Result<()> {
        self.process.tell(&serde_json::to_string(&Word::Orders(self.orders))?).await
    }

    /// What they show, with the last session of each and without its events.
    ///
    /// # Errors
    /// The process is gone.
    pub async fn brief(&mut self) -> Result<Vec<Record>> {
        self.ask(&Word::Brief).await
    }

    /// All that they show.
    ///
    /// # Errors
    /// The process is gone.
    pub async fn records(&mut self) -> Result<Vec<Record>> {
        self.ask(&Word::Record).await
    }

    async fn ask(&mut self, word: &Word) -> Result<Vec<Record>> {
        self.process.tell(&serde_json::to_string(word)?).await?;
        Ok(serde_json::from_str(&self.process.line().await?)?)
    }
}
