//! A model: trees that are added up, and what makes their sum an answer.

use std::sync::OnceLock;

use ndarray::{Array1, Array2, ArrayView2};

use super::Error;
use super::binning::FeatureBins;
use super::objective::Objective;
use super::scorer::Scorer;
use super::shap::{self, Explainer};
use super::tree::Tree;

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
    pub(super) explainer: OnceLock<Explainer>,
    /// Made when first needed.
    pub(super) scorer: OnceLock<Scorer>,
}

impl Clone for Booster {
    fn clone(&self) -> Self {
        Booster {
            objective: self.objective.clone(),
            feature_names: self.feature_names.clone(),
            feature_infos: self.feature_infos.clone(),
            trees: self.trees.clone(),
            average: self.average,
            explainer: OnceLock::new(),
            scorer: OnceLock::new(),
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
            explainer: OnceLock::new(),
            scorer: OnceLock::new(),
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

    pub(super) fn explainer(&self) -> &Explainer {
        self.explainer.get_or_init(|| Explainer::new(&self.trees, self.feature_names.len(), self.outputs()))
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
        let scorer = self.scorer.get_or_init(|| Scorer::new(&self.trees, rows.ncols(), self.outputs()));
        let mut scores = scorer.score(rows);
        if self.average {
            scores *= self.scale();
        }
        Ok(scores)
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
