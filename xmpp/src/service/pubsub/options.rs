//! Subscription options (XEP-0060 §6.3, §6.4): the form, and the requests that read and change them.
//!
//! The form has the fields that do something here. Aggregation (`digest`, `digest_frequency`) is not among
//! them: no standard says what a digest looks like, and it would make notifications late, which is all that
//! they must not be. Asking for it is refused with `invalid-options`.

use std::time::{Duration, Instant};

use minidom::Element;

use super::super::form::{self, Kind, Reply, Writer};
use super::super::query::{Outcome, Request};
use super::super::stanza::{Condition, StanzaError, push, push_attr};
use super::super::{Shared, ns, stamp};
use super::record::{self, ALL_SHOWS, Lease, Options, Record, SHOWS, What};
use super::subscribe::{self, Whose, refused};
use super::{find, leases, node_id};

/// Refuses options that make no sense (§6.3.6.2).
fn invalid() -> StanzaError {
    StanzaError::pubsub(Condition::BadRequest, "invalid-options")
}

impl Options {
    /// Takes over the fields of a submission; those that are not named stay.
    pub(super) fn apply(mut self, fields: &[(&str, Vec<String>)], now: Instant) -> Result<Self, StanzaError> {
        for (name, values) in fields {
            // Fields of other forms are none of ours (XEP-0068 §3.1).
            let Some(field) = name.strip_prefix("pubsub#") else { continue };
            self.set(field, values, now).ok_or_else(invalid)?;
        }
        Ok(self)
    }

