//! How good verdicts are.

use serde::Serialize;

use crate::domain::Verdict;

const CLASSES: usize = Verdict::ALL.len();

/// Bins of the calibration error (Guo et al., 2017, use 15).
const BINS: usize = 15;

const EPSILON: f64 = 1e-15;

/// One class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassScore {
    /// Which.
    pub verdict: &'static str,
    /// Windows that are of it.
    pub windows: usize,
    /// Share of the verdicts that were right.
    pub precision: f64,
    /// Share of the windows that were found.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
}

/// Verdicts against labels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// Class by class; those without a window are left out.
    pub classes: Vec<ClassScore>,
    /// Mean of the classes' F1.
    pub macro_f1: f64,
    /// Mean of -ln of the probability of the truth; of probabilities only.
    pub log_loss: Option<f64>,
    /// Expected calibration error of the surest class; of probabilities only.
    pub calibration_error: Option<f64>,
    /// Labels by row, verdicts by column.
    pub confusion: [[usize; CLASSES]; CLASSES],
}

impl Metrics {
    /// Of verdicts.
    pub fn of_classes(targets: &[usize], predicted: &[usize]) -> Metrics {
        let mut confusion = [[0; CLASSES]; CLASSES];
        targets.iter().zip(predicted).for_each(|(target, got)| confusion[*target][*got] += 1);
        let share = |part: usize, all: usize| if all == 0 { 0.0 } else { part as f64 / all as f64 };
        let classes: Vec<ClassScore> = Verdict::ALL
            .iter()
            .enumerate()
            .map(|(class, verdict)| {
                let right = confusion[class][class];
                let windows: usize = confusion[class].iter().sum();
                let given: usize = confusion.iter().map(|row| row[class]).sum();
                let (precision, recall) = (share(right, given), share(right, windows));
                let f1 = share(2 * right, windows + given);
                ClassScore { verdict: verdict.as_str(), windows, precision, recall, f1 }
            })
            .filter(|score| score.windows > 0)
            .collect();
        let macro_f1 = classes.iter().map(|c| c.f1).sum::<f64>() / classes.len().max(1) as f64;
        Metrics { classes, macro_f1, log_loss: None, calibration_error: None, confusion }
    }

    /// Of probabilities; the verdict is the most probable class.
    pub fn of_probabilities(targets: &[usize], probabilities: &[Vec<f64>]) -> Metrics {
        let predicted: Vec<usize> = probabilities.iter().map(|p| surest(p)).collect();
        let mut metrics = Metrics::of_classes(targets, &predicted);
        let rows = targets.len().max(1) as f64;
        let loss: f64 = targets.iter().zip(probabilities).map(|(t, p)| -p[*t].max(EPSILON).ln()).sum();
        let mut bins = [(0.0, 0.0); BINS];
        for ((target, best), p) in targets.iter().zip(&predicted).zip(probabilities) {
            let bin = &mut bins[((p[*best] * BINS as f64) as usize).min(BINS - 1)];
            bin.0 += p[*best];
            bin.1 += f64::from(u8::from(target == best));
        }
        metrics.log_loss = Some(loss / rows);
        metrics.calibration_error =
            Some(bins.iter().map(|(sure, right)| (sure - right).abs()).sum::<f64>() / rows);
        metrics
    }
}

/// The most probable class, the first of several.
pub(super) fn surest(probabilities: &[f64]) -> usize {
    (1..probabilities.len())
        .fold(0, |best, at| if probabilities[at] > probabilities[best] { at } else { best })
}
