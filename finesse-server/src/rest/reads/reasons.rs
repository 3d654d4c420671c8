//! Reason codes and wrap-up reasons: of a user, of a team, and as configured.

use std::sync::Arc;

use super::{Asked, Endpoint, Found};
use crate::api::define::document;
use crate::api::reasons::{
    AddressedWrapUp, REASON_CODE, REASON_CODES, WRAP_UP_REASON, WRAP_UP_REASONS, category_name,
};
use crate::authority::Operation;
use crate::catalogue::WrapUpReason;
use crate::directory::{ReasonCategory, ReasonCode};
use crate::model::error::ApiError;

type Answer = Result<Found, ApiError>;

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "User/{id}/ReasonCodes",
        about: "Reason codes that the user may give: those for all and those of the team.",
        operation: Operation::ReadUserResources,
        query: &["category"],
        shape: || REASON_CODES.shape(),
        answer: |asked| codes(category(asked, false)?, team_codes(asked)),
    },
    Endpoint {
        path: "User/{id}/ReasonCode/{item}",
        about: "A reason code that the user may give.",
        operation: Operation::ReadUserResources,
        query: &[],
        shape: || REASON_CODE.shape(),
        answer: |asked| code(asked, &asked.request.item, team_codes(asked)),
    },
    Endpoint {
        path: "User/{id}/WrapUpReasons",
        about: "Wrap-up reasons that the user may give: those for all and those of the team.",
        operation: Operation::ReadUserResources,
        query: &[],
        shape: || WRAP_UP_REASONS.shape(),
        answer: |asked| wrap_ups(&user_base(asked), team_wrap_ups(asked)),
    },
    Endpoint {
        path: "User/{id}/WrapUpReason/{item}",
        about: "A wrap-up reason that the user may give.",
        operation: Operation::ReadUserResources,
        query: &[],
        shape: || WRAP_UP_REASON.shape(),
        answer: |asked| wrap_up(asked, &asked.request.item, user_base(asked), team_wrap_ups(asked)),
    },
    Endpoint {
        path: "TeamResource/{id}/ReasonCodes",
        about: "Reason codes of the team: those for all and its own.",
        operation: Operation::ReadTeamResources,
        query: &["category"],
        shape: || REASON_CODES.shape(),
        answer: |asked| codes(category(asked, true)?, team_codes(asked)),
    },
    Endpoint {
        path: "TeamResource/{id}/WrapUpReasons",
        about: "Wrap-up reasons of the team: those for all and its own.",
        operation: Operation::ReadTeamResources,
        query: &[],
        shape: || WRAP_UP_REASONS.shape(),
        answer: |asked| wrap_ups(&base(), team_wrap_ups(asked)),
    },
    Endpoint {
        path: "ReasonCodes",
        about: "All reason codes.",
        operation: Operation::ReadConfiguration,
        query: &["category"],
        shape: || REASON_CODES.shape(),
        answer: |asked| codes(category(asked, true)?, asked.sources.directory.all_reason_codes().iter()),
    },
    Endpoint {
        path: "ReasonCode/{id}",
        about: "A reason code.",
        operation: Operation::ReadShared,
        query: &[],
        shape: || REASON_CODE.shape(),
        answer: |asked| code(asked, &asked.request.id, asked.sources.directory.all_reason_codes().iter()),
    },
    Endpoint {
        path: "WrapUpReasons",
        about: "All wrap-up reasons.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || WRAP_UP_REASONS.shape(),
        answer: |asked| wrap_ups(&base(), asked.sources.catalogue.wrap_up_reasons.iter()),
    },
    Endpoint {
        path: "WrapUpReason/{id}",
        about: "A wrap-up reason.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || WRAP_UP_REASON.shape(),
        answer: |asked| {
            wrap_up(asked, &asked.request.id, base(), asked.sources.catalogue.wrap_up_reasons.iter())
        },
    },
    Endpoint {
        path: "Team/{id}/ReasonCodes",
        about: "Reason codes assigned to the team, without those for all.",
        operation: Operation::ReadTeamAssignments,
        query: &["category"],
        shape: || REASON_CODES.shape(),
        answer: |asked| codes(category(asked, false)?, team_codes(asked).filter(|code| !code.for_all)),
    },
    Endpoint {
        path: "Team/{id}/WrapUpReasons",
        about: "Wrap-up reasons assigned to the team, without those for all.",
        operation: Operation::ReadTeamAssignments,
        query: &[],
        shape: || WRAP_UP_REASONS.shape(),
        answer: |asked| wrap_ups(&base(), team_wrap_ups(asked).filter(|reason| !reason.for_all)),
    },
];

