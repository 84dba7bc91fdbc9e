//! A model: trees that are added up, and what makes their sum an answer.

use std::sync::OnceLock;

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::Error;
use super::binning::FeatureBins;
use super::masks::Masks;
use super::objective::Objective;
use super::shap::{self, Explainer};
use super::tree::Tree;
use super::walk::Walk;

/// Rows that are scored together: their cells and masks stay in the cache nearest to the processor.
const BLOCK_ROWS: usize = 512;

/// Fewer rows are walked down the trees one by one.
const FEW_ROWS: usize = 32;

/// A gradient-boosted model.
#[derive(Debug)]
pub struct Booster {
    pub(super) objective: Objective,
    pub(super) feature_names: Vec<String>,
    /// LightGBM's description of each feature's values.
    pub(super) feature_infos: Vec<String>,
    /// Round by round, in each round one for each output.
    pub(super) trees: Vec<Tree>,
    /// A random forest's trees are averaged.
    pub(super) average: bool,
    /// Made when first needed.
    pub(super) masks: OnceLock<Masks>,
    /// Made when first needed.
    pub(super) explainer: OnceLock<Explainer>,
    /// Made when first needed.
    pub(super) walk: OnceLock<Walk>,
}

impl Clone for Booster {
    fn clone(&self) -> Self {
        Booster {
            objective: self.objective.clone(),
            feature_names: self.feature_names.clone(),
            feature_infos: self.feature_infos.clone(),
            trees: self.trees.clone(),
            average: self.average,
            masks: OnceLock::new(),
            explainer: OnceLock::new(),
            walk: OnceLock::new(),
        }
    }
}

impl PartialEq for Booster {
    fn eq(&self, other: &Self) -> bool {
        let parts =
            |b: &Booster| (b.objective.clone(), b.feature_names.clone(), b.feature_infos.clone(), b.average);
        parts(self) == parts(other) && self.trees == other.trees
    }
}

impl Booster {
    pub(super) fn new(objective: Objective, feature_names: Vec<String>, features: &[FeatureBins]) -> Booster {
        let feature_infos = features
            .iter()
            .map(|bins| match bins {
                FeatureBins::Numeric { upper, missing } if upper.is_empty() && !missing => "none".to_owned(),
                FeatureBins::Numeric { .. } => "[-inf:inf]".to_owned(),
                FeatureBins::Categorical { categories } => {
                    let names: Vec<String> = categories.iter().map(u32::to_string).collect();
                    if names.is_empty() { "none".to_owned() } else { names.join(":") }
                }
            })
            .collect();
        Booster {
            objective,
            feature_names,
            feature_infos,
            trees: Vec::new(),
            average: false,
            masks: OnceLock::new(),
            explainer: OnceLock::new(),
            walk: OnceLock::new(),
        }
    }

    /// What is optimised.
    pub fn objective(&self) -> &Objective {
        &self.objective
    }

    /// The features, in order.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// Gives the features other names.
    pub fn rename(&mut self, names: &[&str]) -> Result<(), Error> {
        self.check(names.len())?;
        self.feature_names = names.iter().map(|&name| name.to_owned()).collect();
        Ok(())
    }

    /// The trees: round by round, in each round one for each output.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Raw scores of a row.
    pub fn outputs(&self) -> usize {
        self.objective.outputs()
    }

    /// Rounds of boosting.
    pub fn rounds(&self) -> usize {
        self.trees.len() / self.outputs()
    }

    pub(super) fn masks(&self) -> &Masks {
        self.masks.get_or_init(|| Masks::new(&self.trees, self.feature_names.len()))
    }

    pub(super) fn explainer(&self) -> &Explainer {
        self.explainer.get_or_init(|| Explainer::new(&self.trees, self.outputs(), self.masks()))
    }

    /// Refuses rows of another width.
    fn check(&self, width: usize) -> Result<(), Error> {
        let expected = self.feature_names.len();
        if width == expected { Ok(()) } else { Err(Error::Width { expected, got: width }) }
    }

    fn scale(&self) -> f64 {
        if self.average { 1.0 / self.rounds().max(1) as f64 } else { 1.0 }
    }

    /// Raw scores: a row each, a column for each output. Uses the current rayon pool.
    pub fn raw_scores(&self, rows: ArrayView2<'_, f64>) -> Result<Array2<f64>, Error> {
        self.check(rows.ncols())?;
        let (outputs, scale) = (self.outputs(), self.scale());
        if rows.nrows() < FEW_ROWS {
            return Ok(self.walk_rows(rows) * scale);
        }
        let masks = self.masks();
        let mut scores = Array2::zeros((rows.nrows(), outputs));
        let blocks = rows.axis_chunks_iter(Axis(0), BLOCK_ROWS).collect::<Vec<_>>();
        let slots = scores.as_slice_mut().expect("a new array is in row order");
        let score = |(rows, scores): (&ArrayView2<'_, f64>, &mut [f64])| {
            masks.score_block(rows, outputs, scores);
            if self.average {
                scores.iter_mut().for_each(|s| *s *= scale);
            }
        };
        // A block is not worth waking another thread for.
        if blocks.len() > 1 {
            blocks.par_iter().zip(slots.par_chunks_mut(BLOCK_ROWS * outputs)).for_each(score);
        } else {
            blocks.iter().zip(slots.chunks_mut(BLOCK_ROWS * outputs)).for_each(score);
        }
        Ok(scores)
    }

    fn walk_rows(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        let walk = self.walk.get_or_init(|| Walk::new(&self.trees));
        let mut scores = Array2::zeros((rows.nrows(), self.outputs()));
        for (row, mut scores) in rows.rows().into_iter().zip(scores.rows_mut()) {
            let scores = scores.as_slice_mut().expect("a new array is in row order");
            match row.as_slice() {
                Some(row) => walk.score(row, scores),
                None => walk.score(&row.to_vec(), scores),
            }
        }
        scores
    }

    /// Answers: the probabilities of the classes, the probability of class 1 of 2, or the predicted number.
    pub fn answers(&self, rows: ArrayView2<'_, f64>) -> Result<Array2<f64>, Error> {
        let mut scores = self.raw_scores(rows)?;
        for mut row in scores.rows_mut() {
            self.objective.answer(row.as_slice_mut().expect("rows are contiguous"));
        }
        Ok(scores)
    }

    /// Contributions of the features to the raw scores of each row (TreeSHAP): for each output one column for each
    /// feature and one for the expected value, which add up to the raw score.
    pub fn contributions(&self, rows: ArrayView2<'_, f64>) -> Result<Array2<f64>, Error> {
        self.check(rows.ncols())?;
        let mut contributions = shap::contributions(self, rows);
        if self.average {
            contributions *= self.scale();
        }
        Ok(contributions)
    }

    /// The total gain of the splits by each feature.
    pub fn gains(&self) -> Array1<f64> {
        let mut gains = Array1::zeros(self.feature_names.len());
        for node in self.trees.iter().flat_map(|tree| &tree.nodes) {
            gains[node.feature] += node.gain;
        }
        gains
    }

    /// The number of splits by each feature.
    pub(super) fn split_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.feature_names.len()];
        for node in self.trees.iter().flat_map(|tree| &tree.nodes) {
            counts[node.feature] += 1;
        }
        counts
    }
}
