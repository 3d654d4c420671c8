//! Nothing is lost, doubled or reordered (requirements 53 of the transports and 36 of the notifications): 100,000
//! events to 200 sessions over a network in which one connection of a hundred breaks.
//!
//! Every client has read each of its events once and in order, or up to an end of its session that it was told
//! of; how many did what is printed. `CHAOS_SEED` chooses another run, `CHAOS_EVENTS` and `CHAOS_CLIENTS`
//! another size, `CHAOS_TRACE` tells each exchange of BOSH on standard error: `cargo test -p e2e --test chaos --
//! --nocapture`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::chaos::bosh_client::Client;
use e2e::chaos::{Crowd, Dice, Program, Site, Tally, http, tcp};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The network of one run is not to slow down that of another.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// How long it may take until everything is read.
const PATIENCE: Duration = Duration::from_secs(150);

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

fn seed() -> u64 {
    number("CHAOS_SEED", 7)
}

/// Sessions.
fn clients() -> u64 {
    number("CHAOS_CLIENTS", 200)
}

/// Events for each session.
fn events() -> u64 {
    number("CHAOS_EVENTS", 100_000) / clients()
}

fn users() -> Vec<String> {
    (0..clients()).map(|n| format!("u{n:03}")).collect()
}

/// One of a hundred connections breaks; as many requests come twice.
const WEATHER: http::Weather = http::Weather { broken: 10, late: 20, replayed: 10 };

/// Publishes all events, each to everybody, over about `time`; `at_once` so many in a row.
async fn tell(site: &Site, users: &[String], time: Duration, at_once: u64) {
    let turns = u32::try_from(events() / at_once).expect("not so many").max(1);
    let mut clock = tokio::time::interval(time / turns);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    for number in 1..=events() {
        if number % at_once == 0 {
            clock.tick().await;
        }
        site.tell(users, number);
    }
}

fn say(what: &str, tally: &Tally, counts: &http::Counts, since: Instant) {
    let at = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
    println!(
        "{what}, seed {}: {tally}; {} requests, {} connections broken ({} before the request arrived, {} while it \
         was held, {} answers lost, {} cut), {} late, {} replayed; {:.1} s",
        seed(),
        at(&counts.requests),
        counts.broken(),
        at(&counts.lost),
        at(&counts.broken_while_held),
        at(&counts.dropped),
        at(&counts.cut),
        at(&counts.late),
        at(&counts.replayed),
        since.elapsed().as_secs_f64()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x53_n36_bosh_with_a_client_that_resends() -> Result<()> {
    let _turn = ONE_AT_A_TIME.lock().await;
    let since = Instant::now();
    let site = Site::start(xmpp::Config::new("localhost")).await?;
    let (address, counts) = http::start(site.http, seed(), WEATHER).await?;
    let dice = Arc::new(Dice::new(seed() + 1));
    let users = users();
    let mut logins = JoinSet::new();
    for user in users.clone() {
        logins.spawn(async move { Ok::<_, anyhow::Error>((Client::log_in(address, &user).await?, user)) });
    }
    let mut sessions = JoinSet::new();
    while let Some(login) = logins.join_next().await {
        let (client, user) = login??;
        let dice = dice.clone();
        sessions.spawn(async move { client.listen(events(), &dice).await.map(|report| (user, report)) });
    }
    tell(&site, &users, Duration::from_secs(8), 1).await;
    let mut reports = BTreeMap::new();
    while let Some(session) = timeout(PATIENCE, sessions.join_next()).await.context("not all has come")? {
        let (user, report) = session??;
        reports.insert(user, report);
    }
    let tally = Tally::judge(&reports, events())?;
    say("BOSH, a client that resends", &tally, &counts, since);
    // Such a client never sees an end.
    ensure!(tally.whole == users.len() && tally.ended.is_empty(), "{tally}");
    ensure!(tally.recovered > 0 && counts.broken() > 0);
    Ok(())
}

/// An end that the client was told of is allowed: none of ours can help a client that loses five requests in a row, or
/// its connection before it has enabled stream management. It is rare.
fn nearly_all(tally: &Tally) -> bool {
    let ended: usize = tally.ended.values().sum();
    ended * 50 <= tally.whole
}

fn bosh_url(address: SocketAddr) -> String {
    format!("http://{address}/http-bind/")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x53_n36_bosh_with_strophe() -> Result<()> {
    let _turn = ONE_AT_A_TIME.lock().await;
    let since = Instant::now();
    let site = Site::start(xmpp::Config::new("localhost")).await?;
    let (address, counts) = http::start(site.http, seed(), WEATHER).await?;
    let users = users();
    let strophe = Program::Node("strophe.mjs");
    let crowd = Crowd::start(strophe, 2, &bosh_url(address), events(), &users, PATIENCE).await?;
    tell(&site, &users, Duration::from_secs(15), 10).await;
    let reports = crowd.reports().await?;
    let tally = Tally::judge(&reports, events())?;
    say("BOSH, Strophe.js", &tally, &counts, since);
    ensure!(tally.recovered > 0 && counts.broken() > 0);
    ensure!(nearly_all(&tally), "{tally}");
    Ok(())
}

/// Every session loses its connection about once, at a byte that means nothing.
const STREAM_WEATHER: tcp::Weather = tcp::Weather { bytes: 200_000, broken: 1000, late: 10 };

async fn with_resumption(what: &str, client: Program, websocket: bool) -> Result<()> {
    let _turn = ONE_AT_A_TIME.lock().await;
    let since = Instant::now();
    let mut config = xmpp::Config::new("localhost");
    config.stream_management = Some(xmpp::StreamManagement::default());
    let site = Site::start(config).await?;
    let server = if websocket { site.http } else { site.xmpp };
    let (address, counts) = tcp::start(server, seed(), STREAM_WEATHER).await?;
    let door = if websocket { format!("ws://{address}/ws/") } else { address.to_string() };
    let users = users();
    let crowd = Crowd::start(client, 2, &door, events(), &users, PATIENCE).await?;
    tell(&site, &users, Duration::from_secs(15), 10).await;
    let reports = crowd.reports().await?;
    let tally = Tally::judge(&reports, events())?;
    let at = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
    println!(
        "{what}, seed {}: {tally}; {} connections, {} broken ({} closed, {} half-closed, {} reset, {} swallowed); \
         {:.1} s",
        seed(),
        at(&counts.connections),
        counts.broken(),
        at(&counts.closed),
        at(&counts.half_closed),
        at(&counts.reset),
        at(&counts.swallowed),
        since.elapsed().as_secs_f64()
    );
    ensure!(tally.recovered > 0 && counts.broken() > 0);
    ensure!(nearly_all(&tally), "{tally}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x78_n36_websocket_with_xmpp_js_that_resumes() -> Result<()> {
    with_resumption("WebSocket, xmpp.js", Program::Node("xmppjs.mjs"), true).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x78_n36_tcp_with_slixmpp_that_resumes() -> Result<()> {
    with_resumption("TCP, slixmpp", Program::Python("slixmpp_crowd.py"), false).await
}
