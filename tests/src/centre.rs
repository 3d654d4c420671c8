//! Agents as a whole contact centre has them: each with a notification session and a REST connection, living by the
//! events it gets, and writing down all of them.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
pub use load::delivery::{Delivery, deliveries, element, kind};
use load::link::Link;
use load::login::{login, subscribe};
use load::options::{Options, Transport};
use tokio::sync::watch;

use crate::rest::Rest;

/// What the test tells everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Subscribed; nobody may sign in yet.
    Gather,
    /// Sign in, take calls.
    Work,
    /// Sign out.
    Leave,
}

/// An agent, number `index` of the centre.
pub struct Agent {
    pub id: String,
    extension: String,
    link: Link,
    rest: Rest,
    log: Vec<Delivery>,
    /// What this agent has asked for, dialog by dialog.
    asked: HashMap<String, Vec<&'static str>>,
    requests: u32,
}

impl Agent {
    /// Logs in and subscribes to the own User and Dialogs nodes by full address, beside the automatic subscriptions,
    /// and to `more`.
    pub async fn arrive(
        options: &Options,
        transport: Transport,
        rest: &str,
        index: usize,
        more: &[String],
    ) -> Result<Agent> {
        let id = (1001 + index).to_string();
        let mut link = login(options, transport, &id).await?;
        let own = ["", "/Dialogs"].map(|tail| format!("/finesse/api/User/{id}{tail}"));
        for node in own.iter().chain(more) {
            subscribe(&mut link, options, &id, node).await.with_context(|| node.clone())?;
        }
        link.park().await?;
        let rest = Rest::connect(rest, &id, &options.password).await?;
        let extension = (2001 + index).to_string();
        Ok(Agent { id, extension, link, rest, log: Vec::new(), asked: HashMap::new(), requests: 0 })
    }

    /// Works until told to leave and signed out; everything the session got.
    pub async fn live(mut self, mut phase: watch::Receiver<Phase>) -> Result<Vec<Delivery>> {
        let mut signing_out = false;
        let mut copies_of_the_end = 0;
        phase.wait_for(|phase| *phase >= Phase::Work).await?;
        let sign_in = format!("<User><state>LOGIN</state><extension>{}</extension></User>", self.extension);
        self.put_user(&sign_in).await?;
        while copies_of_the_end < 2 {
            if !signing_out && *phase.borrow_and_update() == Phase::Leave {
                signing_out = true;
                self.put_user("<User><state>NOT_READY</state></User>").await?;
            }
            self.link.park().await?;
            tokio::select! {
                received = self.link.receive() => received?,
                changed = phase.changed() => changed?,
            }
            for delivery in deliveries(&mut self.link.input)? {
                let state = element(&delivery.update, "state").unwrap_or_default().to_owned();
                let of_user = delivery.node == format!("/finesse/api/User/{}", self.id);
                copies_of_the_end += usize::from(of_user && state == "LOGOUT");
                self.log.push(delivery.clone());
                // The bare subscription's copy is the one to act on.
                if delivery.full {
                } else if of_user && signing_out && state == "NOT_READY" {
                    self.put_user("<User><state>LOGOUT</state></User>").await?;
                } else if of_user && !signing_out && state == "NOT_READY" {
                    self.put_user("<User><state>READY</state></User>").await?;
                } else if delivery.node.ends_with("/Dialogs") {
                    self.react(&delivery.update).await?;
                }
            }
        }
        Ok(self.log)
    }

    async fn put_user(&mut self, body: &str) -> Result<()> {
        self.requests += 1;
        let request_id = format!("{}-{}", self.id, self.requests);
        self.rest.accepted("PUT", &format!("User/{}", self.id), &request_id, body).await
    }

    /// Answers what rings, holds and retrieves every third call, and drops it; every fifth is left to the caller.
    async fn react(&mut self, update: &str) -> Result<()> {
        let Some(dialog) = element(update, "id").map(str::to_owned) else { return Ok(()) };
        let number: u64 = dialog.parse()?;
        let own = update
            .split("<Participant>")
            .find(|p| p.contains(&format!(">{}</mediaAddress>", self.extension)));
        let leg = own.and_then(|p| element(p, "state")).unwrap_or_default();
        let asked = self.asked.entry(dialog.clone()).or_default();
        let action = match (leg, asked.last()) {
            ("ALERTING", None) => "ANSWER",
            ("ACTIVE", Some(&"ANSWER")) if number.is_multiple_of(3) => "HOLD",
            ("HELD", Some(&"HOLD")) => "RETRIEVE",
            ("ACTIVE", Some(&"ANSWER" | &"RETRIEVE")) if !number.is_multiple_of(5) => "DROP",
            _ => return Ok(()),
        };
        asked.push(action);
        self.requests += 1;
        let request_id = format!("{}-{}", self.id, self.requests);
        let body = format!(
            "<Dialog><requestedAction>{action}</requestedAction><targetMediaAddress>{}</targetMediaAddress></Dialog>",
            self.extension
        );
        let (status, text) =
            self.rest.request("PUT", &format!("Dialog/{dialog}"), &request_id, &body).await?;
        // The customer may have hung up in the meantime.
        ensure!(status == 202 || text.contains("Dialog Not Found"), "{action} {dialog}: {status} {text}");
        Ok(())
    }
}

/// Someone who only looks: `user`'s session with full-address subscriptions to `nodes`.
pub struct Observer {
    link: Link,
    log: Vec<Delivery>,
}

impl Observer {
    /// Logs in over TCP and subscribes.
    pub async fn arrive(options: &Options, user: &str, nodes: &[String]) -> Result<Observer> {
        let mut link = login(options, Transport::Tcp, user).await?;
        for node in nodes {
            subscribe(&mut link, options, user, node).await.with_context(|| node.clone())?;
        }
        Ok(Observer { link, log: Vec::new() })
    }

    /// Reads until `enough` says so.
    pub async fn live(mut self, mut enough: impl FnMut(&Delivery) -> bool) -> Result<Vec<Delivery>> {
        loop {
            self.link.receive().await?;
            let mut done = false;
            for delivery in deliveries(&mut self.link.input)? {
                done |= enough(&delivery);
                self.log.push(delivery);
            }
            if done {
                return Ok(self.log);
            }
        }
    }
}
