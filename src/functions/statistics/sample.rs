//! A sample: values that were measured, in ascending order.

/// The values without NaN and infinities, ascending, with one spelling of zero.
pub fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut sample: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).map(|v| v + 0.0).collect();
    sample.sort_unstable_by(f64::total_cmp);
    sample
}

/// The mean of two numbers, also where their sum is beyond the largest double.
pub(super) fn midpoint(a: f64, b: f64) -> f64 {
    let sum = a + b;
    if sum.is_finite() { sum / 2.0 } else { a / 2.0 + b / 2.0 }
}

/// The median of a sorted sample: the middle value, or the mean of the two in the middle.
pub fn median(sample: &[f64]) -> Option<f64> {
    let upper = *sample.get(sample.len() / 2)?;
    let lower = sample[(sample.len() - 1) / 2];
    Some(midpoint(lower, upper))
}

/// Distances from the median, ascending.
pub(super) fn deviations(sample: &[f64]) -> Vec<f64> {
    match median(sample) {
        Some(centre) => sorted(sample.iter().map(|v| (v - centre).abs())),
        None => Vec::new(),
    }
}

/// The median absolute deviation from the median, of a sorted sample (Hampel, "The influence curve and its role in
/// robust estimation", JASA 1974), without the factor 1.4826 that makes it the deviation of normal values.
pub fn mad(sample: &[f64]) -> Option<f64> {
    median(&deviations(sample))
}

/// The sum in the order of the sample, kept exact to twice the precision (Neumaier's compensation), so that a
/// common offset of the values costs no digits.
pub(super) fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    sum + lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_sample_is_the_mean_of_two_and_never_overflows() {
        assert_eq!(median(&sorted([3.0, f64::NAN, 1.0, f64::INFINITY, 2.0, 10.0])), Some(2.5));
        assert_eq!(median(&[1e308, 1.2e308]), Some(1.1e308));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn deviations_are_around_the_median() {
        // scipy.stats.median_abs_deviation([1, 1, 2, 2, 4, 6, 9]) is 1.0
        assert_eq!(mad(&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]), Some(1.0));
        assert_eq!(mad(&[5.0]), Some(0.0));
    }
}
