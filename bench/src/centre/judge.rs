//! What must hold: views are true, nobody was signed out, each session saw an unbroken piece of what its server published.

use std::collections::{BTreeMap, HashMap};

use super::desk::Record;
use super::observer::{Observer, Seen};
use super::record::{Feed, Lives, Session};
use super::view::{AgentTruth, Truth};
use anyhow::{Context, Result, bail, ensure};

/// No desktop has seen what must not be.
///
/// # Errors
/// One of the complaints.
pub fn no_complaints(records: &[Record]) -> Result<()> {
    let complaints: Vec<&String> = records.iter().flat_map(|record| &record.complaints).collect();
    ensure!(complaints.is_empty(), "{} complaints, such as {:#?}", complaints.len(), &complaints[..1]);
    Ok(())
}

/// How many are where, and what they suffered from.
pub fn places(records: &[Record]) -> String {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for record in records {
        let last = record.sessions.last();
        let key = match (record.at, last.and_then(|session| session.ended.as_ref())) {
            (Some(at), _) => format!("at {at} as {}", record.view.state),
            (None, Some(reason)) => format!("away: {reason}"),
            (None, None) => format!("waiting, status {:?}", last.map(|session| &session.status)),
        };
        *places.entry(key).or_default() += 1;
    }
    format!("{places:#?}")
}

/// Whose view is not the truth, or who has none; the first ten.
pub fn differences(truth: &Truth, records: &[Record]) -> Vec<String> {
    let agents: HashMap<&str, &AgentTruth> =
        truth.agents.iter().map(|agent| (agent.id.as_str(), agent)).collect();
    let differ = records.iter().filter_map(|record| {
        let Some(agent) = agents.get(record.id.as_str()) else {
            return Some(format!("no agent {}", record.id));
        };
        let due = truth.view(agent);
        let right = record.view == due && record.at.is_some();
        (!right).then(|| {
            let last = record.sessions.last().map(|session| (session.node, &session.status, &session.ended));
            format!("{} at {:?} ({last:?}) sees {:?}, true is {due:?}", record.id, record.at, record.view)
        })
    });
    differ.take(10).collect()
}

/// All agents are signed in, and none has the reason of a lost desktop.
///
/// # Errors
/// Somebody is not, or has.
pub fn nobody_signed_out(truth: &Truth) -> Result<()> {
    for agent in &truth.agents {
        ensure!(agent.state != "LOGOUT" && ![255, 50002].contains(&agent.reason), "signed out: {agent:?}");
    }
    Ok(())
}

/// What sessions have seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Sessions, those that have ended included.
    pub sessions: usize,
    /// Their events, each once and in order.
    pub events: usize,
}

/// Holds every session against what the observer of its server saw.
///
/// # Errors
/// An event that is lost, doubled, out of order or different; in and out of service out of turn.
pub async fn sessions(records: &[Record], observers: impl Iterator<Item = &mut Observer>) -> Result<Sum> {
    let mut references = Vec::new();
    for observer in observers {
        let lives = observer.lives();
        references.push((lives, observer.seen().await?));
    }
    let mut sum = Sum::default();
    for record in records {
        for session in &record.sessions {
            sum.sessions += 1;
            let whose = || format!("agent {}, session {session:?}", record.id);
            sum.events += judge_session(&record.id, session, &references).with_context(whose)?;
        }
    }
    Ok(sum)
}

/// How many events there were.
fn judge_session(id: &str, session: &Session, references: &[(bool, Seen)]) -> Result<usize> {
    let mut count = 0;
    let nodes = [
        (Feed::User, format!("/finesse/api/User/{id}")),
        (Feed::Dialogs, format!("/finesse/api/User/{id}/Dialogs")),
        (Feed::System, "/finesse/api/SystemInfo".to_owned()),
    ];
    for (feed, node) in nodes {
        let seen = session.feed(feed);
        count += seen.len();
        let Some((first, _)) = seen.first() else { continue };
        let of_node = references.iter().filter_map(|(lives, all)| Some((*lives, all.nodes.get(&node)?)));
        let mut with_it = of_node.filter(|(_, reference)| reference.has(first));
        let lives = |observer: bool| match (session.ended.is_none(), observer) {
            (true, true) => Lives::Both,
            (false, true) => Lives::Observer,
            (_, false) => Lives::Neither,
        };
        match with_it.next() {
            Some((observer, reference)) => {
                reference.judge(seen, lives(observer)).with_context(|| node.clone())?
            }
            // Its first event may be one that the observer of a killed server did not hear any more.
            None if references.iter().any(|(lives, _)| !lives) && session.ended.is_some() => {}
            None => bail!("{node}: item {first} was never published"),
        }
    }
    let in_turn = session.status.iter().enumerate().all(|(at, in_service)| *in_service == (at % 2 == 1));
    ensure!(in_turn, "in and out of service do not take turns: {:?}", session.status);
    Ok(count)
}
