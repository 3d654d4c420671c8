//! The shapes of the documents that the model writes: users, dialogs, teams, queues, the system's state. A test holds
//! them against the model's documents.

use super::reasons::REASON_CODE;
use super::shape::{Form, Member, Shape};
use crate::model::command::{Maintenance, What};

/// The look of the answer to a question; `None` for requests that change something.
pub fn shape(what: &What) -> Option<fn() -> Shape> {
    match what {
        What::SystemInfo => Some(system_info),
        What::Maintenance(Maintenance::Show) => Some(maintenance_mode),
        What::User(_) => Some(user),
        What::Users => Some(users),
        What::Dialogs(_) | What::Reservations(_) => Some(dialogs),
        What::UserQueues(_) => Some(queues),
        What::Dialog(_) => Some(dialog),
        What::Team { .. } => Some(team),
        What::Queue(_) => Some(queue),
        What::Maintenance(_) => None,
        What::ChangeUser { .. } | What::CreateDialog { .. } | What::ActOnDialog { .. } => None,
    }
}

/// `ApiErrors`.
pub fn api_errors() -> Shape {
    let error = vec![
        text("ErrorData", "What the error is about: a value, an element, an id."),
        text("ErrorMessage", "Text or constant."),
        text("ErrorType", "The kind of error; what clients should look at."),
    ];
    Shape::new("ApiErrors", "What is wrong with a request.", vec![many("ApiError", "One error.", error)])
}

/// `User`.
pub fn user() -> Shape {
    Shape::new("User", "A person with state and attributes.", user_members())
}

/// `Users`.
pub fn users() -> Shape {
    Shape::list("Users", "All persons.", user())
}

/// `Dialog`.
pub fn dialog() -> Shape {
    let members = vec![
        text("associatedDialogUri", "The call that this one consults about, or the other way round."),
        text("callbackNumber", "Number of a customer who is to be called back."),
        text("fromAddress", "Who called."),
        text("id", "Number of the call."),
        object("mediaProperties", "Data of the call.", media_properties()),
        text("mediaType", "Voice."),
        list("participants", "Who takes part.", "Participant", Form::Object(participant())),
        object(
            "scheduledCallbackInfo",
            "When and where to call back.",
            vec![text("callbackNumber", "Number."), text("callbackTime", "Local time.")],
        ),
        text("secondaryId", "The call that was merged into this one."),
        text("state", "State of the call."),
        text("toAddress", "What was dialled."),
        text("uri", "Path of the object."),
    ];
    Shape::new("Dialog", "A call.", members)
}

/// `Dialogs`.
pub fn dialogs() -> Shape {
    Shape::list("Dialogs", "Calls of a user.", dialog())
}

/// `Queue`.
pub fn queue() -> Shape {
    let statistics = vec![
        number("agentsBusyOther", "Agents busy in other queues."),
        number("agentsLoggedOn", "Agents signed in."),
        number("agentsNotReady", "Agents not ready."),
        number("agentsReady", "Agents ready."),
        number("agentsTalkingInbound", "Agents in calls from outside."),
        number("agentsTalkingInternal", "Agents in calls among themselves."),
        number("agentsTalkingOutbound", "Agents in calls to outside."),
        number("agentsWrapUpNotReady", "Agents in after-call work, then not ready."),
        number("agentsWrapUpReady", "Agents in after-call work, then ready."),
        number("callsInQueue", "Calls that wait."),
        text("startTimeOfLongestCallInQueue", "Since when the longest waiting call waits, UTC."),
    ];
    let members = vec![
        text("name", "Name for people."),
        object("statistics", "Numbers; -1 where they are not known.", statistics),
        text("uri", "Path of the object."),
    ];
    Shape::new("Queue", "A queue with its statistics.", members)
}

/// `Queues`.
pub fn queues() -> Shape {
    Shape::list("Queues", "Queues of a user.", queue())
}

/// `Team`.
pub fn team() -> Shape {
    let mut member = user_members();
    member.retain(|m| TEAM_MEMBER.contains(&m.name));
    let place = member.iter().position(|m| m.name == "pendingState").unwrap_or(member.len());
    let about = "Whether an agent who is not ready has a call (CCX).";
    member.insert(place, word("mediaState", about, &["BUSY", "IDLE"]));
    for reason in member.iter_mut().filter(|m| m.name == "ReasonCode") {
        // The guide prints it so.
        reason.name = "reasonCode";
    }
    let members = vec![
        number("id", "Number of the team."),
        text("name", "Name for people."),
        text("uri", "Path of the object."),
        list("users", "Its members.", "User", Form::Object(member)),
    ];
    Shape::new("Team", "A team with its members.", members)
}

