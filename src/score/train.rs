//! From labelled windows to a model, with figures on windows that it had not seen.

use std::collections::BTreeMap;

use linfa::ParamGuard;
use ndarray::{Array2, Axis};

use super::Error;
use super::baseline::{SurrogateTree, decide_by_rules};
use super::folds::folds;
use super::frame::Frame;
use super::metrics::{Metrics, surest};
use super::report::{Importance, Report};
use crate::domain::{REGRESSION_FEATURES, Verdict, format_timestamp};
use crate::functions::RuleSet;
use crate::gbm::{self, About, Booster, Calibration, Examples, HyperParams, Model, Objective, schema_hash};

/// Depth of the tree that is compared with, and of the one that is read.
const BASELINE_DEPTH: usize = 6;
const SURROGATE_DEPTH: usize = 4;

/// Fewer windows of the rarest class would make isotonic steps of single windows.
const ISOTONIC_WINDOWS: usize = 1000;

/// Rows whose contributions are averaged for the importances.
const EXPLAINED_ROWS: usize = 5000;

/// How to train.
#[derive(Debug, Clone)]
pub struct Options {
    /// The most rounds of boosting; cross-validation finds how many are best.
    pub rounds: usize,
    /// The most folds.
    pub folds: usize,
    /// A verdict less probable is UNCERTAIN.
    pub min_confidence: f64,
    /// Seed of sampling.
    pub seed: u64,
    /// Seconds of a window.
    pub interval_seconds: i64,
    /// Versions of the lake's tables.
    pub lake_versions: BTreeMap<String, u64>,
}

/// How far training has come.
#[derive(Debug, Clone, Copy)]
pub enum Progress {
    /// A fold of the cross-validation is trained.
    Fold {
        /// Which, from 1.
        number: usize,
        /// Of how many.
        of: usize,
        /// Rounds of its lowest loss.
        best_round: usize,
        /// That loss, on the windows held out.
        log_loss: f64,
    },
    /// All windows are trained on, for so many rounds.
    Whole {
        /// The rounds.
        rounds: usize,
    },
}

/// A model and the report on it.
#[derive(Debug)]
pub struct Trained {
    /// The model, trained on all windows.
    pub model: Model,
    /// How it did in cross-validation.
    pub report: Report,
}

/// Hyperparameters for hundreds to many thousands of windows with few features that matter.
fn hyper_params(options: &Options) -> HyperParams {
    HyperParams::default()
        .learning_rate(0.05)
        .max_leaves(15)
        .min_child_samples(5)
        .l2(1.0)
        .column_share(0.7)
        .seed(options.seed)
}

/// Rows of one side of a division.
struct Side {
    rows: Array2<f64>,
    targets: Vec<f64>,
    weights: Vec<f32>,
}

impl Side {
    fn examples(&self) -> Examples<'_> {
        Examples { rows: self.rows.view(), targets: &self.targets, weights: &self.weights }
    }
}

