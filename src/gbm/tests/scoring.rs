//! Both sieves against asking the nodes one by one.

use super::*;
use proptest::prelude::*;

const WIDTH: usize = 6;

/// Values at which nodes differ in what they do.
const SPECIAL: [f64; 12] =
    [f64::NAN, 0.0, -0.0, 1e-36, -1e-36, -0.5, -1.0, f64::INFINITY, f64::NEG_INFINITY, 70_000.0, 1e300, 31.0];

/// A tree that divides some leaf at random until there are so many. Features 4 and 5 hold categories.
fn grown(leaves: usize, next: &mut impl FnMut() -> f64) -> Tree {
    let mut tree = Tree::constant(next(), 1);
    while tree.leaves.len() < leaves {
        let (node, at) = (tree.nodes.len(), (next() * tree.leaves.len() as f64) as usize % tree.leaves.len());
        for above in &mut tree.nodes {
            for child in [&mut above.left, &mut above.right] {
                if *child == Child::Leaf(at) {
                    *child = Child::Node(node);
                }
            }
        }
        let feature = (next() * WIDTH as f64) as usize % WIDTH;
        let rule = if feature >= 4 {
            let most = if next() < 0.1 { 2300 } else { 2 };
            Rule::Categorical { bits: (0..most).map(|_| (next() * f64::from(u32::MAX)) as u32).collect() }
        } else {
            // Few thresholds, so that trees share them, and those around zero.
            let threshold =
                [-1e300, -0.5, -0.0, 0.0, 1e-36, 0.25, 2.0, 31.0, f64::INFINITY][(next() * 9.0) as usize % 9];
            let missing = [Missing::None, Missing::Zero, Missing::Nan][(next() * 3.0) as usize % 3];
            Rule::Numeric { threshold, missing, default_left: next() < 0.5 }
        };
        let (left, right) = (Child::Leaf(at), Child::Leaf(tree.leaves.len()));
        tree.nodes.push(Node { feature, rule, left, right, gain: 1.0, value: 0.0, weight: 1.0, count: 1 });
        tree.leaves.push(Leaf { value: next(), weight: 1.0, count: 1 });
    }
    tree
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_row_reaches_the_leaf_that_asking_the_nodes_finds(
        seed in any::<u64>(),
        leaves in proptest::collection::vec(1_usize..150, 1..12),
        count in 1_usize..600,
    ) {
        let mut next = random(seed >> 1);
        let mut booster = Booster::new(Objective::Multiclass { classes: 2 }, names(WIDTH), &[]);
        booster.trees = leaves.iter().chain(&leaves).map(|leaves| grown(*leaves, &mut next)).collect();
        let rows = Array2::from_shape_fn((count, WIDTH), |_| match next() {
            choice if choice < 0.5 => SPECIAL[(choice * 24.0) as usize % 12],
            choice => (choice * 100.0 - 60.0).floor(),
        });
        let found = booster.raw_scores(rows.view()).unwrap();
        for (at, row) in rows.rows().into_iter().enumerate() {
            let single = booster.raw_scores(row.insert_axis(ndarray::Axis(0))).unwrap();
            for output in 0..2 {
                let trees = booster.trees.iter().skip(output).step_by(2);
                let expected: f64 = trees.map(|tree| tree.leaves[tree.leaf_of(|f| row[f])].value).sum();
                prop_assert_eq!(found[[at, output]], expected, "row {}", row);
                prop_assert_eq!(single[[0, output]], expected, "single row {}", row);
            }
        }
    }
}
