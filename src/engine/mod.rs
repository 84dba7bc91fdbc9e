//! The query engine: the one way to build a session, the tables it starts with, and parameters in SQL.

mod ndjson;
mod params;
mod session;
mod tables;
mod timings;

pub use params::{Params, Value};
pub use session::{Engine, EngineOptions, default_memory_limit, default_threads};
pub use tables::{TableVersion, register_lake, register_settings};
pub use timings::{Timing, Timings};

use datafusion::error::DataFusionError;

/// Why a session cannot be built or a query cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is not SQL.
    #[error("SQL: {message}")]
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// The text names what does not exist, or failed while running.
    #[error("{}", sql_message(.error))]
    Sql {
        /// What DataFusion says. No source of this error: the message has all that its chain says, once.
        error: Box<DataFusionError>,
    },
    /// `$name` stands in the SQL but has no value.
    #[error("parameter `${name}` has no value; set are: {}", if known.is_empty() { "none" } else { known })]
    UnknownParameter {
        /// The name without `$`.
        name: String,
        /// The names that have values.
        known: String,
    },
    /// A value for a parameter that it cannot take.
    #[error("parameter `{name}`: expected {expected}, got `{got}`")]
    BadParameter {
        /// The name without `$`.
        name: String,
        /// What it takes.
        expected: &'static str,
        /// What was given.
        got: String,
    },
    /// A table of the lake could not be read.
    #[error(transparent)]
    Lake(#[from] crate::lake::Error),
    /// The classifier's rules are not usable.
    #[error(transparent)]
    Functions(#[from] crate::functions::Error),
    /// The settings could not be turned into tables.
    #[error(transparent)]
    Settings(#[from] crate::settings::Error),
}

impl From<DataFusionError> for Error {
    fn from(source: DataFusionError) -> Self {
        match source.find_root() {
            // The parser's own words: the errors around it only repeat them, each with its own prefix.
            DataFusionError::SQL(error, _) => {
                let text = error.to_string();
                let text = text.strip_prefix("sql parser error: ").unwrap_or(&text);
                Error::Syntax { message: text.to_owned() }
            }
            _ => Error::Sql { error: Box::new(source) },
        }
    }
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Sql { error } => sql_hint(error),
            Error::UnknownParameter { name, .. } => {
                Some(format!("in the shell: \\set {name} VALUE; on the command line: --set {name}=VALUE"))
            }
            Error::Syntax { .. } | Error::BadParameter { .. } => None,
            Error::Lake(e) => e.hint(),
            Error::Functions(e) => e.hint(),
            Error::Settings(e) => e.hint(),
        }
    }
}

/// DataFusion's message and what it rests on, without its own prefixes and back traces, which say nothing to a user.
fn sql_message(error: &DataFusionError) -> String {
    let root = error.find_root();
    let mut text = without_trace(root);
    for prefix in
        ["Error during planning: ", "SQL error: ", "Schema error: ", "Execution error: ", "External error: "]
    {
        if let Some(rest) = text.strip_prefix(prefix) {
            text = rest.to_owned();
        }
    }
    let mut cause = std::error::Error::source(root);
    while let Some(error) = cause {
        let said = without_trace(error);
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    format!("SQL: {text}")
}

fn without_trace(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let text = text.split("\n\nbacktrace:").next().unwrap_or(&text);
    text.trim().trim_end_matches('.').to_owned()
}

fn sql_hint(error: &DataFusionError) -> Option<String> {
    let text = error.find_root().to_string();
    if text.contains("not found") && text.contains("table '") {
        Some(
            "`show tables` lists the tables and models; a file is queried by its path: select * from 'x.csv'"
                .into(),
        )
    } else if text.contains("Resources exhausted") {
        Some("give the query more memory with --memory-limit, or narrow the window".into())
    } else {
        None
    }
}
