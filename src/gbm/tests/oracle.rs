//! Histograms, splits and contributions against brute force.

use super::*;
use crate::gbm::binning::Binned;
use crate::gbm::gradient::Quantized;
use crate::gbm::leaf_rows::{Buffers, LeafRows};
use proptest::prelude::*;

#[test]
fn histograms_are_the_sums_of_the_rows_in_each_bin() {
    let (rows, _) = classes(500, 1);
    let params = HyperParams::default().max_bins(9).check().unwrap();
    let binned = Binned::new(rows.view(), &params);
    let mut next = random(2);
    let pairs: Vec<(f32, f32)> = (0..500).map(|_| (next() as f32 - 0.5, next() as f32)).collect();
    let quantized = Quantized::new(pairs.iter().copied(), 500, 3);
    let chosen: Vec<u32> = (0..500).filter(|row| row % 3 != 0).collect();
    let mut buffers = Buffers::default();
    let (mut leaf_rows, mut root) = LeafRows::new(&binned, &quantized.packed, &chosen, &mut buffers);
    let mut found = vec![[0; 256]; 4];
    leaf_rows.fill(&mut root, &mut found);
    for feature in 0..4 {
        let bins = &binned.features[feature];
        let mut expected = [(0.0, 0.0); 256];
        for row in &chosen {
            let sum = &mut expected[bins.bin(rows[[*row as usize, feature]]) as usize];
            sum.0 += f64::from(pairs[*row as usize].0);
            sum.1 += f64::from(pairs[*row as usize].1);
        }
        for (packed, (first, second)) in found[feature].iter().zip(expected) {
            let (g, h) = gradient::Grid::unpack(*packed);
            // 20 bits for each row, up to 100 rows in a bin.
            assert!((g * quantized.grid.first - first).abs() < 1e-4, "{g} {first}");
            assert!((h * quantized.grid.second - second).abs() < 1e-4, "{h} {second}");
        }
    }
}

#[test]
fn leaves_keep_their_rows_and_sums_however_they_were_divided_copied_and_shared() {
    // More rows than one thread takes alone, and more features than fit in one word.
    let (len, width) = (100_000, 10);
    let mut next = random(4);
    let rows = Array2::from_shape_fn((len, width), |_| next());
    let binned = Binned::new(rows.view(), &HyperParams::default().check().unwrap());
    let packed: Vec<i64> = (0..len as u64).map(|row| gradient::mix(row) as i64 >> 24).collect();
    let sums = |members: &[u32]| {
        let mut sums = vec![[0_i64; 256]; width];
        for row in members {
            for (feature, sums) in sums.iter_mut().enumerate() {
                sums[binned.bin(*row as usize, feature) as usize] += packed[*row as usize];
            }
        }
        sums
    };
    for (threads, every) in [(1, 1), (2, 1), (3, 3)] {
        let chosen: Vec<u32> = (0..len as u32).filter(|row| row % every == 0).collect();
        with_threads(threads, || {
            let mut buffers = Buffers::default();
            for _tree in 0..2 {
                let (mut leaf_rows, root) = LeafRows::new(&binned, &packed, &chosen, &mut buffers);
                let mut open = vec![(root, chosen.clone())];
                for split in 0..12 {
                    let (mut place, members) = open.remove(0);
                    let mut found = vec![[1; 256]; width];
                    leaf_rows.fill(&mut place, &mut found);
                    assert_eq!(found, sums(&members), "{threads} threads, split {split}");
                    let feature = split % width;
                    let table = std::array::from_fn(|bin| bin % 5 < 2);
                    let left = leaf_rows.partition(place, feature, &table);
                    let goes_left = |row: &u32| table[binned.bin(*row as usize, feature) as usize];
                    let parts: (Vec<u32>, Vec<u32>) = members.iter().partition(|row| goes_left(row));
                    let places = place.split(left);
                    for (place, members) in [(places.0, parts.0), (places.1, parts.1)] {
                        let found: Vec<u32> = leaf_rows.rows(place).map(|row| row as u32).collect();
                        assert_eq!(found, members);
                        open.push((place, members));
                    }
                }
            }
        });
    }
}

