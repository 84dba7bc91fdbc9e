//! Values as small whole numbers, so that a node compares integers.
//!
//! The thresholds of all nodes divide a feature's values into cells that no node tells apart; a value becomes the number
//! of its cell. What a node does with NaN and zero depends on the node, so a feature has a column of cells for each way
//! of reading it: where NaN goes left it is the lowest cell of the column, where it goes right the highest. A set of
//! categories is a column of its own, with two cells.

use std::{array, slice};

use ndarray::{ArrayView1, ArrayView2};

use super::tree::{Missing, Node, Rule, Tree, ZERO};

/// A cell: compared as `i16`, the widest type that processors without extensions compare eight at a time.
pub(super) type Cell = i16;

/// Below and above all thresholds.
const LOWEST: Cell = Cell::MIN;
const HIGHEST: Cell = Cell::MAX;

/// Values whose cells are searched side by side, so that one need not wait for the other.
const LANES: usize = 8;

/// How a node reads a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading {
    missing: Missing,
    /// Where what is missing goes; nothing is missing for [`Missing::None`].
    left: bool,
}

/// The cells of one feature.
#[derive(Debug, Default)]
struct Feature {
    /// Thresholds, ascending, and at least one infinity that makes their number a power of two.
    bounds: Vec<f64>,
    readings: Vec<(Reading, usize)>,
    /// Bit sets of categories.
    sets: Vec<(Vec<u32>, usize)>,
    /// The cell of zero, as which NaN is read where nothing is missing.
    zero: Cell,
}

/// The cells of all features.
#[derive(Debug)]
pub(super) struct Cells {
    features: Vec<Feature>,
    /// How many columns there are.
    pub(super) columns: usize,
}

/// What a node asks: whether the cell in a column is above a bound. Then it goes right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    pub(super) column: u32,
    pub(super) bound: Cell,
}

impl Cells {
    pub(super) fn new(trees: &[Tree], width: usize) -> Cells {
        let mut features: Vec<Feature> = (0..width).map(|_| Feature::default()).collect();
        let mut columns = 0;
        for node in trees.iter().flat_map(|tree| &tree.nodes) {
            let feature = &mut features[node.feature];
            let new = match &node.rule {
                Rule::Numeric { threshold, missing, default_left } => {
                    feature.bounds.push(*threshold);
                    let reading = Reading::new(*missing, *default_left);
                    let new = feature.readings.iter().all(|(known, _)| *known != reading);
                    new.then(|| feature.readings.push((reading, columns)))
                }
                Rule::Categorical { bits } => {
                    let new = feature.sets.iter().all(|(known, _)| known != bits);
                    new.then(|| feature.sets.push((bits.clone(), columns)))
                }
            };
            columns += usize::from(new.is_some());
        }
        for Feature { bounds, zero, .. } in &mut features {
            bounds.sort_unstable_by(f64::total_cmp);
            bounds.dedup();
            bounds.resize((bounds.len() + 1).next_power_of_two(), f64::INFINITY);
            *zero = numbered(below(|_| bounds, &[0.0])[0]);
        }
        Cells { features, columns }
    }

    /// The question of a node of these trees.
    pub(super) fn question(&self, node: &Node) -> Question {
        let feature = &self.features[node.feature];
        let (column, bound) = match &node.rule {
            Rule::Numeric { threshold, missing, default_left } => {
                let reading = Reading::new(*missing, *default_left);
                let column =
                    feature.readings.iter().find(|(known, _)| *known == reading).map(|found| found.1);
                (column, numbered(feature.bounds.partition_point(|bound| bound < threshold)))
            }
            Rule::Categorical { bits } => {
                (feature.sets.iter().find(|(known, _)| known == bits).map(|found| found.1), LOWEST)
            }
        };
        Question { column: column.expect("the columns were made from these nodes") as u32, bound }
    }

    /// The cells of some rows, column by column.
    pub(super) fn of_rows(&self, rows: &ArrayView2<'_, f64>) -> Vec<Cell> {
        let mut cells = vec![0; self.columns * rows.nrows()];
        let (mut values, mut ranks) = (vec![0.0; rows.nrows()], vec![0; rows.nrows()]);
        for (at, feature) in self.features.iter().enumerate() {
            if feature.readings.is_empty() && feature.sets.is_empty() {
                continue;
            }
            values.iter_mut().zip(rows.column(at)).for_each(|(to, value)| *to = *value);
            feature.rank(&values, &mut ranks);
            feature.fill(&values, &ranks, &mut cells);
        }
        cells
    }

