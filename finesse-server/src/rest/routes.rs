//! The requests that are not answered from the configuration alone (those are in [`reads`](super::reads)): one table, which the
//! router, the OpenAPI description and the table of rights in `docs/rest.md` share.

use hyper::Method;

use super::router::{Plan, parameter};
use crate::api::bodies::{CLIENT_LOG, DIALOG, TEAM_MESSAGE, USER};
use crate::api::{Shape, runtime};
use crate::authority::Operation;
use crate::model::command::{Maintenance, What};

/// A method; `GET` stands for `HEAD` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Get,
    Put,
    Post,
    Delete,
}

impl Verb {
    pub(super) fn of(method: &Method) -> Option<Verb> {
        Some(match *method {
            Method::GET | Method::HEAD => Verb::Get,
            Method::PUT => Verb::Put,
            Method::POST => Verb::Post,
            Method::DELETE => Verb::Delete,
            _ => return None,
        })
    }

    /// The name of the method.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Put => "PUT",
            Verb::Post => "POST",
            Verb::Delete => "DELETE",
        }
    }
}

/// What a request is answered with when all is well.
pub(crate) enum Answered {
    /// 200 with a document.
    Document(fn() -> Shape),
    /// 200 without a body.
    Done,
    /// 202: the outcome is an event.
    Accepted,
    /// It is known, but not here.
    Never,
}

/// What a request sends.
pub(crate) enum Sent {
    Nothing,
    /// A document in XML.
    Xml(fn() -> Shape),
    /// A ZIP or GZIP file, as it is or in a form.
    File,
}

/// Whom or what the path names first, and the query.
pub(super) struct Given {
    pub(super) id: String,
    pub(super) query: String,
}

/// A request.
pub(crate) struct Route {
    pub(crate) verb: Verb,
    /// Path below the base, with `{id}` and `{item}` for what varies.
    pub(crate) path: &'static str,
    /// What is answered or done, in a sentence.
    pub(crate) about: &'static str,
    /// What the caller needs the right to, and for which of the bodies; one without a word holds for all.
    pub(crate) operations: &'static [(Operation, &'static str)],
    /// Query parameters it knows.
    pub(crate) query: &'static [&'static str],
    pub(crate) sent: Sent,
    pub(crate) answered: Answered,
    /// Documented errors: status and types.
    pub(crate) errors: &'static [(u16, &'static [&'static str])],
    pub(super) plan: fn(Given) -> Plan,
}

/// Errors of a question about a user.
const OF_USER: &[(u16, &[&str])] = &[
    (401, &["Authorization Failure", "Invalid Authorization User Specified"]),
    (404, &["User Not Found"]),
    (503, &["Service Unavailable"]),
];
/// Errors of `PUT User/{id}` (guide, "User API errors").
const OF_CHANGE: &[(u16, &[&str])] = &[
    (400, &["Bad Request", "Generic Error", "Invalid Input", "Invalid State", "Parameter Missing"]),
    (401, &["Authorization Failure", "Invalid Authorization User Specified", "Invalid Supervisor"]),
    (404, &["User Not Found"]),
    (415, &["Bad Request"]),
    (501, &["Not Implemented"]),
    (503, &["Service Unavailable"]),
];
/// Errors of requests on dialogs (guide, "Dialog API errors").
const OF_CALL: &[(u16, &[&str])] = &[
    (
        400,
        &[
            "Bad Request",
            "Generic Error",
            "Invalid Destination",
            "Invalid Input",
            "Invalid State",
            "Parameter Missing",
        ],
    ),
    (
        401,
        &[
            "Authorization Failure",
            "Invalid Authorization User Specified",
            "Invalid State",
            "Invalid Supervisor",
        ],
    ),
    (404, &["Dialog Not Found", "User Not Found"]),
    (415, &["Bad Request"]),
    (501, &["Not Implemented"]),
    (503, &["Service Unavailable"]),
];
const OF_LOG: &[(u16, &[&str])] = &[
    (400, &["Bad Request", "Invalid Input"]),
    (401, &["Authorization Failure", "Invalid Authorization User Specified"]),
    (413, &["Bad Request"]),
    (501, &["Not Implemented"]),
    (503, &["Service Unavailable"]),
];
const OF_MESSAGE: &[(u16, &[&str])] = &[
    (400, &["Bad Request", "Invalid Input", "Parameter Missing", "System Resource Limit Exceeded"]),
    (401, &["Authorization Failure"]),
    (404, &["Not Found"]),
    (503, &["Service Unavailable"]),
];
const OF_OBJECT: &[(u16, &[&str])] =
    &[(401, &["Authorization Failure"]), (404, &["Not Found"]), (503, &["Service Unavailable"])];
