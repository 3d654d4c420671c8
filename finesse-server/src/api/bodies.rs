//! The bodies of requests: users, dialogs, team messages, logs of desktops.

use super::intake::{Body, Entry, Take};
use crate::model::command::{DialogBody, UserBody};

/// An [`Entry`] from its parts.
const fn entry<T>(name: &'static str, about: &'static str, take: Take<T>) -> Entry<T> {
    Entry { name, about, take }
}

/// States that can be asked for.
const STATES: &[&str] = &["LOGIN", "LOGOUT", "NOT_READY", "READY", "WORK", "WORK_READY"];

/// Actions on dialogs, of both requests.
const ACTIONS: &[&str] = &[
    "ACCEPT",
    "ANSWER",
    "BARGE_CALL",
    "CANCEL_SCHEDULED_CALLBACK",
    "CLOSE",
    "CONFERENCE",
    "CONSULT_CALL",
    "DROP",
    "HOLD",
    "MAKE_CALL",
    "PARTICIPANT_DROP",
    "RECLASSIFY",
    "REJECT",
    "RETRIEVE",
    "SEND_DTMF",
    "SILENT_MONITOR",
    "START_RECORDING",
    "TRANSFER",
    "TRANSFER_SST",
    "UPDATE_CALL_DATA",
    "UPDATE_SCHEDULED_CALLBACK",
];

/// `PUT User/{id}`.
pub static USER: Body<UserBody> = Body {
    name: "User",
    about: "A change of state.",
    entries: &[
        entry(
            "activeDeviceId",
            "With LOGIN: the device, where the extension has several.",
            Take::Text(|body: &mut UserBody, text| body.active_device_id = Some(text)),
        ),
        entry(
            "extension",
            "With LOGIN, and mandatory there: the extension.",
            Take::Text(|body, text| body.extension = Some(text)),
        ),
        entry(
            "logoutAllMedia",
            "With LOGOUT: whether to sign out of all media.",
            Take::Word(&["true", "false"], |body, text| body.logout_all_media = Some(text)),
        ),
        entry(
            "mobileAgent",
            "With LOGIN: for agents at a phone elsewhere (CCE).",
            Take::Object(
                |body| body.mobile_agent = Some((None, None)),
                &[
                    entry(
                        "dialNumber",
                        "Number of that phone; mandatory.",
                        Take::Text(|body, text| body.mobile_agent.get_or_insert_default().1 = Some(text)),
                    ),
                    entry(
                        "mode",
                        "How it is called; mandatory.",
                        Take::Word(&["CALL_BY_CALL", "NAILED_CONNECTION"], |body, text| {
                            body.mobile_agent.get_or_insert_default().0 = Some(text);
                        }),
                    ),
                ],
            ),
        ),
        entry(
            "reasonCodeId",
            "With NOT_READY and LOGOUT, and mandatory where the team has such codes: database id of the reason.",
            Take::Text(|body, text| body.reason_code_id = Some(text)),
        ),
        entry("state", "The state; mandatory.", Take::Word(STATES, |body, text| body.state = Some(text))),
    ],
};

