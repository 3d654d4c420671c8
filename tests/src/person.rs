//! One person at a desk: a notification session and a REST connection, moved by the test step by step.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use load::link::Link;
use load::login::{login, request};
use load::options::{Options, Transport};
use tokio::time::timeout;

use crate::centre::{deliveries, element, kind};
use crate::rest::Rest;

/// How long an event may take: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an update of a person's feeds says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Name of the feed's node.
    pub node: String,
    /// The `<Update>` document.
    pub update: String,
}

impl News {
    /// Text of the first element called `name`; empty without one.
    pub fn text(&self, name: &str) -> &str {
        element(&self.update, name).unwrap_or("")
    }

    /// The event: `POST`, `PUT`, `DELETE`.
    pub fn event(&self) -> &str {
        kind(&self.update)
    }

    /// State of the participant at `address`.
    pub fn leg(&self, address: &str) -> Option<&str> {
        let own = format!("<mediaAddress>{address}</mediaAddress>");
        element(self.update.split("<Participant>").skip(1).find(|p| p.contains(&own))?, "state")
    }
}

/// A person, signed in to the notification service.
pub struct Person {
    /// User id.
    pub id: String,
    /// Phone.
    pub extension: String,
    link: Link,
    rest: Rest,
    unread: VecDeque<News>,
    requests: u32,
}

impl Person {
    /// Connects user `id` over TCP and REST; events come by the automatic subscriptions.
    pub async fn arrive(options: &Options, rest: &str, id: &str, extension: &str) -> Result<Person> {
        let mut link = login(options, Transport::Tcp, id).await?;
        // Stanzas are handled in order: once this is answered, presence has been, and no event is missed.
        let ping = "<iq xmlns='jabber:client' type='get' id='here'><ping xmlns='urn:xmpp:ping'/></iq>";
        request(&mut link, "here", ping).await?;
        let rest = Rest::connect(rest, id, &options.password).await?;
        let (id, extension) = (id.to_owned(), extension.to_owned());
        Ok(Person { id, extension, link, rest, unread: VecDeque::new(), requests: 0 })
    }

    /// Sends a request that has to be accepted; its request id.
    pub async fn asks(&mut self, method: &str, path: &str, body: &str) -> Result<String> {
        let id = self.next_id();
        self.rest.accepted(method, path, &id, body).await?;
        Ok(id)
    }

    /// Sends a request; status and body of the answer.
    pub async fn tries(&mut self, method: &str, path: &str, body: &str) -> Result<(u16, String)> {
        let id = self.next_id();
        self.rest.request(method, path, &id, body).await
    }

    fn next_id(&mut self) -> String {
        self.requests += 1;
        format!("{}-{}", self.id, self.requests)
    }

    /// Asks for a state and waits until it is `shown`.
    pub async fn becomes(&mut self, state: &str, shown: &str) -> Result<()> {
        let extension = match state {
            "LOGIN" => format!("<extension>{}</extension>", self.extension),
            _ => String::new(),
        };
        let body = format!("<User><state>{state}</state>{extension}</User>");
        self.asks("PUT", &format!("User/{}", self.id), &body).await?;
        self.until_state(shown).await
    }

    /// Reads until the own state is `shown`.
    pub async fn until_state(&mut self, shown: &str) -> Result<()> {
        let node = format!("/finesse/api/User/{}", self.id);
        self.until(shown, |news| news.node == node && news.text("state") == shown).await.map(drop)
    }

    /// `PUT Dialog/{dialog}` with an action on the leg at `target`; the request id.
    pub async fn acts(&mut self, dialog: &str, action: &str, target: &str) -> Result<String> {
        let body = format!(
            "<Dialog><requestedAction>{action}</requestedAction>\
             <targetMediaAddress>{target}</targetMediaAddress></Dialog>"
        );
        self.asks("PUT", &format!("Dialog/{dialog}"), &body).await
    }

    /// The next event of the own calls that `matches`; what came before it is passed over.
    pub async fn until_dialog(&mut self, what: &str, matches: impl Fn(&News) -> bool) -> Result<News> {
        let node = format!("/finesse/api/User/{}/Dialogs", self.id);
        self.until(what, |news| news.node == node && matches(news)).await
    }

    /// The next event that `matches`; what came before it is passed over.
    pub async fn until(&mut self, what: &str, matches: impl Fn(&News) -> bool) -> Result<News> {
        let mut passed = Vec::new();
        loop {
            while let Some(news) = self.unread.pop_front() {
                if matches(&news) {
                    return Ok(news);
                }
                passed.push(news);
            }
            match timeout(PATIENCE, self.link.receive()).await {
                Ok(received) => received.with_context(|| what.to_owned())?,
                Err(_) => bail!("{} waits for {what} and saw {passed:#?}", self.id),
            }
            self.read()?;
        }
    }

    /// Waits until the server ends the stream; what it said last.
    pub async fn farewell(&mut self) -> Result<String> {
        while let Ok(received) = timeout(PATIENCE, self.link.receive()).await {
            if received.is_err() {
                return Ok(String::from_utf8_lossy(&self.link.input).into_owned());
            }
        }
        bail!("{}: the stream does not end", self.id)
    }

    fn read(&mut self) -> Result<()> {
        for delivery in deliveries(&mut self.link.input)? {
            ensure!(!delivery.full, "nothing was subscribed to by full address");
            self.unread.push_back(News { node: delivery.node, update: delivery.update });
        }
        Ok(())
    }

    /// Takes what has come and has not been looked at.
    pub fn unread(&mut self) -> Vec<News> {
        self.unread.drain(..).collect()
    }
}
