//! Calibrated probabilities.

use super::*;

/// Over-confident answers: where 0.95 is said, 0.7 is true.
fn overconfident() -> (Array2<f64>, Vec<usize>) {
    let mut next = random(12);
    let rows = Array2::from_shape_fn((4000, 2), |(_, class)| if class == 0 { 0.95 } else { 0.05 });
    (rows, (0..4000).map(|_| usize::from(next() > 0.7)).collect())
}

#[test]
fn both_ways_of_calibration_say_what_is_true() {
    let (rows, targets) = overconfident();
    let truth = targets.iter().filter(|t| **t == 0).count() as f64 / 4000.0;
    for calibration in [
        Calibration::temperature(rows.view(), &targets).unwrap(),
        Calibration::isotonic(rows.view(), &targets).unwrap(),
    ] {
        let mut row = ndarray::array![0.95, 0.05];
        calibration.apply(row.view_mut());
        assert!((row[0] - truth).abs() < 1e-3 && (row.sum() - 1.0).abs() < 1e-12, "{calibration:?} {row}");
    }
}

#[test]
fn isotonic_steps_never_fall_and_lines_lie_between() {
    // The third falls and is put together with the second: (0.2..0.3, 0.5).
    let rows = ndarray::array![[0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]];
    let Calibration::Isotonic(curves) = Calibration::isotonic(rows.view(), &[1, 0, 1, 0]).unwrap() else {
        panic!("isotonic");
    };
    assert_eq!(curves[0], [(0.1, 0.0), (0.2, 0.5), (0.3, 0.5), (0.6, 1.0)]);
    assert!(curves.iter().all(|curve| curve.windows(2).all(|pair| pair[0].1 <= pair[1].1)));
}

#[test]
fn targets_beyond_the_classes_are_refused() {
    let error = Calibration::isotonic(ndarray::array![[0.5, 0.5]].view(), &[2]).unwrap_err();
    assert_eq!(error.to_string(), "calibration: expected classes below 2, got 2");
}
