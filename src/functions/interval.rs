//! The interval in which a share lies, from how often something was counted (Wilson, "Probable inference, the
//! law of succession, and statistical inference", JASA 1927).

use super::argument::{arrays, doubles};
use arrow::array::Float64Array;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, Signature, Volatility};
use std::sync::Arc;

/// Which end of the interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The least share.
    Lower,
    /// The largest.
    Upper,
}

/// An end of the interval of the share of `hits` in `total`, at `z` standard deviations.
pub fn wilson(hits: f64, total: f64, z: f64, bound: Bound) -> Option<f64> {
    let is_sound =
        total > 0.0 && total.is_finite() && (0.0..=total).contains(&hits) && z >= 0.0 && z.is_finite();
    if !is_sound {
        return None;
    }
    // What is certain stays certain, whatever rounding says.
    match bound {
        Bound::Lower if hits == 0.0 => return Some(0.0),
        Bound::Upper if hits == total => return Some(1.0),
        _ => {}
    }
    let share = hits / total;
    let z2 = z * z;
    let centre = share + z2 / (2.0 * total);
    let half = z * (share * (1.0 - share) / total + z2 / (4.0 * total * total)).sqrt();
    let end = match bound {
        Bound::Lower => centre - half,
        Bound::Upper => centre + half,
    };
    Some((end / (1.0 + z2 / total)).clamp(0.0, 1.0))
}

/// Three doubles.
pub(super) fn signature() -> Signature {
    Signature::exact(vec![DataType::Float64; 3], Volatility::Immutable)
}

/// The end of the interval for each row.
pub(super) fn evaluate(args: &ScalarFunctionArgs, bound: Bound) -> Result<ColumnarValue> {
    let arguments = arrays(&args.args, args.number_rows)?;
    let (hits, totals, zs) = (doubles(&arguments[0])?, doubles(&arguments[1])?, doubles(&arguments[2])?);
    let ends = hits.iter().zip(totals).zip(zs).map(|((hits, total), z)| wilson(hits?, total?, z?, bound));
    Ok(ColumnarValue::Array(Arc::new(ends.collect::<Float64Array>())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hits: f64, total: f64, lower: f64, upper: f64) {
        for (bound, expected) in [(Bound::Lower, lower), (Bound::Upper, upper)] {
            let got = wilson(hits, total, 1.959_963_984_540_054, bound).unwrap();
            assert!((got - expected).abs() < 1e-9, "{hits} of {total}: {got} {expected}");
        }
    }

    // The ends solve (p - share)^2 = z^2 p (1 - p) / n; python3, roots by bisection of that equation.
    #[test]
    fn the_ends_are_the_roots_of_the_score_equation() {
        check(2.0, 20.0, ROOTS[0].0, ROOTS[0].1);
        check(0.0, 10.0, ROOTS[1].0, ROOTS[1].1);
        check(50.0, 100.0, ROOTS[2].0, ROOTS[2].1);
        check(999.0, 1000.0, ROOTS[3].0, ROOTS[3].1);
    }

    const ROOTS: [(f64, f64); 4] = [
        (0.027866481214, 0.301033645228),
        (0.0, 0.277532799863),
        (0.403831530366, 0.596168469634),
        (0.994357441402, 0.999823453629),
    ];

    #[test]
    fn what_is_no_share_has_no_interval() {
        for (hits, total, z) in [
            (1.0, 0.0, 2.0),
            (3.0, 2.0, 2.0),
            (-1.0, 2.0, 2.0),
            (1.0, 2.0, -1.0),
            (f64::NAN, 2.0, 1.0),
            (1.0, f64::INFINITY, 1.0),
        ] {
            assert_eq!(wilson(hits, total, z, Bound::Lower), None);
        }
        assert_eq!(wilson(3.0, 3.0, 1.96, Bound::Upper), Some(1.0));
        assert_eq!(wilson(0.0, 3.0, 1.96, Bound::Lower), Some(0.0));
    }
}
