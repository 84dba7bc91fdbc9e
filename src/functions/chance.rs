//! How probable a difference is when nothing has changed: the p-values of drift.
//!
//! Both come from the regularised incomplete beta function I_x(a, b): Abramowitz and Stegun, "Handbook of
//! Mathematical Functions", 26.5.24 (binomial) and 26.7.1 (Student's t).

use statrs::function::beta::checked_beta_reg;

/// I_x(a, b), rounded into [0, 1]; `None` outside its domain.
fn beta_reg(a: f64, b: f64, x: f64) -> Option<f64> {
    checked_beta_reg(a, b, x).ok().filter(|p| !p.is_nan()).map(|p| p.clamp(0.0, 1.0))
}

/// The probability, two-sided, that a t-distributed number with so many degrees of freedom is as far from 0.
pub fn student_p(t: f64, degrees: f64) -> Option<f64> {
    if t.is_nan() || degrees.is_nan() || degrees <= 0.0 {
        return None;
    }
    if t.is_infinite() {
        return Some(0.0);
    }
    beta_reg(degrees / 2.0, 0.5, degrees / (degrees + t * t))
}

/// The t, 0 or more, whose [`student_p`] is `p`, within the last bits; `None` for a `p` that is not above 0 and at most 1.
pub fn student_t(p: f64, degrees: f64) -> Option<f64> {
    if !(p > 0.0 && p <= 1.0) {
        return None;
    }
    // The p-value falls as t grows.
    let mut high = 1.0;
    while student_p(high, degrees)? > p {
        high *= 2.0;
        if high == f64::INFINITY {
            return Some(high);
        }
    }
    let mut low = 0.0;
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return Some(high);
        }
        if student_p(middle, degrees)? > p { low = middle } else { high = middle }
    }
}

/// The probability, two-sided, that two Poisson counts over `trials` and `other_trials` differ as much when their rates are
/// the same: given their sum, the first is binomial with share `trials / (trials + other_trials)`.
///
/// Przyborowski and Wilenski, "Homogeneity of results in testing samples from Poisson series", Biometrika 1940; twice
/// the smaller tail.
pub fn count_ratio_p(events: f64, trials: f64, other_events: f64, other_trials: f64) -> Option<f64> {
    let counts = [events, trials, other_events, other_trials];
    if counts.iter().any(|c| !c.is_finite() || *c < 0.0) || trials == 0.0 || other_trials == 0.0 {
        return None;
    }
    let share = trials / (trials + other_trials);
    let at_least = if events == 0.0 { 1.0 } else { beta_reg(events, other_events + 1.0, share)? };
    let at_most = if other_events == 0.0 { 1.0 } else { beta_reg(other_events, events + 1.0, 1.0 - share)? };
    Some((2.0 * at_least.min(at_most)).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: Option<f64>, expected: f64) {
        let got = got.unwrap();
        assert!((got - expected).abs() <= 1e-9 * expected.max(1e-3), "{got} is not {expected}");
    }

    #[test]
    fn students_p_agrees_with_scipy() {
        // python3 -c "from scipy.stats import t; print([2 * t.sf(x, d) for x, d in ((2.0, 5), (0.5, 71), (8.0, 20), (1.0, 1))])"
        close(student_p(2.0, 5.0), 0.101_939_478_829_858_35);
        close(student_p(-0.5, 71.0), 0.618_621_245_932_772);
        close(student_p(8.0, 20.0), 1.165_662_827_148_851e-7);
        close(student_p(1.0, 1.0), 0.5);
        assert_eq!(student_p(f64::INFINITY, 3.0), Some(0.0));
        assert_eq!(student_p(0.0, 3.0), Some(1.0));
        assert_eq!((student_p(f64::NAN, 3.0), student_p(1.0, 0.0)), (None, None));
    }

    #[test]
    fn the_t_of_a_p_agrees_with_scipy() {
        // python3 -c "from scipy.stats import t; print([t.isf(p / 2, d) for p, d in ((0.05, 5), (0.01, 287), (0.01, 1), (1e-6, 20))])"
        close(student_t(0.05, 5.0), 2.570_581_835_636_314);
        close(student_t(0.01, 287.0), 2.593_067_905_253_954);
        close(student_t(0.01, 1.0), 63.656_741_162_871_54);
        close(student_t(1e-6, 20.0), 6.927_031_381_479_635);
        assert!(student_t(1.0, 3.0).unwrap() < 1e-7);
        assert_eq!([student_t(0.0, 3.0), student_t(f64::NAN, 3.0), student_t(0.5, 0.0)], [None; 3]);
    }

    #[test]
    fn two_counts_agree_with_the_binomial_of_scipy() {
        // from scipy.stats import binom; c = lambda k, n, l, m: min(1, 2 * min(binom.cdf(k, k + l, n / (n + m)),
        //   binom.sf(k - 1, k + l, n / (n + m))))
        close(count_ratio_p(3.0, 30.0, 1.0, 20.0), 0.950_4);
        close(count_ratio_p(10.0, 100.0, 10.0, 1000.0), 6.031_757_934_721_626e-6);
        close(count_ratio_p(0.0, 50.0, 100.0, 1000.0), 0.015_208_979_995_747_024);
        close(count_ratio_p(1.0, 58.0, 8.0, 40000.0), 0.025_911_776_686_391_823);
        assert_eq!(count_ratio_p(0.0, 5.0, 0.0, 9.0), Some(1.0));
        assert_eq!(count_ratio_p(1.0, 0.0, 0.0, 9.0), None);
        assert_eq!(count_ratio_p(-1.0, 1.0, 0.0, 9.0), None);
    }

    #[test]
    fn which_of_the_two_counts_comes_first_does_not_matter() {
        for (k, n, l, m) in [(3.0, 30.0, 1.0, 20.0), (0.0, 5.0, 7.0, 9.0), (100.0, 1e4, 90.0, 2e4)] {
            close(count_ratio_p(k, n, l, m), count_ratio_p(l, m, k, n).unwrap());
        }
    }
}