const OF_MAINTENANCE: &[(u16, &[&str])] = &[(400, &["Bad Request"]), (401, &["Authorization Failure"])];
const OF_MEDIA: &[(u16, &[&str])] = &[
    (401, &["Authorization Failure", "Invalid Authorization User Specified", "Invalid Supervisor"]),
    (404, &["User Not Found"]),
    (501, &["Not Implemented"]),
    (503, &["Service Unavailable"]),
];

/// A question.
const fn get(
    path: &'static str,
    about: &'static str,
    operations: &'static [(Operation, &'static str)],
    shape: fn() -> Shape,
    plan: fn(Given) -> Plan,
) -> Route {
    let answered = Answered::Document(shape);
    let (verb, sent) = (Verb::Get, Sent::Nothing);
    Route { verb, path, about, operations, query: &[], sent, answered, errors: OF_USER, plan }
}

/// A request about other media than voice, of which no public source tells how the CTI server is asked.
const fn media(
    verb: Verb,
    path: &'static str,
    about: &'static str,
    operations: &'static [(Operation, &'static str)],
    plan: fn(Given) -> Plan,
) -> Route {
    let (sent, answered) = (Sent::Nothing, Answered::Never);
    Route { verb, path, about, operations, query: &[], sent, answered, errors: OF_MEDIA, plan }
}

use Operation as O;