/// What the members of a `Team` document have.
const TEAM_MEMBER: [&str; 10] = [
    "dialogs",
    "extension",
    "firstName",
    "lastName",
    "loginId",
    "pendingState",
    "ReasonCode",
    "state",
    "stateChangeTime",
    "uri",
];

/// `SystemInfo`.
pub fn system_info() -> Shape {
    let node = || {
        vec![
            text("host", "Fully qualified name."),
            number("httpsPort", "Port of HTTPS."),
            number("xmppPort", "Port of XMPP in clear."),
            number("xmppSecurePort", "Port of XMPP over TLS."),
        ]
    };
    let members = vec![
        number("ctiHeartbeatInterval", "Seconds between heartbeats."),
        text("ctiMMode", "Maintenance mode of the CTI server."),
        list("ctiServers", "The CTI servers.", "ctiServer", Form::Object(cti_server())),
        number("ctiTimeInMMode", "Seconds in maintenance mode; negative outside."),
        number("ctiVersion", "Version of the CTI protocol."),
        text("currentTimestamp", "When the document was made, UTC."),
        word("deploymentType", "Kind of deployment.", &["UCCE", "UCCX"]),
        text("finesseMMode", "Maintenance mode of this server."),
        number("finesseTimeInMMode", "Seconds in maintenance mode; negative outside."),
        word("lastCTIHeartbeatStatus", "Outcome of the last heartbeat.", &["success", "failure"]),
        number("lastSuccessCTIHeartbeatTime", "Its time in milliseconds since 1970."),
        text("license", "Licence (CCX)."),
        number("peripheralId", "Number of the peripheral."),
        object("primaryNode", "The primary node of a pair, or the only one.", node()),
        object("secondaryNode", "The other node.", node()),
        word("status", "Whether requests are served.", &["IN_SERVICE", "OUT_OF_SERVICE", "PARTIAL_SERVICE"]),
        text("statusReason", "Why not."),
        word("systemAuthMode", "How users sign in.", &["SSO", "NON_SSO", "HYBRID"]),
        number("timezoneOffset", "Minutes east of UTC."),
        text("uri", "Path of the object."),
        text("xmppDomain", "XMPP domain."),
        text("xmppPubSubDomain", "Address of the publish-subscribe service."),
    ];
    Shape::new("SystemInfo", "Who the server is and whether it serves.", members)
}

/// `MaintenanceMode`.
pub fn maintenance_mode() -> Shape {
    let users = vec![
        number("desktop", "Sessions of desktops."),
        number("fippa", "Sessions of IP phones."),
        number("thirdpartyclients", "All others."),
    ];
    let members = vec![
        number("estimatedCompletionTime", "Seconds until all have been moved."),
        number("pendingUserDisconnections", "Sessions that are still here."),
        word("status", "How far it is; empty outside.", &["IN_PROGRESS", "COMPLETED", "FAILED"]),
        text("uri", "Path of the object."),
        object("usersLoggedIn", "Sessions by kind.", users),
    ];
    Shape::new("MaintenanceMode", "Clients on their way to the other node.", members)
}

/// `LockedUsers`.
pub fn locked_users() -> Shape {
    let members = vec![
        list("addresses", "Where the wrong passwords came from.", "address", Form::Text),
        number("failures", "Wrong passwords in a row."),
        text("id", "Name of the account."),
        text("realm", "Realm of the account."),
        number("secondsLeft", "For how long it is locked yet."),
        text("uri", "Path of the object."),
    ];
    Shape::list(
        "LockedUsers",
        "Who is locked out.",
        Shape::new("LockedUser", "Somebody locked out.", members),
    )
}

fn cti_server() -> Vec<Member> {
    vec![
        boolean("active", "Whether it is in use."),
        number("connectedDuration", "Seconds since the session was opened."),
        text("host", "Its name."),
    ]
}

fn user_members() -> Vec<Member> {
    vec![
        text("dialogs", "Path of the calls."),
        text("extension", "Extension of the phone; empty when signed out."),
        text("firstName", "Given name."),
        text("lastName", "Family name."),
        text("loginId", "Id of the user."),
        text("loginName", "Name accepted for sign-in beside the id."),
        text("mediaType", "1: voice."),
        object(
            "mobileAgent",
            "Present for agents at a phone elsewhere.",
            vec![
                text("dialNumber", "Number of that phone."),
                text("mode", "CALL_BY_CALL or NAILED_CONNECTION."),
            ],
        ),
        text("pendingState", "State after the present call or wrap-up."),
        Member::new(
            "ReasonCode",
            "Why the user is in this state.",
            Form::Object(REASON_CODE.shape().members),
        ),
        number("reasonCodeId", "Database id of the reason; -1 where none of the configured ones applies."),
        list("roles", "Agent, Supervisor.", "role", Form::Text),
        object(
            "settings",
            "Rules for wrap-up.",
            vec![
                text("wrapUpOnIncoming", "After calls received."),
                text("wrapUpOnOutgoing", "After calls made."),
            ],
        ),
        text("state", "State of the agent."),
        text("stateChangeTime", "Since when, UTC."),
        text("teamId", "Number of the team."),
        text("teamName", "Name of the team."),
        list(
            "teams",
            "Teams that a supervisor supervises.",
            "Team",
            Form::Object(vec![
                number("id", "Number of the team."),
                text("name", "Name for people."),
                text("uri", "Path of the object."),
            ]),
        ),
        text("uri", "Path of the object."),
    ]
}

