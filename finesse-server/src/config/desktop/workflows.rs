//! Workflows as the configuration file writes them.

use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::catalogue::{ActionVariable, Rule, Variable, Workflow, WorkflowAction};

/// `[[workflow]]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct WorkflowEntry {
    /// Number in its path.
    pub id: u32,
    /// Name, unique.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Media routing domain.
    #[serde(default = "voice")]
    pub media: u32,
    /// Teams whose desktops have it.
    #[serde(default)]
    pub teams: Vec<u32>,
    /// Name of the event.
    pub trigger: String,
    /// Whether the event is none of the known ones.
    #[serde(default)]
    pub custom_trigger: bool,
    /// Whether it is looked at while the agent has another call.
    #[serde(default)]
    pub allow_overlapping: bool,
    /// What has to hold besides the event.
    #[serde(default)]
    pub triggers: Vec<RuleEntry>,
    /// Whether one of the conditions is enough.
    #[serde(default)]
    pub any: bool,
    /// On which calls the actions are carried out.
    #[serde(default)]
    pub conditions: Vec<RuleEntry>,
    /// Numbers of the actions, in order.
    #[serde(default)]
    pub actions: Vec<u32>,
}

fn voice() -> u32 {
    1
}

/// A comparison of a variable with a value.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct RuleEntry {
    /// Name of the variable.
    pub variable: String,
    /// Where in the dialog it is (XPath); absent for those that the desktop knows.
    #[serde(default)]
    pub node: String,
    /// How it is compared.
    pub comparator: String,
    /// The value.
    #[serde(default)]
    pub value: String,
}

/// `[[workflow_action]]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct WorkflowActionEntry {
    /// Number in its path.
    pub id: u32,
    /// Name, unique.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: ActionKind,
    /// Whether somebody else than the desktop carries it out.
    #[serde(default)]
    pub handled_by_other: bool,
    /// Its settings.
    #[serde(default)]
    pub params: Vec<ParamEntry>,
    /// Data that the settings refer to.
    #[serde(default)]
    pub variables: Vec<ActionVariableEntry>,
}

/// What an action is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActionKind {
    /// A page is opened.
    BrowserPop,
    /// A request is sent.
    HttpRequest,
}

/// A setting of an action.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ParamEntry {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A piece of data that an action uses.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ActionVariableEntry {
    /// Its name.
    pub name: String,
    /// Where in the dialog it is (XPath); absent for those that the desktop knows.
    #[serde(default)]
    pub node: String,
    /// A value to try the action with.
    #[serde(default)]
    pub test_value: String,
}

impl From<&RuleEntry> for Rule {
    fn from(entry: &RuleEntry) -> Rule {
        Rule {
            variable: Variable { name: entry.variable.clone(), node: entry.node.clone() },
            comparator: entry.comparator.clone(),
            value: entry.value.clone(),
        }
    }
}

impl From<&WorkflowActionEntry> for WorkflowAction {
    fn from(entry: &WorkflowActionEntry) -> WorkflowAction {
        let variable = |entry: &ActionVariableEntry| ActionVariable {
            variable: Variable { name: entry.name.clone(), node: entry.node.clone() },
            test_value: entry.test_value.clone(),
        };
        WorkflowAction {
            id: entry.id,
            name: entry.name.clone(),
            http_request: entry.kind == ActionKind::HttpRequest,
            handled_by_other: entry.handled_by_other,
            params: entry.params.iter().map(|param| (param.name.clone(), param.value.clone())).collect(),
            variables: entry.variables.iter().map(variable).collect(),
        }
    }
}

/// The workflows with their actions; an action that is not defined is left out.
pub(super) fn build(
    entries: &[Spanned<WorkflowEntry>],
    actions: &[Arc<WorkflowAction>],
) -> Vec<Arc<Workflow>> {
    let action = |id: &u32| actions.iter().find(|action| action.id == *id).cloned();
    let workflow = |entry: &WorkflowEntry| Workflow {
        id: entry.id,
        name: entry.name.clone(),
        description: entry.description.clone(),
        media: entry.media,
        teams: entry.teams.clone(),
        trigger: entry.trigger.clone(),
        custom_trigger: entry.custom_trigger,
        allow_overlapping: entry.allow_overlapping,
        triggers: entry.triggers.iter().map(Rule::from).collect(),
        any: entry.any,
        conditions: entry.conditions.iter().map(Rule::from).collect(),
        actions: entry.actions.iter().filter_map(action).collect(),
    };
    entries.iter().map(|entry| Arc::new(workflow(entry.get_ref()))).collect()
}
