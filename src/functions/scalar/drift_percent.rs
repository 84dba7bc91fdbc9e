//! `drift_percent(baseline, current)`: movement against a baseline, in percent of it.
//!
//! | baseline | current | result |
//! |---|---|---|
//! | NULL | any | NULL |
//! | any | NULL | NULL |
//! | 0 | 0 | 0 |
//! | 0 | x | +∞ for x > 0, −∞ for x < 0 |
//! | negative | greater | positive: the sign is that of the movement |
//! | any | the same, also ±∞ | 0 |
//! | NaN | any | NaN |
//! | any | NaN | NaN |
//! | finite | ±∞ | ±∞ |
//! | ±∞ | other | NaN: no share of infinity can be named |

use crate::functions::argument::{arrays, doubles};
use crate::functions::reference::{DRIFT, example};
use arrow::array::Float64Array;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct DriftPercent {
    signature: Signature,
}

impl Default for DriftPercent {
    fn default() -> Self {
        let arguments = vec![DataType::Float64, DataType::Float64];
        DriftPercent { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

/// `(current − baseline) · 100 / |baseline|`, multiplied first so that whole percents come out whole.
pub fn drift_percent(baseline: f64, current: f64) -> f64 {
    if current == baseline {
        return 0.0;
    }
    if baseline.is_infinite() {
        return f64::NAN;
    }
    let hundredfold = (current - baseline) * 100.0;
    if hundredfold.is_finite() {
        hundredfold / baseline.abs()
    } else {
        // Near the largest double the difference overflows although the ratio does not.
        (current / baseline.abs() - baseline.signum()) * 100.0
    }
}

impl ScalarUDFImpl for DriftPercent {
    fn name(&self) -> &str {
        "drift_percent"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = arrays(&args.args, args.number_rows)?;
        let (baselines, currents) = (doubles(&arguments[0])?, doubles(&arguments[1])?);
        let drifts: Float64Array =
            arrow::compute::binary::<_, _, _, Float64Type>(baselines, currents, drift_percent)?;
        Ok(ColumnarValue::Array(Arc::new(drifts)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DRIFT,
                "Returns `(current − baseline) · 100 / |baseline|`. A positive result is an upward movement, also from a \
                 negative baseline.\n\n\
                 Equal numbers give 0, also 0 and 0; any other movement from 0 is infinite. NULL when an argument is NULL; \
                 NaN when one is NaN or only the baseline is infinite.",
                "drift_percent(baseline, current) -> double",
            )
            .with_argument("baseline", "double; the value to compare with")
            .with_argument("current", "double; the value now, in the same unit")
            .with_sql_example(example(
                "select round(drift_percent(95.0, 102.5), 2) as p95, drift_percent(0, 0) as none, drift_percent(0, 3) as from_zero;",
                "
+------+------+-----------+
| p95  | none | from_zero |
+------+------+-----------+
| 7.89 | 0.0  | inf       |
+------+------+-----------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

#[cfg(test)]
mod tests {
    use super::drift_percent;

    #[test]
    fn the_truth_table_holds() {
        let infinity = f64::INFINITY;
        assert_eq!(drift_percent(0.0, 0.0), 0.0);
        assert_eq!(drift_percent(0.0, -0.0), 0.0);
        assert_eq!(drift_percent(0.0, 2.0), infinity);
        assert_eq!(drift_percent(0.0, -2.0), -infinity);
        assert_eq!(drift_percent(-10.0, -5.0), 50.0);
        assert_eq!(drift_percent(infinity, infinity), 0.0);
        assert_eq!(drift_percent(5.0, infinity), infinity);
        assert_eq!(drift_percent(-5.0, -infinity), -infinity);
        assert!(drift_percent(infinity, 5.0).is_nan());
        assert!(drift_percent(infinity, -infinity).is_nan());
        assert!(drift_percent(f64::NAN, 5.0).is_nan());
        assert!(drift_percent(5.0, f64::NAN).is_nan());
    }

    #[test]
    fn whole_percents_come_out_whole() {
        // (1.07 - 1) * 100 would be 7.000000000000006.
        assert_eq!(drift_percent(100.0, 107.0), 7.0);
        assert_eq!(drift_percent(1000.0, 1110.0), 11.0);
        // python3 -c "print((102.5 - 95) * 100 / 95)"
        assert_eq!(drift_percent(95.0, 102.5), 7.894736842105263);
    }

    #[test]
    fn a_difference_beyond_the_largest_double_is_still_a_ratio() {
        assert_eq!(drift_percent(1e308, -1e308), -200.0);
        assert_eq!(drift_percent(-1e308, 1e308), 200.0);
    }
}