/// `POST User/{id}/Dialogs` and `PUT Dialog/{id}`.
pub static DIALOG: Body<DialogBody> = Body {
    name: "Dialog",
    about: "A call to make, or something to do with one.",
    entries: &[
        entry(
            "actionParams",
            "SEND_DTMF: dtmfString; RECLASSIFY: outboundClassification; UPDATE_SCHEDULED_CALLBACK: callbackTime, \
             callbackNumber.",
            Take::Pairs("ActionParam", |body: &mut DialogBody, pairs| body.action_params = pairs),
        ),
        entry(
            "associatedDialogUri",
            "BARGE_CALL: the call by which the supervisor listens.",
            Take::Text(|body, text| body.associated_dialog_uri = Some(text.into())),
        ),
        entry(
            "fromAddress",
            "MAKE_CALL, SILENT_MONITOR, BARGE_CALL: the caller's extension.",
            Take::Text(|body, text| body.from_address = Some(text)),
        ),
        entry(
            "mediaProperties",
            "MAKE_CALL (CCE) and UPDATE_CALL_DATA: data of the call.",
            Take::Object(
                |body| body.has_media_properties = true,
                &[
                    entry(
                        "callvariables",
                        "Call variables and expanded ones.",
                        Take::Pairs("CallVariable", |body, pairs| body.call_variables = pairs),
                    ),
                    entry(
                        "wrapUpItems",
                        "UPDATE_CALL_DATA: labels (CCX).",
                        Take::Texts("wrapUpItem", |body, texts| body.wrap_up_items = Some(texts.into())),
                    ),
                    entry(
                        "wrapUpReason",
                        "UPDATE_CALL_DATA: the label.",
                        Take::Whole(|body, text| body.wrap_up_reason = Some(text)),
                    ),
                ],
            ),
        ),
        entry(
            "requestedAction",
            "What to do; mandatory.",
            Take::Word(ACTIONS, |body, text| body.requested_action = Some(text)),
        ),
        entry(
            "targetMediaAddress",
            "PUT, and mandatory but for UPDATE_CALL_DATA: whose leg; the caller's extension.",
            Take::Text(|body, text| body.target_media_address = Some(text)),
        ),
        entry(
            "toAddress",
            "MAKE_CALL, SILENT_MONITOR, BARGE_CALL, CONSULT_CALL, TRANSFER_SST: whom to call.",
            Take::Text(|body, text| body.to_address = Some(text)),
        ),
    ],
};

/// Children of a `TeamMessage` request body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TeamMessageBody {
    /// `content`.
    pub content: Option<String>,
    /// `duration`.
    pub duration: Option<String>,
    /// `teams/team`.
    pub teams: Vec<String>,
}

/// `POST TeamMessage`.
pub static TEAM_MESSAGE: Body<TeamMessageBody> = Body {
    name: "TeamMessage",
    about: "A message to teams.",
    entries: &[
        entry(
            "content",
            "At most 255 characters; mandatory.",
            Take::Text(|body: &mut TeamMessageBody, text| body.content = Some(text)),
        ),
        entry(
            "duration",
            "For how many seconds it is shown; mandatory.",
            Take::Text(|body, text| body.duration = Some(text)),
        ),
        entry(
            "teams",
            "Numbers of the teams it is for; mandatory.",
            Take::Texts("team", |body, texts| body.teams = texts),
        ),
    ],
};

/// Children of a `ClientLog` request body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientLogBody {
    /// `logData`.
    pub log_data: Option<String>,
}

/// `POST User/{id}/ClientLog`.
pub static CLIENT_LOG: Body<ClientLogBody> = Body {
    name: "ClientLog",
    about: "A log of a desktop.",
    entries: &[entry(
        "logData",
        "The text; mandatory.",
        Take::Whole(|body: &mut ClientLogBody, text| body.log_data = Some(text)),
    )],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::shape::tests::assert_alphabetical;

    #[test]
    fn every_description_is_in_alphabetical_order() {
        for shape in [USER.shape(), DIALOG.shape(), TEAM_MESSAGE.shape(), CLIENT_LOG.shape()] {
            assert_alphabetical(&shape);
        }
    }

    /// The list of actions is what the model knows: each is refused for something else than its name.
    #[test]
    fn every_listed_action_and_state_is_known() {
        use crate::model::command::{Reply, What};
        use crate::model::testing::{Bench, state_body};
        let mut bench = Bench::staffed();
        bench.talk(100, "2002");
        for &action in ACTIONS {
            let body = || DialogBody {
                requested_action: Some(action.into()),
                target_media_address: Some("2002".into()),
                from_address: Some("2002".into()),
                to_address: Some("2003".into()),
                ..DialogBody::default()
            };
            let acted = What::ActOnDialog { dialog: "100".into(), body: Ok(body()) };
            let made = What::CreateDialog { user: "1002".into(), body: Ok(body()) };
            let unknown =
                |reply: Reply| matches!(reply, Reply::Refused(e) if e.data == action && e.status == 400);
            assert!(
                !(unknown(bench.ask("1002", None, acted)) && unknown(bench.ask("1002", None, made))),
                "{action}"
            );
        }
        for &state in STATES {
            let change = What::ChangeUser { user: "1002".into(), body: Ok(state_body(state)) };
            let reply = bench.ask("1002", None, change);
            assert!(!matches!(&reply, Reply::Refused(e) if e.kind == "Invalid Input"), "{state}: {reply:?}");
        }
    }
}
