//! Desktops with foreign libraries, several in a process: `tests/clients/failover`.
//!
//! A program gets its task as JSON in its only argument: the users' names, their password, and `http` and `xmpp` of each
//! node. For each line of its standard input it prints what everybody has got, session by session: documents it asked
//! for and events, in order. It goes to the other server when its own is lost, and never acts on anything.

use anyhow::{Context, Result};
use load::centre::PASSWORD;
use load::centre::desk::Record;
use load::centre::node::Node;
use load::centre::process::Process;
use load::centre::record::{Feed, Session};
use load::centre::view::View;
use load::delivery::{Delivery, element};
use serde::Deserialize;
use tokio::process::Command;

use crate::clients::{folder, installed};

/// A program with desktops.
pub struct Foreign {
    process: Process,
}

#[derive(Deserialize)]
struct Life {
    user: String,
    sessions: Vec<Stay>,
}

#[derive(Deserialize)]
struct Stay {
    node: usize,
    log: Vec<Entry>,
    ended: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Event { node: String, item: String, update: String },
    Document { get: String, document: String },
}

impl Foreign {
    /// slixmpp over TCP.
    ///
    /// # Errors
    /// It is not installed (`tests/setup`), or does not start.
    pub async fn slixmpp(users: &[String], nodes: &[Node; 2]) -> Result<Self> {
        let command = Command::new(installed("python")?.join("bin/python"));
        Self::start(command, "slixmpp_desks.py", users, nodes).await
    }

    /// Strophe.js over BOSH.
    ///
    /// # Errors
    /// As for [`Foreign::slixmpp`].
    pub async fn strophe(users: &[String], nodes: &[Node; 2]) -> Result<Self> {
        installed("npm")?;
        Self::start(Command::new("node"), "strophe_desks.mjs", users, nodes).await
    }

    async fn start(mut command: Command, script: &str, users: &[String], nodes: &[Node; 2]) -> Result<Self> {
        let task = serde_json::json!({"users": users, "password": PASSWORD, "nodes": nodes});
        command.arg(folder().join("failover").join(script)).arg(task.to_string());
        let mut process = Process::start(command)?;
        process.ready().await.with_context(|| script.to_owned())?;
        Ok(Self { process })
    }

    /// What the desktops show and have seen.
    ///
    /// # Errors
    /// The program is gone.
    pub async fn records(&mut self) -> Result<Vec<Record>> {
        self.process.tell("report").await?;
        let line = self.process.line().await?;
        let lives: Vec<Life> = serde_json::from_str(&line).with_context(|| line.clone())?;
        lives.into_iter().map(record).collect()
    }
}

/// Reads the log as a desktop of our own would have written it down.
fn record(life: Life) -> Result<Record> {
    let mut record = Record { id: life.user, ..Record::default() };
    for stay in life.sessions {
        let mut session = Session { node: stay.node, ..Session::default() };
        let (mut user, mut dialogs) = (false, false);
        for entry in stay.log {
            match entry {
                Entry::Document { get, document } if get.ends_with("/Dialogs") => {
                    record.view.dialogs(&document)?;
                    dialogs = true;
                }
                Entry::Document { document, .. } => {
                    record.view.user(&document)?;
                    user = true;
                }
                Entry::Event { node, item, update } => {
                    let delivery = Delivery { node, full: false, item, update };
                    take_in(&record.id, &mut record.view, &mut session, &delivery)?;
                }
            }
        }
        session.ended = stay.ended.then(|| "lost".to_owned());
        let there = user && dialogs && !stay.ended && session.status.last() != Some(&false);
        record.at = there.then_some(stay.node);
        record.sessions.push(session);
    }
    Ok(record)
}

fn take_in(id: &str, view: &mut View, session: &mut Session, delivery: &Delivery) -> Result<()> {
    let Some(feed) = Feed::of(&delivery.node, id) else { return Ok(()) };
    session.enter(feed, delivery);
    match feed {
        Feed::System => session.status.push(element(&delivery.update, "status") == Some("IN_SERVICE")),
        Feed::Dialogs => view.dialog_event(&delivery.update)?,
        Feed::User if delivery.update.contains("<user>") => view.user(&delivery.update)?,
        Feed::User => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use load::centre::record::event;

    use super::*;

    #[test]
    fn a_log_becomes_a_view_and_a_session() {
        let life: Life = serde_json::from_str(
            r#"{"user":"1001","sessions":[{"node":1,"ended":false,"log":[
                {"get":"User/1001","document":"<User><state>READY</state></User>"},
                {"get":"User/1001/Dialogs","document":"<Dialogs/>"},
                {"node":"/finesse/api/User/1001","item":"i","update":"<Update><user><state>TALKING</state></user></Update>"}]}]}"#,
        )
        .unwrap();
        let delivery = Delivery {
            node: String::new(),
            full: false,
            item: "i".into(),
            update: "<Update><user><state>TALKING</state></user></Update>".into(),
        };
        let record = record(life).unwrap();
        assert_eq!((record.at, record.view.state.as_str()), (Some(1), "TALKING"));
        assert_eq!(record.sessions[0].user, [event(&delivery)]);
    }
}