/// The category asked for; `None` for all, where all can be asked for.
fn category(asked: &Asked<'_>, all: bool) -> Result<Option<ReasonCategory>, ApiError> {
    match asked.parameter("category").as_deref() {
        Some("NOT_READY") => Ok(Some(ReasonCategory::NotReady)),
        Some("LOGOUT") => Ok(Some(ReasonCategory::Logout)),
        Some("ALL") if all => Ok(None),
        other => {
            let message = match all {
                true => "The category must be NOT_READY, LOGOUT or ALL",
                false => "The category must be NOT_READY or LOGOUT",
            };
            Err(ApiError::bad_request(message, other.unwrap_or("category")))
        }
    }
}

fn team_codes<'a>(asked: &Asked<'a>) -> impl Iterator<Item = &'a Arc<ReasonCode>> + use<'a> {
    asked.sources.directory.reason_codes_of(asked.team_id())
}

fn codes<'a>(category: Option<ReasonCategory>, codes: impl Iterator<Item = &'a Arc<ReasonCode>>) -> Answer {
    let codes = codes.filter(|code| category.is_none_or(|category| category == code.category));
    let name = category.map_or("ALL", category_name);
    Ok(REASON_CODES.document(name, codes.map(|code| &**code)).into())
}

fn code<'a>(asked: &Asked<'_>, id: &str, mut codes: impl Iterator<Item = &'a Arc<ReasonCode>>) -> Answer {
    let code = asked.numbered(id, |id| codes.find(|code| code.id == id))?;
    Ok(document(&REASON_CODE, &**code).into())
}

fn base() -> Arc<str> {
    super::super::BASE.into()
}

/// Wrap-up reasons of a user are addressed below the user.
fn user_base(asked: &Asked<'_>) -> Arc<str> {
    match &asked.user {
        Some(user) => format!("{}/User/{}", super::super::BASE, user.id).into(),
        None => base(),
    }
}

fn team_wrap_ups<'a>(asked: &Asked<'a>) -> impl Iterator<Item = &'a Arc<WrapUpReason>> + use<'a> {
    asked.sources.catalogue.wrap_up_reasons_of(asked.team_id())
}

fn addressed(base: &Arc<str>, reason: &Arc<WrapUpReason>) -> AddressedWrapUp {
    AddressedWrapUp { base: base.clone(), reason: reason.clone() }
}

fn wrap_ups<'a>(base: &Arc<str>, reasons: impl Iterator<Item = &'a Arc<WrapUpReason>>) -> Answer {
    let reasons: Vec<AddressedWrapUp> = reasons.map(|reason| addressed(base, reason)).collect();
    Ok(WRAP_UP_REASONS.document("", &reasons).into())
}

fn wrap_up<'a>(
    asked: &Asked<'_>,
    id: &str,
    base: Arc<str>,
    mut reasons: impl Iterator<Item = &'a Arc<WrapUpReason>>,
) -> Answer {
    let reason = asked.numbered(id, |id| reasons.find(|reason| reason.id == id))?;
    Ok(document(&WRAP_UP_REASON, &addressed(&base, reason)).into())
}
