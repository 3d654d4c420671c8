//! Scenarios by name or from a file.

use std::io::Write;

use cti::sim::Scenario;

use crate::config::ConfigError;

/// Instead of a name: print the library.
pub(super) const LIST: &str = "list";

/// The scenario of the library with this name, else the one in the file with this name.
///
/// # Errors
/// A mistake in it with its place, or a file that cannot be read (both as a [`ConfigError`]).
pub(super) fn read(name: &str) -> anyhow::Result<Scenario> {
    let wrong = |message: String| ConfigError::whole_file(String::new(), message);
    if let Some(scenario) = Scenario::named(name) {
        return scenario.map_err(|mistake| wrong(mistake.to_string()).into());
    }
    let text = std::fs::read_to_string(name).map_err(|error| {
        let known: Vec<&str> = Scenario::library().collect();
        wrong(format!("{name}: {error}; scenarios of the library: {}", known.join(", ")))
    })?;
    Scenario::read(name, &text).map_err(|mistake| wrong(mistake.to_string()).into())
}

/// Prints names and titles of the library.
///
/// # Errors
/// Standard output cannot be written to.
pub(super) fn list() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for name in Scenario::library() {
        let scenario = read(name)?;
        writeln!(out, "{name:<20} {}. {}", scenario.title(), scenario.about())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_library_comes_before_a_file() {
        assert_eq!(read("transfer").expect("in the library").title(), "Transfer with call data");
        let missing = read("no-such-scenario").expect_err("neither").to_string();
        assert!(missing.starts_with("no-such-scenario: ") && missing.contains("quiet-day"), "{missing}");
        let file = std::env::temp_dir().join(format!("scenario-{}.toml", std::process::id()));
        std::fs::write(&file, "title = 'Mine'\nagents = 2\nsteps = [{ agent = '9', does = 'ready' }]")
            .expect("written");
        let mistake = read(file.to_str().expect("a plain path")).expect_err("no agent 9");
        let _ = std::fs::remove_file(&file);
        assert_eq!(mistake.to_string(), format!("{}:3:10: no agent \"9\"", file.display()));
        assert!(mistake.is::<ConfigError>(), "ends with exit code 2");
    }
}
