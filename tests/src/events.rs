//! Events as a client saw them, and what must hold for them.

use anyhow::{Result, ensure};
use serde::Deserialize;

/// One notification: the node it came from and the text of its `<Update>` document.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Seen {
    pub node: String,
    pub update: String,
}

impl Seen {
    /// Text of the first element called `name` in the document, if there is one.
    pub fn text(&self, name: &str) -> Option<&str> {
        let start = self.update.find(&format!("<{name}>"))? + name.len() + 2;
        let end = self.update[start..].find(&format!("</{name}>"))? + start;
        Some(&self.update[start..end])
    }

    /// `event` element: `PUT`, `POST` or `DELETE`.
    pub fn event(&self) -> &str {
        // The last one: call variables may hold look-alikes.
        self.update.rfind("<event>").map_or("", |at| {
            let rest = &self.update[at + 7..];
            &rest[..rest.find('<').unwrap_or(0)]
        })
    }
}

/// State of the participant with address `extension` in the update of a dialog.
pub fn own_leg<'a>(update: &'a str, extension: &str) -> Option<&'a str> {
    let own = format!("<mediaAddress>{extension}</mediaAddress>");
    let leg = update.split("<Participant>").skip(1).filter_map(|rest| rest.split("</Participant>").next());
    let leg = leg.into_iter().find(|leg| leg.contains(&own))?;
    leg.split_once("<state>")?.1.split('<').next()
}

/// The story that every client in the test lives through, told by its events: signed in, ready, offered a call,
/// answered it, held and retrieved it, dropped it, not ready, signed out.
pub fn check_story(seen: &[Seen], user: &str) -> Result<()> {
    let user_node = format!("/finesse/api/User/{user}");
    let dialogs_node = format!("{user_node}/Dialogs");
    let states: Vec<&str> =
        seen.iter().filter(|e| e.node == user_node).filter_map(|e| e.text("state")).collect();
    in_order(
        &states,
        &["NOT_READY", "READY", "RESERVED", "TALKING", "HOLD", "TALKING", "NOT_READY", "LOGOUT"],
    )?;
    let dialogs: Vec<&Seen> = seen.iter().filter(|e| e.node == dialogs_node).collect();
    let kinds: Vec<&str> = dialogs.iter().map(|e| e.event()).collect();
    in_order(&kinds, &["POST", "PUT", "DELETE"])?;
    ensure!(kinds.first() == Some(&"POST") && kinds.last() == Some(&"DELETE"), "Dialogs feed runs {kinds:?}");
    let times: Vec<&str> =
        seen.iter().filter(|e| e.node == user_node).filter_map(|e| e.text("stateChangeTime")).collect();
    ensure!(times.is_sorted(), "state change times run backwards: {times:?}");
    Ok(())
}

fn in_order(have: &[&str], want: &[&str]) -> Result<()> {
    let mut rest = have.iter();
    for step in want {
        ensure!(rest.any(|s| s == step), "{step} is missing, or not in its place, in {have:?}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(state: &str) -> Seen {
        Seen {
            node: "/finesse/api/User/1".into(),
            update: format!(
                "<Update><data><user><state>{state}</state></user></data><event>PUT</event></Update>"
            ),
        }
    }

    #[test]
    fn a_missing_state_is_noticed() {
        let seen: Vec<Seen> = ["NOT_READY", "READY", "LOGOUT"].map(user).into();
        assert!(check_story(&seen, "1").is_err());
    }

    #[test]
    fn elements_are_found() {
        assert_eq!(user("READY").text("state"), Some("READY"));
        assert_eq!(user("READY").event(), "PUT");
    }
}
