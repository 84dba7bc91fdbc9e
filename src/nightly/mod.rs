//! The nightly job: what it did (`journal`), what it wrote and how long that is kept (`outputs`), and what it says about
//! a stretch of days after they are over (`retrospective`).
//!
//! The steps themselves are in the command line, which knows how to open a run and where files go.

mod journal;
mod outputs;
mod retrospective;

pub use journal::{Journal, Record, Status, TABLE, inputs_digest};
pub use outputs::{Kind, MANIFEST, Output, Outputs, combined};
pub use retrospective::{Retrospective, rows_as_json};

use std::path::PathBuf;

use crate::{engine, lake, pipeline};

/// Why the job cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A model failed.
    #[error(transparent)]
    Pipeline(#[from] pipeline::Error),
    /// The run log could not be read or written.
    #[error(transparent)]
    Lake(#[from] lake::Error),
    /// A query failed.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The list of written files is not usable.
    #[error("`{}`: expected the list of files that tars keeps there, got {got}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        got: String,
    },
    /// A file could not be read or removed.
    #[error("cannot {what} `{}`: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Pipeline(e) => e.hint(),
            Error::Lake(e) => e.hint(),
            Error::Engine(e) => e.hint(),
            Error::Manifest { .. } => Some(
                "restore it from a copy, or delete it: then nothing that lies there is ever removed".into(),
            ),
            Error::File { .. } => None,
        }
    }
}
