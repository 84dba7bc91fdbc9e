//! Growing one tree, always at the leaf where a split gains most.

use super::binning::{Binned, FeatureBins};
use super::gradient::{ExactSums, Pair, Quantized};
use super::histogram::{self, Bins};
use super::hyperparams::{Monotone, ValidHyperParams};
use super::leaf_rows::{Buffers, LeafRows, Place};
use super::split::{Divide, LeafSums, Search, Split, better};
use super::tree::{Child, Leaf, Missing, Node, Rule, Tree};

/// More features than this are searched by several threads.
const SHARED_FEATURES: usize = 256;

/// A tree with the leaf of every training row.
pub(super) struct Grown {
    pub(super) tree: Tree,
    pub(super) leaf_of: Vec<u32>,
}

/// A leaf of the tree so far.
struct Open {
    place: Place,
    depth: usize,
    packed: i64,
    bounds: (f64, f64),
    histograms: Option<Vec<Bins>>,
    best: Option<Split>,
    /// Whether the rows of its best split were counted rather than estimated.
    counted: bool,
    /// The node above, and whether this is its left child.
    parent: Option<(usize, bool)>,
}

impl Open {
    fn rows(&self) -> usize {
        self.place.len()
    }

    fn sums(&self) -> LeafSums {
        LeafSums { packed: self.packed, rows: self.rows(), bounds: self.bounds }
    }
}

/// What growing reads, and buffers that trees share.
pub(super) struct Grower<'a> {
    pub(super) binned: &'a Binned,
    pub(super) params: &'a ValidHyperParams,
    /// The features of this tree.
    pub(super) features: &'a [bool],
    pub(super) quantized: &'a Quantized,
}

