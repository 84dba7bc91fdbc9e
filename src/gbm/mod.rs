//! Gradient boosting: histogram-based, leaf-wise, multi-class, on linfa's traits.
//!
//! - [`HyperParams`] are checked (linfa's `ParamGuard`) and train ([`ValidHyperParams::train`], or linfa's `Fit`).
//! - A [`Booster`] scores, explains, and reads and writes LightGBM's text format.
//!
//! Nothing here reads a file, a clock or the network.

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
