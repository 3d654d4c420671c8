//! Agents as a whole contact centre has them: each with a notification session and a REST connection, living by the
//! events it gets, and writing down all of them.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use load::link::Link;
use load::login::{login, subscribe};
use load::options::{Options, Transport};
use memchr::memmem;
use tokio::sync::watch;

use crate::rest::Rest;

/// One delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub node: String,
    /// The subscription it is for: full address if true.
    pub full: bool,
    pub item: String,
    /// The `<Update>` document.
    pub update: String,
}

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

/// Takes the whole messages out of `input`.
pub fn deliveries(input: &mut Vec<u8>) -> Result<Vec<Delivery>> {
    let Some(end) = memmem::rfind(input, b"</message>").map(|at| at + 10) else { return Ok(Vec::new()) };
    let text = String::from_utf8(input.drain(..end).collect())?;
    let messages = text.split("<message").skip(1);
    messages.map(|message| delivery(message).with_context(|| message.to_owned())).collect()
}

fn delivery(message: &str) -> Option<Delivery> {
    let after = |key: &str| message.split_once(key).map(|(_, rest)| rest);
    let attribute = |key: &str| after(key)?.split('"').next().map(str::to_owned);
    let text = after("<notification")?.split_once('>')?.1.split("</notification>").next()?;
    Some(Delivery {
        node: attribute(" node=\"")?,
        full: attribute(" to=\"")?.contains('/'),
        item: attribute("<item id=\"")?,
        update: unescape(text),
    })
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// The text of element `name` in `xml`, the first of its kind.
pub fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
    Some(&xml[start..start + xml[start..].find("</")?])
}

/// Kind of the event: the last `<event>`, since call variables may hold anything.
pub fn kind(update: &str) -> &str {
    update.rsplit_once("<event>").and_then(|(_, rest)| rest.split('<').next()).unwrap_or("")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_are_cut_out_whole() {
        let one = "<message xmlns=\"jabber:client\" from=\"p\" to=\"1@d/r\" id=\"x\"><event xmlns=\"e\"><items node=\"/n\">\
                   <item id=\"i1\"><notification xmlns=\"n\">&lt;Update&gt;&lt;event&gt;PUT&lt;/event&gt;&lt;/Update&gt;</notification>\
                   </item></items></event></message>";
        let mut input = format!("<presence/>{one}{}", &one[..40]).into_bytes();
        let found = deliveries(&mut input).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].node.as_str(), found[0].full, found[0].item.as_str()), ("/n", true, "i1"));
        assert_eq!(kind(&found[0].update), "PUT");
        assert_eq!(input, one.as_bytes()[..40]);
    }
}
