//! Scoring a few rows: down each tree, over nodes that are packed tightly.
//!
//! Masks (see [`super::masks`]) are for many rows: for one they would fetch more memory than all nodes take.

use super::tree::{Child, Missing, Rule, Tree, ZERO};

/// Trees that are walked side by side, so that the processor need not wait for one node after the other.
const LANES: usize = 4;

/// A node in 24 bytes.
#[derive(Debug, Clone, Copy)]
struct Packed {
    threshold: f64,
    feature: u32,
    /// Where no leads, and where yes does: nodes and leaves are numbered through the model, and below 0 stands the
    /// complement of a leaf's number.
    children: [i32; 2],
    /// Whether NaN goes left.
    nan_left: bool,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Only NaN is special.
    Plain,
    /// Zeros go the way of NaN.
    Zero,
    /// The rule has to be asked.
    Categorical,
}

/// All trees of a model.
#[derive(Debug)]
pub(super) struct Walk {
    nodes: Vec<Packed>,
    /// Where each tree begins.
    roots: Vec<i32>,
    leaves: Vec<f64>,
    /// The rules of categorical nodes; their thresholds are places in this list.
    rules: Vec<Rule>,
}

impl Walk {
    pub(super) fn new(trees: &[Tree]) -> Walk {
        let mut walk = Walk { nodes: Vec::new(), roots: Vec::new(), leaves: Vec::new(), rules: Vec::new() };
        for tree in trees {
            let (first_node, first_leaf) = (walk.nodes.len(), walk.leaves.len());
            let number = |child: Child| match child {
                Child::Node(node) => (first_node + node) as i32,
                Child::Leaf(leaf) => !((first_leaf + leaf) as i32),
            };
            walk.roots.push(number(if tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) }));
            for node in &tree.nodes {
                let (threshold, kind) = match &node.rule {
                    Rule::Numeric { threshold, missing: Missing::Zero, .. } => (*threshold, Kind::Zero),
                    Rule::Numeric { threshold, .. } => (*threshold, Kind::Plain),
                    Rule::Categorical { .. } => {
                        walk.rules.push(node.rule.clone());
                        ((walk.rules.len() - 1) as f64, Kind::Categorical)
                    }
                };
                let children = [number(node.right), number(node.left)];
                let nan_left = node.rule.goes_left(f64::NAN);
                walk.nodes.push(Packed { threshold, feature: node.feature as u32, children, nan_left, kind });
            }
            walk.leaves.extend(tree.leaves.iter().map(|leaf| leaf.value));
        }
        walk
    }

    /// The next node or leaf; a leaf stays where it is.
    #[inline(always)]
    fn step(&self, at: i32, row: &[f64]) -> i32 {
        let node = &self.nodes[at.max(0) as usize];
        let value = row[node.feature as usize];
        let left = match node.kind {
            Kind::Plain => (value <= node.threshold) | (value.is_nan() & node.nan_left),
            Kind::Zero if value.abs() <= ZERO => node.nan_left,
            Kind::Zero => (value <= node.threshold) | (value.is_nan() & node.nan_left),
            Kind::Categorical => self.rules[node.threshold as usize].goes_left(value),
        };
        let next = node.children[usize::from(left)];
        if at < 0 { at } else { next }
    }

    /// Adds the raw scores of one row.
    pub(super) fn score(&self, row: &[f64], scores: &mut [f64]) {
        let outputs = scores.len();
        let mut output = 0;
        for roots in self.roots.chunks(LANES) {
            let mut lanes = [-1; LANES];
            lanes[..roots.len()].copy_from_slice(roots);
            // The sign of the conjunction says whether all have ended.
            while lanes.iter().fold(-1, |all, at| all & at) >= 0 {
                lanes.iter_mut().for_each(|at| *at = self.step(*at, row));
            }
            for at in &lanes[..roots.len()] {
                scores[output] += self.leaves[!*at as usize];
                output = if output + 1 == outputs { 0 } else { output + 1 };
            }
        }
    }
}
