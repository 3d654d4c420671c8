//! Workflows: what desktops do by themselves when something happens to a call.

use std::sync::Arc;

/// A workflow (guide, "Workflow").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    /// Number in its path.
    pub id: u32,
    /// Name, unique.
    pub name: String,
    /// For people.
    pub description: String,
    /// Media routing domain; 1 is voice.
    pub media: u32,
    /// Teams whose desktops have it.
    pub teams: Vec<u32>,
    /// Name of the event.
    pub trigger: String,
    /// Whether the event is none of the known ones.
    pub custom_trigger: bool,
    /// Whether it is looked at while the agent has another call.
    pub allow_overlapping: bool,
    /// What has to hold besides the event.
    pub triggers: Vec<Rule>,
    /// Whether one of the conditions is enough.
    pub any: bool,
    /// On which calls the actions are carried out.
    pub conditions: Vec<Rule>,
    /// The actions, in order.
    pub actions: Vec<Arc<WorkflowAction>>,
}

/// A comparison of a variable with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The variable.
    pub variable: Variable,
    /// How it is compared.
    pub comparator: String,
    /// The value.
    pub value: String,
}

/// A piece of data of a call. One with a place in the dialog is a custom one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Where it is (XPath); empty for those that the desktop knows.
    pub node: String,
}

impl Variable {
    /// `CUSTOM` or `SYSTEM`.
    pub fn kind(&self) -> &'static str {
        if self.node.is_empty() { "SYSTEM" } else { "CUSTOM" }
    }
}

/// A variable that workflows know without a place of their own (guide, "SystemVariable").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemVariable {
    /// Its name.
    pub name: &'static str,
    /// Where in the dialog or user it is (XPath).
    pub node: &'static str,
}

/// A call variable and its place.
macro_rules! call_variables {
    ($($n:literal)*) => {
        [$(SystemVariable {
            name: concat!("callVariable", $n),
            node: concat!(
                "//Dialog/mediaProperties/callvariables/CallVariable/name[.=\"callVariable", $n, "\"]/../value"
            ),
        }),*]
    };
}

static CALL_VARIABLES: [SystemVariable; 10] = call_variables!(1 2 3 4 5 6 7 8 9 10);

static OTHERS: [SystemVariable; 14] = [
    SystemVariable { name: "callType", node: "//Dialog/mediaProperties/callType" },
    SystemVariable { name: "dialedNumber", node: "//Dialog/mediaProperties/dialedNumber" },
    SystemVariable { name: "DNIS", node: "//Dialog/mediaProperties/DNIS" },
    SystemVariable { name: "fromAddress", node: "//Dialog/fromAddress" },
    SystemVariable { name: "queueName", node: "//Dialog/mediaProperties/queueName" },
    SystemVariable { name: "queueNumber", node: "//Dialog/mediaProperties/queueNumber" },
    SystemVariable { name: "toAddress", node: "//Dialog/toAddress" },
    SystemVariable { name: "wrapUpReason", node: "//Dialog/mediaProperties/wrapUpReason" },
    SystemVariable { name: "extension", node: "//User/extension" },
    SystemVariable { name: "firstName", node: "//User/firstName" },
    SystemVariable { name: "lastName", node: "//User/lastName" },
    SystemVariable { name: "loginId", node: "//User/loginId" },
    SystemVariable { name: "teamId", node: "//User/teamId" },
    SystemVariable { name: "teamName", node: "//User/teamName" },
];

impl SystemVariable {
    /// All of them.
    pub fn all() -> impl Iterator<Item = &'static SystemVariable> {
        CALL_VARIABLES.iter().chain(&OTHERS)
    }
}

/// What a desktop does (guide, "WorkflowAction").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowAction {
    /// Number in its path.
    pub id: u32,
    /// Name, unique.
    pub name: String,
    /// Whether it is a request instead of a page.
    pub http_request: bool,
    /// Whether somebody else than the desktop carries it out.
    pub handled_by_other: bool,
    /// Names and values of its settings.
    pub params: Vec<(String, String)>,
    /// Data that the settings refer to.
    pub variables: Vec<ActionVariable>,
}

impl WorkflowAction {
    /// `BROWSER_POP` or `HTTP_REQUEST`.
    pub fn kind(&self) -> &'static str {
        if self.http_request { "HTTP_REQUEST" } else { "BROWSER_POP" }
    }
}

/// A piece of data that an action uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionVariable {
    /// The variable.
    pub variable: Variable,
    /// A value to try the action with.
    pub test_value: String,
}
