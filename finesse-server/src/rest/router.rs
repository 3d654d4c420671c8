//! Paths and methods of the API. Object names are matched with their case, as all published URIs are; one slash at
//! the end is tolerated; unknown query parameters are ignored.

use std::borrow::Cow;

use hyper::Method;

use super::reads;
use super::routes::{Given, ROUTES, Verb, fits};
use crate::authority::Operation;
use crate::model::command::What;

/// What a request wants, before its body is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// A question without a body.
    Read(What),
    /// `POST TeamMessage`.
    CreateMessage,
    /// `DELETE TeamMessage/{id}`.
    DeleteMessage(String),
    /// `GET openapi.json`.
    Description,
    /// `GET LockedUsers`.
    LockedUsers,
    /// `DELETE LockedUser/{id}`.
    Unlock(String),
    /// A question that the configuration answers.
    Look(reads::Match),
    /// `POST User/{id}/ClientLog` and `CompressedClientLog`.
    SendLog {
        /// The `{id}` of the path.
        user: String,
        /// Which of the two.
        compressed: bool,
    },
    /// Something about a user that is known in the API, but not here.
    Unavailable {
        /// What the caller needs the right to.
        operation: Operation,
        /// The `{id}` of the path.
        user: String,
    },
    /// `PUT User/{id}`.
    ChangeUser(String),
    /// `POST User/{id}/Dialogs`.
    CreateDialog(String),
    /// `PUT Dialog/{id}`.
    ActOnDialog(String),
}

/// Why a request wants nothing that exists.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// No resource has this path.
    Path(String),
    /// The resource lacks the method; `allow` lists those it has.
    Method {
        /// The method asked for.
        method: String,
        /// Value of the `Allow` header.
        allow: String,
    },
}

/// Finds what `method` on `path` (without the base) asks for.
pub(super) fn plan(method: &Method, path: &str, query: &str) -> Result<Plan, Miss> {
    let miss = || Miss::Path(format!("{}{path}", super::BASE));
    let segments = segments(path).ok_or_else(miss)?;
    let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
    let verb = Verb::of(method);
    if segments == ["openapi.json"] && verb == Some(Verb::Get) {
        return Ok(Plan::Description);
    }
    let mut known = Vec::new();
    for route in ROUTES {
        let Some((id, _)) = fits(route.path, &segments) else { continue };
        if Some(route.verb) == verb {
            return Ok((route.plan)(Given { id, query: query.to_owned() }));
        }
        known.push(route.verb);
    }
    if let Some(found) = reads::find(&segments, query) {
        if verb == Some(Verb::Get) {
            return Ok(Plan::Look(found));
        }
        known.push(Verb::Get);
    }
    match known.is_empty() {
        true => Err(miss()),
        false => Err(Miss::Method { method: method.to_string(), allow: allow(known) }),
    }
}

/// Value of the `Allow` header.
fn allow(mut verbs: Vec<Verb>) -> String {
    verbs.sort_unstable();
    let mut names: Vec<&str> = verbs.iter().map(|verb| verb.name()).collect();
    if verbs.contains(&Verb::Get) {
        names.insert(1, "HEAD");
    }
    names.push("OPTIONS");
    names.join(", ")
}

/// Decoded segments; `None` if one is empty or no UTF-8.
fn segments(path: &str) -> Option<Vec<Cow<'_, str>>> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').map(|segment| decode(segment).filter(|segment| !segment.is_empty())).collect()
}

/// Value of a query parameter (the last, should there be several).
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .rfind(|(key, _)| *key == name)
        .and_then(|(_, value)| decode(&value.replace('+', " ")).map(Cow::into_owned))
}

