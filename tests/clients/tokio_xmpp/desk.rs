//! A client at a desk with tokio-xmpp over TCP: see `e2e::desk` for what it is told and answers.

mod door;

use std::env;

use anyhow::{Context, Result, bail, ensure};
use futures::StreamExt;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio_xmpp::jid::{BareJid, Jid};
use tokio_xmpp::minidom::Element;
use tokio_xmpp::parsers::disco::DiscoInfoResult;
use tokio_xmpp::parsers::iq::Iq;
use tokio_xmpp::parsers::ns;
use tokio_xmpp::parsers::presence::{Presence, Type};
use tokio_xmpp::parsers::pubsub::{event, pubsub::PubSub};
use tokio_xmpp::xmlstream::Timeouts;
use tokio_xmpp::{Client, Event, IqRequest, IqResponse, Stanza};

use door::Door;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut desk = Desk {
        orders: BufReader::new(tokio::io::stdin()).lines(),
        door: Door::new(env::var("FINESSE_XMPP")?),
        pubsub: env::var("FINESSE_PUBSUB")?.parse()?,
        client: None,
        address: None,
        application_seen: false,
        resumed: false,
    };
    while let Some(order) = desk.next_order().await? {
        if order == "quit" {
            return Ok(());
        }
        match desk.obey(&order).await {
            Ok(value) => println!("OK {value}"),
            Err(error) => println!("NO {error:#}"),
        }
    }
    bail!("nobody tells me what to do");
}

struct Desk {
    orders: Lines<BufReader<Stdin>>,
    door: Door,
    pubsub: Jid,
    client: Option<Client>,
    address: Option<Jid>,
    application_seen: bool,
    /// The last connection went on with the session of the one before.
    resumed: bool,
}

/// What happened first.
enum Happened {
    Event(Option<Box<Event>>),
    Ended,
    Order(Option<String>),
}

impl Desk {
    async fn next_order(&mut self) -> Result<Option<String>> {
        loop {
            match self.happened().await? {
                Happened::Order(order) => return Ok(order),
                Happened::Event(event) => self.handle(*event.context("the client ended")?).await?,
                Happened::Ended => {
                    println!("ENDED {}", self.door.condition().as_deref().unwrap_or("silently"));
                    self.address = None;
                }
            }
        }
    }

    async fn happened(&mut self) -> Result<Happened> {
        let Some(client) = &mut self.client else {
            return Ok(Happened::Order(self.orders.next_line().await?));
        };
        Ok(tokio::select! {
            event = client.next() => Happened::Event(event.map(Box::new)),
            () = self.door.shut() => Happened::Ended,
            line = self.orders.next_line() => Happened::Order(line?),
        })
    }

    async fn obey(&mut self, order: &str) -> Result<String> {
        let words: Vec<&str> = order.split(' ').collect();
        match words[..] {
            ["connect", resource] => self.connect(resource).await,
            ["ping"] => {
                let domain: Jid = env::var("FINESSE_DOMAIN")?.parse()?;
                self.ask(domain, "<ping xmlns='urn:xmpp:ping'/>", false).await.map(|_| String::new())
            }
            ["info", node] => {
                let query = format!("<query xmlns='{}' node='{node}'/>", ns::DISCO_INFO);
                let answer = self.ask_pubsub(&query, false).await?.context("no payload")?;
                let info = DiscoInfoResult::try_from(answer)?;
                let first = info.identities.first().context("no identity")?;
                Ok(format!("{}/{}", first.category, first.type_))
            }
            ["subscriptions"] => {
                let answer = self.ask_pubsub(&verb("subscriptions", ""), false).await?;
                let answer = answer.context("no payload")?;
                let list = answer.get_child("subscriptions", ns::PUBSUB).context("no list")?;
                let nodes: Vec<&str> = list.children().filter_map(|s| s.attr("node")).collect();
                Ok(nodes.join(" "))
            }
            [what @ ("subscribe" | "unsubscribe"), node, kind] => {
                let address = self.address.clone().context("not connected")?;
                let address = if kind == "full" { address } else { Jid::from(address.to_bare()) };
                let request = verb(what, &format!(" node='{node}' jid='{address}'"));
                let Some(answer) = self.ask_pubsub(&request, true).await? else { return Ok(String::new()) };
                // The library has to understand it, too.
                PubSub::try_from(answer.clone())?;
                let subscription = answer.get_child("subscription", ns::PUBSUB);
                Ok(subscription.and_then(|s| s.attr("subscription")).unwrap_or_default().to_owned())
            }
            ["cut"] => {
                self.door.cut();
                while !matches!(self.happened().await?, Happened::Ended) {}
                Ok(String::new())
            }
            // It asks for that by itself.
            ["resume"] => {
                let address = self.connect("").await?;
                ensure!(self.resumed, "not resumed");
                Ok(address)
            }
            ["close"] => {
                if let Some(client) = self.client.take() {
                    client.send_end().await?;
                }
                Ok(String::new())
            }
            _ => bail!("unknown order"),
        }
    }

