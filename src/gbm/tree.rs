//! A decision tree, and where a row ends in it.

/// Values this near to zero count as zero where zero means missing (LightGBM's `kZeroThreshold`, a `float`).
pub(super) const ZERO: f64 = 1e-35_f32 as f64;

/// What counts as missing at a numeric split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Nothing; NaN is taken for 0.
    None,
    /// 0 and NaN.
    Zero,
    /// NaN.
    Nan,
}

/// How a node decides.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// Left when the value is at most the threshold.
    Numeric {
        /// The bound.
        threshold: f64,
        /// What goes the default way instead.
        missing: Missing,
        /// Whether that way is left.
        default_left: bool,
    },
    /// Left when the category is in the set. NaN and negative values are in no set.
    Categorical {
        /// Bit `c % 32` of word `c / 32` stands for category `c`.
        bits: Vec<u32>,
    },
}

impl Rule {
    /// Whether a value goes left.
    #[inline]
    pub fn goes_left(&self, value: f64) -> bool {
        match self {
            Rule::Numeric { threshold, missing, default_left } => {
                let value = if value.is_nan() && *missing != Missing::Nan { 0.0 } else { value };
                match missing {
                    Missing::Zero if value.abs() <= ZERO => *default_left,
                    Missing::Nan if value.is_nan() => *default_left,
                    _ => value <= *threshold,
                }
            }
            Rule::Categorical { bits } => {
                // As LightGBM: the value is cut to a whole number, so -0.5 is category 0.
                value > -1.0
                    && value < f64::from(i32::MAX)
                    && bits
                        .get(value as usize / 32)
                        .is_some_and(|word| word >> (value as usize % 32) & 1 == 1)
            }
        }
    }
}

/// Where a branch leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Child {
    /// To the node of this number.
    Node(usize),
    /// To the leaf of this number.
    Leaf(usize),
}

/// A decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The feature that is asked.
    pub feature: usize,
    /// The question.
    pub rule: Rule,
    /// Where yes leads.
    pub left: Child,
    /// Where no leads.
    pub right: Child,
    /// What the split gained in training.
    pub gain: f64,
    /// What the node would answer were it a leaf.
    pub value: f64,
    /// Sum of second derivatives of its training rows.
    pub weight: f64,
    /// Its training rows.
    pub count: u64,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// The raw score it adds.
    pub value: f64,
    /// Sum of second derivatives of its training rows.
    pub weight: f64,
    /// Its training rows.
    pub count: u64,
}

/// A tree: node 0 is the root; without nodes, leaf 0 is all.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Decisions; a child comes after its parent.
    pub nodes: Vec<Node>,
    /// Answers.
    pub leaves: Vec<Leaf>,
    /// The learning rate that is in the values already.
    pub shrinkage: f64,
}

impl Tree {
    /// A tree that answers the same for every row.
    pub fn constant(value: f64, count: u64) -> Tree {
        Tree { nodes: Vec::new(), leaves: vec![Leaf { value, weight: 0.0, count }], shrinkage: 1.0 }
    }

    /// The leaf that a row ends in.
    pub fn leaf_of(&self, row: impl Fn(usize) -> f64) -> usize {
        let mut at = if self.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) };
        loop {
            match at {
                Child::Leaf(leaf) => return leaf,
                Child::Node(node) => {
                    let node = &self.nodes[node];
                    at = if node.rule.goes_left(row(node.feature)) { node.left } else { node.right };
                }
            }
        }
    }

    /// Adds a constant to every answer.
    pub(super) fn shift(&mut self, by: f64) {
        self.leaves.iter_mut().for_each(|leaf| leaf.value += by);
        self.nodes.iter_mut().for_each(|node| node.value += by);
    }

    /// Training rows of a child.
    pub(super) fn count(&self, child: Child) -> u64 {
        match child {
            Child::Node(node) => self.nodes[node].count,
            Child::Leaf(leaf) => self.leaves[leaf].count,
        }
    }

    /// The mean answer over the training rows.
    pub fn expected_value(&self) -> f64 {
        if self.nodes.is_empty() {
            return self.leaves[0].value;
        }
        let total = self.nodes[0].count as f64;
        self.leaves.iter().map(|leaf| leaf.count as f64 / total * leaf.value).sum()
    }
}
