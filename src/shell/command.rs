//! Backslash commands of the shell.

use std::path::PathBuf;

use super::Format;

/// A line that starts with a backslash.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Command {
    /// `\q`
    Quit,
    /// `\?`
    Help,
    /// `\d [NAME]`
    Describe(Option<String>),
    /// `\set [NAME VALUE]`
    Set(Option<(String, String)>),
    /// `\format NAME`
    Format(Format),
    /// `\timing`
    Timing,
    /// `\i FILE`
    Include(PathBuf),
    /// `\models`
    Models,
}

/// What `\?` prints.
pub(super) const HELP: &str = "\
\\d              tables and models          \\d NAME         columns of one
\\models         models with what a row is  \\set            parameters and their values
\\set NAME VALUE set a parameter            \\format NAME    table, csv, json, ndjson, markdown
\\timing         time each query, on or off \\i FILE         run the statements of a file
\\?              this help                  \\q              leave (also Ctrl-D)
A statement ends with `;` and may span lines. $from, $to and other parameters stand for their values.";

impl Command {
    pub(super) fn parse(line: &str) -> Result<Command, String> {
        let mut words = line.trim().trim_end_matches(';').splitn(3, char::is_whitespace);
        let name = words.next().unwrap_or_default();
        let first = words.next().map(str::trim).filter(|w| !w.is_empty());
        let rest = words.next().map(str::trim).filter(|w| !w.is_empty());
        match (name, first, rest) {
            ("\\q" | "\\quit", None, None) => Ok(Command::Quit),
            ("\\?" | "\\h" | "\\help", None, None) => Ok(Command::Help),
            ("\\d", table, None) => Ok(Command::Describe(table.map(str::to_owned))),
            ("\\set", None, None) => Ok(Command::Set(None)),
            ("\\set", Some(name), Some(value)) => {
                let value = value.trim_matches('\'');
                Ok(Command::Set(Some((name.trim_start_matches('$').to_owned(), value.to_owned()))))
            }
            ("\\format", Some(name), None) => name.parse().map(Command::Format),
            ("\\timing", None, None) => Ok(Command::Timing),
            ("\\models", None, None) => Ok(Command::Models),
            ("\\i", Some(file), rest) => {
                Ok(Command::Include(rest.map_or(file.to_owned(), |r| format!("{file} {r}")).into()))
            }
            _ => Err(format!("`{}` is no command; \\? lists them", line.trim())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_read_with_and_without_arguments() {
        assert_eq!(Command::parse("\\q"), Ok(Command::Quit));
        assert_eq!(Command::parse("\\d logs;"), Ok(Command::Describe(Some("logs".into()))));
        assert_eq!(
            Command::parse("\\set $from '2025-01-15 13:00:00'"),
            Ok(Command::Set(Some(("from".into(), "2025-01-15 13:00:00".into()))))
        );
        assert_eq!(Command::parse("\\i my file.sql"), Ok(Command::Include("my file.sql".into())));
        assert!(Command::parse("\\format xml").unwrap_err().contains("expected one of: table"));
        assert!(Command::parse("\\dance").unwrap_err().contains("is no command"));
    }
}