    /// The cells of one row, which searches several features side by side.
    pub(super) fn of_row(&self, row: ArrayView1<'_, f64>) -> Vec<Cell> {
        let mut cells = vec![0; self.columns];
        let mut fill = |feature: &Feature, value: f64, rank: usize| {
            feature.fill(slice::from_ref(&value), slice::from_ref(&numbered(rank)), &mut cells);
        };
        let (blocks, rest) = self.features.as_chunks::<LANES>();
        for (number, features) in blocks.iter().enumerate() {
            let values: [f64; LANES] = array::from_fn(|lane| row[number * LANES + lane]);
            let ranks = below(|lane| &features[lane].bounds, &values);
            features
                .iter()
                .zip(values.iter().zip(ranks))
                .for_each(|(f, (value, rank))| fill(f, *value, rank));
        }
        for (feature, value) in rest.iter().zip(row.iter().skip(blocks.len() * LANES)) {
            fill(feature, *value, below(|_| &feature.bounds, &[*value])[0]);
        }
        cells
    }
}

impl Feature {
    /// The cells of values between the bounds.
    fn rank(&self, values: &[f64], ranks: &mut [Cell]) {
        let (blocks, rest) = values.as_chunks::<LANES>();
        let (rank_blocks, rank_rest) = ranks.as_chunks_mut::<LANES>();
        for (ranks, values) in rank_blocks.iter_mut().zip(blocks) {
            *ranks = below(|_| &self.bounds, values).map(numbered);
        }
        for (rank, value) in rank_rest.iter_mut().zip(rest) {
            *rank = numbered(below(|_| &self.bounds, &[*value])[0]);
        }
    }

    /// Writes the cells of values that were ranked into the columns of the feature.
    fn fill(&self, values: &[f64], ranks: &[Cell], cells: &mut [Cell]) {
        for (reading, column) in &self.readings {
            let cells = &mut cells[column * values.len()..][..values.len()];
            let special = match reading.missing {
                Missing::None => self.zero,
                _ if reading.left => LOWEST,
                _ => HIGHEST,
            };
            let zero = reading.missing == Missing::Zero;
            for ((cell, value), rank) in cells.iter_mut().zip(values).zip(ranks) {
                let is_special = value.is_nan() | (zero & (value.abs() <= ZERO));
                *cell = if is_special { special } else { *rank };
            }
        }
        for (bits, column) in &self.sets {
            let rule = Rule::Categorical { bits: bits.clone() };
            let cells = &mut cells[column * values.len()..][..values.len()];
            for (cell, value) in cells.iter_mut().zip(values) {
                *cell = if rule.goes_left(*value) { LOWEST } else { HIGHEST };
            }
        }
    }
}

impl Reading {
    fn new(missing: Missing, left: bool) -> Reading {
        Reading { missing, left: left && missing != Missing::None }
    }
}

/// The cell above so many thresholds: never the lowest or the highest, for models have fewer thresholds than that.
#[inline]
fn numbered(rank: usize) -> Cell {
    (rank as i32 + 1 + i32::from(Cell::MIN)) as Cell
}

/// How many of its bounds are below each value. The number of bounds is a power of two, and the last is below nothing: so
/// there is no branch to mispredict, and a search among few bounds may go on as long as one among many.
#[inline]
fn below<'a, const LANES: usize>(
    bounds_of: impl Fn(usize) -> &'a [f64],
    values: &[f64; LANES],
) -> [usize; LANES] {
    let longest = (0..LANES).map(|lane| bounds_of(lane).len()).max().unwrap_or(1);
    let mut ranks = [0; LANES];
    for shift in (0..longest.ilog2()).rev() {
        for (lane, (rank, value)) in ranks.iter_mut().zip(values).enumerate() {
            let bounds = bounds_of(lane);
            let bound = bounds[(*rank + (1 << shift) - 1) & (bounds.len() - 1)];
            *rank += usize::from(bound < *value) << shift;
        }
    }
    ranks
}
