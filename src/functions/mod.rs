//! SQL functions of the analytics: pure computations, one file for each function.
//!
//! - [`scalar`]: one row in, one value out (`sketch_quantile`, `drift_percent`, `regression_rules` ...).
//! - [`aggregate`]: many rows in, one value out (`quantile_sketch`, `exact_sum` ...). Their result depends on the
//!   values only, never on their order, on batch sizes or on the number of threads.
//! - [`window`]: a judgement of each row by the rows before it (`ewma`, `zscore` ...).
//!
//! The numeric parts stand alone and know nothing of SQL: [`sketch`], [`exact`], [`series`],
//! [`history`], [`robust`], [`anomaly`], [`statistics`].
//! [`register_all`] makes everything known to a session; [`documentation`] is the text of
//! `docs/functions.md`. Nothing here reads a file, a clock or the network.

pub mod aggregate;
pub mod anomaly;
mod argument;
mod calendar;
pub mod chance;
pub mod exact;
pub mod history;
pub mod interval;
mod reference;
mod register;
pub mod robust;
pub mod scalar;
pub mod series;
pub mod sketch;
mod span_lists;
pub mod statistics;
mod trace;
pub mod window;

pub use exact::ExactSum;
pub use reference::documentation;
pub use register::{aggregate_functions, register_all, register_judge, scalar_functions, window_functions};
pub use scalar::regression_model::{Judge, UNCERTAIN};
pub use scalar::regression_rules::{Direction, Judgement, Rule, RuleSet};
pub use sketch::QuantileSketch;

use crate::domain::UnknownWord;
use datafusion::common::DataFusionError;

/// Why a function cannot answer. Reaches SQL users as an external error of the query.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An argument outside what the function is defined for.
    #[error("{function}: argument {argument} must be {expected}, got {got}")]
    Argument {
        /// The SQL function.
        function: &'static str,
        /// The argument, by its documented name.
        argument: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it was.
        got: String,
    },
    /// Bytes that no sketch function wrote.
    #[error("{function}: the value is not a quantile sketch: {source}")]
    Sketch {
        /// The SQL function.
        function: &'static str,
        /// What is wrong with the bytes.
        source: sketch::SketchError,
    },
    /// Bytes that no series function wrote.
    #[error("{function}: the value is not a series: {source}")]
    Series {
        /// The SQL function.
        function: &'static str,
        /// What is wrong with the bytes.
        source: series::NotASeries,
    },
    /// A word outside its vocabulary.
    #[error("{function}: {source}")]
    Word {
        /// The SQL function.
        function: &'static str,
        /// The word and the choices.
        source: UnknownWord,
    },
    /// A model that cannot judge windows.
    #[error("regression model: {reason}")]
    Model {
        /// Expected and got.
        reason: String,
    },
    /// A rule that cannot be used.
    #[error("regression rule {index} ({feature}): {reason}")]
    Rule {
        /// Its place in the rule set, from 1.
        index: usize,
        /// The feature it names.
        feature: String,
        /// Expected and got.
        reason: String,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Argument { function, .. } => Some(format!(
                "see `{function}` in docs/functions.md for the meaning and the range of its arguments"
            )),
            Error::Sketch { .. } => Some(
                "pass a column made by quantile_sketch or sketch_merge, such as log_minutes.latency"
                    .to_owned(),
            ),
            Error::Series { .. } => {
                Some("pass what interval_series or another series function gave".to_owned())
            }
            Error::Word { .. } => None,
            Error::Model { .. } => Some("train one with `tars train`, or leave --model out".to_owned()),
            Error::Rule { .. } => Some("correct the rule in the settings".to_owned()),
        }
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        DataFusionError::External(Box::new(error))
    }
}
