//! Keeping the share of false alarms among many tests (Benjamini and Hochberg, "Controlling the false discovery
//! rate", J. R. Statist. Soc. B 1995).

/// The adjusted p of each test: calling everything up to `q` a discovery keeps the expected share of false ones at `q`.
/// A test without p (`None`, or not 0 to 1) does not count and has none.
pub fn benjamini_hochberg(ps: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(f64, usize)> = ps
        .iter()
        .enumerate()
        .filter_map(|(row, p)| p.filter(|p| (0.0..=1.0).contains(p)).map(|p| (p, row)))
        .collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let tests = order.len() as f64;
    let mut adjusted = vec![None; ps.len()];
    let mut least = 1.0_f64;
    for (rank, (p, row)) in order.iter().enumerate().rev() {
        least = least.min(p * (tests / (rank + 1) as f64));
        adjusted[*row] = Some(least);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn p_values_are_adjusted_as_scipy_adjusts_them() {
        // scipy.stats.false_discovery_control([0.01, 0.04, 0.03, 0.005, 0.9])
        let ps = [Some(0.01), Some(0.04), None, Some(0.03), Some(0.005), Some(f64::NAN), Some(0.9)];
        let got = benjamini_hochberg(&ps);
        let expected = [Some(0.025), Some(0.05), None, Some(0.05), Some(0.025), None, Some(0.9)];
        for (got, expected) in got.iter().zip(expected) {
            assert_eq!(got.is_some(), expected.is_some());
            assert!(got.zip(expected).is_none_or(|(g, e)| (g - e).abs() < 1e-15), "{got:?}");
        }
    }

    proptest! {
        #[test]
        fn adjusted_values_are_no_smaller_keep_their_order_and_one_test_stays_as_it_is(ps in prop::collection::vec(0.0..=1.0, 1..40)) {
            let adjusted = benjamini_hochberg(&ps.iter().copied().map(Some).collect::<Vec<_>>());
            for (p, a) in ps.iter().zip(&adjusted) {
                prop_assert!(a.unwrap() >= *p && a.unwrap() <= 1.0);
                for (q, b) in ps.iter().zip(&adjusted) {
                    prop_assert!(p > q || a.unwrap() <= b.unwrap());
                }
            }
            prop_assert_eq!(benjamini_hochberg(&[Some(ps[0])]), vec![Some(ps[0])]);
        }
    }
}