/// Trains with cross-validation, and tells of its progress. `rules` are what the model is compared with.
pub fn train(
    frame: &Frame,
    rules: &RuleSet,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Trained, Error> {
    let (fold_of, fold_count) = folds(frame, options.folds)?;
    let (rows, targets) = (frame.rows(), frame.targets());
    let weights = balanced(&targets);
    let side = |keep: &dyn Fn(usize) -> bool| {
        let chosen: Vec<usize> = (0..targets.len()).filter(|row| keep(*row)).collect();
        Side {
            rows: rows.select(Axis(0), &chosen),
            targets: chosen.iter().map(|row| targets[*row] as f64).collect(),
            weights: chosen.iter().map(|row| weights[*row]).collect(),
        }
    };
    let params = hyper_params(options).iterations(options.rounds).check()?;
    let mut trained = Vec::with_capacity(fold_count);
    let mut by_tree = vec![0; targets.len()];
    let held_rows = |fold: usize| (0..targets.len()).filter(|row| fold_of[*row] == fold).collect::<Vec<_>>();
    for fold in 0..fold_count {
        // One division at a time, for each is a copy of the frame.
        let (seen, held_out) = (side(&|row| fold_of[row] != fold), side(&|row| fold_of[row] == fold));
        // Weights say what to learn from, not what counts: weighted, the loss turns long before verdicts stop getting better.
        let judged = Examples { weights: &[], ..held_out.examples() };
        let found = params.train(OBJECTIVE, &names(), seen.examples(), Some(judged))?;
        progress(Progress::Fold {
            number: fold + 1,
            of: fold_count,
            best_round: found.best_round,
            log_loss: found.validation.get(found.best_round - 1).copied().unwrap_or(f64::NAN),
        });
        trained.push(found);
        let classes: Vec<usize> = seen.targets.iter().map(|t| *t as usize).collect();
        let tree = SurrogateTree::fit(&seen.rows, &classes, &seen.weights, BASELINE_DEPTH)?;
        for (row, decision) in held_rows(fold).into_iter().zip(tree.predict(&held_out.rows)) {
            by_tree[row] = decision;
        }
    }
    let best_round = best_round(&trained);
    let mut unseen = vec![Vec::new(); targets.len()];
    for (fold, trained) in trained.iter().enumerate() {
        let held_rows = held_rows(fold);
        let answers = trained.with_rounds(best_round).answers(rows.select(Axis(0), &held_rows).view())?;
        for (row, answer) in held_rows.into_iter().zip(answers.rows()) {
            unseen[row] = answer.to_vec();
        }
    }
    let (calibration, unseen) = calibrate(&unseen, &targets)?;
    let measured = Metrics::of_probabilities(&targets, &unseen);
    let numbers: Vec<f64> = targets.iter().map(|target| *target as f64).collect();
    let examples = Examples { rows: rows.view(), targets: &numbers, weights: &weights };
    let params = hyper_params(options).iterations(best_round).check()?;
    progress(Progress::Whole { rounds: best_round });
    let booster = params.train(OBJECTIVE, &names(), examples, None)?.booster;
    let about = about(frame, options, best_round, &measured, calibration);
    let model = Model { booster, about };
    let sure = |p: &Vec<f64>| p[surest(p)] >= options.min_confidence;
    let certain: Vec<usize> = (0..targets.len()).filter(|row| sure(&unseen[*row])).collect();
    let pick = |list: &[usize]| certain.iter().map(|row| list[*row]).collect::<Vec<_>>();
    let verdicts: Vec<usize> = unseen.iter().map(|p| surest(p)).collect();
    let decided: Vec<usize> =
        model.probabilities(rows.view())?.rows().into_iter().map(|p| surest(&p.to_vec())).collect();
    let surrogate = SurrogateTree::fit(&rows, &decided, &vec![1.0; decided.len()], SURROGATE_DEPTH)?;
    let agreeing = surrogate.predict(&rows).iter().zip(&decided).filter(|(a, b)| a == b).count();
    let report = Report {
        windows: targets.len(),
        folds: fold_count,
        best_round,
        model: measured,
        certain_share: certain.len() as f64 / targets.len() as f64,
        certain: Metrics::of_classes(&pick(&targets), &pick(&verdicts)),
        rules: Metrics::of_classes(&targets, &decide_by_rules(rules, &frame.windows)),
        linfa_tree: Metrics::of_classes(&targets, &by_tree),
        importances: importances(&model.booster, &rows)?,
        surrogate: surrogate.rules(),
        surrogate_agreement: agreeing as f64 / decided.len() as f64,
    };
    Ok(Trained { model, report })
}

/// How far weights make classes alike: 0 not at all, 1 entirely. Entirely, every missed window of a rare class costs hundreds
/// of false alarms; not at all, a rare class is never worth a verdict.
const BALANCE: f64 = 0.5;

/// Weights that make classes more alike.
fn balanced(targets: &[usize]) -> Vec<f32> {
    let mut counts = [0_usize; Verdict::ALL.len()];
    targets.iter().for_each(|target| counts[*target] += 1);
    let present = counts.iter().filter(|count| **count > 0).count();
    targets
        .iter()
        .map(|target| (targets.len() as f64 / (present * counts[*target]) as f64).powf(BALANCE) as f32)
        .collect()
}

fn names() -> Vec<String> {
    REGRESSION_FEATURES.map(str::to_owned).to_vec()
}

const OBJECTIVE: Objective = Objective::Multiclass { classes: Verdict::ALL.len() };

/// The number of rounds with the lowest mean loss over the folds.
fn best_round(trained: &[gbm::Trained]) -> usize {
    let shortest = trained.iter().map(|fold| fold.validation.len()).min().unwrap_or(1);
    let mean = |round: usize| trained.iter().map(|fold| fold.validation[round]).sum::<f64>();
    (1..shortest).fold(0, |best, round| if mean(round) < mean(best) { round } else { best }) + 1
}

/// Learns the calibration from answers of the folds, and applies it to them.
fn calibrate(unseen: &[Vec<f64>], targets: &[usize]) -> Result<(Calibration, Vec<Vec<f64>>), Error> {
    let mut answers = Array2::from_shape_fn((unseen.len(), Verdict::ALL.len()), |(row, at)| unseen[row][at]);
    let mut counts = [0_usize; Verdict::ALL.len()];
    targets.iter().for_each(|target| counts[*target] += 1);
    let calibration = if counts.iter().all(|count| *count >= ISOTONIC_WINDOWS) {
        Calibration::isotonic(answers.view(), targets)?
    } else {
        Calibration::temperature(answers.view(), targets)?
    };
    answers.rows_mut().into_iter().for_each(|row| calibration.apply(row));
    Ok((calibration, answers.rows().into_iter().map(|row| row.to_vec()).collect()))
}

fn about(
    frame: &Frame,
    options: &Options,
    best_round: usize,
    measured: &Metrics,
    calibration: Calibration,
) -> About {
    let mut class_rows = BTreeMap::new();
    frame.verdicts.iter().for_each(|v| *class_rows.entry(v.as_str().to_owned()).or_default() += 1);
    let mut figures = BTreeMap::from([("macro_f1".to_owned(), measured.macro_f1)]);
    figures.extend(measured.log_loss.map(|loss| ("log_loss".to_owned(), loss)));
    figures.extend(measured.calibration_error.map(|error| ("calibration_error".to_owned(), error)));
    for class in &measured.classes {
        figures.insert(format!("f1_{}", class.verdict.to_lowercase()), class.f1);
    }
    About {
        classes: Verdict::ALL.iter().map(|v| v.as_str().to_owned()).collect(),
        schema_hash: schema_hash(&REGRESSION_FEATURES),
        trained_from: frame.windows.iter().map(|w| w.time.0).min().map(format_timestamp),
        trained_to: frame.windows.iter().map(|w| w.time.1).max().map(format_timestamp),
        interval_seconds: Some(options.interval_seconds),
        class_rows,
        lake_versions: options.lake_versions.clone(),
        best_round,
        metrics: figures,
        calibration,
        min_confidence: options.min_confidence,
    }
}

fn importances(booster: &Booster, rows: &Array2<f64>) -> Result<Vec<Importance>, Error> {
    let step = rows.nrows().div_ceil(EXPLAINED_ROWS).max(1);
    let some = rows.slice(ndarray::s![..;step, ..]);
    let contributions = booster.contributions(some)?;
    let gains = booster.gains();
    let total = gains.sum().max(f64::MIN_POSITIVE);
    let width = REGRESSION_FEATURES.len() + 1;
    let mut listed: Vec<Importance> = REGRESSION_FEATURES
        .iter()
        .enumerate()
        .map(|(feature, name)| {
            let of_feature = (0..booster.outputs()).map(|output| {
                contributions.column(output * width + feature).iter().map(|c| c.abs()).sum::<f64>()
            });
            let shap = of_feature.sum::<f64>() / some.nrows() as f64;
            Importance { feature: name, gain: gains[feature] / total, shap }
        })
        .collect();
    listed.sort_by(|a, b| b.gain.total_cmp(&a.gain));
    Ok(listed)
}
