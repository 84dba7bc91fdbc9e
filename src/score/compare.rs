//! Two judges on the same labelled windows.

use std::collections::BTreeMap;
use std::fmt::Write;

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::Error;
use super::baseline::decide_by_rules;
use super::frame::{Block, Frame};
use super::metrics::{Metrics, surest};
use crate::domain::Verdict;
use crate::functions::RuleSet;
use crate::gbm::Model;

/// Resamplings of the interval. Efron and Tibshirani (An Introduction to the Bootstrap, 1993, chapter 14) want 1,000 for an
/// interval of 95 %.
const RESAMPLINGS: usize = 1000;

/// Seed of the resamplings: the same windows give the same interval.
const SEED: u64 = 1;

/// Who is compared.
#[derive(Debug)]
pub enum Contestant {
    /// The rules.
    Rules(RuleSet),
    /// A model, by its most probable class.
    Model(Box<Model>),
}

/// How two judges did.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The figures of each.
    pub metrics: [Metrics; 2],
    /// Macro F1 of the second less that of the first.
    pub difference: f64,
    /// 2.5 % and 97.5 % of the difference when incidents, and hours without one, are drawn again at random.
    pub interval: (f64, f64),
    /// Windows that only the first judged rightly.
    pub only_first: usize,
    /// Windows that only the second judged rightly.
    pub only_second: usize,
    /// Incidents, and hours without one, that were drawn.
    pub blocks: usize,
}

impl Contestant {
    fn judge(&self, frame: &Frame) -> Result<(Vec<usize>, Metrics), Error> {
        let targets = frame.targets();
        match self {
            Contestant::Rules(rules) => {
                let verdicts = decide_by_rules(rules, &frame.windows);
                let metrics = Metrics::of_classes(&targets, &verdicts);
                Ok((verdicts, metrics))
            }
            Contestant::Model(model) => {
                // A model has its own order of classes, and may know only some of them.
                let places: Vec<Option<usize>> = Verdict::ALL
                    .iter()
                    .map(|verdict| model.about.classes.iter().position(|class| class == verdict.as_str()))
                    .collect();
                let answers = model.probabilities(frame.rows().view())?;
                let of_row = |row: ndarray::ArrayView1<'_, f64>| -> Vec<f64> {
                    places.iter().map(|place| place.map_or(0.0, |at| row[at])).collect()
                };
                let probabilities: Vec<Vec<f64>> = answers.rows().into_iter().map(of_row).collect();
                let verdicts = probabilities.iter().map(|shares| surest(shares)).collect();
                Ok((verdicts, Metrics::of_probabilities(&targets, &probabilities)))
            }
        }
    }
}

impl Comparison {
    /// Lets two judges judge the windows of a frame.
    ///
    /// Windows of one incident are not independent, so that the interval draws whole blocks with replacement.
    pub fn of(first: &Contestant, second: &Contestant, frame: &Frame) -> Result<Comparison, Error> {
        if frame.windows.is_empty() {
            return Err(Error::Labels {
                reason: "no window with telemetry is labelled by them".into(),
                hint: "check that the incidents name regions and services as the telemetry does, and times that it covers",
            });
        }
        let targets = frame.targets();
        let ((a, first), (b, second)) = (first.judge(frame)?, second.judge(frame)?);
        let mut blocks: BTreeMap<Block, Vec<usize>> = BTreeMap::new();
        frame.blocks.iter().enumerate().for_each(|(row, block)| blocks.entry(*block).or_default().push(row));
        let blocks: Vec<Vec<usize>> = blocks.into_values().collect();
        let mut random = Pcg64Mcg::seed_from_u64(SEED);
        let mut differences: Vec<f64> = (0..RESAMPLINGS)
            .map(|_| {
                let rows: Vec<usize> = (0..blocks.len())
                    .flat_map(|_| &blocks[random.random_range(0..blocks.len())])
                    .copied()
                    .collect();
                let pick = |list: &[usize]| rows.iter().map(|row| list[*row]).collect::<Vec<_>>();
                let drawn = pick(&targets);
                let f1 = |verdicts: &[usize]| Metrics::of_classes(&drawn, &pick(verdicts)).macro_f1;
                f1(&b) - f1(&a)
            })
            .collect();
        differences.sort_by(f64::total_cmp);
        let at = |share: f64| differences[((RESAMPLINGS - 1) as f64 * share).round() as usize];
        let right = |verdicts: &[usize], row: usize| verdicts[row] == targets[row];
        let only = |one: &[usize], other: &[usize]| {
            (0..targets.len()).filter(|row| right(one, *row) && !right(other, *row)).count()
        };
        Ok(Comparison {
            difference: second.macro_f1 - first.macro_f1,
            interval: (at(0.025), at(0.975)),
            only_first: only(&a, &b),
            only_second: only(&b, &a),
            blocks: blocks.len(),
            metrics: [first, second],
        })
    }

    /// The comparison as Markdown.
    pub fn to_markdown(&self, names: [&str; 2]) -> String {
        let [first, second] = &self.metrics;
        let windows: usize = first.classes.iter().map(|class| class.windows).sum();
        let mut text = format!("{windows} windows, {} incidents and hours.\n\n", self.blocks);
        let _ = writeln!(text, "| figure | {} | {} | difference |\n|---|---:|---:|---:|", names[0], names[1]);
        let mut line = |name: String, a: Option<f64>, b: Option<f64>| {
            let show = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.4}"));
            let _ = writeln!(
                text,
                "| {name} | {} | {} | {} |",
                show(a),
                show(b),
                show(a.zip(b).map(|(a, b)| b - a))
            );
        };
        line("macro F1".into(), Some(first.macro_f1), Some(second.macro_f1));
        for (a, b) in first.classes.iter().zip(&second.classes) {
            line(format!("F1 {} ({} windows)", a.verdict, a.windows), Some(a.f1), Some(b.f1));
        }
        line("log loss".into(), first.log_loss, second.log_loss);
        line("calibration error".into(), first.calibration_error, second.calibration_error);
        let (low, high) = self.interval;
        let _ = writeln!(
            text,
            "\nMacro F1 differs by {:.4}; drawn again at random, 95 % of the differences lie from {low:.4} to {high:.4}.\n\
             Only the first is right in {} windows, only the second in {}.",
            self.difference, self.only_first, self.only_second
        );
        text
    }
}
