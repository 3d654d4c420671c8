//! Team messages whose time is not over.

use std::sync::Arc;

use super::{Asked, Endpoint, Found};
use crate::api::messages::TEAM_MESSAGES;
use crate::authority::Operation;
use crate::rest::messages::Message;

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "Team/{id}/TeamMessages",
        about: "Messages to the team whose time is not over.",
        operation: Operation::ReadTeamMessages,
        query: &[],
        shape: || TEAM_MESSAGES.shape(),
        answer: |asked| {
            let team = asked.team_id();
            Ok(list(asked, |message| team.is_some_and(|team| message.teams.contains(&team))))
        },
    },
    Endpoint {
        path: "TeamMessages",
        about: "Messages of the caller whose time is not over.",
        operation: Operation::ReadOwnMessages,
        query: &[],
        shape: || TEAM_MESSAGES.shape(),
        answer: |asked| Ok(list(asked, |message| message.creator.id == asked.caller.id)),
    },
];

fn list(asked: &Asked<'_>, which: impl Fn(&Message) -> bool) -> Found {
    let messages = asked.sources.messages.list(asked.sources.now, which);
    TEAM_MESSAGES.document("", messages.iter().map(Arc::as_ref)).into()
}
