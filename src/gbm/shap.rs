//! Which feature moved a prediction by how much: TreeSHAP, path dependent.
//!
//! The Shapley value of feature `i` at a leaf of value `v` is (Lundberg et al., 2020, "From local explanations to global
//! understanding with explainable AI for trees")
//!
//! ```text
//! v (o_i - z_i) sum over subsets S of the path's other features of |S|! (d-1-|S|)! / d! prod_S o_j prod_not_S z_j
//! ```
//!
//! where `o_j` says whether the row satisfies all of the path's questions about feature `j`, and `z_j` is the share of the
//! training rows that do. The weight is the integral of t^|S| (1-t)^(d-1-|S|) over 0 to 1, so the sum is the integral of
//! a product, prod (o_j t + z_j (1-t)): a polynomial, which Gauss-Legendre quadrature with d/2 points integrates exactly
//! (the same polynomials are behind Yu et al., 2022, "Linear TreeShap"). All factors are known before the row is, except
//! for the bits `o_j`, and those are read off masks of leaves (see [`super::masks`]).

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::booster::Booster;
use super::cells::Cells;
use super::masks::{self, Block};
use super::tree::{Child, Tree};

/// Rows that are explained together.
const BLOCK_ROWS: usize = 256;

/// A feature on the way to a leaf.
#[derive(Debug)]
struct Step {
    feature: usize,
    /// Its place among the features of the block.
    slot: usize,
}

/// A leaf with all that does not depend on the row.
#[derive(Debug)]
struct Path {
    /// The bit of the leaf in its block.
    bit: u32,
    steps: Vec<Step>,
    /// Points of the quadrature.
    points: usize,
    /// For each step: the factor where the row fails (at all points), where it passes, and the derivative of the
    /// contribution by the product of the factors where it passes.
    factors: Vec<f64>,
    /// The same derivative where it fails, which is one for all steps.
    failing: Vec<f64>,
}

/// What explains a model: its masks, the paths of each block of them, and the expected value of each output.
#[derive(Debug)]
pub(super) struct Explainer {
    cells: Cells,
    blocks: Vec<Block>,
    paths: Vec<Vec<Path>>,
    expected: Vec<f64>,
}

impl Explainer {
    pub(super) fn new(trees: &[Tree], width: usize, outputs: usize) -> Explainer {
        let cells = Cells::new(trees, width);
        let blocks = masks::blocks(trees, &cells);
        let mut expected = vec![0.0; outputs];
        for (number, tree) in trees.iter().enumerate() {
            expected[number % outputs] += tree.expected_value();
        }
        let ways: Vec<Vec<Vec<(usize, f64)>>> = trees.iter().map(ways).collect();
        let mut rules = Vec::new();
        let paths = blocks
            .iter()
            .map(|block| {
                let (tree, ways) = (&trees[block.tree], &ways[block.tree]);
                let leaves = ways.iter().enumerate().skip(block.first).take(64);
                leaves
                    .filter(|(leaf, way)| !way.is_empty() && tree.leaves[*leaf].value != 0.0)
                    .map(|(leaf, way)| {
                        path(block, (leaf - block.first) as u32, way, tree.leaves[leaf].value, &mut rules)
                    })
                    .collect()
            })
            .collect();
        Explainer { cells, blocks, paths, expected }
    }
}

/// For each leaf, the features on the way with the share of training rows that pass, each feature once.
fn ways(tree: &Tree) -> Vec<Vec<(usize, f64)>> {
    let mut found = vec![Vec::new(); tree.leaves.len()];
    let mut open = Vec::new();
    if !tree.nodes.is_empty() {
        open.push((Child::Node(0), Vec::new()));
    }
    while let Some((child, way)) = open.pop() {
        match child {
            Child::Leaf(leaf) => found[leaf] = way,
            Child::Node(at) => {
                let node = &tree.nodes[at];
                for next in [node.left, node.right] {
                    let share = tree.count(next) as f64 / node.count.max(1) as f64;
                    let mut way: Vec<(usize, f64)> = way.clone();
                    match way.iter_mut().find(|(feature, _)| *feature == node.feature) {
                        Some((_, passing)) => *passing *= share,
                        None => way.push((node.feature, share)),
                    }
                    open.push((next, way));
                }
            }
        }
    }
    found
}

fn path(block: &Block, bit: u32, way: &[(usize, f64)], value: f64, rules: &mut Vec<Vec<(f64, f64)>>) -> Path {
    // An even number of points keeps both lanes of the processor's vectors busy.
    let points = way.len().div_ceil(2).next_multiple_of(2);
    while rules.len() <= points {
        rules.push(gauss_legendre(rules.len()));
    }
    let rule = &rules[points];
    let mut factors = Vec::with_capacity(way.len() * points * 3);
    for (_, share) in way {
        factors.extend(rule.iter().map(|(t, _)| share * (1.0 - t)));
        factors.extend(rule.iter().map(|(t, _)| t + share * (1.0 - t)));
        factors.extend(rule.iter().map(|(t, w)| value * w * (1.0 - share) / (t + share * (1.0 - t))));
    }
    let slot = |feature: usize| {
        block
            .features
            .iter()
            .position(|found| found.feature == feature)
            .expect("a feature on a path has masks")
    };
    let steps = way.iter().map(|(feature, _)| Step { feature: *feature, slot: slot(*feature) }).collect();
    let failing = rule.iter().map(|(t, w)| -value * w / (1.0 - t)).collect();
    Path { bit, steps, points, factors, failing }
}