    fn set(&mut self, field: &str, values: &[String], now: Instant) -> Option<()> {
        if field == "show-values" {
            self.shows = shows(values)?;
            return Some(());
        }
        let [value] = values else { return None };
        match field {
            "deliver" => self.deliver = form::boolean(value)?,
            "include_body" => self.include_body = form::boolean(value)?,
            "expire" => self.lease = lease(value.trim(), now)?,
            // What is so anyway may be said.
            "digest" if form::boolean(value) == Some(false) => {}
            "subscription_type" => {
                self.what = match value.as_str() {
                    "items" => What::Items,
                    "nodes" => What::Nodes,
                    _ => return None,
                }
            }
            "subscription_depth" => {
                self.all_depths = match value.as_str() {
                    "1" => false,
                    "all" => true,
                    _ => return None,
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Refuses what only collections have where there are none.
    fn checked(self, shared: &Shared) -> Result<Self, StanzaError> {
        let of_collections = self.what != What::Items || self.all_depths;
        if of_collections && !shared.collections() { Err(invalid()) } else { Ok(self) }
    }

    /// Appends the form (§6.3.2), with the fields of collections where there are such.
    fn push_form(&self, out: &mut Vec<u8>, collections: bool) {
        let flag = |flag: bool| if flag { "1" } else { "0" };
        let until;
        let expire: &[&str] = match self.lease {
            Lease::Forever => &[],
            Lease::Presence => &["presence"],
            Lease::Until { date, .. } => {
                until = stamp::format(date);
                &[&until]
            }
        };
        let shows: Vec<&str> =
            SHOWS.iter().enumerate().filter(|(at, _)| self.shows & (1 << at) != 0).map(|(_, s)| *s).collect();
        let mut form = Writer::start(out, "form", ns::SUBSCRIBE_OPTIONS);
        form.field("pubsub#deliver", Kind::Boolean, "Deliver events", flag(self.deliver));
        form.fields("pubsub#show-values", Kind::Choices(&SHOWS), "Deliver while I show", &shows);
        form.field("pubsub#include_body", Kind::Boolean, "Add a readable body", flag(self.include_body));
        form.fields("pubsub#expire", Kind::Text, "End at this time, or with my presence", expire);
        if collections {
            let what = if self.what == What::Items { "items" } else { "nodes" };
            let depth = if self.all_depths { "all" } else { "1" };
            let kind = Kind::List(&["items", "nodes"]);
            form.field("pubsub#subscription_type", kind, "Items, or nodes that come and go", what);
            let kind = Kind::List(&["1", "all"]);
            form.field("pubsub#subscription_depth", kind, "Levels below the collection", depth);
        }
        form.end();
    }
}

fn shows(values: &[String]) -> Option<u8> {
    let mut mask = 0;
    for value in values {
        let at = SHOWS.iter().position(|show| show == value)?;
        mask |= 1 << at;
    }
    // A form from which everything was taken away asks for nothing in particular.
    Some(if mask == 0 { ALL_SHOWS } else { mask })
}

/// A time in the future, `presence`, or nothing.
fn lease(value: &str, now: Instant) -> Option<Lease> {
    match value {
        "" => Some(Lease::Forever),
        "presence" => Some(Lease::Presence),
        date => {
            let date = stamp::parse(date)?;
            let left = date.checked_sub(stamp::seconds()).filter(|left| *left > 0)?;
            Some(Lease::Until { at: now.checked_add(Duration::from_secs(left))?, date })
        }
    }
}

/// Options that come with a request to subscribe (§6.3.7); an empty element is what old clients send. Where
/// options are off they may say only what is so anyway.
pub(super) fn beside(
    shared: &Shared,
    element: Option<&Element>,
    now: Instant,
) -> Result<Option<Options>, StanzaError> {
    let Some(element) = element.filter(|element| element.get_child("x", ns::DATA).is_some()) else {
        return Ok(None);
    };
    let Reply::Submit(fields) = form::parse(element, ns::SUBSCRIBE_OPTIONS)? else { return Ok(None) };
    let options = Options::default().apply(&fields, now)?.checked(shared)?;
    if shared.subscription_options() {
        Ok(Some(options))
    } else if options == Options::default() {
        Ok(None)
    } else {
        Err(invalid())
    }
}

/// Reads (§6.3.2) or changes (§6.3.5) the options of one subscription.
pub(super) fn options(request: &Request<'_>, verb: &Element) -> Outcome {
    let bound = request.bound;
    let shared = bound.shared();
    if !shared.subscription_options() {
        return Err(StanzaError::unsupported("subscription-options"));
    }
    let node = node_id(verb)?;
    let jid = verb.attr("jid").ok_or_else(|| StanzaError::pubsub(Condition::BadRequest, "jid-required"))?;
    let whose = subscribe::whose(bound, jid).ok_or(Condition::Forbidden)?;
    find(shared, node)?;
    let address = whose.address(bound);
    let _stripe = shared.stripes.lock(&bound.account);
    let mut list = record::of(shared, &address, node);
    if list.is_empty() {
        return Err(StanzaError::pubsub(Condition::UnexpectedRequest, "not-subscribed"));
    }
    let at = subscribe::choose(&list, verb.attr("subid"))?;
    if !request.set {
        return show(request, node, jid, list[at].subid.as_deref(), &list[at].options);
    }
    let Reply::Submit(fields) = form::parse(verb, ns::SUBSCRIBE_OPTIONS)? else { return request.done() };
    list[at].options = list[at].options.apply(&fields, request.now)?.checked(shared)?;
    let lease = list[at].options.lease;
    let manner = Record(list).manner();
    match whose {
        Whose::Session(via) => {
            let answer = request.envelope().empty();
            bound.session.set_manner(node, via, manner, Some(answer)).map_err(refused)?;
        }
        Whose::Other(address) => {
            shared.broker.set_manner(&address, node, manner).map_err(refused)?;
            request.done()?;
        }
    }
    // Behind the change, or it could be looked for in vain.
    leases::note(shared, lease);
    Ok(())
}

fn show(request: &Request<'_>, node: &str, jid: &str, subid: Option<&str>, options: &Options) -> Outcome {
    request.answer(1536, |out| {
        push(out, &["<pubsub xmlns=\"", ns::PUBSUB, "\"><options"]);
        push_attr(out, "node", node);
        push_attr(out, "jid", jid);
        if let Some(subid) = subid {
            push_attr(out, "subid", subid);
        }
        out.push(b'>');
        options.push_form(out, request.bound.shared().collections());
        push(out, &["</options></pubsub>"]);
    })
}

/// What a new subscription would be like (§6.4).
pub(super) fn default(request: &Request<'_>, verb: &Element) -> Outcome {
    let shared = request.bound.shared();
    if !shared.subscription_options() {
        return Err(StanzaError::unsupported("retrieve-default-sub"));
    }
    let node = verb.attr("node").filter(|node| !node.is_empty());
    if let Some(node) = node {
        find(shared, node)?;
    }
    request.answer(1536, |out| {
        push(out, &["<pubsub xmlns=\"", ns::PUBSUB, "\"><default"]);
        if let Some(node) = node {
            push_attr(out, "node", node);
        }
        out.push(b'>');
        Options::default().push_form(out, shared.collections());
        push(out, &["</default></pubsub>"]);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(field: &str, values: &[&str]) -> Result<Options, StanzaError> {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Options::default().apply(&[(field, values)], Instant::now())
    }

    #[test]
    fn values_without_a_meaning_are_refused() {
        for (field, values) in [
            ("pubsub#deliver", &["yes"][..]),
            ("pubsub#deliver", &["1", "1"]),
            ("pubsub#deliver", &[]),
            ("pubsub#digest", &["1"]),
            ("pubsub#digest_frequency", &["1000"]),
            ("pubsub#expire", &["soon"]),
            ("pubsub#expire", &["2006-02-28T23:59:59Z"]),
            ("pubsub#show-values", &["online", "busy"]),
            ("pubsub#subscription_type", &["all"]),
            ("pubsub#subscription_depth", &["2"]),
            ("pubsub#colour", &["red"]),
        ] {
            assert_eq!(set(field, values), Err(invalid()), "{field} {values:?}");
        }
    }

    #[test]
    fn values_with_a_meaning_are_taken_over() {
        let plain = Options::default();
        assert_eq!(set("pubsub#deliver", &["false"]), Ok(Options { deliver: false, ..plain }));
        assert_eq!(set("pubsub#show-values", &["chat", "xa"]), Ok(Options { shows: 0b10010, ..plain }));
        assert_eq!(set("pubsub#show-values", &[]), Ok(plain));
        assert_eq!(set("pubsub#expire", &["presence"]), Ok(Options { lease: Lease::Presence, ..plain }));
        assert_eq!(set("pubsub#expire", &[""]), Ok(plain));
        assert_eq!(set("pubsub#digest", &["0"]), Ok(plain));
        assert_eq!(set("muc#colour", &["red"]), Ok(plain));
        let Ok(Options { lease: Lease::Until { date, .. }, .. }) =
            set("pubsub#expire", &["2126-01-01T00:00:00Z"])
        else {
            panic!("a date in the future");
        };
        assert_eq!(stamp::format(date), "2126-01-01T00:00:00Z");
    }
}
