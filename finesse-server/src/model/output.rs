//! What leaves the model: requests for the CTI server and updates for the feeds. Updates hold shared snapshots and
//! are rendered only if somebody listens.

use std::sync::Arc;

use cti::Message;

use super::dialog::Dialog;
use super::journal;
use super::queue::QueueView;
use super::system::SystemView;
use super::user::UserView;
use super::xml::Writer;
use crate::absence::Note;

/// Something to do for the owner of the model, in this order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send this request; its outcome comes back with the token.
    Cti {
        /// Names the request.
        token: u64,
        /// The request without its InvokeID.
        message: Message,
    },
    /// Publish this update on a node.
    Publish {
        /// Name of the node.
        node: Arc<str>,
        /// The update.
        update: Update,
    },
    /// Ask the other node where an absent user is.
    AskPeer {
        /// Id of the user.
        user: Arc<str>,
        /// Number of the question.
        question: u64,
        /// How long the user has been away from here.
        away: std::time::Duration,
    },
    /// Move so many sessions to the other node, and say how many are left ([`super::Model::handle_sessions`]).
    MoveSessions(usize),
    /// Write this in the journal; the number is the user's team.
    Note(Note, Option<u32>),
    /// Write this in the journal.
    Journal(journal::Entry),
    /// The server went in or out of service; commands are answered accordingly from now on.
    Service {
        /// Whether it serves.
        in_service: bool,
    },
}

/// What happened to an object or collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Entered the collection.
    Post,
    /// Changed.
    Put,
    /// Left the collection.
    Delete,
}

impl Change {
    /// The value of `event`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// One event of a feed, not rendered yet.
#[derive(Clone, Debug)]
pub struct Update {
    /// What is in `data`.
    pub payload: Payload,
    /// What happened.
    pub change: Change,
    /// The request that caused it; empty when there was none.
    pub request_id: Option<String>,
    /// REST path of the object.
    pub source: Source,
}

/// The REST path an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Any path.
    Path(Arc<str>),
    /// `/finesse/api/Dialog/{id}`.
    Dialog(u32),
}

/// Contents of `data`.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Nothing: the object is gone.
    Nothing,
    /// `user`, complete.
    User(Arc<UserView>),
    /// `user`, the summary for team feeds.
    UserSummary(Arc<UserView>),
    /// `dialog`; the flag tells CCX.
    Dialog(Arc<Dialog>, bool),
    /// `dialogs/Dialog`; the flag tells CCX.
    Dialogs(Arc<Dialog>, bool),
    /// `apiErrors/apiError`.
    Errors(AsyncError),
    /// `systemInfo`.
    System(Arc<SystemView>),
    /// `Queue` with statistics.
    Queue(Arc<QueueView>),
}

/// A refusal of the CTI server, as it reaches the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsyncError {
    /// `errorData`.
    pub data: u32,
    /// `errorMessage`.
    pub message: String,
    /// `errorType`.
    pub kind: &'static str,
}

impl Update {
    /// Appends the `<Update>` document. Children are alphabetical, `requestId` is always there, values of `event`
    /// are upper case: client libraries compare them literally.
    pub fn write(&self, out: &mut String) {
        let mut w = Writer::new(out);
        w.open("Update");
        w.open("data");
        self.payload.write(&mut w);
        w.close("data");
        w.text("event", self.change.name());
        w.text("requestId", self.request_id.as_deref().unwrap_or(""));
        match &self.source {
            Source::Path(path) => w.text("source", path),
            Source::Dialog(id) => w.value("source", format_args!("/finesse/api/Dialog/{id}")),
        }
        w.close("Update");
    }

    /// The document as a string of its own.
    pub fn to_xml(&self) -> String {
        let mut out = String::with_capacity(2048);
        self.write(&mut out);
        out
    }
}

impl Payload {
    fn write(&self, w: &mut Writer<'_>) {
        match self {
            Self::Nothing => {}
            Self::User(user) => user.write(w, "user", true),
            Self::UserSummary(user) => user.write_summary(w),
            Self::Dialog(dialog, ccx) => dialog.write(w, "dialog", *ccx),
            Self::Dialogs(dialog, ccx) => {
                w.open("dialogs");
                dialog.write(w, "Dialog", *ccx);
                w.close("dialogs");
            }
            Self::Errors(error) => {
                w.open("apiErrors");
                w.open("apiError");
                w.value("errorData", error.data);
                w.text("errorMessage", &error.message);
                w.text("errorType", error.kind);
                w.close("apiError");
                w.close("apiErrors");
            }
            Self::System(system) => system.write(w, "systemInfo"),
            Self::Queue(queue) => queue.write(w),
        }
    }
}
