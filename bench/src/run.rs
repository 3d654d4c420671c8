//! The phases of a run: log in, subscribe, warm up, measure.

use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use memchr::memmem;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::item::Ledger;
use crate::link::Link;
use crate::login::{login, subscribe};
use crate::options::{Mode, Options, Transport};
use crate::process::{Usage, usage};
use crate::publisher::Publisher;
use crate::report::{Phase, Report};

/// Runs what `options` ask for.
pub async fn run(options: &Options) -> Result<Report> {
    let ledger = Rc::new(Ledger::new(options.nodes())?);
    let publishes = matches!(options.mode, Mode::Unicast | Mode::Fanout);
    let subscribes = publishes || options.mode == Mode::Storm;
    // Storms need its nodes.
    let mut publisher = if subscribes { Some(Publisher::open(options).await?) } else { None };
    let before = usage(options.pid)?;
    let (start, mut logins) = (Instant::now(), Histogram::new_with_bounds(1, 60_000_000_000, 3)?);
    let links = log_all_in(options, 0..options.sessions, &mut logins).await?;
    let login = Phase::between(start, before, usage(options.pid)?);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let settled = usage(options.pid)?;
    let listeners = listen(options, &ledger, links, subscribes).await?;
    let beside = stay_beside(options, &ledger).await?;
    let mut report = Report::new(options, login, logins, before, settled);
    if let Some(publisher) = publisher.as_mut().filter(|_| publishes) {
        publisher.publish(options, &ledger, options.warmup).await.context("warm-up")?;
        ledger.measure();
        let (start, from) = (Instant::now(), usage(options.pid)?);
        let outcome = publisher.publish(options, &ledger, options.items).await;
        report.measured = Some(Phase::between(start, from, usage(options.pid)?));
        if let Err(error) = outcome {
            ledger.fail(format!("{error:#}"));
        }
    } else if options.mode == Mode::Idle {
        let (start, from) = (Instant::now(), usage(options.pid)?);
        tokio::time::sleep(Duration::from_secs(options.duration)).await;
        report.measured = Some(Phase::between(start, from, usage(options.pid)?));
    }
    let (deliveries, latency, errors) = ledger.result();
    (report.deliveries, report.latency, report.errors) = (deliveries, latency, errors);
    if options.mode == Mode::Storm {
        // Errors from here on are those of sessions that came back; the broken ones have none to tell.
        drop(listeners);
        report.measured = Some(storm(options, &ledger, &mut report.latency).await?);
    } else {
        drop(listeners);
    }
    drop(beside);
    Ok(report)
}

/// All sessions were cut off: they come back all at once. Until the last has its subscription again.
async fn storm(options: &Options, ledger: &Rc<Ledger>, times: &mut Histogram<u64>) -> Result<Phase> {
    let everybody = Options { concurrency: options.sessions, ..options.clone() };
    let (start, from) = (Instant::now(), usage(options.pid)?);
    times.reset();
    let links = log_all_in(&everybody, 0..options.sessions, times).await?;
    let listeners = listen(&everybody, ledger, links, true).await?;
    let phase = Phase::between(start, from, usage(options.pid)?);
    drop(listeners);
    Ok(phase)
}

/// Logs the companions in, who then only wait.
async fn stay_beside(options: &Options, ledger: &Rc<Ledger>) -> Result<JoinSet<()>> {
    let mut times = Histogram::new_with_bounds(1, 60_000_000_000, 3)?;
    let links = log_all_in(options, options.sessions..options.sessions + options.beside, &mut times).await?;
    listen(options, ledger, links, false).await
}

/// Logs the users of these numbers in; links in their order, times in nanoseconds.
async fn log_all_in(options: &Options, users: Range<usize>, times: &mut Histogram<u64>) -> Result<Vec<Link>> {
    let gate = Rc::new(Semaphore::new(options.concurrency));
    let mut set = JoinSet::new();
    let (first, count) = (users.start, users.len());
    for i in users {
        let (options, gate) = (options.clone(), Rc::clone(&gate));
        set.spawn_local(async move {
            let _turn = gate.acquire().await?;
            let start = Instant::now();
            let link = match options.transport {
                Transport::Nats => {
                    let mut link = Link::open(&options, Transport::Nats).await?;
                    link.send("CONNECT {\"verbose\":false}\r\nPING\r\n").await?;
                    link.wait_for("PONG\r\n").await?;
                    link
                }
                transport => {
                    let mut link = login(&options, transport, &format!("u{i}")).await?;
                    link.park().await?;
                    link
                }
            };
            Ok::<_, anyhow::Error>((i - first, link, start.elapsed()))
        });
    }
    let mut links: Vec<Option<Link>> = (0..count).map(|_| None).collect();
    while let Some(joined) = set.join_next().await {
        let (i, link, time) = joined??;
        times.saturating_record(time.as_nanos() as u64);
        links[i] = Some(link);
    }
    links.into_iter().map(|l| l.context("a login is missing")).collect()
}

/// Subscribes every session where there is something to subscribe to, and reads on in tasks of their own.
async fn listen(
    options: &Options,
    ledger: &Rc<Ledger>,
    links: Vec<Link>,
    subscribes: bool,
) -> Result<JoinSet<()>> {
    let gate = Rc::new(Semaphore::new(options.concurrency));
    let mut subscribing = JoinSet::new();
    for (i, mut link) in links.into_iter().enumerate() {
        let (options, gate) = (options.clone(), Rc::clone(&gate));
        subscribing.spawn_local(async move {
            let _turn = gate.acquire().await?;
            if subscribes && options.transport == Transport::Nats {
                link.send(&format!("SUB {} 1\r\nPING\r\n", options.node(i))).await?;
                link.wait_for("PONG\r\n").await?;
            } else if subscribes {
                subscribe(&mut link, &options, &format!("u{i}"), &options.node(i)).await?;
            }
            link.park().await?;
            Ok::<_, anyhow::Error>((i, link))
        });
    }
    let mut listeners = JoinSet::new();
    while let Some(joined) = subscribing.join_next().await {
        let (i, link) = joined??;
        let node = if options.mode == Mode::Fanout { i / options.team } else { i };
        let (ledger, nats) = (Rc::clone(ledger), options.transport == Transport::Nats);
        listeners.spawn_local(async move {
            if let Err(error) = read_on(link, node, &ledger, nats).await {
                ledger.fail(format!("session {i}: {error:#}"));
            }
        });
    }
    Ok(listeners)
}

async fn read_on(mut link: Link, node: usize, ledger: &Ledger, nats: bool) -> Result<()> {
    let end: &[u8] = if nats { b"\r\n" } else { b"</message>" };
    let mut next = 0;
    loop {
        if let Some(at) = memmem::rfind(&link.input, end) {
            let whole = at + end.len();
            ledger.read(&link.input[..whole], node, &mut next);
            link.input.drain(..whole);
        } else if memmem::find(&link.input, b"<message").is_none() && !nats {
            // Presence, pings and empty bodies.
            ensure!(memmem::find(&link.input, b"terminate").is_none(), "the server ended the session");
            if link.input.len() > 65536 {
                link.input.clear();
            }
        }
        link.receive().await?;
    }
}

impl Phase {
    fn between(start: Instant, from: Usage, to: Usage) -> Phase {
        Phase { seconds: start.elapsed().as_secs_f64(), cpu_s: to.cpu_s - from.cpu_s, rss_kib: to.rss_kib }
    }
}
