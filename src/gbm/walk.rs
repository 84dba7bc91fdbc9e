//! Scoring a few rows: down each tree, over nodes that are packed tightly.
//!
//! The sieve (see [`super::sieve`]) is for many rows: for one it would ask far more nodes than walking does.

use super::cells::{Cell, Cells, Question};
use super::tree::{Child, Tree};

/// Trees that are walked side by side, so that the processor need not wait for one node after the other.
const LANES: usize = 8;

/// A node, or a leaf: that is a node which leads to itself.
#[derive(Debug, Clone, Copy)]
struct Packed {
    question: Question,
    /// Where no leads, and where yes does. Looked up, not branched to: nobody could predict the branch.
    children: [u32; 2],
}

/// Trees that are walked side by side.
#[derive(Debug)]
struct Group {
    roots: Vec<u32>,
    /// The longest way; whoever arrives earlier stays.
    depth: usize,
}

/// All trees of a model.
#[derive(Debug)]
pub(super) struct Walk {
    nodes: Vec<Packed>,
    /// What each node answers if it is a leaf.
    values: Vec<f64>,
    groups: Vec<Group>,
}

impl Walk {
    pub(super) fn new(trees: &[Tree], cells: &Cells) -> Walk {
        let mut walk = Walk { nodes: Vec::new(), values: Vec::new(), groups: Vec::new() };
        for trees in trees.chunks(LANES) {
            let depth = trees.iter().map(depth).max().unwrap_or_default();
            let roots = trees.iter().map(|tree| walk.push(tree, cells)).collect();
            walk.groups.push(Group { roots, depth });
        }
        walk
    }

    /// Adds a tree; says where its root is.
    fn push(&mut self, tree: &Tree, cells: &Cells) -> u32 {
        let first = self.nodes.len();
        let place = |child: Child| match child {
            Child::Node(node) => (first + node) as u32,
            Child::Leaf(leaf) => (first + tree.nodes.len() + leaf) as u32,
        };
        for node in &tree.nodes {
            let children = [place(node.left), place(node.right)];
            self.nodes.push(Packed { question: cells.question(node), children });
            self.values.push(0.0);
        }
        for (number, leaf) in tree.leaves.iter().enumerate() {
            let children = [place(Child::Leaf(number)); 2];
            self.nodes.push(Packed { question: Question::default(), children });
            self.values.push(leaf.value);
        }
        place(if tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) })
    }

    /// Adds the raw scores of one row, given its cell in each column.
    pub(super) fn score(&self, cells: &[Cell], scores: &mut [f64]) {
        let outputs = scores.len();
        let mut output = 0;
        for Group { roots, depth } in &self.groups {
            let mut lanes = [0; LANES];
            lanes[..roots.len()].copy_from_slice(roots);
            for _ in 0..*depth {
                for at in &mut lanes {
                    let Packed { question, children } = &self.nodes[*at as usize];
                    let goes_right = cells[question.column as usize] > question.bound;
                    *at = children[usize::from(goes_right)];
                }
            }
            for at in &lanes[..roots.len()] {
                scores[output] += self.values[*at as usize];
                output = if output + 1 == outputs { 0 } else { output + 1 };
            }
        }
    }
}

/// Questions on the longest way through a tree.
fn depth(tree: &Tree) -> usize {
    let mut depths = vec![0; tree.nodes.len()];
    // Children come after their parents.
    for (at, node) in tree.nodes.iter().enumerate().rev() {
        let below = [node.left, node.right].map(|child| match child {
            Child::Node(node) => depths[node],
            Child::Leaf(_) => 0,
        });
        depths[at] = 1 + below[0].max(below[1]);
    }
    depths.first().copied().unwrap_or_default()
}