    /// The first time makes the client; after that it comes back by itself as soon as it may.
    async fn connect(&mut self, resource: &str) -> Result<String> {
        (self.address, self.application_seen) = (None, false);
        self.door.open();
        if self.client.is_none() {
            let user =
                BareJid::new(&format!("{}@{}", env::var("FINESSE_USER")?, env::var("FINESSE_DOMAIN")?))?;
            let address = user.with_resource_str(resource)?;
            let password = env::var("FINESSE_PASSWORD")?;
            let client =
                Client::new_with_connector(address, password, self.door.clone(), Timeouts::default());
            self.client = Some(client);
        }
        loop {
            match (&self.address, self.application_seen) {
                (Some(address), true) => return Ok(address.to_string()),
                _ => self.pump().await?,
            }
        }
    }

    /// Handles one event of the client.
    async fn pump(&mut self) -> Result<()> {
        let client = self.client.as_mut().context("not connected")?;
        tokio::select! {
            event = client.next() => self.handle(event.context("the client ended")?).await,
            () = self.door.shut() => bail!("the stream ended: {:?}", self.door.condition()),
        }
    }

    async fn handle(&mut self, event: Event) -> Result<()> {
        match event {
            // Everything is as it was, the presence of the application as well.
            Event::Online { bound_jid, resumed: true, .. } => {
                (self.address, self.resumed, self.application_seen) = (Some(bound_jid), true, true);
                Ok(())
            }
            Event::Online { bound_jid, .. } => {
                (self.address, self.resumed) = (Some(bound_jid), false);
                self.send(Presence::new(Type::None).with_priority(0).into()).await
            }
            Event::Disconnected(error) => bail!("disconnected: {error}"),
            Event::Stanza(Stanza::Presence(presence)) => {
                let application = |jid: &Jid| jid.node().is_some_and(|node| node.as_str() == "finesse");
                if presence.type_ == Type::None && presence.from.as_ref().is_some_and(application) {
                    self.application_seen = true;
                }
                Ok(())
            }
            Event::Stanza(Stanza::Message(message)) => {
                let to = message.to.context("a message without an address")?;
                message.payloads.into_iter().try_for_each(|payload| published(&to, payload))
            }
            // The server asks whether somebody is there.
            Event::Stanza(Stanza::Iq(Iq::Get { from, id, .. })) => {
                self.send(Iq::Result { from: None, to: from, id, payload: None }.into()).await
            }
            Event::Stanza(Stanza::Iq(_)) => Ok(()),
        }
    }

    async fn send(&mut self, stanza: Stanza) -> Result<()> {
        self.client.as_mut().context("not connected")?.send_stanza(stanza).await?;
        Ok(())
    }

    async fn ask_pubsub(&mut self, payload: &str, set: bool) -> Result<Option<Element>> {
        self.ask(self.pubsub.clone(), payload, set).await
    }

    async fn ask(&mut self, to: Jid, payload: &str, set: bool) -> Result<Option<Element>> {
        let payload: Element = payload.parse()?;
        let request = if set { IqRequest::Set(payload) } else { IqRequest::Get(payload) };
        let client = self.client.as_mut().context("not connected")?;
        let mut answer = client.send_iq(Some(to), request).await;
        loop {
            tokio::select! {
                answer = &mut answer => return match answer? {
                    IqResponse::Result(payload) => Ok(payload),
                    IqResponse::Error(error) => bail!("{}", condition(&error)),
                },
                pumped = self.pump() => pumped?,
            }
        }
    }
}

fn verb(name: &str, attributes: &str) -> String {
    format!("<pubsub xmlns='{}'><{name}{attributes}/></pubsub>", ns::PUBSUB)
}

/// Name of the condition on the wire.
fn condition(error: &tokio_xmpp::parsers::stanza_error::StanzaError) -> String {
    Element::from(error.defined_condition.clone()).name().to_owned()
}

fn published(to: &Jid, payload: Element) -> Result<()> {
    let event::Event { payload: event::Payload::Items { node, published, .. } } =
        event::Event::try_from(payload)?
    else {
        return Ok(());
    };
    for item in published {
        let update = item.payload.context("an item without a payload")?.text();
        println!("EVENT {}", serde_json::json!({ "node": node.0, "to": to.to_string(), "update": update }));
    }
    Ok(())
}
