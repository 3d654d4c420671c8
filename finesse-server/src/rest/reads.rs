//! The questions that the configuration answers, without the model: one table of endpoints, which the router, the
//! OpenAPI description and the tests share.
//!
//! The order of checks is that of the whole API: path, service, right, existence, then the query. What belongs to the
//! administrator's configuration API answers out of service too: a wrong configuration could not be looked at
//! otherwise.

mod desktop;
mod messages;
mod phone_books;
mod reasons;
mod shared;

use std::sync::Arc;
use std::time::Instant;

use super::messages::Messages;
use super::router::parameter;
use super::routes::fits;
use crate::api::Shape;
use crate::authority::{self, Object, Operation};
use crate::catalogue::Catalogue;
use crate::directory::{Directory, Team, User};
use crate::model::error::ApiError;

/// A resource that can be read.
pub(crate) struct Endpoint {
    /// Path below the base, with `{id}` and `{item}` for what varies.
    pub(crate) path: &'static str,
    /// What is answered, in a sentence.
    pub(crate) about: &'static str,
    /// What the caller needs the right to.
    pub(crate) operation: Operation,
    /// Query parameters it knows.
    pub(crate) query: &'static [&'static str],
    /// What the document looks like.
    pub(crate) shape: fn() -> Shape,
    /// Makes it.
    answer: fn(&Asked<'_>) -> Result<Found, ApiError>,
}

/// All of them.
static TABLES: [&[Endpoint]; 5] =
    [messages::ENDPOINTS, reasons::ENDPOINTS, phone_books::ENDPOINTS, desktop::ENDPOINTS, shared::ENDPOINTS];

/// Every endpoint of this kind.
pub(crate) fn all() -> impl Iterator<Item = &'static Endpoint> {
    TABLES.iter().copied().flatten()
}

/// An endpoint with what its path left open.
#[derive(Clone)]
pub(super) struct Match {
    /// What the document looks like.
    pub(super) shape: fn() -> Shape,
    endpoint: &'static Endpoint,
    id: String,
    item: String,
    query: String,
}

impl std::fmt::Debug for Match {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} ?{}", self.endpoint.path, self.id, self.item, self.query)
    }
}

impl PartialEq for Match {
    fn eq(&self, other: &Match) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

impl Eq for Match {}

/// What the answer is made from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) directory: &'a Directory,
    pub(super) catalogue: &'a Catalogue,
    /// Whether the server is in service.
    pub(super) serving: bool,
    /// Team messages.
    pub(super) messages: &'a Messages,
    /// For what expires.
    pub(super) now: Instant,
    /// The `Range` header.
    pub(super) range: Option<&'a str>,
}

/// A question whose right and object have been looked at.
struct Asked<'a> {
    sources: Sources<'a>,
    /// Who asks.
    caller: &'a User,
    /// The user in the path.
    user: Option<Arc<User>>,
    /// The team in the path.
    team: Option<Arc<Team>>,
    request: &'a Match,
}

/// A document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) xml: String,
    /// `Content-Range` of a document that is a part of the whole: answered 206.
    pub(super) partial: Option<String>,
}

impl From<String> for Found {
    fn from(xml: String) -> Found {
        Found { xml, partial: None }
    }
}

/// The endpoint of a path, if one of these has it.
pub(super) fn find(segments: &[&str], query: &str) -> Option<Match> {
    all().find_map(|endpoint| {
        let (id, item) = fits(endpoint.path, segments)?;
        Some(Match { shape: endpoint.shape, endpoint, id, item, query: query.to_owned() })
    })
}

impl Match {
    /// Judges and answers the question of `caller`.
    ///
    /// # Errors
    /// 503, 401, 404 and what is wrong with the query, in this order.
    pub(super) fn answer(&self, sources: Sources<'_>, caller: &str) -> Result<Found, ApiError> {
        let operation = self.endpoint.operation;
        if !sources.serving && !is_configuration(operation) {
            return Err(ApiError::out_of_service());
        }
        let directory = sources.directory;
        let caller = directory.user(caller).ok_or_else(|| ApiError::unauthorized(caller))?;
        let object = match self.endpoint.path.split('/').next() {
            Some("User") => Object::User(&self.id),
            Some("Team" | "TeamResource") => Object::Team(&self.id),
            _ => Object::Nothing,
        };
        authority::judge(directory, operation, caller, object)?;
        let user = match object {
            Object::User(id) => Some(directory.resolve(id).ok_or_else(|| ApiError::not_found(id))?.clone()),
            _ => None,
        };
        let team = match object {
            Object::Team(id) => Some(self.team(directory, id)?),
            _ => None,
        };
        (self.endpoint.answer)(&Asked { sources, caller, user, team, request: self })
    }

    fn team(&self, directory: &Directory, id: &str) -> Result<Arc<Team>, ApiError> {
        let team = id.parse().ok().and_then(|id| directory.team(id));
        team.cloned().ok_or_else(|| match self.endpoint.operation {
            Operation::ReadTeamAssignments => {
                let kind = "finesse.api.team.team_assignment_invalid_team";
                ApiError::new(404, kind, "The team does not exist", id)
            }
            _ => ApiError::new(404, "TeamId Not Found", "The team does not exist", id),
        })
    }
}

/// Whether an operation belongs to the configuration API, which answers out of service too.
fn is_configuration(operation: Operation) -> bool {
    matches!(operation, Operation::ReadConfiguration | Operation::ReadTeamAssignments)
}

impl Asked<'_> {
    /// The team whose things are asked for: the one in the path, or the user's.
    fn team_id(&self) -> Option<u32> {
        match &self.team {
            Some(team) => Some(team.id),
            None => self.user.as_ref().and_then(|user| user.team),
        }
    }

    /// A query parameter.
    fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.request.query, name)
    }

    /// What a number in the path names.
    fn numbered<T>(&self, text: &str, find: impl FnOnce(u32) -> Option<T>) -> Result<T, ApiError> {
        text.parse().ok().and_then(find).ok_or_else(|| ApiError::not_found(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::shape::tests::assert_alphabetical;

    #[test]
    fn every_description_is_in_alphabetical_order() {
        all().for_each(|endpoint| assert_alphabetical(&(endpoint.shape)()));
    }

    #[test]
    fn no_path_is_in_the_table_twice() {
        let mut paths: Vec<&str> = all().map(|endpoint| endpoint.path).collect();
        paths.sort_unstable();
        assert!(paths.windows(2).all(|pair| pair[0] != pair[1]), "{paths:?}");
    }
}
