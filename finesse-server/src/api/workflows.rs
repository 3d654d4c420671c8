//! Workflows and their actions (guide, "Workflow", "WorkflowAction").

use std::sync::Arc;

use super::define::{Collection, Field, Listed, Nested, Resource, part};
use crate::catalogue::{ActionVariable, Rule, SystemVariable, Variable, Workflow, WorkflowAction};

static VARIABLE: Resource<Variable> = Resource {
    name: "Variable",
    about: "A piece of data of the call.",
    fields: &[
        Field::text("name", "Its name.", |v| v.name.as_str().into()),
        Field::text("node", "Where in the dialog it is (XPath).", |v| v.node.as_str().into()),
        Field::word("type", "Whether it is one of the known ones.", &["SYSTEM", "CUSTOM"], Variable::kind),
    ],
};

const RULE: &[Field<Rule>] = &[
    Field::text("comparator", "How value and variable are compared.", |r| r.comparator.as_str().into()),
    Field::text("value", "The value to compare with.", |r| r.value.as_str().into()),
    part!(
        "Variable",
        "The variable.",
        &Nested { of: &VARIABLE, each: |r: &Rule, f| f(&r.variable), many: false },
    ),
];

static TRIGGER: Resource<Rule> =
    Resource { name: "Trigger", about: "What has to hold for the trigger.", fields: RULE };

static CONDITION: Resource<Rule> =
    Resource { name: "Condition", about: "What has to hold for the actions.", fields: RULE };

static TRIGGER_SET: Resource<Workflow> = Resource {
    name: "TriggerSet",
    about: "When the workflow is looked at.",
    fields: &[
        Field::boolean(
            "allowOverlappingCallWorkflow",
            "Whether it is looked at while the agent has another call.",
            |w| w.allow_overlapping,
        ),
        Field::text("name", "The event of the call.", |w| w.trigger.as_str().into()),
        part!(
            "triggers",
            "What has to hold besides.",
            &Listed { of: &TRIGGER, each: |w: &Workflow, f| w.triggers.iter().for_each(f) },
        ),
        Field::word("type", "Whether the event is one of the known ones.", &["SYSTEM", "CUSTOM"], |w| {
            if w.custom_trigger { "CUSTOM" } else { "SYSTEM" }
        }),
    ],
};

static CONDITION_SET: Resource<Workflow> = Resource {
    name: "ConditionSet",
    about: "On which calls the actions are carried out.",
    fields: &[
        Field::word("applyMethod", "Whether any or all conditions have to hold.", &["ANY", "ALL"], |w| {
            if w.any { "ANY" } else { "ALL" }
        }),
        part!(
            "conditions",
            "The conditions.",
            &Listed { of: &CONDITION, each: |w: &Workflow, f| w.conditions.iter().for_each(f) },
        ),
    ],
};

static ACTION_VARIABLE: Resource<ActionVariable> = Resource {
    name: "ActionVariable",
    about: "A piece of data that the action uses.",
    fields: &[
        Field::text("name", "At most 32 characters.", |v| v.variable.name.as_str().into()),
        Field::text("node", "Where in the dialog it is (XPath).", |v| v.variable.node.as_str().into()),
        Field::text("testValue", "A value to try the action with.", |v| v.test_value.as_str().into()),
        Field::word("type", "Whether it is one of the known ones.", &["SYSTEM", "CUSTOM"], |v| {
            v.variable.kind()
        }),
    ],
};

static PARAM: Resource<(String, String)> = Resource {
    name: "Param",
    about: "A setting of the action.",
    fields: &[
        Field::text("name", "Its name.", |(name, _)| name.as_str().into()),
        Field::text("value", "Its value.", |(_, value)| value.as_str().into()),
    ],
};

fn action_uri(action: &WorkflowAction) -> String {
    format!("/finesse/api/WorkflowAction/{}", action.id)
}

const ACTION_TYPES: &[&str] = &["BROWSER_POP", "HTTP_REQUEST"];

