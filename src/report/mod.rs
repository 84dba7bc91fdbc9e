//! Operational reports: what happened in a window, in words, figures and tables.
//!
//! [`build`] asks the models of `sql/` and gives a [`Report`], which is content only; `render` turns it
//! into Markdown and JSON. Both come from the same content, in which every number has been rounded
//! once, so they cannot disagree. Nothing here reads a clock: a report is as old as its window, and the
//! same table versions and settings give the same bytes.

mod build;
pub mod chart;
mod content;
mod features;
mod format;
mod pdf;
mod picture;
pub(crate) mod plain;
mod render;
mod rows;
mod sections;
#[cfg(test)]
mod tests;

pub use build::{Request, build};
pub use content::{
    Block, Column, Compared, Figure, Figures, Period, Report, Section, Table, TableVersion, Unit,
    UnknownPeriod, Value,
};
pub use format::show;
pub use pdf::markdown_to_pdf;
pub use picture::{Limit, Picture, Plot};
pub(crate) use plain::visible;
pub(crate) use render::escape_markdown;
pub use render::{Form, JSON_SCHEMA_VERSION, UnknownForm};
pub(crate) use rows::{Reader, Rows};

use crate::engine;

/// Why a report cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A query of the report did not plan or run.
    #[error("report: query `{sql}`: {source}")]
    Query {
        /// The query.
        sql: String,
        /// What the engine says.
        #[source]
        source: Box<engine::Error>,
    },
    /// A section was not finished.
    #[error("report: a section broke off: {source}")]
    Task {
        /// Why.
        #[source]
        source: tokio::task::JoinError,
    },
    /// The run's parameters make no window.
    #[error("report: {0}")]
    Parameters(#[source] Box<engine::Error>),
    /// A model gave other columns than the report shows.
    #[error("report: query `{sql}`: expected a column `{expected}`, got: {got}")]
    Column {
        /// The query.
        sql: String,
        /// The column that is missing.
        expected: String,
        /// The columns that there are.
        got: String,
    },
    /// A document cannot be set as pages.
    #[error("report: `{title}` as PDF: expected a document that can be set as pages, got: {found}")]
    Typeset {
        /// Title of the document.
        title: String,
        /// What the typesetter says.
        found: String,
    },
}

impl From<engine::Error> for Error {
    fn from(source: engine::Error) -> Self {
        Error::Parameters(Box::new(source))
    }
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Query { sql, source } => {
                Some(source.hint().unwrap_or_else(|| format!("try the query alone: tars sql -c \"{sql}\"")))
            }
            Error::Parameters(source) => source.hint(),
            Error::Column { .. } | Error::Task { .. } => None,
            Error::Typeset { .. } => {
                Some("the Markdown, HTML and JSON forms say the same; write those".to_owned())
            }
        }
    }
}
