//! Why a document cannot be made.

use crate::{engine, pipeline};

/// Why a document cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A query of the document did not plan or run.
    #[error("document `{document}`: {source}")]
    Query {
        /// Name of the document.
        document: &'static str,
        /// What the pipeline says.
        #[source]
        source: pipeline::Error,
    },
    /// A model gave other columns than the document shows.
    #[error("document `{document}`: expected a column `{expected}` of {kind}, got: {got}")]
    Column {
        /// Name of the document.
        document: &'static str,
        /// The column.
        expected: String,
        /// What it should hold.
        kind: &'static str,
        /// The columns that there are.
        got: String,
    },
    /// A document that cannot be written.
    #[error("document `{document}`: expected to write it, got: {source}")]
    Write {
        /// Name of the document.
        document: String,
        /// What the file system says.
        #[source]
        source: std::io::Error,
    },
    /// The run's parameters make no window.
    #[error(transparent)]
    Parameters(#[from] engine::Error),
    /// A baseline that cannot be kept or found.
    #[error("{message}")]
    Baseline {
        /// Place, expected and got.
        message: String,
    },
    /// An interval that the window is not made of.
    #[error(
        "interval of {seconds} s: expected whole minutes, at least one and at most the window of {window} s"
    )]
    Interval {
        /// What was asked for.
        seconds: i64,
        /// The length of the window.
        window: i64,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Query { source, .. } => source.hint(),
            Error::Parameters(source) => source.hint(),
            Error::Interval { .. } => Some("give an interval such as 5m, or a longer window".into()),
            Error::Baseline { .. } => {
                Some("`tars baseline list` shows what is kept; `tars baseline set NAME` keeps one".into())
            }
            Error::Write { .. } => Some("choose another folder, or make room in this one".into()),
            Error::Column { .. } => None,
        }
    }
}