impl Grower<'_> {
    /// Grows a tree over some rows; the others only find their leaf in it.
    pub(super) fn grow(&self, chosen: &[u32], pairs: &[Pair], buffers: &mut Buffers) -> Grown {
        let packed = &self.quantized.packed;
        let (mut rows, place) = LeafRows::new(self.binned, packed, chosen, buffers);
        let mut root = Open {
            place,
            depth: 0,
            packed: chosen.iter().map(|row| packed[*row as usize]).sum(),
            bounds: (f64::NEG_INFINITY, f64::INFINITY),
            histograms: None,
            best: None,
            counted: false,
            parent: None,
        };
        if self.may_split(&root) {
            let mut histograms = rows.histograms();
            rows.fill(&mut root.place, &mut histograms);
            root.best = self.search(&mut histograms, None, &root.sums(), None).0;
            root.histograms = Some(histograms);
        }
        let mut open = vec![root];
        let mut nodes: Vec<Node> = Vec::new();
        let mut tables: Vec<(usize, [bool; 256])> = Vec::new();
        while open.len() < self.params.max_leaves {
            let Some(at) = most_gain(&open) else { break };
            let Some(split) = open[at].best.take() else { break };
            let table = self.table(&split);
            let left_rows = rows.partition(open[at].place, split.feature, &table);
            let least = self.params.min_child_samples;
            if left_rows < least || open[at].rows() - left_rows < least {
                // The estimated counts were wrong: search again by exact ones, once.
                if !open[at].counted {
                    open[at].counted = true;
                    open[at].best = self.search_exactly(&open[at], &rows);
                }
                continue;
            }
            let node = nodes.len();
            if let Some((parent, is_left)) = open[at].parent {
                let child = Child::Node(node);
                if is_left { nodes[parent].left = child } else { nodes[parent].right = child }
            }
            nodes.push(self.node(&split, &open[at]));
            tables.push((split.feature, table));
            self.divide(&mut open, at, node, &split, left_rows, &mut rows);
        }
        let grown = self.finish(&open, nodes, &rows, pairs);
        open.into_iter().filter_map(|leaf| leaf.histograms).for_each(|h| rows.give_back(h));
        self.place_others(grown, chosen.len(), &tables)
    }

    fn may_split(&self, leaf: &Open) -> bool {
        leaf.rows() >= 2 * self.params.min_child_samples
            && self.params.max_depth.is_none_or(|most| leaf.depth < most)
    }

    /// Puts two leaves in the place of one.
    fn divide(
        &self,
        open: &mut Vec<Open>,
        at: usize,
        node: usize,
        split: &Split,
        left_rows: usize,
        rows: &mut LeafRows<'_>,
    ) {
        let last = open.len() + 1 == self.params.max_leaves;
        let parent = &mut open[at];
        let (left_bounds, right_bounds) = self.child_bounds(parent, split);
        let child = |place, packed, bounds, is_left| Open {
            place,
            depth: parent.depth + 1,
            packed,
            bounds,
            histograms: None,
            best: None,
            counted: false,
            parent: Some((node, is_left)),
        };
        let (left_place, right_place) = parent.place.split(left_rows);
        let mut left = child(left_place, split.left, left_bounds, true);
        let mut right = child(right_place, parent.packed - split.left, right_bounds, false);
        let inherited = parent.histograms.take();
        if let Some(mut inherited) = inherited {
            if !last && (self.may_split(&left) || self.may_split(&right)) {
                let left_is_small = left.rows() <= right.rows();
                let (small, large) =
                    if left_is_small { (&mut left, &mut right) } else { (&mut right, &mut left) };
                let mut own = rows.histograms();
                rows.fill(&mut small.place, &mut own);
                let found = self.search(&mut own, Some(&mut inherited), &small.sums(), Some(&large.sums()));
                small.best = found.0.filter(|_| self.may_split(small));
                large.best = found.1.filter(|_| self.may_split(large));
                small.histograms = Some(own);
                large.histograms = Some(inherited);
            } else {
                rows.give_back(inherited);
            }
        }
        open[at] = left;
        open.push(right);
    }

    /// Children of a split by a constrained feature may not pass the middle of their values (LightGBM's `basic` method).
    fn child_bounds(&self, parent: &Open, split: &Split) -> ((f64, f64), (f64, f64)) {
        let (low, high) = parent.bounds;
        let monotone = self.params.monotone.get(split.feature).copied().unwrap_or_default();
        if monotone == Monotone::Free {
            return (parent.bounds, parent.bounds);
        }
        let search = self.searcher();
        let left = search.child_value(split.left, parent.bounds);
        let right = search.child_value(parent.packed - split.left, parent.bounds);
        let middle = left / 2.0 + right / 2.0;
        match monotone {
            Monotone::Rising => ((low, middle), (middle, high)),
            _ => ((middle, high), (low, middle)),
        }
    }

    fn searcher(&self) -> Search<'_> {
        Search { params: self.params, grid: self.quantized.grid }
    }

    /// Takes the histograms of the smaller leaf off the parent's, which so become the larger leaf's, and searches both.
    fn search(
        &self,
        small: &mut [Bins],
        large: Option<&mut [Bins]>,
        small_sums: &LeafSums,
        large_sums: Option<&LeafSums>,
    ) -> (Option<Split>, Option<Split>) {
        self.search_part(small, large, 0, small_sums, large_sums)
    }

    /// The same for the features from `first` on, shared between threads if they are many.
    fn search_part(
        &self,
        small: &mut [Bins],
        large: Option<&mut [Bins]>,
        first: usize,
        small_sums: &LeafSums,
        large_sums: Option<&LeafSums>,
    ) -> (Option<Split>, Option<Split>) {
        let width = small.len();
        if width > SHARED_FEATURES && rayon::current_num_threads() > 1 {
            let middle = width / 2;
            let (small_low, small_high) = small.split_at_mut(middle);
            let (large_low, large_high) = large.map(|large| large.split_at_mut(middle)).unzip();
            let (low, high) = rayon::join(
                || self.search_part(small_low, large_low, first, small_sums, large_sums),
                || self.search_part(small_high, large_high, first + middle, small_sums, large_sums),
            );
            return (better(low.0, high.0), better(low.1, high.1));
        }
        let search = self.searcher();
        let (mut best_small, mut best_large) = (None, None);
        let mut large = large;
        for (offset, bins) in small.iter().enumerate() {
            let feature = first + offset;
            let kind = &self.binned.features[feature];
            if self.features[feature] {
                best_small = better(best_small, search.best(feature, kind, bins, small_sums, None));
            }
            if let (Some(large), Some(sums)) = (&mut large, large_sums) {
                histogram::subtract(&mut large[offset], bins, kind.count());
                if self.features[feature] {
                    best_large = better(best_large, search.best(feature, kind, &large[offset], sums, None));
                }
            }
        }
        (best_small, best_large)
    }

    fn search_exactly(&self, leaf: &Open, rows: &LeafRows<'_>) -> Option<Split> {
        let search = self.searcher();
        let histograms = leaf.histograms.as_ref()?;
        let counts = rows.counts(leaf.place);
        (0..self.binned.width()).filter(|feature| self.features[*feature]).fold(None, |best, feature| {
            let (kind, counts) = (&self.binned.features[feature], Some(&counts[feature]));
            better(best, search.best(feature, kind, &histograms[feature], &leaf.sums(), counts))
        })
    }

    /// For each bin whether it goes left.
    fn table(&self, split: &Split) -> [bool; 256] {
        let mut table = [false; 256];
        match &split.divide {
            Divide::UpTo { bin, default_left } => {
                table[..=*bin].fill(true);
                if let FeatureBins::Numeric { upper, missing: true } = &self.binned.features[split.feature] {
                    table[upper.len() + 1] = *default_left;
                }
            }
            Divide::Bins(bins) => bins.iter().for_each(|bin| table[*bin as usize] = true),
        }
        table
    }

    fn node(&self, split: &Split, leaf: &Open) -> Node {
        let rule = match (&split.divide, &self.binned.features[split.feature]) {
            (Divide::UpTo { bin, default_left }, FeatureBins::Numeric { upper, .. }) => Rule::Numeric {
                threshold: upper.get(*bin).copied().unwrap_or(f64::INFINITY),
                missing: Missing::Nan,
                default_left: *default_left,
            },
            (Divide::Bins(bins), FeatureBins::Categorical { categories }) => {
                let mut bits = Vec::new();
                for bin in bins {
                    let category = categories[*bin as usize - 1] as usize;
                    bits.resize(bits.len().max(category / 32 + 1), 0);
                    bits[category / 32] |= 1 << (category % 32);
                }
                Rule::Categorical { bits }
            }
            _ => unreachable!("splits divide by the kind of the feature"),
        };
        Node {
            feature: split.feature,
            rule,
            left: Child::Leaf(0),
            right: Child::Leaf(0),
            gain: split.gain,
            value: self.searcher().child_value(leaf.packed, leaf.bounds) * self.params.learning_rate,
            weight: super::gradient::Grid::unpack(leaf.packed).1 * self.quantized.grid.second,
            count: leaf.rows() as u64,
        }
    }

    /// Leaves from exact sums.
    fn finish(&self, open: &[Open], mut nodes: Vec<Node>, rows: &LeafRows<'_>, pairs: &[Pair]) -> Grown {
        let mut leaf_of = vec![u32::MAX; self.binned.len];
        for (number, leaf) in open.iter().enumerate() {
            rows.rows(leaf.place).for_each(|row| leaf_of[row] = number as u32);
        }
        let exact = ExactSums::new(self.quantized.grid, self.binned.len);
        let sums = exact.by_leaf(pairs, &leaf_of, open.len());
        let search = self.searcher();
        let mut leaves = Vec::with_capacity(open.len());
        for (number, (leaf, (first, second))) in open.iter().zip(sums).enumerate() {
            let value = if nodes.is_empty() { 0.0 } else { search.value(first, second, leaf.bounds) };
            leaves.push(Leaf {
                value: value * self.params.learning_rate,
                weight: second,
                count: leaf.rows() as u64,
            });
            if let Some((parent, is_left)) = leaf.parent {
                let end = Child::Leaf(number);
                if is_left { nodes[parent].left = end } else { nodes[parent].right = end }
            }
        }
        Grown { tree: Tree { nodes, leaves, shrinkage: self.params.learning_rate }, leaf_of }
    }

    /// Rows that the tree did not see find their leaf by their bins.
    fn place_others(&self, mut grown: Grown, in_bag: usize, tables: &[(usize, [bool; 256])]) -> Grown {
        if in_bag == grown.leaf_of.len() {
            return grown;
        }
        for (row, leaf) in grown.leaf_of.iter_mut().enumerate().filter(|(_, leaf)| **leaf == u32::MAX) {
            let mut at = if tables.is_empty() { Child::Leaf(0) } else { Child::Node(0) };
            *leaf = loop {
                match at {
                    Child::Leaf(found) => break found as u32,
                    Child::Node(node) => {
                        let (feature, table) = &tables[node];
                        let goes_left = table[self.binned.bin(row, *feature) as usize];
                        let node = &grown.tree.nodes[node];
                        at = if goes_left { node.left } else { node.right };
                    }
                }
            };
        }
        grown
    }
}

fn most_gain(open: &[Open]) -> Option<usize> {
    let mut most: Option<(usize, f64)> = None;
    for (at, leaf) in open.iter().enumerate() {
        if let Some(split) = &leaf.best
            && most.is_none_or(|(_, gain)| split.gain > gain)
        {
            most = Some((at, split.gain));
        }
    }
    most.map(|(at, _)| at)
}
