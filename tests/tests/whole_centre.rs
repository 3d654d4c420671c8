//! 200 agents over TCP, BOSH and WebSocket take 2,000 calls. Every event of every node they and an observer are
//! subscribed to arrives once for each subscription, in one order, and tells what the telephone system knows.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use cti::sim;
use e2e::centre::{Agent, Delivery, Observer, Phase, element, kind};
use e2e::demo::PASSWORD;
use finesse_server::demo::System;
use load::options::{Options, Transport};
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};

const AGENTS: usize = 200;
const CALLS: usize = 2000;

/// Item ids and documents in order of arrival.
type Sequence = Vec<(String, String)>;

fn centre() -> sim::Config {
    let desk = sim::DeskSettings {
        wrap_up_incoming: sim::WrapUp::NotAllowed,
        ring_no_answer: Duration::from_secs(600),
        ..sim::DeskSettings::default()
    };
    let callers = sim::Callers { calls_per_minute: 0.0, talk: None, patience: None };
    sim::Config { desk, callers, ..sim::Config::demo(AGENTS, PASSWORD) }
}

/// What came over the subscriptions of one session, node by node.
fn sequences(log: &[Delivery], full: bool) -> HashMap<&str, Sequence> {
    let mut all: HashMap<&str, Sequence> = HashMap::new();
    for delivery in log.iter().filter(|d| d.full == full) {
        all.entry(&delivery.node).or_default().push((delivery.item.clone(), delivery.update.clone()));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_subscriber_sees_every_event_once_and_in_order() -> Result<()> {
    let centre = centre();
    let teams: Vec<u32> = centre.teams.iter().map(|team| team.id).collect();
    let args = e2e::demo::in_process(AGENTS as u32);
    let system = System::start(&args, centre).await?;
    ensure!(system.server.in_service(Duration::from_secs(30)).await, "does not come into service");
    let addresses = system.server.addresses();
    let control = system.simulator.control();

    let mut options = Options::parse_from(["load", "idle"]);
    options.password = PASSWORD.into();
    options.port = addresses.xmpp.context("XMPP listens")?.port();
    options.http_port = addresses.bosh.context("BOSH listens")?.port();
    let rest = addresses.http.context("HTTP listens")?.to_string();

    // Clients on a thread of their own, so that they and the server do not wait for one another.
    let clients = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, day(options, rest, teams, control))
    });
    match tokio::task::spawn_blocking(move || clients.join()).await? {
        Ok(outcome) => outcome?,
        Err(panic) => std::panic::resume_unwind(panic),
    }
    let truth = system.simulator.control().snapshot();
    ensure!(truth.calls.is_empty(), "calls are left: {:?}", truth.calls);
    ensure!(truth.agents.iter().all(|agent| agent.state == "LOGOUT"), "somebody is still signed in");
    system.stop().await;
    Ok(())
}

async fn day(options: Options, rest: String, teams: Vec<u32>, control: sim::Control) -> Result<()> {
    let (phase, watching) = watch::channel(Phase::Gather);
    let user = |i: usize| format!("/finesse/api/User/{}", 1001 + i);
    let team = |id: &u32| format!("/finesse/api/Team/{id}/Users");
    let mut all: Vec<String> = (0..AGENTS).flat_map(|i| [user(i), user(i) + "/Dialogs"]).collect();
    all.extend(teams.iter().map(team));
    let observer = Observer::arrive(&options, "admin", &all).await.context("observer")?;

    let mut agents = JoinSet::new();
    for i in 0..AGENTS {
        let transport = [Transport::Tcp, Transport::Bosh, Transport::Ws][i % 3];
        // The first of each team of ten supervises it.
        let more = if i % 10 == 0 { vec![team(&teams[i / 10])] } else { Vec::new() };
        let agent = Agent::arrive(&options, transport, &rest, i, &more)
            .await
            .with_context(|| format!("agent {i}"))?;
        let watching = watching.clone();
        agents.spawn_local(async move {
            agent.live(watching).await.map(|log| (i, log)).with_context(|| format!("agent {i}"))
        });
    }
    // The observer reads until all calls have ended, then until all have signed out.
    let (ended, mut calls_ended) = watch::channel(0);
    let mut signed_out = [0; 2];
    let mut watcher = tokio::task::spawn_local(observer.live(move |delivery| {
        if delivery.node.ends_with("/Dialogs") && kind(&delivery.update) == "DELETE" {
            ended.send_modify(|count| *count += 1);
        }
        // A sign-out is told on the User node and on the team's, in this order.
        if element(&delivery.update, "state") == Some("LOGOUT") {
            signed_out[usize::from(delivery.node.contains("/Team/"))] += 1;
        }
        signed_out == [AGENTS; 2]
    }));

    phase.send(Phase::Work)?;
    tokio::select! {
        made = make_calls(&control, &mut calls_ended) => made?,
        // Nobody may leave before the work is done.
        left = agents.join_next() => {
            left.context("no agents")???;
            bail!("an agent left early");
        }
        left = &mut watcher => {
            left??;
            bail!("the observer left early");
        }
    }
    phase.send(Phase::Leave)?;

    let mut logs: Vec<Vec<Delivery>> = vec![Vec::new(); AGENTS];
    let finished = async {
        while let Some(joined) = agents.join_next().await {
            let (i, log) = joined??;
            logs[i] = log;
        }
        watcher.await?
    };
    let seen =
        tokio::time::timeout(Duration::from_secs(60), finished).await.context("somebody does not end")??;
    judge(&seen, &logs, &teams)
}

