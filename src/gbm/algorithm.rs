//! Boosting: round after round, trees that lower the loss.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::Error;
use super::binning::Binned;
use super::booster::Booster;
use super::gradient::{Pair, Quantized, mix};
use super::grow::{Grower, Grown};
use super::hyperparams::{ClassWeights, ValidHyperParams};
use super::leaf_rows::Buffers;
use super::objective::Objective;
use super::tree::Tree;

/// Rows whose derivatives are computed together.
const BLOCK_ROWS: usize = 4096;

/// More rows would leave too few bits for a derivative.
const MAX_ROWS: usize = 1 << 25;

/// A model and how its training went.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The model, of the best round.
    pub booster: Booster,
    /// Rounds of the best validation loss; all rounds without a validation set.
    pub best_round: usize,
    /// Mean loss on the validation set after each round.
    pub validation: Vec<f64>,
    /// Trees of the rounds after the best.
    later: Vec<Tree>,
}

impl Trained {
    /// The model of the first rounds, as many as were trained at most: what training for so many would have given.
    pub fn with_rounds(&self, rounds: usize) -> Booster {
        let mut booster = self.booster.clone();
        booster.trees.extend_from_slice(&self.later);
        booster.trees.truncate(rounds * booster.outputs());
        booster
    }
}

/// Rows with what they should answer.
#[derive(Debug, Clone, Copy)]
pub struct Examples<'a> {
    /// A row each; NaN is missing.
    pub rows: ArrayView2<'a, f64>,
    /// The number of the class, or the number.
    pub targets: &'a [f64],
    /// Weights of the rows; empty for 1 each.
    pub weights: &'a [f32],
}

impl Examples<'_> {
    fn check(&self, objective: &Objective, params: &ValidHyperParams) -> Result<(), Error> {
        let refuse = |reason: String| Err(Error::Data { reason });
        let (len, width) = self.rows.dim();
        if len == 0 || width == 0 {
            return refuse(format!("expected rows and features, got {len} rows of {width}"));
        }
        if len > MAX_ROWS {
            return refuse(format!("expected at most {MAX_ROWS} rows, got {len}; take a sample"));
        }
        if self.targets.len() != len || !(self.weights.is_empty() || self.weights.len() == len) {
            let (targets, weights) = (self.targets.len(), self.weights.len());
            return refuse(format!("{len} rows, but {targets} targets and {weights} weights"));
        }
        if let Some(weight) = self.weights.iter().find(|w| !(**w >= 0.0 && w.is_finite())) {
            return refuse(format!("expected weights from 0, got {weight}"));
        }
        if !self.weights.is_empty() && self.weights.iter().all(|w| *w == 0.0) {
            return refuse("every weight is 0".to_owned());
        }
        if params.monotone.len() > width || params.categorical.iter().any(|f| *f >= width) {
            return refuse(format!(
                "a constraint or a category names a feature beyond the {width} there are"
            ));
        }
        objective.check(self.targets)
    }
}

impl ValidHyperParams {
    /// Trains on some examples; with `validation`, the model is cut at its best round, and with `patience` training
    /// stops when that lies so many rounds back.
    pub fn train(
        &self,
        objective: Objective,
        names: &[String],
        examples: Examples<'_>,
        validation: Option<Examples<'_>>,
    ) -> Result<Trained, Error> {
        examples.check(&objective, self)?;
        if let Some(validation) = &validation {
            validation.check(&objective, self)?;
        }
        if names.len() != examples.rows.ncols() {
            return Err(Error::Width { expected: examples.rows.ncols(), got: names.len() });
        }
        let weights = self.weights(&objective, &examples)?;
        let binned = Binned::new(examples.rows, self);
        let mut booster = Booster::new(objective, names.to_vec(), &binned.features);
        let start = booster.objective.start(examples.targets, &weights);
        let mut rounds = Rounds::new(self, &binned, &booster.objective, examples.targets, weights, &start);
        let mut watch = validation.map(|examples| Watch::new(examples, &start));
        for round in 0..self.iterations {
            let mut trees = rounds.next(round);
            if trees.iter().all(|tree| tree.nodes.is_empty()) && round > 0 {
                break;
            }
            if let Some(watch) = &mut watch {
                watch.add(&booster.objective, &trees);
            }
            if round == 0 {
                trees.iter_mut().zip(&start).for_each(|(tree, start)| tree.shift(*start));
            }
            booster.trees.extend(trees);
            if let (Some(watch), Some(patience)) = (&watch, self.patience)
                && round >= watch.best() + patience
            {
                break;
            }
        }
        let best_round = watch.as_ref().map_or(booster.rounds(), |watch| watch.best() + 1);
        let later = booster.trees.split_off(best_round * booster.outputs());
        let validation = watch.map_or_else(Vec::new, |watch| watch.losses);
        Ok(Trained { booster, best_round, validation, later })
    }

