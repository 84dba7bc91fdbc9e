//! Scoring one row: only the questions that it goes right at are met at all.
//!
//! The questions of all trees to one column stand in the order of their bounds. A row goes right at those before its
//! cell, so they are read from the first until the last of them, and each takes its leaves out of its tree's mask: what
//! Lucchese et al., 2015, "QuickScorer" do. Compared with walking there is no node to wait for, and one branch to
//! mispredict for each column instead of several for each tree. See [`super::sieve`] for many rows.

use std::ops::Range;

use super::cells::{Cell, Cells};
use super::sieve::leaf_order;
use super::tree::Tree;

/// Leaves that one mask speaks for.
const MASK_LEAVES: usize = 64;

/// What going right at a node takes out of a mask.
#[derive(Debug, Clone, Copy)]
struct Cut {
    bound: Cell,
    mask: u32,
    leaves: u64,
}

/// Up to 64 neighbouring leaves of a tree.
#[derive(Debug, Clone, Copy)]
struct Mask {
    /// Where their values begin.
    first: usize,
    len: usize,
}

/// All trees of a model.
#[derive(Debug)]
pub(super) struct RowSieve {
    /// For each column its cuts.
    columns: Vec<Range<usize>>,
    cuts: Vec<Cut>,
    masks: Vec<Mask>,
    /// For each tree its masks, from left to right.
    trees: Vec<Range<usize>>,
    values: Vec<f64>,
}

impl RowSieve {
    pub(super) fn new(trees: &[Tree], cells: &Cells) -> RowSieve {
        let mut sieve = RowSieve {
            columns: Vec::new(),
            cuts: Vec::new(),
            masks: Vec::new(),
            trees: Vec::new(),
            values: Vec::new(),
        };
        let mut cuts: Vec<(u32, Cut)> = Vec::new();
        for tree in trees {
            let (values, left_of) = leaf_order(tree);
            let first_mask = sieve.masks.len();
            for (number, part) in values.chunks(MASK_LEAVES).enumerate() {
                let first = number * MASK_LEAVES;
                let mask = sieve.masks.len() as u32;
                sieve.masks.push(Mask { first: sieve.values.len() + first, len: part.len() });
                for (node, left) in tree.nodes.iter().zip(&left_of) {
                    let question = cells.question(node);
                    let within = |leaf: usize| leaf.clamp(first, first + MASK_LEAVES) - first;
                    let leaves = ones(within(left.end)) & !ones(within(left.start));
                    if leaves != 0 {
                        cuts.push((question.column, Cut { bound: question.bound, mask, leaves }));
                    }
                }
            }
            sieve.values.extend(values);
            sieve.trees.push(first_mask..sieve.masks.len());
        }
        cuts.sort_by_key(|(column, cut)| (*column, cut.bound));
        sieve.columns = (0..cells.columns as u32)
            .map(|column| {
                cuts.partition_point(|(c, _)| *c < column)..cuts.partition_point(|(c, _)| *c <= column)
            })
            .collect();
        sieve.cuts = cuts.into_iter().map(|(_, cut)| cut).collect();
        sieve
    }

    /// Adds the raw scores of a row, given its cell in each column, tree by tree.
    pub(super) fn score(&self, cells: &[Cell], scores: &mut [f64]) {
        let mut out = vec![0_u64; self.masks.len()];
        for (cell, cuts) in cells.iter().zip(&self.columns) {
            for cut in self.cuts[cuts.clone()].iter().take_while(|cut| cut.bound < *cell) {
                out[cut.mask as usize] |= cut.leaves;
            }
        }
        let outputs = scores.len();
        let mut output = 0;
        for tree in &self.trees {
            for (mask, out) in self.masks[tree.clone()].iter().zip(&out[tree.clone()]) {
                let leaf = out.trailing_ones() as usize;
                if leaf < mask.len {
                    scores[output] += self.values[mask.first + leaf];
                    break;
                }
            }
            output = if output + 1 == outputs { 0 } else { output + 1 };
        }
    }
}

/// As many low bits.
fn ones(count: usize) -> u64 {
    if count < MASK_LEAVES { (1 << count) - 1 } else { u64::MAX }
}
