//! What the sample users' desktops read at sign-in.

use toml::Spanned;

use crate::config::{
    ActionKind, CallDataEntry, Config, ContactEntry, EccVariableEntry, MediaLayoutEntry, ParamEntry,
    PhoneBookEntry, RuleEntry, WorkflowActionEntry, WorkflowEntry, WrapUpReasonEntry,
};

/// Adds it to the configuration of the demo, whose teams are 1 and up.
pub(super) fn fill(config: &mut Config) {
    config.wrap_up_reason = entries([
        wrap_up(1, "Order", &[]),
        wrap_up(2, "Complaint", &[]),
        wrap_up(3, "Callback promised", &[]),
        wrap_up(4, "Contract renewed", &[1]),
    ]);
    config.media_layout = entries([media_layout()]);
    config.phone_book =
        entries([phone_book(1, "Switchboard", &[]), phone_book(2, "Partners of team 1", &[1])]);
    config.workflow_action = entries([workflow_action()]);
    config.workflow = entries([workflow()]);
    config.ecc_variable = entries([EccVariableEntry { name: "user.contractNo".into(), length: 20 }]);
}

fn entries<T>(entries: impl IntoIterator<Item = T>) -> Vec<Spanned<T>> {
    entries.into_iter().map(|entry| Spanned::new(0..0, entry)).collect()
}

fn wrap_up(id: u32, label: &str, teams: &[u32]) -> WrapUpReasonEntry {
    WrapUpReasonEntry { id, label: label.into(), teams: teams.to_vec() }
}

fn media_layout() -> MediaLayoutEntry {
    let data = |property: &str, display: &str| CallDataEntry {
        property: property.into(),
        display: display.into(),
        pop_over: true,
        editable: property.starts_with("callVariable"),
    };
    MediaLayoutEntry {
        id: 1,
        name: "Contracts".into(),
        description: "For calls about contracts".into(),
        header: data("callVariable1", "Customer"),
        left: vec![data("user.contractNo", "Contract"), data("callVariable2", "Note")],
        right: vec![data("queueName", "Queue")],
    }
}

fn phone_book(id: u32, name: &str, teams: &[u32]) -> PhoneBookEntry {
    let contact = |first_name: &str, last_name: &str, number: u32| ContactEntry {
        first_name: first_name.into(),
        last_name: last_name.into(),
        phone_number: format!("03055502{id}{number}"),
        description: String::new(),
    };
    let contacts =
        vec![contact("Ada", "Winter", 1), contact("Jan", "Sommer", 2), contact("", "Reception", 3)];
    PhoneBookEntry { id, name: name.into(), teams: teams.to_vec(), contacts }
}

fn workflow_action() -> WorkflowActionEntry {
    let param = |name: &str, value: &str| ParamEntry { name: name.into(), value: value.into() };
    WorkflowActionEntry {
        id: 1,
        name: "Open the customer".into(),
        kind: ActionKind::BrowserPop,
        handled_by_other: false,
        params: vec![
            param("path", "https://crm.example.com/?no=${callVariable1}"),
            param("windowName", "CRM"),
        ],
        variables: Vec::new(),
    }
}

fn workflow() -> WorkflowEntry {
    let rule = RuleEntry {
        variable: "mediaType".into(),
        node: "//Dialog/mediaType".into(),
        comparator: "IS_EQUAL".into(),
        value: "Voice".into(),
    };
    WorkflowEntry {
        id: 1,
        name: "Pop CRM".into(),
        description: "Opens the customer when a call arrives".into(),
        media: 1,
        teams: vec![1],
        trigger: "CALL_ARRIVES".into(),
        custom_trigger: false,
        allow_overlapping: false,
        triggers: vec![rule],
        any: false,
        conditions: Vec::new(),
        actions: vec![1],
    }
}
