//! Tails of the distributions that tests are judged by.

use statrs::distribution::{ContinuousCDF, FisherSnedecor, Normal, StudentsT};

/// The probability that a standard normal number is above `z`.
pub(super) fn upper_tail(z: f64) -> f64 {
    Normal::standard().sf(z)
}

/// The `z` that a standard normal number is above with probability `p`.
pub(super) fn upper_quantile(p: f64) -> f64 {
    -Normal::standard().inverse_cdf(p)
}

/// The probability that a number of Fisher's F distribution is above `f`.
pub(super) fn f_upper_tail(f: f64, between: f64, within: f64) -> Option<f64> {
    FisherSnedecor::new(between, within).ok().map(|distribution| distribution.sf(f))
}

/// The probability that a number of Student's t distribution is further from 0 than `t`.
pub(super) fn t_both_tails(t: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |distribution| (2.0 * distribution.sf(t)).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_scipy() {
        let close =
            |got: f64, expected: f64| assert!((got / expected - 1.0).abs() < 1e-10, "{got} for {expected}");
        // scipy.stats.norm.sf(1.5), norm.sf(8), norm.isf(0.025), f.sf(4.2, 1, 30)
        close(upper_tail(1.5), 0.066_807_201_268_858_09);
        close(upper_tail(8.0), 6.220_960_574_271_786e-16);
        close(upper_quantile(0.025), 1.959_963_984_540_054);
        close(f_upper_tail(4.2, 1.0, 30.0).unwrap(), 0.049_256_111_769_269_09);
    }
}
