//! Layouts of call data, workflows, page layouts.

use std::sync::Arc;

use super::{Asked, Endpoint, Found};
use crate::api::define::document;
use crate::api::desktop::{LAYOUT, LAYOUTS};
use crate::api::shared::{LAYOUT_CONFIG, TEAM_LAYOUT_CONFIG, TeamLayout};
use crate::api::workflows::{
    FULL_WORKFLOWS, SYSTEM_VARIABLES, WORKFLOW, WORKFLOW_ACTION, WORKFLOW_ACTIONS, WORKFLOWS,
};
use crate::authority::Operation;
use crate::catalogue::SystemVariable;
use crate::model::error::ApiError;

type Answer = Result<Found, ApiError>;

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "User/{id}/MediaPropertiesLayout",
        about: "The layout for calls that ask for no other.",
        operation: Operation::ReadUserResources,
        query: &[],
        shape: || LAYOUT.shape(),
        answer: default_layout,
    },
    Endpoint {
        path: "User/{id}/MediaPropertiesLayouts",
        about: "All layouts of call data, the default one first.",
        operation: Operation::ReadUserResources,
        query: &[],
        shape: || LAYOUTS.shape(),
        answer: layouts,
    },
    Endpoint {
        path: "User/{id}/Workflows",
        about: "Workflows of the user's team, with their actions.",
        operation: Operation::ReadUserResources,
        query: &[],
        shape: || FULL_WORKFLOWS.shape(),
        answer: team_workflows,
    },
    Endpoint {
        path: "TeamResource/{id}/MediaPropertiesLayouts",
        about: "All layouts of call data, the default one first.",
        operation: Operation::ReadTeamResources,
        query: &[],
        shape: || LAYOUTS.shape(),
        answer: layouts,
    },
    Endpoint {
        path: "TeamResource/{id}/Workflows",
        about: "Workflows of the team, with their actions.",
        operation: Operation::ReadTeamResources,
        query: &[],
        shape: || FULL_WORKFLOWS.shape(),
        answer: team_workflows,
    },
    Endpoint {
        path: "TeamResource/{id}/LayoutConfig",
        about: "The page layout that holds for the team.",
        operation: Operation::ReadTeamResources,
        query: &[],
        shape: || TEAM_LAYOUT_CONFIG.shape(),
        answer: team_pages,
    },
    Endpoint {
        // Before the one with a number in its place.
        path: "MediaPropertiesLayout/default",
        about: "The layout for calls that ask for no other.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || LAYOUT.shape(),
        answer: default_layout,
    },
    Endpoint {
        path: "MediaPropertiesLayout/{id}",
        about: "A layout of call data.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || LAYOUT.shape(),
        answer: |asked| {
            let layouts = &asked.sources.catalogue.layouts;
            let found = |id| layouts.iter().find(|layout| layout.id == id && !layout.is_default());
            Ok(document(&LAYOUT, &**asked.numbered(&asked.request.id, found)?).into())
        },
    },
    Endpoint {
        path: "MediaPropertiesLayouts",
        about: "All layouts of call data, the default one first.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || LAYOUTS.shape(),
        answer: layouts,
    },
    Endpoint {
        path: "Workflow/{id}",
        about: "A workflow.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || WORKFLOW.shape(),
        answer: |asked| {
            let workflows = &asked.sources.catalogue.workflows;
            let found = asked.numbered(&asked.request.id, |id| workflows.iter().find(|w| w.id == id))?;
            Ok(document(&WORKFLOW, &**found).into())
        },
    },
    Endpoint {
        path: "Workflows",
        about: "All workflows.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || WORKFLOWS.shape(),
        answer: |asked| {
            let all = asked.sources.catalogue.workflows.iter();
            Ok(WORKFLOWS.document("", all.map(Arc::as_ref)).into())
        },
    },
    Endpoint {
        path: "Team/{id}/Workflows",
        about: "Workflows assigned to the team, in order.",
        operation: Operation::ReadTeamAssignments,
        query: &[],
        shape: || WORKFLOWS.shape(),
        answer: |asked| {
            let all = asked.sources.catalogue.workflows_of(asked.team_id());
            Ok(WORKFLOWS.document("", all.map(Arc::as_ref)).into())
        },
    },
    Endpoint {
        path: "WorkflowAction/{id}",
        about: "What workflows can do.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || WORKFLOW_ACTION.shape(),
        answer: |asked| {
            let actions = &asked.sources.catalogue.workflow_actions;
            let found = asked.numbered(&asked.request.id, |id| actions.iter().find(|a| a.id == id))?;
            Ok(document(&WORKFLOW_ACTION, &**found).into())
        },
    },
    Endpoint {
        path: "WorkflowActions",
        about: "Everything that workflows can do.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || WORKFLOW_ACTIONS.shape(),
        answer: |asked| {
            let all = asked.sources.catalogue.workflow_actions.iter();
            Ok(WORKFLOW_ACTIONS.document("", all.map(Arc::as_ref)).into())
        },
    },
    Endpoint {
        path: "SystemVariables",
        about: "Variables that workflows know by name.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || SYSTEM_VARIABLES.shape(),
        answer: |_| Ok(SYSTEM_VARIABLES.document("", SystemVariable::all()).into()),
    },
    Endpoint {
        path: "LayoutConfig/default",
        about: "The page layout of teams without one of their own.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || LAYOUT_CONFIG.shape(),
        answer: |asked| Ok(document(&LAYOUT_CONFIG, &asked.sources.catalogue.pages).into()),
    },
    Endpoint {
        path: "Team/{id}/LayoutConfig",
        about: "The page layout of the team.",
        operation: Operation::ReadTeamAssignments,
        query: &[],
        shape: || TEAM_LAYOUT_CONFIG.shape(),
        answer: team_pages,
    },
];

fn default_layout(asked: &Asked<'_>) -> Answer {
    let layouts = &asked.sources.catalogue.layouts;
    let layout = layouts.iter().find(|layout| layout.is_default());
    Ok(document(&LAYOUT, &**layout.ok_or_else(ApiError::internal)?).into())
}

fn layouts(asked: &Asked<'_>) -> Answer {
    Ok(LAYOUTS.document("", asked.sources.catalogue.layouts.iter().map(Arc::as_ref)).into())
}

fn team_workflows(asked: &Asked<'_>) -> Answer {
    let workflows = asked.sources.catalogue.workflows_of(asked.team_id());
    Ok(FULL_WORKFLOWS.document("", workflows.map(Arc::as_ref)).into())
}

fn team_pages(asked: &Asked<'_>) -> Answer {
    let catalogue = asked.sources.catalogue;
    let own = asked.team_id().and_then(|team| catalogue.team_pages.get(&team));
    let layout = TeamLayout { xml: own.unwrap_or(&catalogue.pages).clone(), default: own.is_none() };
    Ok(document(&TEAM_LAYOUT_CONFIG, &layout).into())
}
