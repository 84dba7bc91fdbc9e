//! Scoring without walking down trees.
//!
//! The values of a feature fall into cells between which no node of the model distinguishes. For a tree of up to 64
//! leaves, a 64-bit mask says for each cell of each feature which leaves a row may still reach; the masks of all
//! features in conjunction leave the one leaf that it does reach. There is no branch to mispredict and no node to wait
//! for (after Lucchese et al., 2015, "QuickScorer", whose masks belong to nodes instead of cells). Bigger trees take
//! several masks, of which all but one come out empty.
//! The masks give the very leaf that walking gives, for NaN, zeros and categories as well, because they are
//! made by asking the nodes.

use ndarray::ArrayView2;

use super::binning::category;
use super::tree::{Child, Missing, Rule, Tree, ZERO};

/// Leaves that one mask speaks for.
const MASK_LEAVES: usize = 64;

/// The cells of one feature.
#[derive(Debug, Default)]
struct Cells {
    /// Thresholds, ascending: cell `i` is above `bounds[i - 1]` and at most `bounds[i]`.
    bounds: Vec<f64>,
    /// Some node takes 0 for missing: those values have a cell of their own.
    zero: bool,
    /// One cell for each category of any set, ascending, and one for all others.
    categories: Option<Vec<u32>>,
}

/// The last cell is for NaN, the one before for zeros.
impl Cells {
    fn count(&self) -> usize {
        self.categories.as_ref().map_or(self.bounds.len() + 1, |c| c.len() + 1) + 2
    }

    fn of(&self, value: f64) -> usize {
        let last = self.count() - 1;
        if value.is_nan() {
            return last;
        }
        match &self.categories {
            Some(categories) => {
                category(value).and_then(|c| categories.binary_search(&c).ok()).unwrap_or(categories.len())
            }
            None if self.zero && value.abs() <= ZERO => last - 1,
            None => below(&self.bounds, value),
        }
    }

    /// A value of the cell.
    fn example(&self, cell: usize) -> f64 {
        let last = self.count() - 1;
        match &self.categories {
            _ if cell == last => f64::NAN,
            _ if cell == last - 1 => 0.0,
            Some(categories) => categories.get(cell).map_or(-1.0, |c| f64::from(*c)),
            None => self.bounds.get(cell).copied().unwrap_or(f64::INFINITY),
        }
    }
}

/// How many of the bounds are below a value: a binary search without branches.
#[inline]
fn below(bounds: &[f64], value: f64) -> usize {
    let (mut base, mut size) = (0, bounds.len());
    while size > 1 {
        let half = size / 2;
        base = if bounds[base + half - 1] < value { base + half } else { base };
        size -= half;
    }
    base + usize::from(size == 1 && bounds[base] < value)
}

/// Up to 64 leaves of a tree.
#[derive(Debug)]
pub(super) struct Block {
    /// The tree.
    pub(super) tree: usize,
    /// Its first leaf.
    pub(super) first: usize,
    /// The features that decide here, with their masks by cell.
    pub(super) features: Vec<(usize, Vec<u64>)>,
    /// The leaves there are.
    all: u64,
}

/// A whole model as masks.
#[derive(Debug)]
pub(super) struct Masks {
    cells: Vec<Cells>,
    pub(super) blocks: Vec<Block>,
}

impl Masks {
    pub(super) fn new(trees: &[Tree], width: usize) -> Masks {
        let mut cells: Vec<Cells> = (0..width).map(|_| Cells::default()).collect();
        for node in trees.iter().flat_map(|tree| &tree.nodes) {
            let cells = &mut cells[node.feature];
            match &node.rule {
                Rule::Numeric { threshold, missing, .. } => {
                    cells.bounds.push(*threshold);
                    cells.zero |= *missing == Missing::Zero;
                }
                Rule::Categorical { bits } => {
                    let listed =
                        (0..bits.len() as u32 * 32).filter(|c| bits[*c as usize / 32] >> (c % 32) & 1 == 1);
                    cells.categories.get_or_insert_default().extend(listed);
                }
            }
        }
        for cells in &mut cells {
            cells.bounds.sort_unstable_by(f64::total_cmp);
            cells.bounds.dedup();
            if let Some(categories) = &mut cells.categories {
                categories.sort_unstable();
                categories.dedup();
            }
        }
        let blocks = trees.iter().enumerate().flat_map(|(tree, t)| blocks(tree, t, &cells)).collect();
        Masks { cells, blocks }
    }

    /// The cell of each value, feature by feature.
    pub(super) fn cells_of(&self, rows: &ArrayView2<'_, f64>) -> Vec<u16> {
        let mut cells = Vec::with_capacity(rows.len());
        for (column, kind) in rows.columns().into_iter().zip(&self.cells) {
            cells.extend(column.iter().map(|value| kind.of(*value) as u16));
        }
        cells
    }
}

fn blocks(number: usize, tree: &Tree, cells: &[Cells]) -> Vec<Block> {
    let words = tree.leaves.len().div_ceil(MASK_LEAVES);
    let mut blocks: Vec<Block> = tree
        .leaves
        .chunks(MASK_LEAVES)
        .enumerate()
        .map(|(block, leaves)| {
            let all = u64::MAX >> (MASK_LEAVES - leaves.len());
            Block { tree: number, first: block * MASK_LEAVES, features: Vec::new(), all }
        })
        .collect();
    let (left, right) = sides(tree, words);
    let mut used: Vec<usize> = tree.nodes.iter().map(|node| node.feature).collect();
    used.sort_unstable();
    used.dedup();
    for feature in used {
        let kind = &cells[feature];
        let asking: Vec<usize> =
            (0..tree.nodes.len()).filter(|node| tree.nodes[*node].feature == feature).collect();
        let mut masks: Vec<Vec<u64>> = blocks.iter().map(|block| vec![block.all; kind.count()]).collect();
        for cell in 0..kind.count() {
            let value = kind.example(cell);
            for node in &asking {
                // Whoever goes left cannot reach what is right of the node.
                let goes_left = tree.nodes[*node].rule.goes_left(value);
                let out = if goes_left { &right[*node] } else { &left[*node] };
                masks.iter_mut().zip(out).for_each(|(masks, out)| masks[cell] &= !out);
            }
        }
        for (block, masks) in blocks.iter_mut().zip(masks) {
            if masks.iter().any(|mask| *mask != block.all) {
                block.features.push((feature, masks));
            }
        }
    }
    blocks
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
