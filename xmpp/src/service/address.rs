//! Addresses: what a local part looks like on the wire, and whom a stanza is meant for.

use std::fmt::Write;

use crate::component::Component;
use jid::{Jid, NodePart, ResourcePart};
use sha2::{Digest, Sha256};

/// The local part of `user`: lower case, with the characters that an address cannot hold escaped
/// (XEP-0106), prepared (RFC 7622). `None` when nothing valid comes out.
pub(crate) fn local_part(user: &str) -> Option<String> {
    let escaped = escape(user);
    NodePart::new(&escaped).ok().map(|part| part.as_str().to_owned())
}

/// XEP-0106 §3. A backslash is escaped only where it would otherwise read as an escape (§4.2).
fn escape(user: &str) -> String {
    let mut out = String::with_capacity(user.len());
    for (at, c) in user.char_indices() {
        match c {
            ' ' | '"' | '&' | '\'' | '/' | ':' | '<' | '>' | '@' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\{:02x}", u32::from(c));
            }
            '\\' if reads_as_escape(&user[at + 1..]) => out.push_str("\\5c"),
            c => out.push(c),
        }
    }
    out
}

fn reads_as_escape(rest: &str) -> bool {
    const CODES: [&str; 10] = ["20", "22", "26", "27", "2f", "3a", "3c", "3e", "40", "5c"];
    rest.get(..2).is_some_and(|code| CODES.iter().any(|known| known.eq_ignore_ascii_case(code)))
}

/// A resource as the client wished it, prepared. `Ok(None)`: none was given (RFC 6120 §7.6), white space
/// counting as nothing.
pub(crate) fn resource(wish: Option<&str>) -> Result<Option<String>, jid::Error> {
    match wish {
        Some(wish) if !wish.trim().is_empty() => {
            ResourcePart::new(wish).map(|part| Some(part.as_str().to_owned()))
        }
        _ => Ok(None),
    }
}

/// A resource nobody can guess: 128 random bits. `None` when the system has no randomness.
pub(crate) fn random_resource() -> Option<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).ok()?;
    let mut out = String::with_capacity(32);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    Some(out)
}

/// A resource that an installation of a client gets each time, and that does not tell its id: 64 bits of a hash.
pub(crate) fn stable_resource(bare: &str, tag: &str, agent: &[u8; 32]) -> String {
    let hash = Sha256::new().chain_update(bare).chain_update(b"\0").chain_update(tag).chain_update(b"\0");
    let hash = hash.chain_update(agent).finalize();
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whom a stanza is meant for, as seen from one session.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The served domain itself.
    Server,
    /// The pubsub service.
    Pubsub,
    /// The sender's own account: its bare address, or no address at all.
    Account,
    /// A resource of the sender's account, perhaps the sender itself.
    Own(String),
    /// The application whose presence clients watch.
    Application,
    /// Another account of this domain, named by its bare address.
    User { bare: String, resource: Option<String> },
    /// An address of an external component, by its place in the configuration.
    Component(usize),
    /// Another domain; there are no servers to talk to.
    Foreign,
    /// Not an address.
    Malformed,
}

/// What [`classify`] compares with.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) domain: &'a str,
    pub(crate) pubsub: &'a str,
    pub(crate) application: Option<&'a str>,
    pub(crate) components: &'a [Component],
    /// Bare address of the sender, not escaped for XML; a component has none of its own here.
    pub(crate) bare: Option<&'a str>,
}

/// Finds out whom `to` means. The spellings that clients use all the time are compared in place.
pub(crate) fn classify(to: Option<&str>, place: Place<'_>) -> Target {
    let Some(to) = to else { return Target::Account };
    if to == place.pubsub {
        return Target::Pubsub;
    }
    if to == place.domain {
        return Target::Server;
    }
    if place.bare == Some(to) {
        return Target::Account;
    }
    let Ok(jid) = Jid::new(to) else { return Target::Malformed };
    let domain = jid.domain().as_str();
    let local = jid.node().map(|node| node.as_str());
    let resource = jid.resource().map(|resource| resource.as_str().to_owned());
    let here = domain.eq_ignore_ascii_case(place.domain);
    match local {
        None if here => Target::Server,
        None if domain.eq_ignore_ascii_case(place.pubsub) => Target::Pubsub,
        Some(local) if here => {
            let bare = format!("{local}@{}", place.domain);
            if place.bare == Some(&*bare) {
                resource.map_or(Target::Account, Target::Own)
            } else if place.application == Some(local) {
                Target::Application
            } else {
                Target::User { bare, resource }
            }
        }
        _ => {
            let named = |component: &Component| domain.eq_ignore_ascii_case(&component.domain);
            place.components.iter().position(named).map_or(Target::Foreign, Target::Component)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Password;

    #[test]
    fn local_parts_are_escaped_and_folded() {
        assert_eq!(local_part("Alice").as_deref(), Some("alice"));
        assert_eq!(local_part("a b@C/d").as_deref(), Some("a\\20b\\40c\\2fd"));
        assert_eq!(local_part("dom\\user").as_deref(), Some("dom\\user"));
        assert_eq!(local_part("x\\40y").as_deref(), Some("x\\5c40y"));
        assert_eq!(local_part(""), None);
        assert_eq!(local_part(&"x".repeat(2000)), None);
    }

    #[test]
    fn resources_are_prepared() {
        assert_eq!(resource(None), Ok(None));
        assert_eq!(resource(Some(" \n")), Ok(None));
        assert_eq!(resource(Some("Desk top")), Ok(Some("Desk top".into())));
        assert!(resource(Some("a\u{7}b")).is_err());
        assert!(resource(Some(&"r".repeat(1024))).is_err());
    }

    #[test]
    fn generated_resources_have_128_bits() {
        let (a, b) = (random_resource().unwrap(), random_resource().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.len(), 32);
    }

    #[test]
    fn targets() {
        let place = Place {
            domain: "Fin.example",
            pubsub: "pubsub.Fin.example",
            application: Some("finesse"),
            components: &[Component { domain: "events.example".into(), secret: Password::new("s".into()) }],
            bare: Some("1001@Fin.example"),
        };
        let cases = [
            (None, Target::Account),
            (Some("Fin.example"), Target::Server),
            (Some("fin.EXAMPLE/x"), Target::Server),
            (Some("pubsub.fin.example"), Target::Pubsub),
            (Some("1001@fin.example"), Target::Account),
            (Some("1001@Fin.example/Desk"), Target::Own("Desk".into())),
            (Some("finesse@fin.example/app"), Target::Application),
            (Some("1002@fin.example"), Target::User { bare: "1002@Fin.example".into(), resource: None }),
            (Some("x@pubsub.fin.example"), Target::Foreign),
            (Some("bot@Events.example/x"), Target::Component(0)),
            (Some("elsewhere.example"), Target::Foreign),
            (Some("@"), Target::Malformed),
            (Some(""), Target::Malformed),
            (Some("a@b@c"), Target::Malformed),
        ];
        for (to, expected) in cases {
            assert_eq!(classify(to, place), expected, "{to:?}");
        }
    }
}
