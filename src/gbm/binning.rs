//! Values into bins: at most 255 quantile bins a feature, and one for what is missing.
//!
//! Boundaries are chosen greedily so that bins hold about equally many rows and a frequent value has a bin of
//! its own, as in LightGBM's `GreedyFindBin`. Each lies halfway between two values that occurred.

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

use super::hyperparams::{MIN_BIN_ROWS, ValidHyperParams};

/// Rows that boundaries are found from; more would not move them much (LightGBM's `bin_construct_sample_cnt`).
const SAMPLE_ROWS: usize = 200_000;

/// Categories are whole numbers below this, so that their bit sets stay small.
pub(super) const MAX_CATEGORY: f64 = 65_536.0;

/// How the values of one feature become bins.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum FeatureBins {
    /// Bin `i` holds values up to and with `upper[i]` and above `upper[i - 1]`; the last has no bound. Where
    /// `missing`, one bin more holds NaN.
    Numeric {
        /// Upper bounds, ascending, of all bins but the last.
        upper: Vec<f64>,
        /// Whether NaN occurred.
        missing: bool,
    },
    /// Bin 0 holds what is missing, no category or too rare; bin `i` the category `categories[i - 1]`.
    Categorical {
        /// Most frequent first.
        categories: Vec<u32>,
    },
}

impl FeatureBins {
    /// Bins of a numeric feature.
    pub(super) fn numeric(values: ArrayView1<'_, f64>, max_bins: usize) -> FeatureBins {
        let missing = values.iter().any(|v| v.is_nan());
        let step = values.len().div_ceil(SAMPLE_ROWS).max(1);
        let mut sample: Vec<f64> = values.iter().copied().step_by(step).filter(|v| !v.is_nan()).collect();
        // -0.0 and 0.0 are one value.
        sample.iter_mut().for_each(|v| *v += 0.0);
        sample.sort_unstable_by(f64::total_cmp);
        let mut distinct: Vec<(f64, usize)> = Vec::new();
        for value in sample {
            match distinct.last_mut() {
                Some((last, count)) if *last == value => *count += 1,
                _ => distinct.push((value, 1)),
            }
        }
        FeatureBins::Numeric { upper: boundaries(&distinct, max_bins), missing }
    }

    /// Bins of a categorical feature.
    pub(super) fn categorical(values: ArrayView1<'_, f64>, max_bins: usize) -> FeatureBins {
        let mut seen: Vec<u32> = values.iter().filter_map(|v| category(*v)).collect();
        seen.sort_unstable();
        let mut counts: Vec<(usize, u32)> =
            seen.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0])).collect();
        counts.sort_unstable_by_key(|(count, category)| (std::cmp::Reverse(*count), *category));
        counts.truncate(max_bins - 1);
        FeatureBins::Categorical { categories: counts.into_iter().map(|(_, category)| category).collect() }
    }

    /// How many bins there are.
    pub(super) fn count(&self) -> usize {
        match self {
            FeatureBins::Numeric { upper, missing } => upper.len() + 1 + usize::from(*missing),
            FeatureBins::Categorical { categories } => categories.len() + 1,
        }
    }

    /// The bin of a value.
    pub(super) fn bin(&self, value: f64) -> u8 {
        let bin = match self {
            FeatureBins::Numeric { upper, missing } => match value.is_nan() {
                true if *missing => upper.len() + 1,
                _ => upper.partition_point(|bound| *bound < value),
            },
            FeatureBins::Categorical { categories } => category(value)
                .and_then(|c| categories.iter().position(|known| *known == c))
                .map_or(0, |position| position + 1),
        };
        bin as u8
    }
}

/// The category that a value stands for; NaN, negative and huge values stand for none.
pub(super) fn category(value: f64) -> Option<u32> {
    (value > -1.0 && value < MAX_CATEGORY).then_some(value as u32)
}

