//! What of it cannot be: lengths and numbers as the guide limits them, references that must lead somewhere.

use std::collections::HashSet;

use toml::Spanned;

use super::super::Config;
use super::super::check::{Check, fail, unique};
use super::{CallDataEntry, PhoneBookEntry};
use crate::rest::body;

/// Checks all of it.
pub(in crate::config) fn check(config: &Config) -> Check {
    let teams = config.team.iter().map(|team| team.get_ref().id).collect();
    let rules = Rules { config, teams };
    rules.wrap_up_reasons()?;
    rules.media_layouts()?;
    rules.phone_books()?;
    rules.workflows()?;
    rules.pages()?;
    rules.others()
}

struct Rules<'a> {
    config: &'a Config,
    teams: HashSet<u32>,
}

/// Characters of a name or note.
fn longer(text: &str, most: usize) -> bool {
    text.chars().count() > most
}

impl Rules<'_> {
    fn fail<T>(
        &self,
        entry: &Spanned<T>,
        what: impl std::fmt::Display,
        problem: impl std::fmt::Display,
    ) -> Check {
        fail(self.config, entry.span(), format!("{what}: {problem}"))
    }

    fn teams_exist<T>(&self, entry: &Spanned<T>, what: impl std::fmt::Display, teams: &[u32]) -> Check {
        match teams.iter().find(|team| !self.teams.contains(team)) {
            Some(team) => self.fail(entry, what, format_args!("team {team} is not defined")),
            None => Ok(()),
        }
    }

    fn wrap_up_reasons(&self) -> Check {
        let entries = &self.config.wrap_up_reason;
        unique(self.config, entries, |reason| reason.id, "wrap-up reason")?;
        unique(self.config, entries, |reason| reason.label.clone(), "wrap-up reason with the label")?;
        for entry in entries {
            let reason = entry.get_ref();
            let what = format!("wrap-up reason {}", reason.id);
            // The number of bytes is what a call can carry.
            if reason.label.is_empty() || reason.label.len() > 39 {
                return self.fail(entry, what, "label must have 1 to 39 bytes");
            }
            self.teams_exist(entry, what, &reason.teams)?;
        }
        Ok(())
    }

    fn media_layouts(&self) -> Check {
        let entries = &self.config.media_layout;
        unique(self.config, entries, |layout| layout.id, "media layout")?;
        unique(self.config, entries, |layout| layout.name.clone(), "media layout with the name")?;
        if let Some(entry) = entries.get(201) {
            return self.fail(entry, "media layouts", "there can be 200 beside the default one");
        }
        for entry in entries {
            let layout = entry.get_ref();
            let what = format!("media layout {}", layout.id);
            if layout.name.is_empty() || longer(&layout.name, 40) || longer(&layout.description, 128) {
                return self.fail(entry, what, "name has 1 to 40 characters, description at most 128");
            }
            if layout.left.len() > 10 || layout.right.len() > 10 {
                return self.fail(entry, what, "a column has at most 10 entries");
            }
            let bad = |e: &&CallDataEntry| e.property.is_empty() || longer(&e.display, 50);
            let mut all = [&layout.header].into_iter().chain(&layout.left).chain(&layout.right);
            if all.any(|e| bad(&e)) {
                return self.fail(
                    entry,
                    what,
                    "an entry has a property, and at most 50 characters of display",
                );
            }
        }
        Ok(())
    }

    fn phone_books(&self) -> Check {
        let entries = &self.config.phone_book;
        unique(self.config, entries, |book| book.id, "phone book")?;
        unique(self.config, entries, |book| book.name.clone(), "phone book with the name")?;
        let (mut global, mut contacts) = (0, 0);
        for entry in entries {
            let book = entry.get_ref();
            let what = format!("phone book {}", book.id);
            global += usize::from(book.teams.is_empty());
            contacts += book.contacts.len();
            if global > 10 || contacts > 50_000 || entries.len() > 310 {
                return self.fail(
                    entry,
                    what,
                    "there can be 10 phone books for all, 310 altogether, and 50000 contacts in them",
                );
            }
            self.phone_book(entry, &what)?;
            self.teams_exist(entry, what, &book.teams)?;
        }
        Ok(())
    }

    fn phone_book(&self, entry: &Spanned<PhoneBookEntry>, what: &str) -> Check {
        let book = entry.get_ref();
        if book.name.is_empty() || longer(&book.name, 64) {
            return self.fail(entry, what, "name must have 1 to 64 characters");
        }
        if book.contacts.len() > 6000 {
            return self.fail(entry, what, "a phone book has at most 6000 contacts");
        }
        for (number, contact) in (1..).zip(&book.contacts) {
            let texts = [&contact.first_name, &contact.last_name, &contact.description];
            let fits = (1..=32).contains(&contact.phone_number.chars().count());
            if !fits || texts.into_iter().any(|text| longer(text, 128)) {
                return self.fail(
                    entry,
                    what,
                    format_args!(
                        "contact {number}: phone_number has 1 to 32 characters, the others at most 128"
                    ),
                );
            }
        }
        Ok(())
    }

    fn workflows(&self) -> Check {
        let (workflows, actions) = (&self.config.workflow, &self.config.workflow_action);
        unique(self.config, workflows, |workflow| workflow.id, "workflow")?;
        unique(self.config, workflows, |workflow| workflow.name.clone(), "workflow with the name")?;
        unique(self.config, actions, |action| action.id, "workflow action")?;
        unique(self.config, actions, |action| action.name.clone(), "workflow action with the name")?;
        for entry in actions {
            let action = entry.get_ref();
            let what = format!("workflow action {}", action.id);
            if action.name.is_empty() || longer(&action.name, 64) || action.variables.len() > 5 {
                return self.fail(
                    entry,
                    what,
                    "name has 1 to 64 characters, and there are at most 5 variables",
                );
            }
            if !action.params.iter().any(|param| param.name == "path" && !param.value.is_empty()) {
                return self.fail(entry, what, "the parameter path is missing");
            }
        }
        let known: HashSet<u32> = actions.iter().map(|action| action.get_ref().id).collect();
        for entry in workflows {
            let workflow = entry.get_ref();
            let what = format!("workflow {}", workflow.id);
            if workflow.name.is_empty() || longer(&workflow.name, 40) || longer(&workflow.description, 128) {
                return self.fail(entry, what, "name has 1 to 40 characters, description at most 128");
            }
            if workflow.conditions.len() > 5 || workflow.actions.len() > 5 {
                return self.fail(entry, what, "there are at most 5 conditions and 5 actions");
            }
            if let Some(action) = workflow.actions.iter().find(|action| !known.contains(action)) {
                return self.fail(entry, what, format_args!("workflow action {action} is not defined"));
            }
            self.teams_exist(entry, what, &workflow.teams)?;
        }
        Ok(())
    }

    fn pages(&self) -> Check {
        let problem = |layout: &str| match body::parse(layout.as_bytes(), body::Charset::Utf8) {
            Err(_) => Some("layout is not well-formed XML"),
            Ok(root) if root.name != "finesseLayout" => Some("the root of layout must be finesseLayout"),
            Ok(_) => None,
        };
        let desktop = &self.config.desktop;
        if !desktop.layout.trim().is_empty()
            && let Some(problem) = problem(&desktop.layout)
        {
            return super::super::check::fail_key(self.config, "desktop", "layout", problem);
        }
        unique(self.config, &self.config.team_layout, |entry| entry.team, "layout of team")?;
        for entry in &self.config.team_layout {
            let team = entry.get_ref().team;
            let what = format!("layout of team {team}");
            if let Some(problem) = problem(&entry.get_ref().layout) {
                return self.fail(entry, what, problem);
            }
            self.teams_exist(entry, what, &[team])?;
        }
        Ok(())
    }

    fn others(&self) -> Check {
        let config = self.config;
        let is_url =
            |url: &str| ["http://", "https://"].iter().any(|s| url.len() > s.len() && url.starts_with(s));
        let desktop = &config.desktop;
        for (key, url) in
            [("chat_primary", &desktop.chat_primary), ("chat_secondary", &desktop.chat_secondary)]
        {
            if !url.is_empty() && !is_url(url) {
                return super::super::check::fail_key(
                    config,
                    "desktop",
                    key,
                    "must begin with https:// or http://",
                );
            }
        }
        unique(config, &config.ecc_variable, |variable| variable.name.clone(), "ECC variable")?;
        for entry in &config.ecc_variable {
            let variable = entry.get_ref();
            let what = format!("ECC variable {:?}", variable.name);
            if variable.name.strip_prefix("user.").is_none_or(str::is_empty) || variable.length == 0 {
                return self.fail(entry, what, "name begins with user. and length is at least 1");
            }
        }
        unique(config, &config.device, |device| device.id.clone(), "device")?;
        for entry in &config.device {
            let device = entry.get_ref();
            if device.id.is_empty() || device.extension.is_empty() {
                return self.fail(entry, format_args!("device {:?}", device.id), "id or extension is empty");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        Config::parse("f", text).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_line() {
        let reason = "[[wrap_up_reason]]\nid = 1\nlabel = \"x\"\n";
        let layout = "[[media_layout]]\nid = 1\nname = \"x\"\nheader = { property = \"callVariable1\" }\n";
        let action = "[[workflow_action]]\nid = 1\nname = \"x\"\ntype = \"BROWSER_POP\"\n";
        let workflow = "[[workflow]]\nid = 1\nname = \"x\"\ntrigger = \"CALL_ARRIVES\"\n";
        for (text, expected) in [
            (reason.replace("\"x\"", "\"\""), "f:1:1: wrap-up reason 1: label must have 1 to 39 bytes"),
            (reason.replace('x', &"ü".repeat(20)), "f:1:1: wrap-up reason 1: label must have 1 to 39 bytes"),
            (format!("{reason}teams = [7]"), "f:1:1: wrap-up reason 1: team 7 is not defined"),
            (reason.repeat(2), "f:4:1: wrap-up reason 1 is defined twice"),
            (reason.to_owned() + &reason.replace("= 1", "= 2"), "f:4:1: wrap-up reason with the label x is"),
            (layout.replace("callVariable1", ""), "f:1:1: media layout 1: an entry has a property"),
            (
                format!("{layout}left = [{}]", "{ property = \"p\" },".repeat(11)),
                "f:1:1: media layout 1: a column has at most 10 entries",
            ),
            (
                "[[phone_book]]\nid = 1\nname = \"x\"\ncontacts = [{ phone_number = \"\" }]".into(),
                "f:1:1: phone book 1: contact 1: phone_number has",
            ),
            (
                (0..11).map(|n| format!("[[phone_book]]\nid = {n}\nname = \"{n}\"\n")).collect(),
                "f:31:1: phone book 10: there can be 10 phone books for all",
            ),
            (action.into(), "f:1:1: workflow action 1: the parameter path is missing"),
            (format!("{workflow}actions = [9]"), "f:1:1: workflow 1: workflow action 9 is not defined"),
            ("[desktop]\nlayout = \"<a/>\"".into(), "f:2:1: desktop.layout the root of layout must be"),
            ("[desktop]\nlayout = \"<a>\"".into(), "f:2:1: desktop.layout layout is not well-formed XML"),
            ("[desktop]\nchat_primary = \"chat\"".into(), "f:2:1: desktop.chat_primary must begin with"),
            (
                "[[team_layout]]\nteam = 7\nlayout = \"<finesseLayout/>\"".into(),
                "f:1:1: layout of team 7: team 7 is not defined",
            ),
            ("[[ecc_variable]]\nname = \"x\"\nlength = 1".into(), "f:1:1: ECC variable \"x\": name begins"),
            (
                "[[device]]\nid = \"\"\nextension = \"1\"\ntype = 1".into(),
                "f:1:1: device \"\": id or extension",
            ),
        ] {
            let complaint = complaint(&text);
            assert!(complaint.starts_with(expected), "{text}\n{complaint}");
        }
    }
}