/// All of them. Of a path with a name and one with a number in its place, the name comes first.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        errors: &[(401, &["Authorization Failure"])],
        ..get(
            "SystemInfo",
            "Who the server is and whether it serves.",
            &[(O::ReadSystem, "")],
            runtime::system_info,
            |_| Plan::Read(What::SystemInfo),
        )
    },
    Route {
        errors: OF_OBJECT,
        ..get("Users", "All users.", &[(O::ReadUsers, "")], runtime::users, |_| Plan::Read(What::Users))
    },
    // The list is documented in the plural; one source prints the singular.
    Route {
        errors: OF_OBJECT,
        ..get("User", "All users.", &[(O::ReadUsers, "")], runtime::users, |_| Plan::Read(What::Users))
    },
    get("User/{id}", "A user, by id or login name.", &[(O::ReadUser, "")], runtime::user, |given| {
        Plan::Read(What::User(given.id))
    }),
    Route {
        verb: Verb::Put,
        path: "User/{id}",
        about: "Signs a user in or out or changes the state.",
        operations: &[(O::SignIn, "`LOGIN`"), (O::ChangeState, "any other state")],
        query: &[],
        sent: Sent::Xml(|| USER.shape()),
        answered: Answered::Accepted,
        errors: OF_CHANGE,
        plan: |given| Plan::ChangeUser(given.id),
    },
    Route {
        query: &["type"],
        ..get("User/{id}/Dialogs", "Calls of a user.", &[(O::ReadUser, "")], runtime::dialogs, |given| {
            let kind = parameter(&given.query, "type").unwrap_or_default();
            Plan::Read(match kind.eq_ignore_ascii_case("reservation") {
                true => What::Reservations(given.id),
                false => What::Dialogs(given.id),
            })
        })
    },
    Route {
        verb: Verb::Post,
        path: "User/{id}/Dialogs",
        about: "Makes a call, or listens to one or joins it.",
        operations: &[
            (O::MakeCall, "user in the path"),
            (O::ControlCall, "`fromAddress`"),
            (O::Supervise, "`toAddress` of `SILENT_MONITOR`, `BARGE_CALL`"),
        ],
        query: &[],
        sent: Sent::Xml(|| DIALOG.shape()),
        answered: Answered::Accepted,
        errors: OF_CALL,
        plan: |given| Plan::CreateDialog(given.id),
    },
    media(Verb::Get, "User/{id}/Dialogs/Media", "Tasks of a user.", &[(O::ReadMedia, "")], |given| {
        Plan::Unavailable { operation: O::ReadMedia, user: given.id }
    }),
    media(
        Verb::Get,
        "User/{id}/Media",
        "States of a user in other media than voice.",
        &[(O::ReadMedia, "")],
        |given| Plan::Unavailable { operation: O::ReadMedia, user: given.id },
    ),
    media(Verb::Put, "User/{id}/Media", "Changes them.", &[(O::ChangeMedia, "")], |given| {
        Plan::Unavailable { operation: O::ChangeMedia, user: given.id }
    }),
    media(
        Verb::Get,
        "User/{id}/Media/{item}",
        "State of a user in one of them.",
        &[(O::ReadMedia, "")],
        |given| Plan::Unavailable { operation: O::ReadMedia, user: given.id },
    ),
    media(Verb::Put, "User/{id}/Media/{item}", "Changes it.", &[(O::ChangeMedia, "")], |given| {
        Plan::Unavailable { operation: O::ChangeMedia, user: given.id }
    }),
    get("User/{id}/Queues", "Queues of a user.", &[(O::ReadShared, "")], runtime::queues, |given| {
        Plan::Read(What::UserQueues(given.id))
    }),
    Route {
        verb: Verb::Post,
        path: "User/{id}/ClientLog",
        about: "Stores a log of a desktop.",
        operations: &[(O::SendClientLog, "")],
        query: &[],
        sent: Sent::Xml(|| CLIENT_LOG.shape()),
        answered: Answered::Accepted,
        errors: OF_LOG,
        plan: |given| Plan::SendLog { user: given.id, compressed: false },
    },
    Route {
        verb: Verb::Post,
        path: "User/{id}/CompressedClientLog",
        about: "Stores a compressed log of a desktop.",
        operations: &[(O::SendClientLog, "")],
        query: &[],
        sent: Sent::File,
        answered: Answered::Accepted,
        errors: OF_LOG,
        plan: |given| Plan::SendLog { user: given.id, compressed: true },
    },
    Route {
        errors: &[
            (401, &["Authorization Failure", "Invalid Authorization User Specified"]),
            (404, &["Not Found"]),
            (503, &["Service Unavailable"]),
        ],
        ..get("Dialog/{id}", "A call.", &[(O::ReadDialog, "")], runtime::dialog, |given| {
            Plan::Read(What::Dialog(given.id))
        })
    },
    Route {
        verb: Verb::Put,
        path: "Dialog/{id}",
        about: "Does something with a call.",
        operations: &[
            (O::ControlCall, "`targetMediaAddress`"),
            (O::TakePart, "`UPDATE_CALL_DATA`, `START_RECORDING`, `PARTICIPANT_DROP`"),
        ],
        query: &[],
        sent: Sent::Xml(|| DIALOG.shape()),
        answered: Answered::Accepted,
        errors: OF_CALL,
        plan: |given| Plan::ActOnDialog(given.id),
    },
    Route {
        errors: OF_OBJECT,
        query: &["includeLoggedOutAgents"],
        ..get("Team/{id}", "A team with its members.", &[(O::ReadTeam, "")], runtime::team, |given| {
            let include = parameter(&given.query, "includeLoggedOutAgents");
            let include_logged_out = include.is_some_and(|value| value.eq_ignore_ascii_case("true"));
            Plan::Read(What::Team { team: given.id, include_logged_out })
        })
    },
    Route {
        errors: OF_OBJECT,
        ..get("Queue/{id}", "A queue with its statistics.", &[(O::ReadShared, "")], runtime::queue, |given| {
            Plan::Read(What::Queue(given.id))
        })
    },
    Route {
        errors: OF_OBJECT,
        ..get(
            "LockedUsers",
            "Who is locked out.",
            &[(O::ReadConfiguration, "")],
            runtime::locked_users,
            |_| Plan::LockedUsers,
        )
    },
    Route {
        verb: Verb::Delete,
        path: "LockedUser/{id}",
        about: "Lets a user in again who is locked out.",
        operations: &[(O::ReadConfiguration, "")],
        query: &[],
        sent: Sent::Nothing,
        answered: Answered::Done,
        errors: OF_OBJECT,
        plan: |given| Plan::Unlock(given.id),
    },
    Route {
        errors: OF_MAINTENANCE,
        ..get(
            "MaintenanceMode",
            "Clients on their way to the other node.",
            &[(O::ReadConfiguration, "")],
            runtime::maintenance_mode,
            |_| Plan::Read(What::Maintenance(Maintenance::Show)),
        )
    },
    maintain(Verb::Post, "Moves the clients to the other node in batches.", |_| {
        Plan::Read(What::Maintenance(Maintenance::Start))
    }),
    maintain(Verb::Delete, "Ends maintenance.", |_| Plan::Read(What::Maintenance(Maintenance::Cancel))),
    create_message("TeamMessage"),
    // The guide names the collection in the singular, its example in the plural.
    create_message("TeamMessages"),
    Route {
        verb: Verb::Delete,
        path: "TeamMessage/{id}",
        about: "Takes a message to teams back.",
        operations: &[(O::DeleteTeamMessage, "")],
        query: &[],
        sent: Sent::Nothing,
        answered: Answered::Done,
        errors: OF_OBJECT,
        plan: |given| Plan::DeleteMessage(given.id),
    },
];

