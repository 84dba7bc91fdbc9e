//! Gradient boosting: histogram-based, leaf-wise, multi-class, on linfa's traits.
//!
//! - [`HyperParams`] are checked (linfa's `ParamGuard`) and train ([`ValidHyperParams::train`], or linfa's `Fit`).
//! - A [`Booster`] scores, explains, and reads and writes LightGBM's text format.
//!
//! Nothing here reads a file, a clock or the network.
//!
//! ```
//! use linfa::prelude::*;
//! use ndarray::{Array1, Array2};
//! use tars::gbm::{Booster, Classifier, HyperParams};
//!
//! // Three classes that lie side by side; every seventh value is missing.
//! let class = |row: usize| row / 100;
//! let rows = Array2::from_shape_fn((300, 2), |(row, feature)| match feature {
//!     0 if row % 7 == 0 => f64::NAN,
//!     _ => class(row) as f64 + (row % 10) as f64 / 20.0,
//! });
//! let classes: Array1<usize> = (0..300).map(class).collect();
//! let dataset = Dataset::new(rows, classes).with_feature_names(vec!["latency_delta", "error_rate_delta"]);
//!
//! // Unchecked hyperparameters are checked by `fit`, or by hand.
//! assert!(HyperParams::default().learning_rate(2.0).check().is_err());
//! let model: Classifier = HyperParams::default().iterations(10).fit(&dataset)?;
//! let predicted = model.predict(&dataset);
//! assert_eq!(predicted.confusion_matrix(&dataset)?.accuracy(), 1.0);
//!
//! // The same model loads in LightGBM, and answers the same here.
//! let copy = Booster::from_lightgbm(&model.0.to_lightgbm())?;
//! assert_eq!(copy.answers(dataset.records().view())?, model.0.answers(dataset.records().view())?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod algorithm;
mod binning;
mod booster;
mod calibrate;
mod cells;
mod error;
mod gradient;
mod grow;
mod histogram;
mod hyperparams;
mod leaf_rows;
mod lightgbm;
mod linfa;
mod masks;
mod model;
mod objective;
mod row_sieve;
mod scorer;
mod shap;
mod sieve;
mod split;
mod tree;

#[cfg(test)]
mod tests;

pub use algorithm::{Examples, Trained};
pub use booster::Booster;
pub use calibrate::Calibration;
pub use error::Error;
pub use hyperparams::{ClassWeights, HyperParams, Monotone, ValidHyperParams};
pub use linfa::{Classifier, Regressor};
pub use model::{About, Model, schema_hash};
pub use objective::{Link, Objective};
pub use tree::{Child, Leaf, Missing, Node, Rule, Tree};
