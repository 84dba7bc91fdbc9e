//! Tests of the whole module; what can be recomputed the slow way is.

mod calibration;
mod interchange;
mod learning;
mod oracle;
mod scoring;

use super::*;
use ::linfa::ParamGuard;
use ndarray::Array2;

/// Reproducible numbers from 0 to 1.
pub(super) fn random(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state += 1;
        gradient::mix(state) as f64 / u64::MAX as f64
    }
}

/// Rows whose class follows from features 0, 1 (missing in a tenth of the rows) and 2; feature 3 is noise.
pub(super) fn classes(rows: usize, seed: u64) -> (Array2<f64>, Vec<f64>) {
    let mut next = random(seed);
    let mut targets = Vec::new();
    let mut values = Vec::new();
    for _ in 0..rows {
        let row = [0; 4].map(|_| next() * 4.0 - 2.0);
        let absent = next() < 0.1;
        targets.push(if absent || row[0] * row[1] > 0.5 {
            2.0
        } else if row[2] > 0.3 {
            1.0
        } else {
            0.0
        });
        values.extend([row[0], if absent { f64::NAN } else { row[1] }, row[2], row[3]]);
    }
    (Array2::from_shape_vec((rows, 4), values).unwrap(), targets)
}

pub(super) fn names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("f{i}")).collect()
}

/// Trains without weights and validation.
pub(super) fn train(
    params: HyperParams,
    objective: Objective,
    rows: &Array2<f64>,
    targets: &[f64],
) -> Booster {
    let examples = Examples { rows: rows.view(), targets, weights: &[] };
    params.check().unwrap().train(objective, &names(rows.ncols()), examples, None).unwrap().booster
}

/// The same with so many threads.
pub(super) fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}
