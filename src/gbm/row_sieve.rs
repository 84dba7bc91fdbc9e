//! Scoring one row: only the questions that it goes right at matter, and most of those are answered together.
//!
//! The questions of all trees to one column stand in the order of their bounds. A row goes right at those before its
//! cell, and each of them takes its leaves out of its tree's mask: what Lucchese et al., 2015, "QuickScorer" do. How far
//! that goes is looked up, and what comes before one of a few stops on the way is taken out in one piece, mask by mask,
//! by vector instructions. Compared with walking there is no node to wait for, and one branch to mispredict for each
//! column instead of several for each tree. See [`super::sieve`] for many rows.

use super::cells::{Cell, Cells};
use super::sieve::leaf_order;
use super::tree::Tree;

/// Leaves that one mask speaks for.
const MASK_LEAVES: usize = 32;

/// The fewest cuts between two stops, as a power of two.
const LEAST_STRIDE: u32 = 5;

/// A stop takes a word for each mask; there are so few of them that they take this many words for each cut at most.
const WORDS_PER_CUT: usize = 8;

/// What going right at a node takes out of a mask.
#[derive(Debug, Clone, Copy)]
struct Cut {
    mask: u32,
    leaves: u32,
}

/// Up to 32 neighbouring leaves of a tree.
#[derive(Debug, Clone, Copy)]
struct Mask {
    /// Where their values begin.
    first: u32,
    /// How many they are.
    len: u16,
    /// Whether they are the last of their tree.
    is_last: bool,
}

/// The cuts of all trees to one column, in the order of their bounds.
#[derive(Debug)]
struct Column {
    /// For each cell, from the lowest on, how many cuts a row in it passes; for those above all bounds nothing.
    passed: Vec<u32>,
    cuts: Vec<Cut>,
    /// Where its stops begin.
    stops: usize,
}

impl Column {
    /// How many cuts a row passes.
    #[inline]
    fn passed(&self, cell: Cell) -> usize {
        self.passed.get(above_lowest(cell)).map_or(self.cuts.len(), |passed| *passed as usize)
    }
}

#[inline]
fn above_lowest(cell: Cell) -> usize {
    (i32::from(cell) - i32::from(Cell::MIN)) as usize
}

/// All trees of a model.
#[derive(Debug)]
pub(super) struct RowSieve {
    columns: Vec<Column>,
    /// From one stop of a column to the next there are two to the power of this many cuts.
    stride: u32,
    /// What the cuts before each stop take out of all masks: column by column, stop by stop.
    stops: Vec<u32>,
    /// Tree by tree, from left to right.
    masks: Vec<Mask>,
    values: Vec<f64>,
}

impl RowSieve {
    pub(super) fn new(trees: &[Tree], cells: &Cells) -> RowSieve {
        let (mut masks, mut all_values) = (Vec::new(), Vec::new());
        let mut cuts: Vec<(u32, Cell, Cut)> = Vec::new();
        for tree in trees {
            let (values, left_of) = leaf_order(tree);
            for (number, part) in values.chunks(MASK_LEAVES).enumerate() {
                let first = number * MASK_LEAVES;
                let mask = masks.len() as u32;
                masks.push(Mask {
                    first: (all_values.len() + first) as u32,
                    len: part.len() as u16,
                    is_last: first + part.len() == values.len(),
                });
                for (node, left) in tree.nodes.iter().zip(&left_of) {
                    let question = cells.question(node);
                    let within = |leaf: usize| leaf.clamp(first, first + MASK_LEAVES) - first;
                    let leaves = ones(within(left.end)) & !ones(within(left.start));
                    if leaves != 0 {
                        cuts.push((question.column, question.bound, Cut { mask, leaves }));
                    }
                }
            }
            all_values.extend(values);
        }
        cuts.sort_by_key(|(column, bound, _)| (*column, *bound));
        let stride = (masks.len() / WORDS_PER_CUT).max(1).ilog2().max(LEAST_STRIDE);
        let mut stops = Vec::new();
        let columns = (0..cells.columns as u32).map(|column| {
            let from = cuts.partition_point(|(c, ..)| *c < column);
            let cuts = &cuts[from..cuts.partition_point(|(c, ..)| *c <= column)];
            let cells = cuts.last().map_or(0, |(_, highest, _)| above_lowest(*highest) + 1);
            let passed = (0..cells)
                .map(|cell| cuts.partition_point(|(_, bound, _)| above_lowest(*bound) < cell) as u32);
            let first_stop = stops.len();
            let mut out = vec![0; masks.len()];
            for cuts in cuts.chunks_exact(1 << stride) {
                cuts.iter().for_each(|(_, _, cut)| cut.take_out(&mut out));
                stops.extend_from_slice(&out);
            }
            let (passed, cuts) = (passed.collect(), cuts.iter().map(|(_, _, cut)| *cut).collect());
            Column { passed, cuts, stops: first_stop }
        });
        let columns = columns.collect();
        RowSieve { columns, stride, stops, masks, values: all_values }
    }

    /// Adds the raw scores of a row, given its cell in each column, tree by tree.
    pub(super) fn score(&self, cells: &[Cell], scores: &mut [f64]) {
        let mut out = vec![0_u32; self.masks.len()];
        for (cell, column) in cells.iter().zip(&self.columns) {
            let passed = column.passed(*cell);
            let stops = passed >> self.stride;
            if let Some(last) = stops.checked_sub(1) {
                let stop = &self.stops[column.stops + last * out.len()..][..out.len()];
                out.iter_mut().zip(stop).for_each(|(out, leaves)| *out |= leaves);
            }
            let rest = &column.cuts[stops << self.stride..passed];
            rest.iter().for_each(|cut| cut.take_out(&mut out));
        }
        let (mut output, mut is_found) = (0, false);
        for (mask, out) in self.masks.iter().zip(&out) {
            let leaf = out.trailing_ones();
            if !is_found && leaf < u32::from(mask.len) {
                scores[output] += self.values[(mask.first + leaf) as usize];
                is_found = true;
            }
            if mask.is_last {
                is_found = false;
                output = if output + 1 == scores.len() { 0 } else { output + 1 };
            }
        }
    }
}

impl Cut {
    #[inline]
    fn take_out(&self, out: &mut [u32]) {
        out[self.mask as usize] |= self.leaves;
    }
}

/// As many low bits.
fn ones(count: usize) -> u32 {
    if count < MASK_LEAVES { (1 << count) - 1 } else { u32::MAX }
}
