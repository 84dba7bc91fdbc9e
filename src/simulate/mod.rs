//! A deterministic generator of multi-region telemetry with injected, labelled faults.
//!
//! One NDJSON file per table, with the columns of `schemas/*.toml` as field names: `logs`, `spans`, `metrics`,
//! `evaluations`, `changes`, `alerts` and the labels, `incidents`. The same options give the same bytes on
//! any machine with any number of threads.
//!
//! How it comes about: [`Options`] are checked; a *plan* is drawn from the seed (which fault hits which region
//! and service when, what was deployed or changed, which alerts follow); *traffic* shares the wanted number of
//! log lines out over minutes; *slices* of time are generated independently, each with random streams of its
//! own, and written in order. A fault acts only through its *effects* (slower work, more queries, a slow
//! database, a leaking memory), never by editing rows, so that logs, spans, metrics and evaluations agree
//! about the cause.

mod alert;
mod catalog;
mod chatter;
mod effects;
mod evaluations;
mod events;
mod failure;
mod fault;
mod gauges;
mod json;
mod options;
mod output;
mod plan;
mod random;
mod requests;
mod run;
mod schedule;
mod traffic;
mod world;
mod write;

#[cfg(test)]
mod tests;

pub use options::{Checked, DAILY_ROWS, DEFAULT_START, Options};
pub use run::{Summary, TABLES, TableSummary, run};

use std::path::PathBuf;

/// Why nothing, or not everything, was simulated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option outside its range.
    #[error("option `{field}`: expected {expected}, got {got}")]
    Option {
        /// The option.
        field: &'static str,
        /// Its range.
        expected: String,
        /// What it was.
        got: String,
    },
    /// A file or directory that cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The place.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// The remedy, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Option { field, expected, .. } => Some(format!("give `{field}` as {expected}")),
            Error::Write { source, .. } => match source.kind() {
                std::io::ErrorKind::PermissionDenied => {
                    Some("choose a directory that you may write to".into())
                }
                std::io::ErrorKind::StorageFull => {
                    Some("simulate fewer rows (about 500 bytes each), or choose a larger disk".into())
                }
                _ => None,
            },
        }
    }
}
