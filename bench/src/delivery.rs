//! Notifications as they come: cut out of a stream's text, and the parts of an `<Update>` document.

use anyhow::{Context, Result};
use memchr::memmem;

/// One delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The node it came from.
    pub node: String,
    /// The subscription it is for: full address if true.
    pub full: bool,
    /// Id of the item.
    pub item: String,
    /// The `<Update>` document.
    pub update: String,
}

/// Takes the whole messages out of `input`.
///
/// # Errors
/// A message that is no notification.
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
