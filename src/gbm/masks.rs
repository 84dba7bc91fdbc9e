//! Which leaves a row may still reach when only what one feature says is known.
//!
//! Contributions ask this for every leaf and every feature on the way to it. For each feature of a tree, the questions
//! of its nodes leave a mask of leaves; the masks of all features in conjunction would leave the one that the row reaches.

use super::cells::{Cell, Cells, Question};
use super::tree::{Child, Tree};

/// Leaves that one mask speaks for.
const MASK_LEAVES: usize = 64;

/// A node's question with the leaves that are out of reach where the answer is to go left, and right.
#[derive(Debug)]
struct Cut {
    question: Question,
    going_left: u64,
    going_right: u64,
}

/// Up to 64 leaves of a tree.
#[derive(Debug)]
pub(super) struct Block {
    /// The tree.
    pub(super) tree: usize,
    /// Its first leaf.
    pub(super) first: usize,
    /// The features that decide here.
    pub(super) features: Vec<FeatureCuts>,
    /// The leaves there are.
    all: u64,
}

/// What one feature decides.
#[derive(Debug)]
pub(super) struct FeatureCuts {
    /// The feature.
    pub(super) feature: usize,
    cuts: Vec<Cut>,
}

/// A whole model as masks.
pub(super) fn blocks(trees: &[Tree], cells: &Cells) -> Vec<Block> {
    trees.iter().enumerate().flat_map(|(number, tree)| blocks_of_tree(number, tree, cells)).collect()
}

impl Block {
    /// Appends, for each feature that decides here, the mask of each row.
    pub(super) fn masks(&self, cells: &[Cell], rows: usize, masks: &mut Vec<u64>) {
        for FeatureCuts { cuts, .. } in &self.features {
            let from = masks.len();
            masks.resize(from + rows, self.all);
            for Cut { question, going_left, going_right } in cuts {
                let cells = &cells[question.column as usize * rows..][..rows];
                for (mask, cell) in masks[from..].iter_mut().zip(cells) {
                    // No branch: all bits where the row goes right.
                    let right = u64::from(*cell > question.bound).wrapping_neg();
                    *mask &= !(going_right & right | going_left & !right);
                }
            }
        }
    }
}

fn blocks_of_tree(number: usize, tree: &Tree, cells: &Cells) -> Vec<Block> {
    let (left, right) = sides(tree, tree.leaves.len().div_ceil(MASK_LEAVES));
    let mut features: Vec<usize> = tree.nodes.iter().map(|node| node.feature).collect();
    features.sort_unstable();
    features.dedup();
    let parts = tree.leaves.chunks(MASK_LEAVES).enumerate();
    parts
        .map(|(part, leaves)| {
            let cut = |at: usize| Cut {
                question: cells.question(&tree.nodes[at]),
                going_left: right[at][part],
                going_right: left[at][part],
            };
            let of_feature = |feature: &usize| {
                let nodes = (0..tree.nodes.len()).filter(|at| tree.nodes[*at].feature == *feature);
                let cuts = nodes.map(cut).filter(|cut| cut.going_left | cut.going_right != 0).collect();
                FeatureCuts { feature: *feature, cuts }
            };
            let features = features.iter().map(of_feature).filter(|found| !found.cuts.is_empty()).collect();
            let all = u64::MAX >> (MASK_LEAVES - leaves.len());
            Block { tree: number, first: part * MASK_LEAVES, features, all }
        })
        .collect()
}

/// For each node the leaves left of it and those right of it, as masks.
fn sides(tree: &Tree, words: usize) -> (Vec<Vec<u64>>, Vec<Vec<u64>>) {
    let mut left = vec![vec![0; words]; tree.nodes.len()];
    let mut right = left.clone();
    // Children come after their parents.
    for (at, node) in tree.nodes.iter().enumerate().rev() {
        let reached = |child: Child| match child {
            Child::Leaf(leaf) => {
                let mut mask = vec![0; words];
                mask[leaf / MASK_LEAVES] = 1_u64 << (leaf % MASK_LEAVES);
                mask
            }
            Child::Node(below) => left[below].iter().zip(&right[below]).map(|(l, r)| l | r).collect(),
        };
        let (of_left, of_right) = (reached(node.left), reached(node.right));
        (left[at], right[at]) = (of_left, of_right);
    }
    (left, right)
}
