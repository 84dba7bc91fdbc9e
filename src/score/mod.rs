//! Where gradient boosting meets the lake: labels for windows, training with its report, verdicts that are kept.
//!
//! - [`Incidents`]: what is known, from a file or from the lake.
//! - [`Frame`]: the windows that the labels speak of, with their features and the blocks that must stay together.
//! - [`train`]: cross-validation by blocks, calibration, the model, and the [`Report`] on it.
//! - [`Comparison`]: two judges on the same windows; [`default_model`]: the one that comes with the program.
//! - [`Predictions`]: verdicts, for the table `predictions`.
//! - [`Stream`]: which windows are over, when telemetry comes in.

mod baseline;
mod compare;
mod error;
mod folds;
mod frame;
mod incidents;
mod metrics;
mod predictions;
mod report;
mod shipped;
mod stream;
mod timeline;
mod train;

#[cfg(test)]
mod tests;

pub use baseline::{SurrogateTree, decide_by_rules};
pub use compare::{Comparison, Contestant};
pub use error::Error;
pub use folds::folds;
pub use frame::{Frame, Window};
pub use incidents::{Incident, Incidents};
pub use metrics::{ClassScore, Metrics};
pub use predictions::{Predicted, Predictions};
pub use report::{Importance, Report};
pub use shipped::default_model;
pub use stream::{Stream, judged_until};
pub use train::{Options, Progress, Trained, train};
