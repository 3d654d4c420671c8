//! Events as lines for people.

use jiff::Zoned;
use serde_json::Value;

use super::Update;

/// One line: time, kind, source, what is most worth knowing.
pub(super) fn line(update: &Update, colours: bool) -> String {
    let time = Zoned::now().strftime("%H:%M:%S%.3f").to_string();
    let paint = |code: &str, text: &str| match colours && !text.is_empty() {
        true => format!("\x1b[{code}m{text}\x1b[0m"),
        false => text.to_owned(),
    };
    let kind_colour = match update.event.as_str() {
        "POST" => "32",
        "DELETE" => "31",
        _ => "34",
    };
    // Text from the network must not steer the terminal.
    let clean = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    let source = if update.source.is_empty() { &update.node } else { &update.source };
    let mut line = format!(
        "{} {} {}  {}",
        paint("2", &time),
        paint(kind_colour, &format!("{:6}", clean(&update.event))),
        paint("36", &clean(source)),
        paint("1", &clean(&summary(&update.data))),
    );
    if !update.request_id.is_empty() {
        line.push_str(&paint("2", &format!("  [{}]", clean(&update.request_id))));
    }
    line
}

/// The gist of an event's data.
fn summary(data: &Value) -> String {
    if let Some(user) = data.get("user") {
        let pending = text(user, "pendingState");
        let extension = text(user, "extension");
        let mut gist = text(user, "state");
        if !pending.is_empty() {
            gist.push_str(&format!(" → {pending}"));
        }
        if !extension.is_empty() {
            gist.push_str(&format!(" at {extension}"));
        }
        return gist;
    }
    if let Some(errors) = data.pointer("/apiErrors/apiError").and_then(Value::as_array) {
        let error = |error: &Value| {
            format!(
                "{}: {} ({})",
                text(error, "errorType"),
                text(error, "errorMessage"),
                text(error, "errorData")
            )
        };
        return errors.iter().map(error).collect::<Vec<_>>().join("; ");
    }
    if let Some(dialog) = data.get("dialog") {
        return self::dialog(dialog);
    }
    if let Some(dialogs) = data.pointer("/dialogs/Dialog").and_then(Value::as_array) {
        return dialogs.iter().map(dialog).collect::<Vec<_>>().join("; ");
    }
    if let Some(info) = data.get("systemInfo") {
        let reason = text(info, "statusReason");
        let status = text(info, "status");
        return if reason.is_empty() { status } else { format!("{status}: {reason}") };
    }
    let mut gist = data.to_string();
    if gist.len() > 160 {
        gist = gist.chars().take(160).collect::<String>() + "…";
    }
    gist
}

fn dialog(dialog: &Value) -> String {
    let legs = dialog.pointer("/participants/Participant").and_then(Value::as_array);
    let legs: Vec<String> = legs
        .map(|legs| {
            legs.iter().map(|leg| format!("{} {}", text(leg, "mediaAddress"), text(leg, "state"))).collect()
        })
        .unwrap_or_default();
    format!(
        "call {} {}: {} → {} ({})",
        text(dialog, "id"),
        text(dialog, "state"),
        text(dialog, "fromAddress"),
        text(dialog, "toAddress"),
        legs.join(", ")
    )
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(data: &str) -> String {
        let text = format!(
            "<Update><data>{data}</data><event>PUT</event><requestId>r1</requestId><source>/s</source></Update>"
        );
        line(&Update::parse("/n", &text), false)
    }

    #[test]
    fn users_dialogs_and_errors_are_summed_up() {
        let user = shown("<user><state>READY</state><extension>2001</extension></user>");
        assert!(user.ends_with("PUT    /s  READY at 2001  [r1]"), "{user}");
        let dialog = shown(
            "<dialog><id>7</id><state>ACTIVE</state><fromAddress>A</fromAddress><toAddress>B</toAddress><participants>\
             <Participant><mediaAddress>2001</mediaAddress><state>ACTIVE</state></Participant></participants></dialog>",
        );
        assert!(dialog.contains("call 7 ACTIVE: A → B (2001 ACTIVE)"), "{dialog}");
        let error = shown(
            "<apiErrors><apiError><errorData>34</errorData><errorMessage>CF</errorMessage><errorType>T</errorType></apiError></apiErrors>",
        );
        assert!(error.contains("T: CF (34)"), "{error}");
        let info = shown(
            "<systemInfo><status>OUT_OF_SERVICE</status><statusReason>NO_CTI</statusReason></systemInfo>",
        );
        assert!(info.ends_with("/s  OUT_OF_SERVICE: NO_CTI  [r1]"), "{info}");
    }

    #[test]
    fn the_network_cannot_steer_the_terminal() {
        let update = Update::parse("\x1b]0;x", "text\u{9b}31m \x1b[2J");
        assert!(!line(&update, false).contains(['\x1b', '\u{9b}']));
        let painted = line(&update, true);
        assert!(
            painted.contains("\x1b[36m") && !painted.contains("\x1b]") && !painted.contains("\x1b[2J"),
            "{painted:?}"
        );
    }
}