    fn weights(&self, objective: &Objective, examples: &Examples<'_>) -> Result<Vec<f32>, Error> {
        let mut weights = examples.weights.to_vec();
        weights.resize(examples.targets.len(), 1.0);
        let classes = match objective {
            Objective::Regression { .. } => return Ok(weights),
            Objective::Binary { .. } => 2,
            objective => objective.outputs(),
        };
        let factors = match &self.class_weights {
            ClassWeights::Even => return Ok(weights),
            ClassWeights::Given(factors) if factors.len() == classes => factors.clone(),
            ClassWeights::Given(factors) => {
                let reason = format!("{classes} classes, but {} class weights", factors.len());
                return Err(Error::Data { reason });
            }
            ClassWeights::Balanced => {
                let mut counts = vec![0_usize; classes];
                examples.targets.iter().for_each(|t| counts[*t as usize] += 1);
                let rows = examples.targets.len() as f64;
                counts.iter().map(|count| rows / (classes * (*count).max(1)) as f64).collect()
            }
        };
        let each = weights.iter_mut().zip(examples.targets);
        each.for_each(|(weight, target)| *weight *= factors[*target as usize] as f32);
        Ok(weights)
    }
}

/// Training between rounds.
struct Rounds<'a> {
    params: &'a ValidHyperParams,
    binned: &'a Binned,
    objective: &'a Objective,
    targets: &'a [f64],
    weights: Vec<f32>,
    /// Row by row, a score for each output.
    scores: Vec<f64>,
    /// For each output, the derivatives of each row.
    pairs: Vec<Vec<Pair>>,
    /// What the last round's trees add, by output.
    last: Vec<Grown>,
    /// For each output.
    buffers: Vec<Buffers>,
}

impl<'a> Rounds<'a> {
    fn new(
        params: &'a ValidHyperParams,
        binned: &'a Binned,
        objective: &'a Objective,
        targets: &'a [f64],
        weights: Vec<f32>,
        start: &[f64],
    ) -> Self {
        let outputs = objective.outputs();
        Rounds {
            params,
            binned,
            objective,
            targets,
            weights,
            scores: start.repeat(binned.len),
            pairs: vec![vec![(0.0, 0.0); binned.len]; outputs],
            last: Vec::new(),
            buffers: vec![Buffers::default(); outputs],
        }
    }

    /// The trees of one round, one for each output.
    fn next(&mut self, round: usize) -> Vec<Tree> {
        self.differentiate();
        let rows = self.sample_rows(round);
        let (params, binned) = (self.params, self.binned);
        let outputs = self.objective.outputs();
        let grown: Vec<Grown> = self
            .buffers
            .par_iter_mut()
            .zip(&self.pairs)
            .enumerate()
            .map(|(output, (buffers, pairs))| {
                let salt = mix(params.seed ^ mix((round * outputs + output) as u64));
                let quantized = Quantized::new(pairs.iter().copied(), binned.len, salt);
                let features = sample_features(params, binned.width(), salt);
                let grower = Grower { binned, params, features: &features, quantized: &quantized };
                grower.grow(&rows, pairs, buffers)
            })
            .collect();
        let trees = grown.iter().map(|grown| grown.tree.clone()).collect();
        self.last = grown;
        trees
    }

