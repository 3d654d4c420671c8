//! The commented example configuration is held against the code: it parses, its active keys are the defaults, its
//! inactive keys are valid too, and it forgets none.

use finesse_server::config::Config;

const EXAMPLE: &str = include_str!("../../finesse.example.toml");

/// Turns every `#key = value` (no space after the `#`) into an active line.
fn everything_on() -> String {
    EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => rest,
            _ => line,
        })
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn n4_the_example_is_the_default() {
    let example = Config::parse("finesse.example.toml", EXAMPLE).unwrap();
    assert_eq!(example, Config::default());
}

#[test]
fn every_inactive_key_is_valid() {
    let config = Config::parse("finesse.example.toml", &everything_on()).unwrap();
    assert_eq!(config.user.len(), 1);
    assert_eq!(config.user[0].get_ref().login_name(), "mkeller");
    assert!(config.tls.certificate.is_some() && config.tls.key.is_some());
    assert_eq!(config.reason_code[0].get_ref().label, "Coaching");
}

/// A key is documented if a misspelt one beside it is answered with a list of expected keys that all stand in the
/// example.
#[test]
fn no_key_is_missing_from_the_example() {
    let text = everything_on();
    for section in [
        "server",
        "listen",
        "tls",
        "xmpp",
        "bosh",
        "pubsub",
        "limits",
        "timeouts",
        "cors",
        "component",
        "auth",
        "realm",
        "realm.cce",
        "realm.ccx",
        "cti",
        "absence",
        "peer",
        "client_logs",
        "maintenance",
        "log",
        "[team]",
        "[user]",
        "[queue]",
        "[reason_code]",
        "[wrap_up_reason]",
        "desktop",
        "[media_layout]",
        "[phone_book]",
        "[workflow_action]",
        "[workflow]",
        "[team_layout]",
        "[ecc_variable]",
        "[device]",
    ] {
        let error = Config::parse("f", &format!("[{section}]\nmisspelt = 1\n")).unwrap_err().to_string();
        let (_, expected) = error.split_once("expected").unwrap_or_else(|| panic!("{section}: {error}"));
        let keys: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        assert!(!keys.is_empty(), "{section}: {error}");
        for key in keys {
            let is_key = text.lines().any(|line| line.starts_with(&format!("{key} = ")));
            let is_section = text.contains(&format!("\n[{section}.{key}]\n"));
            assert!(is_key || is_section, "{section}.{key}");
        }
    }
}
