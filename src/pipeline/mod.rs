//! The models under `sql/` as a graph: read their headers, order them by what they read, keep the
//! incremental ones up to date, and register the rest as views with the run's parameters bound.

mod embedded;
mod graph;
mod header;
mod held;
mod history;
mod hours;
mod materialize;
mod past;
mod ranges;
mod run;
mod views;
mod selected;
mod shared;

pub use graph::Model;
pub use header::{Header, Materialization, Scope};
pub use history::{default_baseline, held_time, last_day_with_requests, whole_history};
pub use materialize::{Refreshed, append, refresh};
pub use run::{Built, Models, Run, register_models};

use std::sync::LazyLock;

use crate::engine;

/// Why a model cannot be read, built or registered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A model file that does not say what it must, or reads in a circle.
    #[error("model `{model}`: {reason}")]
    Model {
        /// Path under `sql/`.
        model: String,
        /// What is wrong.
        reason: String,
    },
    /// A model that does not plan or run.
    #[error("model `{model}`: {source}")]
    Sql {
        /// Name of the model.
        model: String,
        /// What the engine says.
        #[source]
        source: engine::Error,
    },
    /// The filter of an SLO does not fit the rows.
    #[error("SLO `{slo}`, key filter: expected a condition over the rows it reads, got `{filter}`: {reason}")]
    Filter {
        /// The SLO.
        slo: String,
        /// Its filter.
        filter: String,
        /// What the engine says.
        reason: String,
        /// The columns that there are.
        columns: String,
    },
    /// The engine itself failed.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// A built table could not be read or written.
    #[error(transparent)]
    Lake(#[from] crate::lake::Error),
    /// A model's output breaks the contract of the table it builds.
    #[error("model `{model}` breaks the contract of its table: {violations}")]
    Contract {
        /// Name of the model.
        model: String,
        /// All violations.
        violations: String,
    },
    /// The log of a source no longer tells which files a built table has seen.
    #[error(
        "`{model}` was last built from version {seen} of `{table}`, whose log no longer reaches back that far"
    )]
    LogCut {
        /// Name of the model.
        model: String,
        /// Its source table.
        table: String,
        /// The version recorded.
        seen: i64,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Sql { source, .. } | Error::Engine(source) => source.hint(),
            Error::Lake(source) => source.hint(),
            Error::Filter { columns, .. } => Some(format!(
                "its columns are {columns}; every other field is in attributes, such as attributes['tier'] = 'gold'"
            )),
            Error::LogCut { model, .. } => Some(format!(
                "delete the folder `{model}` of the lake: it is derived and will be rebuilt from raw data"
            )),
            Error::Model { .. } | Error::Contract { .. } => None,
        }
    }
}

static MODELS: LazyLock<Vec<Model>> =
    LazyLock::new(|| graph::ordered(embedded::MODELS).expect("embedded models are checked by a test"));

/// Every model, each after the models it reads.
pub fn models() -> &'static [Model] {
    &MODELS
}