/// Customers call, about as many at a time as agents can take; returns when all calls have ended.
async fn make_calls(control: &sim::Control, ended: &mut watch::Receiver<usize>) -> Result<()> {
    for call in 0..CALLS {
        let queue = 1 + (call % 2) as u32;
        let mut customer = sim::InboundCall::to_queue(&format!("0305550{call:04}"), queue)
            .with("callVariable2", "a<b & \"c\" ]]>");
        // Those that agents leave to the caller.
        customer.talk = Some(Duration::from_millis(1500));
        control.inject_call(customer).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        tokio::time::timeout(Duration::from_secs(30), ended.wait_for(|ended| call < *ended + AGENTS))
            .await
            .with_context(|| format!("stuck at call {call}"))??;
    }
    let all =
        tokio::time::timeout(Duration::from_secs(30), ended.wait_for(|ended| *ended == CALLS)).await.is_ok();
    ensure!(all, "only {} calls ended", *ended.borrow());
    // Whoever had the last call is ready again before he signs out.
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(())
}

fn judge(observer: &[Delivery], logs: &[Vec<Delivery>], teams: &[u32]) -> Result<()> {
    let reference = sequences(observer, true);
    for (node, sequence) in &reference {
        let mut ids: Vec<&String> = sequence.iter().map(|(item, _)| item).collect();
        ids.sort_unstable();
        ids.dedup();
        ensure!(ids.len() == sequence.len(), "the observer got an item of {node} twice");
    }
    let mut compared = 0;
    for (i, log) in logs.iter().enumerate() {
        let user = format!("/finesse/api/User/{}", 1001 + i);
        let dialogs = format!("{user}/Dialogs");
        for full in [false, true] {
            let own = sequences(log, full);
            for node in [user.as_str(), dialogs.as_str()] {
                ensure!(own.get(node) == reference.get(node), "agent {i} (full: {full}) differs on {node}");
                compared += own.get(node).map_or(0, Vec::len);
            }
        }
        if i % 10 == 0 {
            let node = format!("/finesse/api/Team/{}/Users", teams[i / 10]);
            let own = sequences(log, true);
            // A supervisor leaves when he has signed out himself; until then he saw what the observer saw to the end.
            let (have, want) = (&own[node.as_str()], &reference[node.as_str()]);
            ensure!(want.starts_with(have) && !have.is_empty(), "supervisor {i} differs on {node}");
        }
        stories(reference.get(dialogs.as_str()).map_or(&[][..], Vec::as_slice))
            .with_context(|| dialogs.clone())?;
        let times: Vec<&str> =
            reference[user.as_str()].iter().filter_map(|(_, u)| element(u, "stateChangeTime")).collect();
        ensure!(times.is_sorted(), "times of {user} run backwards");
    }
    println!("{compared} deliveries to agents compared, {} at the observer", observer.len());
    Ok(())
}

/// Each dialog of an agent begins with one POST and ends with one DELETE.
fn stories(sequence: &[(String, String)]) -> Result<()> {
    let mut dialogs: HashMap<&str, Vec<&str>> = HashMap::new();
    // A request that came after the customer had hung up has failed, which is news of its own.
    for (_, update) in sequence.iter().filter(|(_, update)| !update.contains("<apiErrors>")) {
        dialogs
            .entry(element(update, "id").context("an event without a dialog")?)
            .or_default()
            .push(kind(update));
    }
    for (dialog, kinds) in dialogs {
        let inner = &kinds[1..kinds.len().max(2) - 1];
        let sound = kinds.first() == Some(&"POST")
            && kinds.last() == Some(&"DELETE")
            && inner.iter().all(|k| *k == "PUT");
        ensure!(sound, "dialog {dialog} runs {kinds:?}");
    }
    Ok(())
}
