//! What the outside may ask of the model, and how the model answers at once.

use std::sync::Arc;

pub use super::error::ApiError;

/// Who asks: an authenticated user, by configured id.
pub type Caller = Arc<str>;

/// A question or request of the REST API for the model. The caller has been authenticated, the body parsed;
/// rights, existence and state are the model's to judge, in the order the API documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Who asks.
    pub caller: Caller,
    /// Value of the `requestId` header, copied to the event that closes the request.
    pub request_id: Option<String>,
    /// What is asked.
    pub what: What,
}

/// The requests themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// `MaintenanceMode` (administrators).
    Maintenance(Maintenance),
    /// `GET SystemInfo`; needs no rights (caller may be empty).
    SystemInfo,
    /// `GET User/{id or login name}`.
    User(String),
    /// `GET Users` (administrators).
    Users,
    /// `GET User/{id}/Dialogs`.
    Dialogs(String),
    /// `GET User/{id}/Dialogs?type=reservation`: those by which the dialer reserves the user.
    Reservations(String),
    /// `GET User/{id}/Queues`.
    UserQueues(String),
    /// `GET Dialog/{id}`.
    Dialog(String),
    /// `GET Team/{id}`.
    Team {
        /// The `{id}` of the path.
        team: String,
        /// `includeLoggedOutAgents`, default false.
        include_logged_out: bool,
    },
    /// `GET Queue/{id}`.
    Queue(String),
    /// `PUT User/{id}` with the raw, unchecked children of the body that matter.
    ChangeUser {
        /// The `{id}` of the path.
        user: String,
        /// Children of `<User>`; absent ones are `None`. A body that could not be read travels as the error
        /// that answers it, since rights and existence are judged before it.
        body: Result<UserBody, ApiError>,
    },
    /// `POST User/{id}/Dialogs`.
    CreateDialog {
        /// The `{id}` of the path.
        user: String,
        /// Children of `<Dialog>`, or the error that answers an unreadable body when its turn comes.
        body: Result<DialogBody, ApiError>,
    },
    /// `PUT Dialog/{id}`.
    ActOnDialog {
        /// The `{id}` of the path.
        dialog: String,
        /// Children of `<Dialog>`, or the error that answers an unreadable body when its turn comes.
        body: Result<DialogBody, ApiError>,
    },
}

/// What is to be done about maintenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maintenance {
    /// `GET`: tell.
    Show,
    /// `POST`: move the clients to the other node.
    Start,
    /// `DELETE`: let who is still here stay.
    Cancel,
}

/// Children of a `<User>` request body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserBody {
    /// `state`.
    pub state: Option<String>,
    /// `extension`.
    pub extension: Option<String>,
    /// `reasonCodeId`.
    pub reason_code_id: Option<String>,
    /// `logoutAllMedia`.
    pub logout_all_media: Option<String>,
    /// `activeDeviceId`.
    pub active_device_id: Option<String>,
    /// `mobileAgent/mode` and `mobileAgent/dialNumber`, if the node is there.
    pub mobile_agent: Option<(Option<String>, Option<String>)>,
    /// The password of the request's credentials: the CTI server checks it at sign-in.
    pub password: Option<Password>,
}

/// Children of a `<Dialog>` request body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialogBody {
    /// `requestedAction`.
    pub requested_action: Option<String>,
    /// `targetMediaAddress`.
    pub target_media_address: Option<String>,
    /// `fromAddress`.
    pub from_address: Option<String>,
    /// `toAddress`.
    pub to_address: Option<String>,
    /// `associatedDialogUri`.
    pub associated_dialog_uri: Option<Box<str>>,
    /// Whether `mediaProperties` is there at all (CCX refuses it on some actions).
    pub has_media_properties: bool,
    /// `mediaProperties/callvariables/CallVariable` as (name, value), in order.
    pub call_variables: Vec<(String, String)>,
    /// `actionParams/ActionParam` as (name, value), in order.
    pub action_params: Vec<(String, String)>,
    /// `mediaProperties/wrapUpReason`.
    pub wrap_up_reason: Option<String>,
    /// `mediaProperties/wrapUpItems/wrapUpItem` in order, if the list is there (CCX).
    pub wrap_up_items: Option<Box<[String]>>,
}

/// What the model answers at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// 200 with this XML document (no declaration).
    Document(String),
    /// 202: handed to the CTI server.
    Accepted,
    /// Refused with an `ApiErrors` document.
    Refused(ApiError),
}

/// A password on its way to the CTI server. Masked in `Debug`, overwritten when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(zeroize::Zeroizing<String>);

impl Password {
    /// Takes the password.
    pub fn new(password: impl Into<String>) -> Self {
        Self(zeroize::Zeroizing::new(password.into()))
    }

    /// The password itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}