fn media_properties() -> Vec<Member> {
    let variable = vec![text("name", "Name."), text("value", "Value.")];
    vec![
        number("callKeyCallId", "Key of the router: call (CCE)."),
        number("callKeyPrefix", "Key of the router: day (CCE)."),
        number("callKeySequenceNum", "Key of the router: sequence (CCE)."),
        text("callType", "Kind of call."),
        list("callvariables", "Call variables.", "CallVariable", Form::Object(variable)),
        text("dialedNumber", "Number that was dialled."),
        text("DNIS", "Route point."),
        text("mediaId", "1: voice."),
        text("queueName", "Name of the queue."),
        number("queueNumber", "Number of the queue."),
        list("wrapUpItems", "Labels (CCX).", "wrapUpItem", Form::Text),
        text("wrapUpReason", "Label."),
    ]
}

fn participant() -> Vec<Member> {
    vec![
        list("actions", "What this participant may do.", "action", Form::Text),
        text("mediaAddress", "Extension or number."),
        text("mediaAddressType", "Kind of device."),
        text("startTime", "Since when he takes part, UTC."),
        text("state", "State of the leg."),
        text("stateCause", "Why it failed."),
        text("stateChangeTime", "Since when it is in this state, UTC."),
    ]
}

fn text(name: &'static str, about: &'static str) -> Member {
    Member::new(name, about, Form::Text)
}

fn number(name: &'static str, about: &'static str) -> Member {
    Member::new(name, about, Form::Integer)
}

fn boolean(name: &'static str, about: &'static str) -> Member {
    Member::new(name, about, Form::Boolean)
}

fn word(name: &'static str, about: &'static str, words: &'static [&'static str]) -> Member {
    Member::new(name, about, Form::Word(words))
}

fn object(name: &'static str, about: &'static str, members: Vec<Member>) -> Member {
    Member::new(name, about, Form::Object(members))
}

fn many(name: &'static str, about: &'static str, members: Vec<Member>) -> Member {
    Member { repeated: true, ..object(name, about, members) }
}

fn list(name: &'static str, about: &'static str, item: &'static str, of: Form) -> Member {
    Member::new(name, about, Form::List { item, of: Box::new(of) })
}

#[cfg(test)]
mod tests {
    use cti::Dialect;
    use serde_json::Value;

    use super::*;
    use crate::api::json::from_xml;
    use crate::api::shape::tests::assert_alphabetical;
    use crate::model::testing::{Bench, directory_with_reasons};

    /// How many values a JSON document has; an empty list or object is one.
    fn leaves(json: &Value) -> usize {
        match json {
            Value::Object(members) if !members.is_empty() => members.values().map(leaves).sum(),
            Value::Array(items) if !items.is_empty() => items.iter().map(leaves).sum(),
            _ => 1,
        }
    }

    /// Elements that hold no element.
    fn leaf_elements(xml: &str) -> usize {
        let tags: Vec<&str> = xml.split('<').skip(1).map(|tag| tag.split('>').next().unwrap()).collect();
        tags.windows(2).filter(|pair| pair[1].strip_prefix('/') == Some(pair[0])).count()
    }

    #[test]
    fn the_models_documents_have_these_shapes() {
        let mut bench = Bench::serving(directory_with_reasons(), Dialect::Cce);
        bench.state("1002", "2002", cti::enums::agent_state::NOT_READY, 21);
        bench.talk(17, "2002");
        let team = What::Team { team: "1".into(), include_logged_out: true };
        for what in [
            What::SystemInfo,
            What::Maintenance(Maintenance::Show),
            What::User("1002".into()),
            What::User("1001".into()),
            What::Users,
            What::Dialogs("1002".into()),
            What::Dialog("17".into()),
            What::UserQueues("1002".into()),
            What::Queue("10".into()),
            team,
        ] {
            let shape = shape(&what).unwrap()();
            assert_alphabetical(&shape);
            let xml = bench.document("admin", what.clone());
            let json = from_xml(&xml, &shape).unwrap_or_else(|| panic!("{what:?}: {xml}"));
            assert_eq!(leaves(&json), leaf_elements(&xml), "{what:?}\n{xml}\n{json:#}");
        }
    }
}
