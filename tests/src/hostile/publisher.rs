//! An application that publishes numbered events as a component (XEP-0114).

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::target::{Addresses, COMPONENT, NODE};

pub struct Publisher {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Publisher {
    /// Connects, and makes the node.
    pub async fn open(at: Addresses) -> Result<Publisher> {
        let (name, secret) = COMPONENT;
        let mut this = Publisher { stream: TcpStream::connect(at.component).await?, input: Vec::new() };
        let header = format!(
            "<stream:stream to='{name}' xmlns='jabber:component:accept' \
             xmlns:stream='http://etherx.jabber.org/streams'>"
        );
        this.stream.write_all(header.as_bytes()).await?;
        let answer = this.until("xml:lang").await?;
        let id = answer.split(" id=\"").nth(1).and_then(|rest| rest.split('"').next()).context("an id")?;
        let proof = format!("<handshake>{}</handshake>", xmpp::component::handshake(id, secret));
        this.stream.write_all(proof.as_bytes()).await?;
        this.until("<handshake/>").await?;
        let open = "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>\
                    http://jabber.org/protocol/pubsub#node_config</value></field>\
                    <field var='pubsub#access_model'><value>open</value></field></x>";
        this.request("new", &format!("<create node='{NODE}'/><configure>{open}</configure>")).await?;
        Ok(this)
    }

    /// Publishes event `number` and waits for the answer.
    pub async fn publish(&mut self, number: usize, filling: &str) -> Result<()> {
        let item = format!("<item><tick xmlns='urn:example:tick' n='{number}'>{filling}</tick></item>");
        self.request(&format!("p{number}"), &format!("<publish node='{NODE}'>{item}</publish>")).await
    }

    async fn request(&mut self, id: &str, what: &str) -> Result<()> {
        let iq = format!(
            "<iq type='set' id='{id}' from='{}' to='pubsub.localhost'>\
             <pubsub xmlns='http://jabber.org/protocol/pubsub'>{what}</pubsub></iq>",
            COMPONENT.0
        );
        self.stream.write_all(iq.as_bytes()).await?;
        let answer = self.until(&format!("id=\"{id}\"")).await?;
        ensure!(answer.contains("type=\"result\""), "refused: {answer}");
        Ok(())
    }

    /// What has come when `needle` and the end of its tag have.
    async fn until(&mut self, needle: &str) -> Result<String> {
        loop {
            let text = String::from_utf8_lossy(&self.input);
            if text.find(needle).is_some_and(|at| text[at..].contains('>')) {
                let text = text.into_owned();
                self.input.clear();
                return Ok(text);
            }
            let read = self.stream.read_buf(&mut self.input).await?;
            ensure!(read > 0, "the component was closed: {}", String::from_utf8_lossy(&self.input));
        }
    }
}