/// Undoes percent-encoding; a `%` without two digits stands for itself.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::command::Maintenance;

    fn get(path: &str) -> Result<Plan, Miss> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        plan(&Method::GET, path, query)
    }

    fn read(what: What) -> Result<Plan, Miss> {
        Ok(Plan::Read(what))
    }

    #[test]
    fn every_resource_is_found() {
        assert_eq!(get("/SystemInfo"), read(What::SystemInfo));
        assert_eq!(get("/MaintenanceMode"), read(What::Maintenance(Maintenance::Show)));
        for (method, action) in [(Method::POST, Maintenance::Start), (Method::DELETE, Maintenance::Cancel)] {
            assert_eq!(plan(&method, "/MaintenanceMode", ""), read(What::Maintenance(action)));
        }
        assert_eq!(get("/Users"), read(What::Users));
        assert_eq!(get("/User"), read(What::Users));
        assert_eq!(get("/User/1001"), read(What::User("1001".into())));
        assert_eq!(get("/User/1001/Dialogs"), read(What::Dialogs("1001".into())));
        assert_eq!(get("/User/1001/Queues"), read(What::UserQueues("1001".into())));
        assert_eq!(get("/Dialog/16777217"), read(What::Dialog("16777217".into())));
        assert_eq!(get("/Queue/1"), read(What::Queue("1".into())));
        for endpoint in reads::all() {
            let path = endpoint.path.replace("{id}", "1").replace("{item}", "2");
            let Ok(Plan::Look(found)) = get(&format!("/{path}?category=ALL")) else { panic!("{path}") };
            assert!(format!("{found:?}").starts_with(endpoint.path), "{path} is hidden by {found:?}");
        }
        for route in ROUTES {
            let path = format!("/{}", route.path.replace("{id}", "1").replace("{item}", "2"));
            let method = Method::from_bytes(route.verb.name().as_bytes()).unwrap();
            assert!(plan(&method, &path, "").is_ok(), "{method} {path}");
        }
        assert_eq!(plan(&Method::PUT, "/User/1001", ""), Ok(Plan::ChangeUser("1001".into())));
        assert_eq!(plan(&Method::POST, "/User/1001/Dialogs", ""), Ok(Plan::CreateDialog("1001".into())));
        assert_eq!(plan(&Method::PUT, "/Dialog/1", ""), Ok(Plan::ActOnDialog("1".into())));
        assert_eq!(plan(&Method::HEAD, "/Queue/1", ""), read(What::Queue("1".into())));
    }

    #[test]
    fn one_slash_at_the_end_and_foreign_parameters_are_tolerated() {
        assert_eq!(get("/User/1001/"), read(What::User("1001".into())));
        assert_eq!(get("/SystemInfo?nocache=17"), read(What::SystemInfo));
        for path in ["/User/1001//", "//User/1001", "/user/1001", "/Nothing", "", "/", "/User/%FF"] {
            assert!(matches!(get(path), Err(Miss::Path(_))), "{path}");
        }
    }

    #[test]
    fn names_are_decoded_once() {
        assert_eq!(get("/User/gr%C3%BCn%20x"), read(What::User("grün x".into())));
        assert_eq!(get("/User/a%2Fb"), read(What::User("a/b".into())));
        assert_eq!(get("/User/a%2541"), read(What::User("a%41".into())));
        assert_eq!(get("/User/100%"), read(What::User("100%".into())));
    }

    #[test]
    fn team_members_who_are_out_are_left_out_by_default() {
        let team = |include_logged_out| read(What::Team { team: "1".into(), include_logged_out });
        assert_eq!(get("/Team/1"), team(false));
        assert_eq!(get("/Team/1?includeLoggedOutAgents=true"), team(true));
        assert_eq!(get("/Team/1?includeLoggedOutAgents=true&includeLoggedOutAgents=false"), team(false));
    }

    #[test]
    fn a_wrong_method_names_the_right_ones() {
        let miss = plan(&Method::DELETE, "/User/1001", "");
        assert_eq!(
            miss,
            Err(Miss::Method { method: "DELETE".into(), allow: "GET, HEAD, PUT, OPTIONS".into() })
        );
        let miss = plan(&Method::PUT, "/SystemInfo", "");
        assert_eq!(miss, Err(Miss::Method { method: "PUT".into(), allow: "GET, HEAD, OPTIONS".into() }));
        let miss = plan(&Method::PUT, "/TeamMessages", "");
        assert_eq!(
            miss,
            Err(Miss::Method { method: "PUT".into(), allow: "GET, HEAD, POST, OPTIONS".into() })
        );
        let miss = plan(&Method::PATCH, "/TeamMessage/1", "");
        assert_eq!(miss, Err(Miss::Method { method: "PATCH".into(), allow: "DELETE, OPTIONS".into() }));
        let miss = plan(&Method::POST, "/ReasonCodes", "");
        assert_eq!(miss, Err(Miss::Method { method: "POST".into(), allow: "GET, HEAD, OPTIONS".into() }));
    }
}
