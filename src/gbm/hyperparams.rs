//! What can be tuned, unchecked and checked.
//!
//! Names, meanings and defaults follow LightGBM's (Ke et al., 2017, "LightGBM: A Highly Efficient Gradient
//! Boosting Decision Tree"), so that values carry over.

use linfa::ParamGuard;

use super::Error;

/// The most bins of a feature, its bin of missing values included: a bin number is one byte.
pub(super) const MAX_BINS: usize = 256;

/// The fewest rows that a bin is made of, where values differ (LightGBM's `min_data_in_bin`).
pub(super) const MIN_BIN_ROWS: usize = 3;

/// How much each class weighs.
#[derive(Debug, Clone, PartialEq)]
pub enum ClassWeights {
    /// As often as it occurs.
    Even,
    /// All classes alike: rows / (classes x rows of the class).
    Balanced,
    /// A factor for each class.
    Given(Vec<f64>),
}

/// Which way the raw score may move when a feature grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Monotone {
    /// Either way.
    #[default]
    Free,
    /// Never down.
    Rising,
    /// Never up.
    Falling,
}

/// Checked hyperparameters. See [`HyperParams`] for how to make them.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidHyperParams {
    pub(super) iterations: usize,
    pub(super) learning_rate: f64,
    pub(super) max_leaves: usize,
    pub(super) max_depth: Option<usize>,
    pub(super) min_child_samples: usize,
    pub(super) min_child_weight: f64,
    pub(super) min_gain: f64,
    pub(super) l1: f64,
    pub(super) l2: f64,
    pub(super) max_bins: usize,
    pub(super) row_share: f64,
    pub(super) column_share: f64,
    pub(super) class_weights: ClassWeights,
    pub(super) monotone: Vec<Monotone>,
    pub(super) categorical: Vec<usize>,
    pub(super) patience: Option<usize>,
    pub(super) seed: u64,
}

/// Hyperparameters as they come, to be checked (linfa's [`ParamGuard`]).
///
/// Training runs in the current rayon pool. The same data and hyperparameters give the same model at any
/// number of threads.
#[derive(Debug, Clone, PartialEq)]
pub struct HyperParams(ValidHyperParams);

impl Default for HyperParams {
    fn default() -> Self {
        HyperParams(ValidHyperParams {
            iterations: 100,
            learning_rate: 0.1,
            max_leaves: 31,
            max_depth: None,
            min_child_samples: 20,
            min_child_weight: 1e-3,
            min_gain: 0.0,
            l1: 0.0,
            l2: 0.0,
            max_bins: 255,
            row_share: 1.0,
            column_share: 1.0,
            class_weights: ClassWeights::Even,
            monotone: Vec::new(),
            categorical: Vec::new(),
            patience: None,
            seed: 0,
        })
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        impl HyperParams {
            $($(#[$doc])* #[must_use] pub fn $name(mut self, value: $type) -> Self { self.0.$name = value; self })*
        }
    };
}

setters! {
    /// Rounds of boosting, each of one tree per class.
    iterations: usize,
    /// Shrinkage of every tree.
    learning_rate: f64,
    /// The most leaves of a tree.
    max_leaves: usize,
    /// The longest path of a tree.
    max_depth: Option<usize>,
    /// The fewest rows of a leaf.
    min_child_samples: usize,
    /// The least sum of second derivatives of a leaf.
    min_child_weight: f64,
    /// The least gain of a split.
    min_gain: f64,
    /// L1 penalty of leaf values.
    l1: f64,
    /// L2 penalty of leaf values.
    l2: f64,
    /// The most bins of a feature, up to 255, beside the bin of missing values.
    max_bins: usize,
    /// Share of the rows that each round sees.
    row_share: f64,
    /// Share of the features that each tree sees.
    column_share: f64,
    /// Weights of the classes.
    class_weights: ClassWeights,
    /// A constraint for each feature; empty for none.
    monotone: Vec<Monotone>,
    /// Features whose values are categories: whole numbers from 0.
    categorical: Vec<usize>,
    /// With a validation set: stop after so many rounds without a better loss.
    patience: Option<usize>,
    /// Seed of row and column sampling.
    seed: u64,
}

impl ValidHyperParams {
    fn refusal(&self) -> Option<Error> {
        let share = |x: f64| x > 0.0 && x <= 1.0;
        let penalty = |x: f64| x >= 0.0 && x.is_finite();
        let refuse = |name, expected, got: String| Some(Error::HyperParam { name, expected, got });
        match self {
            p if p.iterations == 0 => refuse("iterations", "at least 1", "0".into()),
            p if !share(p.learning_rate) => {
                refuse("learning_rate", "more than 0, at most 1", p.learning_rate.to_string())
            }
            p if p.max_leaves < 2 => refuse("max_leaves", "at least 2", p.max_leaves.to_string()),
            p if p.max_depth == Some(0) => refuse("max_depth", "at least 1", "0".into()),
            p if p.min_child_samples == 0 => refuse("min_child_samples", "at least 1", "0".into()),
            p if !penalty(p.min_child_weight) => {
                refuse("min_child_weight", "a finite number from 0", p.min_child_weight.to_string())
            }
            p if !penalty(p.min_gain) => refuse("min_gain", "a finite number from 0", p.min_gain.to_string()),
            p if !penalty(p.l1) => refuse("l1", "a finite number from 0", p.l1.to_string()),
            p if !penalty(p.l2) => refuse("l2", "a finite number from 0", p.l2.to_string()),
            p if !(2..MAX_BINS).contains(&p.max_bins) => {
                refuse("max_bins", "2 to 255", p.max_bins.to_string())
            }
            p if !share(p.row_share) => {
                refuse("row_share", "more than 0, at most 1", p.row_share.to_string())
            }
            p if !share(p.column_share) => {
                refuse("column_share", "more than 0, at most 1", p.column_share.to_string())
            }
            p if p.patience == Some(0) => refuse("patience", "at least 1", "0".into()),
            ValidHyperParams { class_weights: ClassWeights::Given(weights), .. }
                if !weights.iter().all(|w| *w > 0.0 && w.is_finite()) =>
            {
                refuse("class_weights", "finite numbers above 0", format!("{weights:?}"))
            }
            _ => None,
        }
    }
}

impl ParamGuard for HyperParams {
    type Checked = ValidHyperParams;
    type Error = Error;

    fn check_ref(&self) -> Result<&ValidHyperParams, Error> {
        self.0.refusal().map_or(Ok(&self.0), Err)
    }

    fn check(self) -> Result<ValidHyperParams, Error> {
        self.0.refusal().map_or(Ok(self.0), Err)
    }
}