    /// Adds the last trees to the scores and takes the derivatives there.
    fn differentiate(&mut self) {
        let outputs = self.objective.outputs();
        let (objective, targets, weights, last) = (self.objective, self.targets, &self.weights, &self.last);
        let scores = self.scores.par_chunks_mut(BLOCK_ROWS * outputs);
        let mut pairs: Vec<Vec<&mut [Pair]>> =
            (0..scores.len()).map(|_| Vec::with_capacity(outputs)).collect();
        for of_output in &mut self.pairs {
            pairs.iter_mut().zip(of_output.chunks_mut(BLOCK_ROWS)).for_each(|(all, some)| all.push(some));
        }
        scores.zip(pairs).enumerate().for_each(|(block, (scores, mut pairs))| {
            let first = block * BLOCK_ROWS;
            for (output, grown) in last.iter().enumerate() {
                let leaves = &grown.leaf_of[first..];
                for (scores, leaf) in scores.chunks_exact_mut(outputs).zip(leaves) {
                    scores[output] += grown.tree.leaves[*leaf as usize].value;
                }
            }
            let (mut probabilities, mut found) = (vec![0.0; outputs], vec![(0.0, 0.0); outputs]);
            let known = targets[first..].iter().zip(&weights[first..]);
            for (at, (scores, (target, weight))) in scores.chunks_exact(outputs).zip(known).enumerate() {
                objective.derivatives(scores, *target, *weight, &mut probabilities, &mut found);
                pairs.iter_mut().zip(&found).for_each(|(pairs, found)| pairs[at] = *found);
            }
        });
    }

    fn sample_rows(&self, round: usize) -> Vec<u32> {
        let all = 0..self.binned.len as u32;
        if self.params.row_share >= 1.0 {
            return all.collect();
        }
        let salt = mix(self.params.seed ^ mix(!(round as u64)));
        let limit = (self.params.row_share * u64::MAX as f64) as u64;
        let chosen: Vec<u32> = all.filter(|row| mix(salt ^ u64::from(*row)) <= limit).collect();
        if chosen.is_empty() { vec![0] } else { chosen }
    }
}

fn sample_features(params: &ValidHyperParams, width: usize, salt: u64) -> Vec<bool> {
    let keep = ((width as f64 * params.column_share).round() as usize).clamp(1, width);
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by_key(|feature| mix(salt ^ mix(*feature as u64)));
    let mut chosen = vec![keep == width; width];
    order[..keep].iter().for_each(|feature| chosen[*feature] = true);
    chosen
}

/// The validation set and its loss so far.
struct Watch<'a> {
    examples: Examples<'a>,
    scores: Array2<f64>,
    losses: Vec<f64>,
}

impl<'a> Watch<'a> {
    fn new(examples: Examples<'a>, start: &[f64]) -> Self {
        let scores = Array2::from_shape_fn((examples.rows.nrows(), start.len()), |(_, output)| start[output]);
        Watch { examples, scores, losses: Vec::new() }
    }

    fn add(&mut self, objective: &Objective, trees: &[Tree]) {
        let mut rows: Vec<_> = self.scores.axis_iter_mut(Axis(0)).collect();
        let losses: Vec<f64> = rows
            .par_iter_mut()
            .zip(self.examples.targets)
            .enumerate()
            .map(|(at, (scores, target))| {
                let row = self.examples.rows.row(at);
                for (score, tree) in scores.iter_mut().zip(trees) {
                    *score += tree.leaves[tree.leaf_of(|feature| row[feature])].value;
                }
                let mut answer = scores.to_vec();
                objective.answer(&mut answer);
                objective.loss(&answer, *target)
            })
            .collect();
        let weighted = |(loss, weight): (&f64, f64)| (loss * weight, weight);
        let weights = self.examples.weights;
        let weight = |row: usize| weights.get(row).map_or(1.0, |w| f64::from(*w));
        let (loss, total) = losses
            .iter()
            .enumerate()
            .map(|(row, loss)| weighted((loss, weight(row))))
            .fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
        self.losses.push(loss / total);
    }

    /// The round of the lowest loss, the first of several.
    fn best(&self) -> usize {
        let better = |best: usize, at: usize| if self.losses[at] < self.losses[best] { at } else { best };
        (1..self.losses.len()).fold(0, better)
    }
}