/// The best gain over all features, bounds between values, and ways for what is missing.
fn best_gain(rows: &Array2<f64>, targets: &[f64], least: usize, l2: f64) -> f64 {
    let mean = targets.iter().sum::<f64>() / targets.len() as f64;
    let score = |members: &[usize]| {
        let sum: f64 = members.iter().map(|row| mean - targets[*row]).sum();
        sum * sum / (members.len() as f64 + l2)
    };
    let all: Vec<usize> = (0..targets.len()).collect();
    let mut best = f64::NEG_INFINITY;
    for feature in 0..rows.ncols() {
        let column = rows.column(feature);
        for bound in column.iter().filter(|v| !v.is_nan()) {
            for absent_left in [false, true] {
                let goes_left = |row: &usize| match column[*row] {
                    v if v.is_nan() => absent_left,
                    v => v <= *bound,
                };
                let (left, right): (Vec<usize>, Vec<usize>) = all.iter().partition(|row| goes_left(row));
                if left.len() >= least && right.len() >= least {
                    best = best.max(score(&left) + score(&right) - score(&all));
                }
            }
        }
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_first_split_is_the_best_of_all_possible_ones(seed in 0_u64..1000, l2 in 0.0..3.0_f64) {
        let mut next = random(seed);
        let values = (0..300 * 3).map(|_| if next() < 0.15 { f64::NAN } else { (next() * 8.0).floor() });
        let rows = Array2::from_shape_vec((300, 3), values.collect()).unwrap();
        let targets: Vec<f64> = rows.rows().into_iter().map(|r| r[0].max(2.0) + r[1] * next()).map(|t| {
            if t.is_nan() { 1.0 } else { t }
        }).collect();
        let params = HyperParams::default().iterations(1).max_leaves(2).min_child_samples(15).l2(l2);
        let booster = train(params, Objective::squared_error(), &rows, &targets);
        let expected = best_gain(&rows, &targets, 15, l2);
        let node = &booster.trees()[0].nodes[0];
        prop_assert!((node.gain / expected - 1.0).abs() < 1e-4, "{} {}", node.gain, expected);
    }

    #[test]
    fn contributions_are_shapley_values(seed in 0_u64..1000) {
        let (rows, targets) = classes(300, seed);
        let params = HyperParams::default().iterations(2).max_leaves(9).min_child_samples(5);
        let booster = train(params, Objective::Multiclass { classes: 3 }, &rows, &targets);
        let some = rows.slice(ndarray::s![..40, ..]);
        let found = booster.contributions(some).unwrap();
        let raw = booster.raw_scores(some).unwrap();
        for row in 0..40 {
            for class in 0..3 {
                let found = found.slice(ndarray::s![row, class * 5..class * 5 + 5]);
                prop_assert!((found.sum() - raw[[row, class]]).abs() < 1e-12);
                for feature in 0..4 {
                    let expected: f64 = booster.trees().iter().skip(class).step_by(3)
                        .map(|tree| shapley(tree, &some.row(row).to_vec(), feature)).sum();
                    prop_assert!((found[feature] - expected).abs() < 1e-12, "{} {}", found[feature], expected);
                }
            }
        }
    }
}

/// The expected answer when only the features of a set are known.
fn expectation(tree: &Tree, at: Child, row: &[f64], known: u32) -> f64 {
    match at {
        Child::Leaf(leaf) => tree.leaves[leaf].value,
        Child::Node(number) => {
            let node = &tree.nodes[number];
            if known >> node.feature & 1 == 1 {
                let next = if node.rule.goes_left(row[node.feature]) { node.left } else { node.right };
                return expectation(tree, next, row, known);
            }
            let side =
                |child| tree.count(child) as f64 / node.count as f64 * expectation(tree, child, row, known);
            side(node.left) + side(node.right)
        }
    }
}

/// The definition: the mean over all orders of what knowing the feature adds.
fn shapley(tree: &Tree, row: &[f64], feature: usize) -> f64 {
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    let root = if tree.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) };
    (0_u32..16)
        .filter(|known| known >> feature & 1 == 0)
        .map(|known| {
            let size = known.count_ones();
            let weight = factorial(size) * factorial(3 - size) / factorial(4);
            let with = expectation(tree, root, row, known | 1 << feature);
            weight * (with - expectation(tree, root, row, known))
        })
        .sum()
}

#[test]
fn trees_of_more_leaves_than_a_mask_has_bits_score_and_explain_the_same() {
    let (rows, _) = classes(4000, 8);
    // Noise can be split for ever.
    let mut next = random(9);
    let targets: Vec<f64> = (0..4000).map(|_| (next() * 3.0).floor().min(2.0)).collect();
    let params = HyperParams::default().iterations(3).max_leaves(200).min_child_samples(3);
    let booster = train(params, Objective::Multiclass { classes: 3 }, &rows, &targets);
    assert!(booster.trees().iter().any(|tree| tree.leaves.len() > 128));
    let raw = booster.raw_scores(rows.view()).unwrap();
    let explained = booster.contributions(rows.view()).unwrap();
    for (row, values) in rows.rows().into_iter().enumerate() {
        let one = booster.raw_scores(values.insert_axis(ndarray::Axis(0))).unwrap();
        for class in 0..3 {
            let walked: f64 = booster
                .trees()
                .iter()
                .skip(class)
                .step_by(3)
                .map(|tree| tree.leaves[tree.leaf_of(|feature| values[feature])].value)
                .sum();
            assert_eq!(raw[[row, class]], walked);
            assert_eq!(one[[0, class]], walked);
            let sum = explained.slice(ndarray::s![row, class * 5..class * 5 + 5]).sum();
            assert!((sum - walked).abs() < 1e-9, "{sum} {walked}");
        }
    }
}
