//! Team messages.

use super::define::{Collection, Field, Nested, Resource, Texts, part};
use crate::directory::User;
use crate::rest::messages::Message;

static CREATOR: Resource<User> = Resource {
    name: "createdBy",
    about: "Who sent it.",
    fields: &[
        Field::text("firstName", "Given name.", |user| user.first_name.as_str().into()),
        Field::text("id", "Id of the user.", |user| (&*user.id).into()),
        Field::text("lastName", "Family name.", |user| user.last_name.as_str().into()),
    ],
};

fn teams(message: &Message, f: &mut dyn FnMut(&str)) {
    message.teams.iter().for_each(|team| f(&team.to_string()));
}

/// `TeamMessage` (guide, "TeamMessage").
pub static TEAM_MESSAGE: Resource<Message> = Resource {
    name: "TeamMessage",
    about: "What a supervisor or administrator tells teams.",
    fields: &[
        Field::text("content", "At most 255 characters.", |message| message.content.as_str().into()),
        Field::integer("createdAt", "When, in seconds since 1970.", |message| Some(message.created_at)),
        part!(
            "createdBy",
            "Who sent it.",
            &Nested { of: &CREATOR, each: |message: &Message, f| f(&message.creator), many: false },
        ),
        Field::integer("duration", "For how many seconds it is shown.", |message| {
            Some(message.duration.into())
        }),
        Field::text("id", "UUID.", |message| message.id.as_str().into()),
        part!("teams", "Numbers of the teams it is for.", &Texts { item: "team", each: teams }),
        Field::text("uri", "Path of the object.", |message| {
            format!("/finesse/api/TeamMessage/{}", message.id).into()
        }),
    ],
};

/// `TeamMessages`.
pub static TEAM_MESSAGES: Collection<Message> = Collection {
    name: "TeamMessages",
    about: "Messages whose time is not over, the oldest first.",
    attribute: None,
    of: &TEAM_MESSAGE,
};
