//! SQL for people and scripts: output formats, and the interactive shell.

mod command;
mod format;
mod interactive;

pub use format::Format;
pub use interactive::{Shell, split_statements};

use std::path::PathBuf;

/// Why the shell, or the writing of a result, failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The query failed.
    #[error(transparent)]
    Query(#[from] crate::pipeline::Error),
    /// The result could not be written.
    #[error("cannot write the result as {format}: {source}")]
    Write {
        /// The format.
        format: Format,
        /// What the writer says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The terminal could not be read.
    #[error("cannot read from the terminal: {0}")]
    Terminal(#[from] rustyline::error::ReadlineError),
    /// A file given to `\i` could not be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl From<crate::engine::Error> for Error {
    fn from(source: crate::engine::Error) -> Self {
        Error::Query(source.into())
    }
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Query(source) => source.hint(),
            _ => None,
        }
    }
}