fn boundaries(distinct: &[(f64, usize)], max_bins: usize) -> Vec<f64> {
    let total: usize = distinct.iter().map(|(_, count)| count).sum();
    let mut upper = Vec::new();
    let mut filled = 0;
    if distinct.len() <= max_bins {
        for pair in distinct.windows(2) {
            filled += pair[0].1;
            if filled >= MIN_BIN_ROWS {
                upper.push(halfway(pair[0].0, pair[1].0));
                filled = 0;
            }
        }
        return upper;
    }
    let max_bins = max_bins.min(total / MIN_BIN_ROWS).max(1);
    let mean = total as f64 / max_bins as f64;
    let is_big = |count: usize| count as f64 >= mean;
    let big: Vec<usize> = distinct.iter().map(|(_, count)| *count).filter(|c| is_big(*c)).collect();
    let mut rest_rows = total - big.iter().sum::<usize>();
    let mut rest_bins = max_bins - big.len();
    let mut size = rest_rows as f64 / rest_bins.max(1) as f64;
    for pair in distinct.windows(2) {
        let ((value, count), (next, next_count)) = (pair[0], pair[1]);
        filled += count;
        if !is_big(count) {
            rest_rows -= count;
        }
        let full = filled as f64 >= size;
        if is_big(count) || full || (is_big(next_count) && filled as f64 >= (size * 0.5).max(1.0)) {
            upper.push(halfway(value, next));
            filled = 0;
            if upper.len() + 1 >= max_bins {
                break;
            }
            if !is_big(count) {
                rest_bins = rest_bins.saturating_sub(1);
                size = rest_rows as f64 / rest_bins.max(1) as f64;
            }
        }
    }
    upper
}

/// A bound between two neighbours: at least the lower, below the upper.
fn halfway(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    if middle >= low && middle < high { middle } else { low }
}

/// A table of values as bins, row by row.
#[derive(Debug)]
pub(super) struct Binned {
    pub(super) features: Vec<FeatureBins>,
    /// Each row in so many words, of a byte for each feature.
    pub(super) rows: Vec<u64>,
    pub(super) words: usize,
    /// Features of one word; spread evenly, so that all words cost the same.
    pub(super) per_word: usize,
    pub(super) len: usize,
}

/// Rows that are turned from columns at a time.
const BLOCK_ROWS: usize = 4096;

impl Binned {
    /// Finds bins and fills them.
    pub(super) fn new(values: ArrayView2<'_, f64>, params: &ValidHyperParams) -> Binned {
        let (len, width) = values.dim();
        let made: Vec<(FeatureBins, Vec<u8>)> = (0..width)
            .into_par_iter()
            .map(|feature| {
                let column = values.column(feature).to_owned();
                let bins = if params.categorical.contains(&feature) {
                    FeatureBins::categorical(column.view(), params.max_bins)
                } else {
                    FeatureBins::numeric(column.view(), params.max_bins)
                };
                let column = column.iter().map(|v| bins.bin(*v)).collect();
                (bins, column)
            })
            .collect();
        let (features, columns): (Vec<FeatureBins>, Vec<Vec<u8>>) = made.into_iter().unzip();
        let words = width.div_ceil(size_of::<u64>()).max(1);
        let per_word = width.div_ceil(words).max(1);
        let mut binned = Binned { features, rows: vec![0; len * words], words, per_word, len };
        let mut rows = std::mem::take(&mut binned.rows);
        rows.par_chunks_mut(BLOCK_ROWS * words).enumerate().for_each(|(block, rows)| {
            for (feature, column) in columns.iter().enumerate() {
                let (word, shift) = binned.slot(feature);
                let column = &column[block * BLOCK_ROWS..];
                for (row, bin) in rows.chunks_exact_mut(words).zip(column) {
                    row[word] |= u64::from(*bin) << shift;
                }
            }
        });
        Binned { rows, ..binned }
    }

    /// How many features there are.
    pub(super) fn width(&self) -> usize {
        self.features.len()
    }

    /// The word of a feature, and the first of its bits there.
    pub(super) fn slot(&self, feature: usize) -> (usize, usize) {
        (feature / self.per_word, feature % self.per_word * 8)
    }

    /// The bin of a row's value.
    pub(super) fn bin(&self, row: usize, feature: usize) -> u8 {
        let (word, shift) = self.slot(feature);
        (self.rows[row * self.words + word] >> shift) as u8
    }
}
