//! Retrieving stored items (XEP-0060 §6.5).

use std::collections::HashSet;

use minidom::Element;

use super::super::node::Item;
use super::super::ns;
use super::super::query::{Outcome, Request};
use super::super::rsm::Wish;
use super::super::stanza::{Condition, StanzaError, push, push_attr};
use super::{collections, find, node_id, read_access, subscribe};

/// Bytes of payloads that one answer carries; the rest is left to the next page.
const ANSWER: usize = 1 << 20;

/// Answers with items, newest last. Ids that are not there are left out (§6.5.9.12).
pub(super) fn items(request: &Request<'_>, verb: &Element) -> Outcome {
    let node = node_id(verb)?;
    let found = find(request.bound.shared(), node)?;
    read_access(request.bound, node, &found)?;
    collections::leaf_only(&found, "retrieve-items")?;
    subscribe::check_subid(request.bound, node, verb.attr("subid"))?;
    let config = found.config();
    let Some(entry) = found.node.as_ref().filter(|_| config.persist_items) else {
        return Err(StanzaError::unsupported("persistent-items"));
    };
    let newest = match verb.attr("max_items") {
        Some(max) => max.trim().parse().map_err(|_| Condition::BadRequest)?,
        None => usize::MAX,
    };
    let wish = Wish::parse(request.child)?;
    let wanted: HashSet<&str> = verb
        .children()
        .filter(|child| child.is("item", ns::PUBSUB))
        .filter_map(|item| item.attr("id"))
        .collect();
    let mut list: Vec<Item> = {
        let mut stored = entry.items.lock();
        stored.expire(request.now, &config);
        if wanted.is_empty() {
            let skip = stored.all().len().saturating_sub(newest);
            stored.all().skip(skip).cloned().collect()
        } else {
            stored.all().filter(|item| wanted.contains(&*item.id)).cloned().collect()
        }
    };
    cap(&mut list);
    let page = wish.cut(list, |item| &item.id)?;
    let room = page.entries.iter().map(|item| item.payload.len() + item.id.len() + 32).sum::<usize>() + 512;
    request.answer(room, |out| {
        push(out, &["<pubsub xmlns=\"", ns::PUBSUB, "\"><items"]);
        push_attr(out, "node", node);
        out.push(b'>');
        for item in &page.entries {
            push(out, &["<item"]);
            push_attr(out, "id", &item.id);
            out.push(b'>');
            out.extend_from_slice(&item.payload);
            push(out, &["</item>"]);
        }
        push(out, &["</items>"]);
        page.push(out);
        push(out, &["</pubsub>"]);
    })
}

/// Keeps the newest items that fit one answer: more would end the session that asked for them.
fn cap(list: &mut Vec<Item>) {
    let mut bytes = 0;
    let fitting = list.iter().rev().take_while(|item| {
        bytes += item.payload.len();
        bytes <= ANSWER
    });
    let skip = list.len() - fitting.count().max(1).min(list.len());
    list.drain(..skip);
}