/// `WorkflowAction`.
pub static WORKFLOW_ACTION: Resource<WorkflowAction> = Resource {
    name: "WorkflowAction",
    about: "What a desktop does for a call.",
    fields: &[
        part!(
            "actionVariables",
            "Data that the settings refer to.",
            &Listed { of: &ACTION_VARIABLE, each: |a: &WorkflowAction, f| a.variables.iter().for_each(f) },
        ),
        Field::word("handledBy", "Who carries it out.", &["FINESSE_DESKTOP", "OTHER"], |a| {
            if a.handled_by_other { "OTHER" } else { "FINESSE_DESKTOP" }
        }),
        Field::text("name", "At most 64 characters.", |a| a.name.as_str().into()),
        part!(
            "params",
            "Its settings.",
            &Listed { of: &PARAM, each: |a: &WorkflowAction, f| a.params.iter().for_each(f) },
        ),
        Field::word("type", "What it is.", ACTION_TYPES, WorkflowAction::kind),
        Field::text("uri", "Path of the object.", |a| action_uri(a).into()),
    ],
};

/// `WorkflowActions`.
pub static WORKFLOW_ACTIONS: Collection<WorkflowAction> = Collection {
    name: "WorkflowActions",
    about: "What desktops can do for calls.",
    attribute: None,
    of: &WORKFLOW_ACTION,
};

/// An action as administrators read it inside a workflow.
static ACTION_SUMMARY: Resource<WorkflowAction> = Resource {
    name: "WorkflowAction",
    about: "An action of the workflow.",
    fields: &[
        Field::text("name", "Its name.", |a| a.name.as_str().into()),
        Field::word("type", "What it is.", ACTION_TYPES, WorkflowAction::kind),
        Field::text("uri", "Path of the object.", |a| action_uri(a).into()),
    ],
};

fn actions(workflow: &Workflow, f: &mut dyn FnMut(&WorkflowAction)) {
    workflow.actions.iter().map(Arc::as_ref).for_each(f);
}

/// The fields of a workflow, with its actions in this form.
macro_rules! workflow_fields {
    ($action:expr) => {
        &[
            part!(
                "ConditionSet",
                "On which calls the actions are carried out.",
                &Nested { of: &CONDITION_SET, each: |w, f| f(w), many: false },
            ),
            Field::text("description", "At most 128 characters.", |w| w.description.as_str().into()),
            Field::integer("media", "Media routing domain; 1: voice.", |w| Some(w.media.into())),
            Field::text("name", "At most 40 characters.", |w| w.name.as_str().into()),
            part!(
                "TriggerSet",
                "When the workflow is looked at.",
                &Nested { of: &TRIGGER_SET, each: |w, f| f(w), many: false },
            ),
            Field::text("uri", "Path of the object.", |w| format!("/finesse/api/Workflow/{}", w.id).into()),
            part!("workflowActions", "The actions, in order.", &Listed { of: $action, each: actions }),
        ]
    };
}

/// `Workflow` as administrators read it.
pub static WORKFLOW: Resource<Workflow> = Resource {
    name: "Workflow",
    about: "What desktops do by themselves when something happens to a call.",
    fields: workflow_fields!(&ACTION_SUMMARY),
};

/// `Workflows` as administrators read them.
pub static WORKFLOWS: Collection<Workflow> =
    Collection { name: "Workflows", about: "Workflows.", attribute: None, of: &WORKFLOW };

static FULL_WORKFLOW: Resource<Workflow> = Resource {
    name: "Workflow",
    about: "What desktops do by themselves when something happens to a call.",
    fields: workflow_fields!(&WORKFLOW_ACTION),
};

/// `Workflows` of a user or team, with all that their actions need.
pub static FULL_WORKFLOWS: Collection<Workflow> = Collection {
    name: "Workflows",
    about: "Workflows with their actions, in order.",
    attribute: None,
    of: &FULL_WORKFLOW,
};

static SYSTEM_VARIABLE: Resource<SystemVariable> = Resource {
    name: "SystemVariable",
    about: "A variable that workflows know.",
    fields: &[
        Field::text("name", "Its name.", |variable| variable.name.into()),
        Field::text("node", "Where in the dialog or user it is (XPath).", |variable| variable.node.into()),
    ],
};

/// `SystemVariables` (guide, "SystemVariable").
pub static SYSTEM_VARIABLES: Collection<SystemVariable> = Collection {
    name: "SystemVariables",
    about: "What workflows know by name.",
    attribute: None,
    of: &SYSTEM_VARIABLE,
};
