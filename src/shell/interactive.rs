//! The interactive shell: read a statement, run it, print its rows.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use super::command::{Command, HELP};
use super::{Error, Format};
use crate::engine::Value;
use crate::pipeline::{Run, models};

/// Rows that a query prints in the shell before it says how many more there are.
const SHOWN_ROWS: usize = 1_000;

/// A shell over one run.
pub struct Shell {
    run: Run,
    format: Format,
    timing: bool,
    history: Option<PathBuf>,
}

impl Shell {
    /// A shell that keeps its history in a file, when one is given.
    pub fn new(run: Run, format: Format, history: Option<PathBuf>) -> Self {
        Shell { run, format, timing: false, history }
    }

    /// Reads statements from the terminal until the user leaves.
    pub async fn interact(&mut self) -> Result<(), Error> {
        let mut editor = DefaultEditor::new()?;
        if let Some(path) = &self.history {
            // No history yet is no error.
            let _ = editor.load_history(path);
        }
        let mut pending = String::new();
        loop {
            let prompt = if pending.is_empty() { "tars> " } else { "   -> " };
            // The editor blocks its thread; nothing else runs between statements.
            match editor.readline(prompt) {
                Ok(line) => {
                    if pending.is_empty() && line.trim_start().starts_with('\\') {
                        let _ = editor.add_history_entry(line.trim());
                        if self.command(&line).await {
                            break;
                        }
                        continue;
                    }
                    if pending.is_empty() && matches!(line.trim(), "exit" | "quit" | "exit;" | "quit;") {
                        break;
                    }
                    pending.push_str(&line);
                    pending.push('\n');
                    let (statements, rest) = split_statements(&pending);
                    if statements.is_empty() {
                        if pending.trim().is_empty() {
                            pending.clear();
                        }
                        continue;
                    }
                    let _ = editor.add_history_entry(pending.trim());
                    for statement in &statements {
                        self.report(statement).await;
                    }
                    pending = if rest.trim().is_empty() { String::new() } else { rest };
                }
                Err(ReadlineError::Interrupted) => pending.clear(),
                Err(ReadlineError::Eof) => break,
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(path) = &self.history {
            if let Some(folder) = path.parent() {
                let _ = std::fs::create_dir_all(folder);
            }
            if let Err(error) = editor.save_history(path) {
                eprintln!("note: the history could not be saved to {}: {error}", path.display());
            }
        }
        Ok(())
    }

    /// Runs every statement of a text and stops at the first that fails.
    pub async fn script(&mut self, text: &str, out: &mut (dyn Write + Send)) -> Result<(), Error> {
        let (mut statements, rest) = split_statements(text);
        if !rest.trim().is_empty() {
            statements.push(rest);
        }
        for statement in statements {
            self.execute(&statement, out).await?;
        }
        Ok(())
    }

    async fn execute(&self, sql: &str, out: &mut (dyn Write + Send)) -> Result<usize, Error> {
        let bound = self.run.params().bind(sql)?;
        let frame = self.run.engine().sql(&bound).await?;
        self.format.write(frame, out).await
    }

    /// Runs a statement typed by a person: errors are printed, the shell goes on.
    async fn report(&self, sql: &str) {
        let start = Instant::now();
        let result = async {
            let bound = self.run.params().bind(sql)?;
            let frame = self.run.engine().sql(&bound).await?;
            // One row more than is shown tells whether there are more.
            let frame = match self.format {
                Format::Table if !is_explain(sql) => {
                    frame.limit(0, Some(SHOWN_ROWS)).map_err(crate::engine::Error::from)?
                }
                _ => frame,
            };
            self.format.write(frame, &mut std::io::stdout()).await
        };
        match result.await {
            Ok(SHOWN_ROWS) if self.format == Format::Table => {
                eprintln!("(the first {SHOWN_ROWS} rows; \\format csv prints all)");
            }
            Ok(1) => eprintln!("(1 row)"),
            Ok(rows) => eprintln!("({rows} rows)"),
            Err(error) => print_error(&error),
        }
        if self.timing {
            eprintln!("{:.3} s", start.elapsed().as_secs_f64());
        }
    }

    /// Runs a backslash command; true means leave.
    async fn command(&mut self, line: &str) -> bool {
        match Command::parse(line) {
            Ok(Command::Quit) => return true,
            Ok(Command::Help) => eprintln!("{HELP}"),
            Ok(Command::Describe(None)) => {
                self.report(
                    "select table_name, table_type from information_schema.tables \
                     where table_schema = 'public' order by table_name",
                )
                .await;
            }
            Ok(Command::Describe(Some(table))) => {
                self.report(&format!("describe \"{}\"", table.replace('"', "\"\""))).await;
            }
            Ok(Command::Models) => {
                for model in models() {
                    eprintln!("{:<24} {} ({})", model.name, model.header.title, model.header.grain);
                }
            }
            Ok(Command::Set(None)) => {
                for (name, value) in self.run.params().iter() {
                    eprintln!("${name} = {value}");
                }
            }
            Ok(Command::Set(Some((name, value)))) => {
                if let Err(error) = self.run.set(&name, Value::parse(&value)) {
                    print_error(&error.into());
                }
            }
            Ok(Command::Format(Format::Parquet)) => {
                eprintln!("error: Parquet is no text; use: tars sql -c '…' --format parquet --output FILE");
            }
            Ok(Command::Format(format)) => self.format = format,
            Ok(Command::Timing) => {
                self.timing = !self.timing;
                eprintln!("timing is {}", if self.timing { "on" } else { "off" });
            }
            Ok(Command::Include(path)) => match std::fs::read_to_string(&path) {
                Ok(text) => {
                    if let Err(error) = self.script(&text, &mut std::io::stdout()).await {
                        print_error(&error);
                    }
                }
                Err(source) => print_error(&Error::Read { path, source }),
            },
            Err(message) => eprintln!("error: {message}"),
        }
        false
    }
}

fn print_error(error: &Error) {
    eprintln!("error: {error}");
    if let Some(hint) = error.hint() {
        eprintln!("hint: {hint}");
    }
}

fn is_explain(sql: &str) -> bool {
    sql.trim_start().get(..7).is_some_and(|word| word.eq_ignore_ascii_case("explain"))
}

/// Cuts a text into the statements that end with `;` and what is left after the last. A semicolon inside
/// a string, an identifier or a comment ends nothing.
pub fn split_statements(text: &str) -> (Vec<String>, String) {
    let dialect = GenericDialect {};
    let Ok(tokens) = Tokenizer::new(&dialect, text).tokenize_with_location() else {
        // An open string or comment: more has to come.
        return (Vec::new(), text.to_owned());
    };
    let mut ends = tokens.iter().filter(|t| t.token == Token::SemiColon).map(|t| t.span.start).peekable();
    let (mut statements, mut start) = (Vec::new(), 0);
    let (mut line, mut column) = (1, 1);
    for (index, c) in text.char_indices() {
        if ends.peek().is_some_and(|end| (end.line, end.column) == (line, column)) {
            ends.next();
            let statement = text[start..index].trim();
            if !statement.is_empty() {
                statements.push(statement.to_owned());
            }
            start = index + 1;
        }
        (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    (statements, text[start..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_at_a_semicolon_that_is_one() {
        let text = "select ';é' as a; -- no; end\nselect\n  2 /* ; */;\nselect 3";
        let (statements, rest) = split_statements(text);
        assert_eq!(statements, ["select ';é' as a", "-- no; end\nselect\n  2 /* ; */"]);
        assert_eq!(rest.trim(), "select 3");
    }

    #[test]
    fn an_open_string_waits_for_its_end() {
        assert_eq!(split_statements("select 'a;").0.len(), 0);
    }
}