const fn maintain(verb: Verb, about: &'static str, plan: fn(Given) -> Plan) -> Route {
    Route {
        verb,
        path: "MaintenanceMode",
        about,
        operations: &[(O::ReadConfiguration, "")],
        query: &[],
        sent: Sent::Nothing,
        answered: Answered::Accepted,
        errors: OF_MAINTENANCE,
        plan,
    }
}

const fn create_message(path: &'static str) -> Route {
    Route {
        verb: Verb::Post,
        path,
        about: "Tells teams something.",
        operations: &[(O::SendTeamMessage, "each team")],
        query: &[],
        sent: Sent::Xml(|| TEAM_MESSAGE.shape()),
        answered: Answered::Done,
        errors: OF_MESSAGE,
        plan: |_| Plan::CreateMessage,
    }
}

/// What `segments` put in the places that a path leaves open (`id`, `item`), if they fit.
pub(super) fn fits(path: &str, segments: &[&str]) -> Option<(String, String)> {
    let (mut id, mut item) = (String::new(), String::new());
    let mut names = path.split('/');
    for segment in segments {
        match names.next()? {
            "{id}" => (*segment).clone_into(&mut id),
            "{item}" => (*segment).clone_into(&mut item),
            name if name == *segment => {}
            _ => return None,
        }
    }
    names.next().is_none().then_some((id, item))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::tests::table;
    use crate::rest::reads;

    /// Requests of an operation, as the documentation lists them.
    fn requests(operation: Operation) -> String {
        let written = ROUTES.iter().flat_map(|route| {
            route.operations.iter().filter(|(of, _)| *of == operation).map(|(_, which)| {
                let request = format!("`{} {}`", route.verb.name(), route.path.replace("{item}", "{id}"));
                if which.is_empty() { request } else { format!("{request} ({which})") }
            })
        });
        let read = reads::all().filter(|endpoint| endpoint.operation == operation);
        let read = read.map(|endpoint| format!("`GET {}`", endpoint.path.replace("{item}", "{id}")));
        let all: Vec<String> = written.chain(read).collect();
        assert!(!all.is_empty(), "{operation:?} belongs to no request");
        all.join(", ")
    }

    #[test]
    fn the_documentation_has_the_table_of_rights() {
        let table = table(requests);
        let documented = include_str!("../../../docs/rest.md");
        assert!(documented.contains(&table), "docs/rest.md lacks this table:\n{table}");
    }
}
