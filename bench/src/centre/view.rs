//! What a desktop believes and what the simulator knows, in one form.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::delivery::{element, kind};

/// A call: who is on it, with the state of each, in the words of the API.
pub type Parties = BTreeMap<String, String>;

/// One agent as a desktop shows him.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// State of the user.
    pub state: String,
    /// State that follows the present call; empty: none.
    pub pending: String,
    /// Phone.
    pub extension: String,
    /// Calls by number.
    pub dialogs: BTreeMap<u32, Parties>,
}

impl View {
    /// Takes in a `User` document.
    ///
    /// # Errors
    /// There is no state in it.
    pub fn user(&mut self, document: &str) -> Result<()> {
        let text = |name| element(document, name).unwrap_or_default().to_owned();
        self.state = element(document, "state").context("a user without a state")?.to_owned();
        self.pending = text("pendingState");
        self.extension = text("extension");
        Ok(())
    }

    /// Takes in a `Dialogs` document, which lists all.
    ///
    /// # Errors
    /// A dialog without a number.
    pub fn dialogs(&mut self, document: &str) -> Result<()> {
        let each = document.split("<Dialog>").skip(1).map(dialog);
        self.dialogs = each.collect::<Result<_>>()?;
        Ok(())
    }

    /// Takes in an update of the Dialogs feed.
    ///
    /// # Errors
    /// A dialog without a number.
    pub fn dialog_event(&mut self, update: &str) -> Result<()> {
        if update.contains("<apiErrors>") {
            return Ok(());
        }
        let (number, parties) = dialog(update)?;
        match kind(update) {
            "DELETE" => drop(self.dialogs.remove(&number)),
            _ => drop(self.dialogs.insert(number, parties)),
        }
        Ok(())
    }

    /// State of the own leg of a call.
    pub fn leg(&self, call: u32) -> &str {
        self.dialogs.get(&call).and_then(|parties| parties.get(&self.extension)).map_or("", String::as_str)
    }
}

fn dialog(document: &str) -> Result<(u32, Parties)> {
    let number = element(document, "id").context("a dialog without a number")?.parse()?;
    let parties = document.split("<Participant>").skip(1).filter_map(|participant| {
        let state = element(participant, "state")?;
        (state != "DROPPED").then_some((element(participant, "mediaAddress")?.to_owned(), state.to_owned()))
    });
    Ok((number, parties.collect()))
}

/// What the simulator knows.
#[derive(Clone, Debug, Deserialize)]
pub struct Truth {
    /// All agents.
    pub agents: Vec<AgentTruth>,
    /// All calls.
    pub calls: Vec<CallTruth>,
}

/// An agent.
#[derive(Clone, Debug, Deserialize)]
pub struct AgentTruth {
    /// Agent id.
    pub id: String,
    /// State in the words of GED-188.
    pub state: String,
    /// Reason code of the state.
    pub reason: u16,
    /// State that follows the present call.
    pub pending: Option<String>,
    /// Phone, while signed in.
    pub extension: Option<String>,
}

/// A call.
#[derive(Clone, Debug, Deserialize)]
pub struct CallTruth {
    /// Its number.
    pub id: u32,
    /// Only kept for wrap-up data.
    pub cleared: bool,
    /// Who is on it.
    pub parties: Vec<PartyTruth>,
}

/// A party of a call.
#[derive(Clone, Debug, Deserialize)]
pub struct PartyTruth {
    /// Phone or outside number.
    pub device: String,
    /// State in the words of GED-188.
    pub state: String,
}

impl Truth {
    /// What the desktop of `agent` has to show.
    pub fn view(&self, agent: &AgentTruth) -> View {
        let extension = agent.extension.clone().unwrap_or_default();
        let own = self.calls.iter().filter(|call| !call.cleared);
        let own = own.filter(|call| call.parties.iter().any(|party| party.device == extension));
        let parties = |call: &CallTruth| {
            call.parties
                .iter()
                .map(|party| (party.device.clone(), leg_name(&party.state).to_owned()))
                .collect()
        };
        View {
            state: state_name(&agent.state).to_owned(),
            pending: agent.pending.as_deref().map_or("", state_name).to_owned(),
            dialogs: own.map(|call| (call.id, parties(call))).collect(),
            extension,
        }
    }
}

/// The API's word for a state of GED-188.
fn state_name(word: &str) -> &str {
    match word {
        "AVAILABLE" => "READY",
        "WORK_NOT_READY" => "WORK",
        same => same,
    }
}

/// The API's word for a connection state of GED-188.
fn leg_name(word: &str) -> &str {
    match word {
        "CONNECT" => "ACTIVE",
        "HOLD" => "HELD",
        "FAIL" => "FAILED",
        "INITIATE" => "INITIATING",
        same => same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALOG: &str = "<id>7</id><participants><Participant><mediaAddress>2001</mediaAddress><state>ACTIVE</state>\
                          </Participant><Participant><mediaAddress>555</mediaAddress><state>DROPPED</state></Participant>\
                          </participants><state>ACTIVE</state>";

    #[test]
    fn events_and_lists_come_to_the_same() {
        let mut by_event = View { extension: "2001".into(), ..View::default() };
        let event =
            |kind| format!("<Update><data><dialog>{DIALOG}</dialog></data><event>{kind}</event></Update>");
        by_event.dialog_event(&event("POST")).unwrap();
        let mut by_list = View { extension: "2001".into(), ..View::default() };
        by_list.dialogs(&format!("<Dialogs><Dialog>{DIALOG}</Dialog></Dialogs>")).unwrap();
        assert_eq!(by_event, by_list);
        assert_eq!(by_list.leg(7), "ACTIVE");
        by_event.dialog_event(&event("DELETE")).unwrap();
        assert!(by_event.dialogs.is_empty() && by_event != by_list);
    }

    #[test]
    fn the_truth_is_told_in_the_words_of_the_api() {
        let truth: Truth = serde_json::from_str(
            r#"{"agents":[{"id":"1001","state":"TALKING","reason":0,"pending":"AVAILABLE","extension":"2001"}],
                "calls":[{"id":7,"cleared":false,"parties":[{"device":"2001","state":"CONNECT"}]},
                         {"id":8,"cleared":true,"parties":[{"device":"2001","state":"CONNECT"}]}]}"#,
        )
        .unwrap();
        let view = truth.view(&truth.agents[0]);
        assert_eq!((view.state.as_str(), view.pending.as_str(), view.leg(7)), ("TALKING", "READY", "ACTIVE"));
        assert_eq!(view.dialogs.len(), 1);
    }
}
