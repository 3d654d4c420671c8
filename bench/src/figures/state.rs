//! From PUT of a state to 202, and to the event at the same agent.
//!
//! A hundred agents beside the others change between READY and NOT_READY; each waits for its event before the next request.
//! The simulator answers at once.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{Options, Rows, Stage, histogram, quantiles};
use crate::centre::node::Node;
use crate::centre::process::PATIENCE;
use crate::centre::{PASSWORD, agent_id, extension};
use crate::delivery::deliveries;
use crate::link::Link;
use crate::login::login;
use crate::options::Transport;
use crate::rest::Rest;

/// Agents who change their state, and how often.
const AGENTS: usize = 100;
const PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn run(options: &Options) -> Result<Rows> {
    // The others only listen; the site has agents for both.
    let others = Options { agents: options.agents.saturating_sub(AGENTS).max(AGENTS), ..options.clone() };
    let mut site = Options { agents: others.agents + AGENTS, ..others.clone() };
    site.transport.clone_from(&options.transport);
    let scale = options.scale(site.agents);
    let place = crate::centre::site::Site::start(&options.server, &scale).await?;
    let nodes = [place.servers[0].node, place.servers[1].node];
    let stage = Stage::set_behind(&others, place, nodes, false, false).await?;
    let mut agents = JoinSet::new();
    for number in others.agents..site.agents {
        // Spread over the pause.
        let wait = PAUSE * u32::try_from(number - others.agents)? / AGENTS as u32;
        agents.spawn(change(nodes[0], number, wait, Duration::from_secs(options.seconds.into())));
    }
    let (mut accepted, mut seen) = (histogram()?, histogram()?);
    while let Some(agent) = agents.join_next().await {
        let (of_one, event) = agent??;
        accepted.add(of_one)?;
        seen.add(event)?;
    }
    stage.end().await?;
    let what =
        format!("{AGENTS} of {} agents, {} a second", site.agents, AGENTS as u128 * 1000 / PAUSE.as_millis());
    Ok(vec![
        (format!("PUT of a state to 202, {what}"), quantiles(&accepted)),
        (format!("PUT of a state to its event, {what}"), quantiles(&seen)),
    ])
}

async fn change(
    node: Node,
    number: usize,
    wait: Duration,
    time: Duration,
) -> Result<(Histogram<u64>, Histogram<u64>)> {
    let id = agent_id(number);
    let options = node.options(&node.system_info().await?, 30);
    let mut link = login(&options, Transport::Bosh, &id).await?;
    let mut rest = Rest::connect(&node.http.to_string(), &id, PASSWORD).await?;
    let (mut accepted, mut seen) = (histogram()?, histogram()?);
    let sign_in = format!("<User><state>LOGIN</state><extension>{}</extension></User>", extension(number));
    put(&mut link, &mut rest, &id, "in", &sign_in).await?;
    sleep(wait).await;
    let start = Instant::now();
    for turn in 0_u64.. {
        if start.elapsed() > time {
            break;
        }
        let state = if turn.is_multiple_of(2) { "READY" } else { "NOT_READY" };
        let body = format!("<User><state>{state}</state></User>");
        let (answer, event) = put(&mut link, &mut rest, &id, &format!("{id}-{turn}"), &body).await?;
        accepted.saturating_record(answer);
        seen.saturating_record(event);
        sleep(PAUSE).await;
    }
    Ok((accepted, seen))
}

/// Nanoseconds until the answer and until the event, which may come first.
async fn put(link: &mut Link, rest: &mut Rest, id: &str, request: &str, body: &str) -> Result<(u64, u64)> {
    link.park().await?;
    let start = Instant::now();
    let nanos = || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let path = format!("User/{id}");
    let answer = async {
        rest.accepted("PUT", &path, request, body).await?;
        Ok::<_, anyhow::Error>(nanos())
    };
    let mark = format!("<requestId>{request}</requestId>");
    let event = async {
        loop {
            link.receive().await?;
            if deliveries(&mut link.input)?.iter().any(|delivery| delivery.update.contains(&mark)) {
                return Ok::<_, anyhow::Error>(nanos());
            }
        }
    };
    let both = timeout(PATIENCE, async { tokio::try_join!(answer, event) }).await;
    both.with_context(|| format!("{request} is not answered"))?
}
