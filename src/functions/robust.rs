//! Judging each value of a series by the median of the values before it, which outliers do not move.
//!
//! As in [`history`](super::history): NULL, NaN and ±∞ are gaps, and nothing is expected before
//! [`WARM_UP`](super::history::WARM_UP) values.

use std::collections::VecDeque;

use super::history::Window;

/// What turns the median absolute deviation of normal values into their standard deviation: 1 / Φ⁻¹(3/4).
const MAD_SCALE: f64 = 1.482_602_218_505_602;
/// The same for the mean absolute deviation: √(π/2).
const MEAN_SCALE: f64 = 1.253_314_137_315_500_3;

/// Median and robust standard deviation of the last values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Robust {
    /// The median; of an even number of values the mean of the middle two.
    pub center: f64,
    /// 1.4826 times the median absolute deviation. Where more than half of the values are equal, so that it is 0,
    /// 1.2533 times the mean absolute deviation from the median (Iglewicz and Hoaglin, "How to Detect and Handle
    /// Outliers", 1993, section 3.3); 0 for a constant history.
    pub deviation: f64,
}

/// The last values of a series, and room to sort them in.
#[derive(Debug, Clone)]
pub struct RobustWindow {
    window: Window,
    sorted: Vec<f64>,
}

impl RobustWindow {
    /// Of no values yet; it will hold `periods` at most.
    pub fn new(periods: usize) -> Self {
        RobustWindow { window: Window::new(periods), sorted: Vec::new() }
    }

    /// [`Robust`] of the values before the next one; then takes it in.
    pub fn next(&mut self, value: Option<f64>) -> Option<Robust> {
        let RobustWindow { window, sorted } = self;
        window.advance(value, |values| robust_of(values, sorted))
    }
}

fn robust_of(window: &VecDeque<f64>, sorted: &mut Vec<f64>) -> Robust {
    sorted.clear();
    sorted.extend(window);
    let center = median(sorted);
    sorted.iter_mut().for_each(|v| *v = (*v - center).abs());
    let mad = median(sorted);
    if mad > 0.0 {
        return Robust { center, deviation: MAD_SCALE * mad };
    }
    let mean = sorted.iter().sum::<f64>() / sorted.len().max(1) as f64;
    Robust { center, deviation: MEAN_SCALE * mean }
}

/// The median; sorts what it is given. Halves are added, not the sum halved, which could overflow.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n if values[n / 2 - 1] == values[n / 2] => values[n / 2],
        n => values[n / 2 - 1] / 2.0 + values[n / 2] / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn robust(values: &[Option<f64>], periods: usize) -> Vec<Option<Robust>> {
        let mut window = RobustWindow::new(periods);
        values.iter().map(|value| window.next(*value)).collect()
    }

    fn last(values: &[f64], periods: usize) -> Option<Robust> {
        let mut values: Vec<_> = values.iter().copied().map(Some).collect();
        values.push(None);
        robust(&values, periods).pop().flatten()
    }

    #[test]
    fn an_outlier_moves_neither_the_center_nor_the_deviation_far() {
        // python3: statistics.median([9,11,9,11,10,10]); 1.482602218505602 * statistics.median([1,1,1,1,0,0])
        let calm = last(&[9.0, 11.0, 9.0, 11.0, 10.0, 10.0], 6).unwrap();
        assert_eq!(calm, Robust { center: 10.0, deviation: MAD_SCALE });
        let wild = last(&[9.0, 11.0, 9.0, 11.0, 10.0, 1e6], 6).unwrap();
        assert_eq!(wild, Robust { center: 10.5, deviation: MAD_SCALE });
        let longer = last(&[1e6, 9.0, 11.0, 9.0, 11.0, 10.0, 10.0], 6).unwrap();
        assert_eq!(longer, calm, "values older than the periods do not count");
    }

    #[test]
    fn mostly_equal_values_have_the_deviation_of_the_others() {
        // python3: 1.2533141373155003 * (0.02 + 0.04) / 6
        let got = last(&[0.0, 0.0, 0.02, 0.0, 0.0, 0.04], 6).unwrap();
        assert_eq!(got.center, 0.0);
        assert!((got.deviation - 0.012_533_141_373_155).abs() < 1e-15, "{got:?}");
        assert_eq!(last(&[0.1; 6], 6), Some(Robust { center: 0.1, deviation: 0.0 }));
    }

    #[test]
    fn nothing_is_expected_before_five_values_and_gaps_are_none() {
        assert_eq!(last(&[1.0, 2.0, 3.0, 4.0], 6), None);
        let values = [
            Some(1.0),
            None,
            Some(f64::NAN),
            Some(2.0),
            Some(3.0),
            Some(4.0),
            Some(5.0),
            Some(f64::INFINITY),
        ];
        assert_eq!(robust(&values, 9)[6], None);
        assert_eq!(robust(&values, 9)[7].unwrap().center, 3.0);
        assert!(last(&[1e308, -1e308, 1e308, -1e308, 1e308], 5).unwrap().center.is_finite());
    }
}