/// Points and weights on 0 to 1, by Newton's method on the Legendre polynomial (Press et al., "Numerical Recipes", 4.6).
fn gauss_legendre(points: usize) -> Vec<(f64, f64)> {
    let n = points as f64;
    (0..points)
        .map(|i| {
            let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..64 {
                let (mut before, mut at) = (0.0, 1.0);
                for k in 0..points {
                    let k = k as f64;
                    (before, at) = (at, ((2.0 * k + 1.0) * x * at - k * before) / (k + 1.0));
                }
                slope = n * (x * at - before) / (x * x - 1.0);
                let step = at / slope;
                x -= step;
                if step.abs() < 1e-16 {
                    break;
                }
            }
            ((1.0 - x) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope))
        })
        .collect()
}

/// Patterns of more bits than this are not remembered.
const MEMO_BITS: usize = 12;

impl Path {
    /// What each step contributes where the steps of `pattern` pass, into `out`.
    fn solve(&self, pattern: u64, out: &mut Vec<f64>) {
        match self.points {
            2 => self.solve_with(2, pattern, out),
            4 => self.solve_with(4, pattern, out),
            6 => self.solve_with(6, pattern, out),
            8 => self.solve_with(8, pattern, out),
            points => self.solve_with(points, pattern, out),
        }
    }

    /// `points` is known where this is called, so that the loops over it are unrolled.
    #[inline(always)]
    fn solve_with(&self, points: usize, pattern: u64, out: &mut Vec<f64>) {
        let passes = |step: usize| pattern >> step & 1 == 1;
        let mut product = self.failing.clone();
        product.fill(1.0);
        for (step, tables) in self.factors.chunks_exact(3 * points).enumerate() {
            let factors = &tables[usize::from(passes(step)) * points..][..points];
            product[..points].iter_mut().zip(factors).for_each(|(product, factor)| *product *= factor);
        }
        let dot = |table: &[f64]| {
            let (mut even, mut odd) = (0.0, 0.0);
            for (a, b) in product[..points].as_chunks::<2>().0.iter().zip(table.as_chunks::<2>().0) {
                even += a[0] * b[0];
                odd += a[1] * b[1];
            }
            even + odd
        };
        let failing = dot(&self.failing);
        let tables = self.factors.chunks_exact(3 * points).enumerate();
        out.extend(
            tables.map(|(step, tables)| if passes(step) { dot(&tables[2 * points..]) } else { failing }),
        );
    }
}

/// What explaining a block of rows needs besides the model; kept so that it is not made for each tree.
#[derive(Default)]
struct Workspace {
    /// For each feature of a block of masks, the mask of each row.
    words: Vec<u64>,
    patterns: Vec<u64>,
    /// For each pattern where its contributions stand in `solved`, from 1; 0 is unknown.
    memo: Vec<u32>,
    solved: Vec<f64>,
}

impl Workspace {
    /// Adds what one leaf contributes to each row: rows that pass the same steps are solved once.
    fn add(&mut self, path: &Path, rows: usize, out: &mut [f64], stride: usize, from: usize) {
        let Workspace { words, patterns, memo, solved } = self;
        patterns.clear();
        patterns.resize(rows, 0);
        for (step, Step { slot, .. }) in path.steps.iter().enumerate() {
            let words = &words[slot * rows..][..rows];
            patterns.iter_mut().zip(words).for_each(|(p, word)| *p |= (word >> path.bit & 1) << step);
        }
        let steps = path.steps.len();
        memo.clear();
        solved.clear();
        if steps <= MEMO_BITS {
            memo.resize(1 << steps, 0);
        }
        for (pattern, out) in patterns.iter().zip(out.chunks_exact_mut(stride)) {
            let known = memo.get_mut(*pattern as usize);
            let at = match known {
                Some(0) | None => {
                    if known.is_none() {
                        solved.clear();
                    }
                    let at = solved.len();
                    path.solve(*pattern, solved);
                    if let Some(slot) = memo.get_mut(*pattern as usize) {
                        *slot = at as u32 + 1;
                    }
                    at
                }
                Some(at) => *at as usize - 1,
            };
            let out = &mut out[from..];
            for (step, contribution) in path.steps.iter().zip(&solved[at..at + steps]) {
                out[step.feature] += contribution;
            }
        }
    }
}

/// Contributions of all features to all outputs, with the expected value last for each output.
pub(super) fn contributions(booster: &Booster, rows: ArrayView2<'_, f64>) -> Array2<f64> {
    let explainer = booster.explainer();
    let (outputs, width) = (booster.outputs(), rows.ncols());
    let stride = outputs * (width + 1);
    let mut all = Array2::zeros((rows.nrows(), stride));
    let slots = all.as_slice_mut().expect("a new array is in row order");
    let blocks: Vec<_> = rows.axis_chunks_iter(Axis(0), BLOCK_ROWS).collect();
    let explain = |(rows, out): (&ArrayView2<'_, f64>, &mut [f64])| {
        let count = rows.nrows();
        let cells = explainer.cells.of_rows(rows);
        for row in out.chunks_exact_mut(stride) {
            for (output, expected) in explainer.expected.iter().enumerate() {
                row[output * (width + 1) + width] = *expected;
            }
        }
        let mut work = Workspace::default();
        for (block, paths) in explainer.blocks.iter().zip(&explainer.paths) {
            work.words.clear();
            block.masks(&cells, count, &mut work.words);
            let from = block.tree % outputs * (width + 1);
            paths.iter().for_each(|path| work.add(path, count, out, stride, from));
        }
    };
    if blocks.len() > 1 {
        blocks.par_iter().zip(slots.par_chunks_mut(BLOCK_ROWS * stride)).for_each(explain);
    } else {
        blocks.iter().zip(slots.chunks_mut(BLOCK_ROWS * stride)).for_each(explain);
    }
    all
}
