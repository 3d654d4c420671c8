//! What is wrong with a configuration, and where.

use std::fmt;
use std::ops::Range;

/// A mistake in a configuration file. Prints as `file:line:column: message`, or `file: message` when no line is
/// to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    file: String,
    position: Option<(usize, usize)>,
    message: String,
}

impl ConfigError {
    /// An error about the byte range `span` of `text`.
    pub(super) fn at(file: String, text: &str, span: Option<Range<usize>>, message: String) -> ConfigError {
        let message = message.trim_end().replace('\n', ", ");
        ConfigError { file, position: span.map(|span| position(text, span.start)), message }
    }

    /// An error about the file as such.
    pub fn whole_file(file: String, message: String) -> ConfigError {
        ConfigError { file, position: None, message }
    }

    /// Line to blame, counted from 1.
    pub fn line(&self) -> Option<usize> {
        self.position.map(|(line, _)| line)
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.position, self.file.is_empty()) {
            (_, true) => f.write_str(&self.message),
            (Some((line, column)), _) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            (None, _) => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Line and column, both from 1, of a byte offset; columns count characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        assert_eq!(position("ab\ncdé=", 0), (1, 1));
        assert_eq!(position("ab\ncdé=", 7), (2, 4));
        assert_eq!(position("ab", 99), (1, 3));
    }

    #[test]
    fn an_error_without_a_file_is_the_message_alone() {
        let error = ConfigError::at(String::new(), "", Some(0..0), "port in use".into());
        assert_eq!(error.to_string(), "port in use");
    }
}
