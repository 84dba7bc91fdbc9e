//! Why nothing can be learned or kept.

use crate::{engine, gbm, lake, pipeline};

/// The failure of training or scoring.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of incidents that does not say what it must.
    #[error("incidents, line {line}: {reason}")]
    Incident {
        /// From 1.
        line: usize,
        /// Expected and got.
        reason: String,
    },
    /// Labels that cannot train.
    #[error("these labels cannot train a model: {reason}")]
    Labels {
        /// Expected and got.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
    /// The model itself.
    #[error(transparent)]
    Gbm(#[from] gbm::Error),
    /// The features could not be computed.
    #[error(transparent)]
    Pipeline(#[from] pipeline::Error),
    /// A query failed.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// Labels and windows did not meet.
    #[error("training frame: {0}")]
    Frame(#[from] polars::error::PolarsError),
    /// The predictions could not be kept.
    #[error(transparent)]
    Lake(#[from] lake::Error),
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Incident { .. } => Some(
                "expected one JSON object a line: {\"region\", \"service\", \"from\", \"to\", \"verdict\"}"
                    .into(),
            ),
            Error::Labels { hint, .. } => Some((*hint).to_owned()),
            Error::Frame(_) => None,
            Error::Gbm(e) => e.hint(),
            Error::Pipeline(e) => e.hint(),
            Error::Engine(e) => e.hint(),
            Error::Lake(e) => e.hint(),
        }
    }
}
