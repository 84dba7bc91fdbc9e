//! Why a model cannot be trained, read or used.

/// The failure of a computation of this module.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A hyperparameter outside its range.
    #[error("hyperparameter {name}: expected {expected}, got {got}")]
    HyperParam {
        /// Its name.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it was.
        got: String,
    },
    /// Data that cannot be learned from.
    #[error("training data: {reason}")]
    Data {
        /// Expected and got.
        reason: String,
    },
    /// Rows of another width than the model's.
    #[error("the model takes {expected} features, got {got}")]
    Width {
        /// Features of the model.
        expected: usize,
        /// Columns of the rows.
        got: usize,
    },
    /// A text that is not a model in LightGBM's format, or one that is beyond what is supported.
    #[error("model text, line {line}: {reason}")]
    Text {
        /// From 1.
        line: usize,
        /// Expected and got.
        reason: String,
    },
    /// A calibration that cannot be fitted.
    #[error("calibration: {reason}")]
    Calibration {
        /// Expected and got.
        reason: String,
    },
    /// A failure inside linfa.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Text { .. } => Some(
                "expected the text that LightGBM's `Booster.save_model` or `tars model export` writes".into(),
            ),
            Error::Width { .. } => Some("pass the features that the model names, in its order".into()),
            _ => None,
        }
    }
}
