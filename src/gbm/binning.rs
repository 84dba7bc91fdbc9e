//! Values into bins: at most 255 bins a feature, and one for what is missing.
//!
//! Boundaries are chosen greedily. A frequent value has a bin of its own, as in LightGBM's `GreedyFindBin`; of the rest half of the
//! bins hold about equally many rows, and the others become finer towards the ends. Each boundary lies halfway between two
//! values that occurred.

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

/// Upper bounds of bins over values with their counts.
fn boundaries(distinct: &[(f64, usize)], max_bins: usize) -> Vec<f64> {
    let total: usize = distinct.iter().map(|(_, count)| count).sum();
    if distinct.len() <= max_bins {
        let mut upper = Vec::new();
        let mut filled = 0;
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
    let big = distinct.iter().filter(|(_, count)| *count as f64 >= mean).count();
    let mut shared = max_bins.saturating_sub(big).max(1);
    // Boundaries in front of frequent values come on top; where there are too many of those, the others share less.
    loop {
        let mut upper = shared_boundaries(distinct, mean, shared);
        if upper.len() < max_bins || shared == 1 {
            upper.truncate(max_bins - 1);
            return upper;
        }
        shared = (shared * 3 / 4).max(1);
    }
}

/// Boundaries where a frequent value has a bin of its own and the rest shares so many bins.
fn shared_boundaries(distinct: &[(f64, usize)], mean: f64, bins: usize) -> Vec<f64> {
    let is_big = |count: usize| count as f64 >= mean;
    let rest: usize = distinct.iter().map(|(_, count)| *count).filter(|count| !is_big(*count)).sum();
    let scale = Scale { rows: rest as f64, bins: bins as f64 };
    let mut upper = Vec::new();
    let (mut filled, mut passed, mut last) = (0, 0, scale.at(0));
    for pair in distinct.windows(2) {
        let ((value, count), (next, next_count)) = (pair[0], pair[1]);
        filled += count;
        if !is_big(count) {
            passed += count;
        }
        let share = scale.at(passed) - last;
        let is_full = filled >= MIN_BIN_ROWS && share >= 1.0;
        if is_big(count) || is_full || (is_big(next_count) && share >= 0.5) {
            upper.push(halfway(value, next));
            filled = 0;
            last = scale.at(passed);
        }
    }
    upper
}

/// How bins are shared among rows in the order of their values: one half evenly, the other evenly in the logit of the
/// rank, so that each e-th part of what is left towards either end has as many as the one before. What fails is rare and
/// lies at the ends; with even bins alone, everything beyond the last percent would be two or three values.
struct Scale {
    rows: f64,
    bins: f64,
}

impl Scale {
    /// Bins up to a rank.
    fn at(&self, rank: usize) -> f64 {
        let (rank, rows) = (rank as f64, self.rows.max(1.0));
        // Half a row keeps the ends finite: the logit goes from -widest to widest.
        let logit = ((rank + 0.5) / (rows - rank + 0.5)).ln();
        let widest = (2.0 * rows + 1.0).ln();
        self.bins * (rank / rows + (logit / widest + 1.0) / 2.0) / 2.0
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(values: &[f64], upper: &[f64]) -> Vec<usize> {
        let mut filled = vec![0; upper.len() + 1];
        values.iter().for_each(|value| filled[upper.partition_point(|bound| bound < value)] += 1);
        filled
    }

    fn upper(values: &[f64]) -> Vec<f64> {
        match FeatureBins::numeric(ArrayView1::from(values), 255) {
            FeatureBins::Numeric { upper, .. } => upper,
            FeatureBins::Categorical { .. } => unreachable!("numeric was asked for"),
        }
    }

    #[test]
    fn half_of_the_bins_are_even_and_the_others_resolve_the_ends() {
        let values: Vec<f64> = (0..100_000).map(f64::from).collect();
        let filled = filled(&values, &upper(&values));
        assert!(filled.len() > 220 && filled.len() <= 255, "{}", filled.len());
        // 127 even bins of 787 rows in the middle; the others take some of those.
        assert!(filled.iter().all(|rows| (MIN_BIN_ROWS..=800).contains(rows)), "{filled:?}");
        // The logit of the last thousandth begins at 6.9 of 12.2: 5.3 / 24.4 of 127 bins are 27, but of at least 3 rows.
        let last = |bins: &mut dyn Iterator<Item = &usize>| {
            let mut rows = 0;
            bins.take_while(|bin| {
                rows += **bin;
                rows <= 100
            })
            .count()
        };
        let (low, high) = (last(&mut filled.iter()), last(&mut filled.iter().rev()));
        assert!((12..=27).contains(&low) && (12..=27).contains(&high), "{low} and {high}: {filled:?}");
    }

    #[test]
    fn a_frequent_value_has_a_bin_but_for_a_few_neighbours() {
        // Nine of ten rows are 0, as of a measure that mostly rests.
        let values: Vec<f64> =
            (0..10_000).map(|i| if i % 10 == 0 { f64::from(i - 5000) } else { 0.0 }).collect();
        let bins = upper(&values);
        let at = bins.partition_point(|bound| *bound < 0.0);
        let rows = filled(&values, &bins)[at];
        assert!((9001..9001 + MIN_BIN_ROWS).contains(&rows), "{rows}");
        assert!(bins.len() > 150 && bins.len() < 255, "{}", bins.len());
    }

    proptest! {
        #[test]
        fn there_are_never_more_bins_than_asked_for_and_bounds_ascend(
            values in prop::collection::vec(prop_oneof![
                3 => (-50i32..50).prop_map(f64::from), 2 => -1e9..1e9f64, 1 => Just(7.0),
            ], 1..3000),
            most in 2usize..256,
        ) {
            let FeatureBins::Numeric { upper, .. } = FeatureBins::numeric(ArrayView1::from(&values), most) else {
                unreachable!("numeric was asked for")
            };
            prop_assert!(upper.len() < most);
            prop_assert!(upper.is_sorted_by(|a, b| a < b));
        }
    }
}
