//! What fits nowhere else: all teams, variables, chat, devices, and how much is configured.

use super::{Asked, Endpoint, Found};
use crate::api::define::document;
use crate::api::shared::{CHAT_CONFIG, CONFIG_INFO, DEVICES, ECC_VARIABLES, TEAMS, Totals};
use crate::authority::Operation;
use crate::model::error::ApiError;

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "Teams",
        about: "All teams.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || TEAMS.shape(),
        answer: |asked| Ok(TEAMS.document("", asked.sources.directory.teams().map(AsRef::as_ref)).into()),
    },
    Endpoint {
        path: "ConfigInfo",
        about: "How much is configured.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || CONFIG_INFO.shape(),
        answer: |asked| {
            let directory = asked.sources.directory;
            let totals = Totals {
                queues: directory.queues().count(),
                supervisors: directory.users().filter(|user| user.roles.supervisor).count(),
                teams: directory.teams().count(),
                users: directory.user_count(),
            };
            Ok(document(&CONFIG_INFO, &totals).into())
        },
    },
    Endpoint {
        path: "ECCVariableConfig",
        about: "Expanded call context variables (CCE).",
        operation: Operation::ReadShared,
        query: &[],
        shape: || ECC_VARIABLES.shape(),
        answer: |asked| match asked.sources.catalogue.ccx {
            true => Err(ApiError::not_implemented("ECCVariableConfig")),
            false => Ok(ECC_VARIABLES.document("", &asked.sources.catalogue.ecc_variables).into()),
        },
    },
    Endpoint {
        path: "ChatConfig",
        about: "Where the chat servers are.",
        operation: Operation::ReadShared,
        query: &[],
        shape: || CHAT_CONFIG.shape(),
        answer: |asked| Ok(document(&CHAT_CONFIG, &asked.sources.catalogue.chat).into()),
    },
    Endpoint {
        path: "Devices",
        about: "Phones that share an extension.",
        operation: Operation::ReadShared,
        query: &["extension"],
        shape: || DEVICES.shape(),
        answer: devices,
    },
];

fn devices(asked: &Asked<'_>) -> Result<Found, ApiError> {
    let catalogue = asked.sources.catalogue;
    if !catalogue.names_devices {
        let message = "Devices are known with CTI protocol 24 on Unified CCE only";
        return Err(ApiError::bad_request(message, "extension"));
    }
    let extension = asked.parameter("extension").unwrap_or_default();
    if extension.is_empty() || !extension.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(ApiError::bad_request("The extension is not valid", extension));
    }
    let mut found = catalogue.devices.iter().filter(|device| device.extension == extension).peekable();
    match found.peek() {
        Some(_) => Ok(DEVICES.document("", found).into()),
        None => Err(ApiError::not_found(extension)),
    }
}
