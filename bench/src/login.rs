//! From a fresh connection to an available session with its subscription.

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

use crate::link::Link;
use crate::options::{Options, Transport};

/// Logs `user` in over `transport`: stream, SASL PLAIN, bind, presence.
pub async fn login(options: &Options, transport: Transport, user: &str) -> Result<Link> {
    let mut link = Link::open(options, transport).await?;
    link.open_stream(&options.domain, false).await?;
    link.wait_for("</stream:features>").await?;
    let initial = STANDARD.encode(format!("\0{user}\0{}", options.password));
    link.send(&format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{initial}</auth>"))
        .await?;
    link.wait_for("<success").await?;
    link.input.clear();
    link.open_stream(&options.domain, true).await?;
    link.wait_for("</stream:features>").await?;
    let bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>load</resource></bind>";
    request(&mut link, "bind1", &format!("<iq xmlns='jabber:client' type='set' id='bind1'>{bind}</iq>"))
        .await?;
    link.send("<presence xmlns='jabber:client'/>").await?;
    Ok(link)
}

/// Sends an IQ and waits for its result.
pub async fn request(link: &mut Link, id: &str, iq: &str) -> Result<()> {
    link.send(iq).await?;
    loop {
        if let Some((end, ok)) = answered(&link.input, id) {
            ensure!(ok, "refused: {}", String::from_utf8_lossy(&link.input));
            link.input.drain(..end);
            return Ok(());
        }
        link.receive().await?;
    }
}

/// End of the answer to request `id` in `input`, if it is there whole, and whether it is a result.
pub fn answered(input: &[u8], id: &str) -> Option<(usize, bool)> {
    let mut from = 0;
    while let Some(at) = memmem::find(&input[from..], b"<iq") {
        let start = from + at;
        let tag = start + memchr::memchr(b'>', &input[start..])?;
        let head = &input[start..=tag];
        let end =
            if head.ends_with(b"/>") { tag + 1 } else { tag + memmem::find(&input[tag..], b"</iq>")? + 5 };
        let has = |text: String| memmem::find(head, text.as_bytes()).is_some();
        if has(format!("id=\"{id}\"")) || has(format!("id='{id}'")) {
            return Some((end, !has("type=\"error\"".into()) && !has("type='error'".into())));
        }
        from = end;
    }
    None
}

/// Subscribes the session of `user` to `node` by full JID.
pub async fn subscribe(link: &mut Link, options: &Options, user: &str, node: &str) -> Result<()> {
    let iq = format!(
        "<iq xmlns='jabber:client' type='set' id='sub1' to='{}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <subscribe node='{node}' jid='{user}@{}/load'/></pubsub></iq>",
        options.pubsub, options.domain
    );
    request(link, "sub1", &iq).await.context("cannot subscribe")
}

/// Creates `node`, open and without persistence.
pub async fn create(link: &mut Link, options: &Options, node: &str) -> Result<()> {
    let field = |var: &str, value: &str| format!("<field var='pubsub#{var}'><value>{value}</value></field>");
    let iq = format!(
        "<iq xmlns='jabber:client' type='set' id='new1' to='{}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <create node='{node}'/><configure><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>\
         <value>http://jabber.org/protocol/pubsub#node_config</value></field>{}{}{}</x></configure></pubsub></iq>",
        options.pubsub,
        field("access_model", "open"),
        field("persist_items", "0"),
        field("send_last_published_item", "never")
    );
    request(link, "new1", &iq).await.context("cannot create a node")
}

#[cfg(test)]
mod tests {
    use super::answered;

    #[test]
    fn answers_are_found_among_others() {
        let text = b"<iq type='set' id='x'><ping/></iq><presence/><iq id=\"a\" type=\"result\"/><message/>";
        assert_eq!(answered(text, "a").map(|a| a.1), Some(true));
        assert_eq!(answered(text, "b"), None);
        let error = b"<iq id='a' type='error'><error/></iq>";
        assert_eq!(answered(error, "a"), Some((error.len(), false)));
        assert_eq!(answered(b"<iq id='a' type='error'><error/>", "a"), None);
    }
}
