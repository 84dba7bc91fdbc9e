//! Probabilities that mean what they say, learned on rows that the model was not trained on.
//!
//! - Temperature: every probability to the power 1/T, normalised (Guo et al., 2017, "On Calibration of Modern Neural
//!   Networks"). One number, so that few rows are enough; the most probable class stays the same.
//! - Isotonic: for each class the non-decreasing steps that fit best (pool adjacent violators; Zadrozny and Elkan, 2002,
//!   "Transforming classifier scores into accurate multiclass probability estimates"), with straight lines between.

use ndarray::{ArrayView2, ArrayViewMut1};
use serde::{Deserialize, Serialize};

use super::Error;

/// Temperatures are looked for between 1 / this and this.
const MAX_TEMPERATURE: f64 = 20.0;

/// The golden section leaves a stretch of 20^2 * 0.618^60, far below what matters.
const SEARCH_STEPS: usize = 60;

const EPSILON: f64 = 1e-15;

/// How raw probabilities become calibrated ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calibration {
    /// As they are.
    None,
    /// To the power 1/T.
    Temperature(f64),
    /// For each class points (raw, calibrated), ascending.
    Isotonic(Vec<Vec<(f64, f64)>>),
}

fn check(probabilities: &ArrayView2<'_, f64>, targets: &[usize]) -> Result<(), Error> {
    let (rows, classes) = probabilities.dim();
    let reason = if rows == 0 || rows != targets.len() {
        format!("expected as many targets as rows, got {} for {rows}", targets.len())
    } else if let Some(target) = targets.iter().find(|target| **target >= classes) {
        format!("expected classes below {classes}, got {target}")
    } else {
        return Ok(());
    };
    Err(Error::Calibration { reason })
}

impl Calibration {
    /// The temperature of the lowest log loss.
    ///
    /// Were every row right, nothing but certainty would do; so one row in n + 2 is taken to be wrong (Platt, 1999,
    /// "Probabilistic Outputs for Support Vector Machines").
    pub fn temperature(probabilities: ArrayView2<'_, f64>, targets: &[usize]) -> Result<Self, Error> {
        check(&probabilities, targets)?;
        let doubt = 1.0 / (targets.len() as f64 + 2.0);
        let loss = |log_temperature: f64| {
            let calibration = Calibration::Temperature(log_temperature.exp());
            let each = probabilities.rows().into_iter().zip(targets).map(|(row, target)| {
                let mut row = row.to_owned();
                calibration.apply(row.view_mut());
                row.mapv_inplace(|p| -p.max(EPSILON).ln());
                let others = (row.sum() - row[*target]) / (row.len() as f64 - 1.0).max(1.0);
                row[*target] * (1.0 - doubt) + others * doubt
            });
            each.sum::<f64>()
        };
        let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
        let (mut low, mut high) = (-MAX_TEMPERATURE.ln(), MAX_TEMPERATURE.ln());
        for _ in 0..SEARCH_STEPS {
            let (a, b) = (high - golden * (high - low), low + golden * (high - low));
            if loss(a) <= loss(b) { high = b } else { low = a }
        }
        Ok(Calibration::Temperature(((low + high) / 2.0).exp()))
    }

    /// Isotonic steps for each class.
    pub fn isotonic(probabilities: ArrayView2<'_, f64>, targets: &[usize]) -> Result<Self, Error> {
        check(&probabilities, targets)?;
        let curve = |class: usize| {
            let hit = |target: &usize| f64::from(u8::from(*target == class));
            let column = probabilities.column(class);
            let mut points: Vec<(f64, f64)> = column.iter().copied().zip(targets.iter().map(hit)).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
            pool(&points)
        };
        Ok(Calibration::Isotonic((0..probabilities.ncols()).map(curve).collect()))
    }

    /// Calibrates the probabilities of one row.
    pub fn apply(&self, mut row: ArrayViewMut1<'_, f64>) {
        match self {
            Calibration::None => return,
            Calibration::Temperature(t) => row.mapv_inplace(|p| p.max(EPSILON).powf(1.0 / t)),
            Calibration::Isotonic(curves) => {
                row.iter_mut().zip(curves).for_each(|(p, curve)| *p = interpolate(curve, *p));
            }
        }
        let total = row.sum();
        let even = 1.0 / row.len() as f64;
        row.mapv_inplace(|p| if total > 0.0 { p / total } else { even });
    }
}

/// Neighbours that fall are put together until none does; a point for each end of each step.
fn pool(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    struct Step {
        from: f64,
        to: f64,
        sum: f64,
        count: f64,
    }
    let mean = |step: &Step| step.sum / step.count;
    let mut steps: Vec<Step> = Vec::new();
    for (x, y) in points {
        let mut step = Step { from: *x, to: *x, sum: *y, count: 1.0 };
        while let Some(before) = steps.pop_if(|before| mean(before) >= mean(&step) || before.to == step.from)
        {
            step = Step {
                from: before.from,
                to: step.to,
                sum: before.sum + step.sum,
                count: before.count + step.count,
            };
        }
        steps.push(step);
    }
    let mut curve: Vec<(f64, f64)> =
        steps.iter().flat_map(|step| [(step.from, mean(step)), (step.to, mean(step))]).collect();
    curve.dedup();
    curve
}

fn interpolate(curve: &[(f64, f64)], x: f64) -> f64 {
    let after = curve.partition_point(|(at, _)| *at < x);
    match (after.checked_sub(1).map(|i| curve[i]), curve.get(after)) {
        (None, Some((_, y))) => *y,
        (Some((_, y)), None) => y,
        (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
        (None, None) => x,
    }
}
