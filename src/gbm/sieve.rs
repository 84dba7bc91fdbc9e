//! Scoring many rows without walking down trees.
//!
//! The leaves of a tree are numbered from left to right. Who goes right at a node cannot reach the leaves left of it; when
//! all nodes have been asked, the first leaf that remains is the one that walking finds (Lucchese et al., 2015,
//! "QuickScorer"). There is no branch to mispredict and no node to wait for, and one instruction puts a question to
//! several rows (Lucchese et al., 2016, "Exploiting CPU SIMD Extensions to Speed-up Document Scoring with Tree Ensembles").
//! Masks have as many bits as cells, so that comparing and masking go hand in hand; bigger trees take several masks, each
//! with the nodes that matter to its leaves.

use super::cells::{Cell, Cells, Question};
use super::tree::{Child, Node, Tree};

/// Leaves that one mask speaks for.
const MASK_LEAVES: usize = 16;

/// Masks whose first remaining leaf is looked for in one step.
const MASKS: usize = 4;

/// The most rows that are scored together: their cells stay in the cache nearest to the processor.
pub(super) const BLOCK_ROWS: usize = 256;

/// A node's question with the leaves of one mask that are out of reach where the answer is to go right.
#[derive(Debug, Clone, Copy)]
struct Cut {
    question: Question,
    leaves: u16,
}

/// Up to 64 neighbouring leaves of a tree.
#[derive(Debug)]
struct Stretch {
    /// For each mask the questions that matter.
    masks: Vec<Vec<Cut>>,
    values: Vec<f64>,
}

/// All trees of a model, each as stretches from right to left.
#[derive(Debug)]
pub(super) struct Sieve(Vec<Vec<Stretch>>);

impl Sieve {
    pub(super) fn new(trees: &[Tree], cells: &Cells) -> Sieve {
        Sieve(trees.iter().map(|tree| stretches(tree, cells)).collect())
    }

    /// Adds the raw scores of rows, given their cells, tree by tree. The scores stand output by output, `rows` a time.
    pub(super) fn score(&self, cells: &[Cell], rows: usize, outputs: usize, scores: &mut [f64]) {
        let mut values = [0.0; BLOCK_ROWS];
        let mut out = [[0; BLOCK_ROWS]; MASKS];
        let values = &mut values[..rows];
        for (number, tree) in self.0.iter().enumerate() {
            for stretch in tree {
                stretch.sift(cells, &mut out, values);
            }
            let scores = &mut scores[number % outputs * rows..][..rows];
            scores.iter_mut().zip(&*values).for_each(|(score, value)| *score += value);
        }
    }
}

impl Stretch {
    /// Sets the values of the rows that reach a leaf here, or passed by it to one further right.
    fn sift(&self, cells: &[Cell], out: &mut [[u16; BLOCK_ROWS]; MASKS], values: &mut [f64]) {
        let rows = values.len();
        for (cuts, out) in self.masks.iter().zip(out.iter_mut()) {
            let out = &mut out[..rows];
            out.fill(0);
            // Two at a time halve what is read and written again.
            let (pairs, rest) = cuts.as_chunks::<2>();
            for [first, second] in pairs {
                ask_two(first, second, cells, out);
            }
            for cut in rest {
                ask(cut, cells, out);
            }
        }
        let [first, second, third, fourth] = &*out;
        if self.masks.len() <= 2 {
            for ((value, first), second) in values.iter_mut().zip(first).zip(second) {
                let out = u32::from(*first) | u32::from(*second) << 16;
                if let Some(leaf) = self.values.get(out.trailing_ones() as usize) {
                    *value = *leaf;
                }
            }
            return;
        }
        for (row, value) in values.iter_mut().enumerate() {
            let low = u64::from(first[row]) | u64::from(second[row]) << 16;
            let high = u64::from(third[row]) | u64::from(fourth[row]) << 16;
            if let Some(leaf) = self.values.get((low | high << 32).trailing_ones() as usize) {
                *value = *leaf;
            }
        }
    }
}

impl Cut {
    /// The cells that the question is put to.
    #[inline]
    fn column<'a>(&self, cells: &'a [Cell], rows: usize) -> &'a [Cell] {
        &cells[self.question.column as usize * rows..][..rows]
    }

    /// The leaves that are out of reach of a row.
    #[inline]
    fn out_of_reach(&self, cell: Cell) -> u16 {
        -i16::from(cell > self.question.bound) as u16 & self.leaves
    }
}

/// Puts a question to all rows: a plain loop over slices of one length, which compilers turn into vector instructions
/// whatever else they inline. (With a loop over questions inside, that hung on how the crate was divided for building.)
fn ask(cut: &Cut, cells: &[Cell], out: &mut [u16]) {
    let column = cut.column(cells, out.len());
    for (out, cell) in out.iter_mut().zip(column) {
        *out |= cut.out_of_reach(*cell);
    }
}

/// The same, two questions in one pass.
fn ask_two(first: &Cut, second: &Cut, cells: &[Cell], out: &mut [u16]) {
    let (one, two) = (first.column(cells, out.len()), second.column(cells, out.len()));
    for ((out, one), two) in out.iter_mut().zip(one).zip(two) {
        *out |= first.out_of_reach(*one) | second.out_of_reach(*two);
    }
}

/// The leaves' values from left to right, and for each node which of them are left of it.
pub(super) fn leaf_order(tree: &Tree) -> (Vec<f64>, Vec<std::ops::Range<usize>>) {
    let mut values = Vec::with_capacity(tree.leaves.len());
    let mut left_of = vec![0..0; tree.nodes.len()];
    // A node is met twice: before its left child, and after it.
    let mut open = vec![(if tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) }, false)];
    while let Some((child, left_is_done)) = open.pop() {
        match child {
            Child::Leaf(leaf) => values.push(tree.leaves[leaf].value),
            Child::Node(node) if left_is_done => left_of[node].end = values.len(),
            Child::Node(node) => {
                left_of[node].start = values.len();
                let Node { left, right, .. } = &tree.nodes[node];
                open.extend([(*right, false), (child, true), (*left, false)]);
            }
        }
    }
    (values, left_of)
}

fn stretches(tree: &Tree, cells: &Cells) -> Vec<Stretch> {
    let (values, left_of) = leaf_order(tree);
    let questions: Vec<Question> = tree.nodes.iter().map(|node| cells.question(node)).collect();
    let mask = |first: usize| {
        let cuts = questions.iter().zip(&left_of).map(|(question, left)| {
            let leaves = (0..MASK_LEAVES).filter(|leaf| left.contains(&(first + leaf)));
            Cut { question: *question, leaves: leaves.fold(0, |mask, leaf| mask | 1 << leaf) }
        });
        let mut cuts: Vec<Cut> = cuts.filter(|cut| cut.leaves != 0).collect();
        cuts.sort_by_key(|cut| cut.question.column);
        cuts
    };
    let parts = values.chunks(MASK_LEAVES * MASKS).enumerate().rev();
    parts
        .map(|(number, values)| {
            let first = number * MASK_LEAVES * MASKS;
            let masks = (0..values.len()).step_by(MASK_LEAVES).map(|leaf| mask(first + leaf)).collect();
            Stretch { masks, values: values.to_vec() }
        })
        .collect()
}
