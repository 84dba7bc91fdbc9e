//! What the model has to beat, and a tree that can be read: the rules, and linfa's decision tree.

use linfa::dataset::DatasetBase;
use linfa::traits::{Fit, Predict};
use linfa_trees::{DecisionTree, TreeNode};
use ndarray::{Array1, Array2};

use super::frame::Window;
use crate::domain::{REGRESSION_FEATURES, Verdict};
use crate::functions::RuleSet;
use crate::gbm;

/// linfa's trees know no missing values; they get one below all that is measured.
const MISSING: f64 = -1e9;

/// linfa adds weights up in `f32` and takes what is left to be a leaf's. Whole numbers of units, this many in all, are
/// added without rounding; else a leaf without rows could seem to have some.
const UNITS: f64 = (1 << 22) as f64;

/// What the rules say of windows, as numbers of classes.
pub fn decide_by_rules(rules: &RuleSet, windows: &[Window]) -> Vec<usize> {
    let decide = |window: &Window| rules.judge(&window.features).map_or(Verdict::Benign, |j| j.verdict);
    windows.iter().map(|window| decide(window) as usize).collect()
}

/// A decision tree of linfa over the 21 features.
pub struct SurrogateTree(DecisionTree<f64, usize>);

fn filled(rows: &Array2<f64>) -> Array2<f64> {
    // Values of `f32` always have a number of `f64` half way between them, where a tree may split.
    rows.mapv(|value| if value.is_nan() { MISSING } else { f64::from(value.clamp(MISSING, -MISSING) as f32) })
}

impl SurrogateTree {
    /// Learns classes from rows, each with a weight.
    pub fn fit(
        rows: &Array2<f64>,
        classes: &[usize],
        weights: &[f32],
        depth: usize,
    ) -> Result<Self, gbm::Error> {
        let unit = weights.iter().map(|w| f64::from(*w)).sum::<f64>() / UNITS;
        // Where two classes weigh the same, the tree would choose by the order of a hash map; so they never quite do.
        let units = classes
            .iter()
            .zip(weights)
            .map(|(class, w)| ((f64::from(*w) / unit).ceil() + *class as f64) as f32);
        let data = DatasetBase::new(filled(rows), Array1::from(classes.to_vec()))
            .with_weights(units.collect::<Array1<f32>>());
        let leaf = (2.0 * UNITS / rows.nrows().max(1) as f64) as f32;
        // linfa compares what to split with the number of rows, whatever they weigh.
        let params =
            DecisionTree::params().max_depth(Some(depth)).min_weight_split(4.0).min_weight_leaf(leaf);
        let tree = params.fit(&data).map_err(gbm::Error::from)?;
        Ok(SurrogateTree(tree))
    }

    /// The classes of rows.
    pub fn predict(&self, rows: &Array2<f64>) -> Vec<usize> {
        let classes: Array1<usize> = self.0.predict(&filled(rows));
        classes.to_vec()
    }

    /// The tree as text, a question or an answer a line.
    pub fn rules(&self) -> Vec<String> {
        let mut lines = Vec::new();
        describe(self.0.root_node(), 0, &mut lines);
        lines
    }
}

fn describe(node: &TreeNode<f64, usize>, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    if node.is_leaf() {
        let class = node.prediction().and_then(|class| Verdict::ALL.get(class).copied());
        lines.push(format!("{indent}{}", class.map_or("unknown", Verdict::as_str)));
        return;
    }
    let (feature, bound, _) = node.split();
    let name = REGRESSION_FEATURES[feature];
    // A bound half way to the stand-in for missing values tells measured from missing.
    let (yes, no) = if bound < MISSING / 10.0 {
        (format!("if {name} was not measured"), format!("if {name} was measured"))
    } else {
        (format!("if {name} < {bound:.4}, or it was not measured"), format!("if {name} >= {bound:.4}"))
    };
    for (question, child) in [yes, no].into_iter().zip(node.children()) {
        if let Some(child) = child {
            lines.push(format!("{indent}{question}:"));
            describe(child, depth + 1, lines);
        }
    }
}
