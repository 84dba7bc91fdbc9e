//! `drift_status(category, drift, threshold, warning, critical)`: the outcome of one drift check.
//!
//! | drift | category | result |
//! |---|---|---|
//! | NULL or NaN | any | NULL: not measured, so neither ok nor not |
//! | any | NULL, or a NULL threshold | NULL |
//! | 0 | any | ok |
//! | not 0 | configuration | critical |
//! | ±∞ | any | critical |
//! | beyond `critical`, either way | any | critical |
//! | beyond the smaller of `warning` and `threshold` | any | warning |
//! | exactly at a limit | any but configuration | not beyond it |
//! | any | another word | error |
//! | any | a threshold that is NaN or negative | error |

use crate::domain::{DriftCategory, DriftStatus};
use crate::functions::Error;
use crate::functions::argument::{arrays, doubles};
use crate::functions::reference::{DRIFT, example};
use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

const NAME: &str = "drift_status";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct DriftStatusOf {
    signature: Signature,
}

impl Default for DriftStatusOf {
    fn default() -> Self {
        let mut arguments = vec![DataType::Float64; 5];
        arguments[0] = DataType::Utf8;
        DriftStatusOf { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

/// How much movement is tolerated, in percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftLimits {
    /// The category's own threshold.
    pub threshold: f64,
    /// The general warning threshold.
    pub warning: f64,
    /// The critical threshold.
    pub critical: f64,
}

/// The rule: critical beyond the critical threshold, or for any movement of a configuration; else warning
/// beyond the smaller of the two other thresholds; else ok. `None` for a drift that is NaN.
pub fn drift_status(
    category: DriftCategory,
    drift_percent: f64,
    limits: DriftLimits,
) -> Result<Option<DriftStatus>, Error> {
    let DriftLimits { threshold, warning, critical } = limits;
    let named =
        [("threshold_percent", threshold), ("warning_percent", warning), ("critical_percent", critical)];
    // NaN, too: nothing would ever be beyond it.
    if let Some((argument, got)) = named.into_iter().find(|(_, limit)| limit.is_nan() || *limit < 0.0) {
        return Err(Error::Argument {
            function: NAME,
            argument,
            expected: "a percentage of 0 or more",
            got: got.to_string(),
        });
    }
    let moved = drift_percent.abs();
    Ok(if moved.is_nan() {
        None
    } else if moved > critical || (category == DriftCategory::Configuration && moved > 0.0) {
        Some(DriftStatus::Critical)
    } else if moved > warning.min(threshold) {
        Some(DriftStatus::Warning)
    } else {
        Some(DriftStatus::Ok)
    })
}

impl ScalarUDFImpl for DriftStatusOf {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = arrays(&args.args, args.number_rows)?;
        let categories = arguments[0].as_string::<i32>();
        let numbers = arguments[1..].iter().map(doubles).collect::<Result<Vec<_>>>()?;
        let judge = |row: usize| -> Result<Option<&'static str>, Error> {
            if categories.is_null(row) || numbers.iter().any(|n| n.is_null(row)) {
                return Ok(None);
            }
            let category = categories.value(row).parse();
            let category = category.map_err(|source| Error::Word { function: NAME, source })?;
            let [drift, threshold, warning, critical] = [0, 1, 2, 3].map(|n| numbers[n].value(row));
            let status = drift_status(category, drift, DriftLimits { threshold, warning, critical })?;
            Ok(status.map(DriftStatus::as_str))
        };
        let statuses = (0..args.number_rows).map(judge).collect::<Result<StringArray, Error>>()?;
        Ok(ColumnarValue::Array(Arc::new(statuses)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DRIFT,
                "Returns the outcome of a drift check: `critical` when the drift, either way, is beyond `critical_percent`, or \
                 when a configuration moved at all; else `warning` when it is beyond the smaller of `warning_percent` and \
                 `threshold_percent`; else `ok`. A drift exactly at a limit is not beyond it.\n\n\
                 NULL when an argument is NULL or the drift is NaN: what was not measured is not ok. An error for an unknown \
                 category and for a limit that is negative or NaN.",
                "drift_status(category, drift_percent, threshold_percent, warning_percent, critical_percent) -> text",
            )
            .with_argument("category", "text; resource, performance, configuration or behavior")
            .with_argument("drift_percent", "double; as `drift_percent` returns it")
            .with_argument("threshold_percent", "double; what the category tolerates")
            .with_argument("warning_percent", "double; the general warning limit, 5 by default")
            .with_argument("critical_percent", "double; the critical limit, 10 by default")
            .with_sql_example(example(
                "select drift_status('performance', 7.89, 5, 5, 10) as p95, drift_status('configuration', 0.1, 0, 5, 10) as replicas;",
                "
+---------+----------+
| p95     | replicas |
+---------+----------+
| warning | critical |
+---------+----------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(category: DriftCategory, drift: f64) -> Option<DriftStatus> {
        let threshold = if category == DriftCategory::Configuration { 0.0 } else { 10.0 };
        drift_status(category, drift, DriftLimits { threshold, warning: 5.0, critical: 10.0 }).unwrap()
    }

    #[test]
    fn the_rule_of_the_specification_holds() {
        use DriftCategory::*;
        assert_eq!(check(Performance, 7.89), Some(DriftStatus::Warning));
        assert_eq!(check(Performance, -7.89), Some(DriftStatus::Warning));
        assert_eq!(check(Resource, 5.0), Some(DriftStatus::Ok));
        assert_eq!(check(Resource, 10.0), Some(DriftStatus::Warning));
        assert_eq!(check(Behavior, -10.1), Some(DriftStatus::Critical));
        assert_eq!(check(Behavior, f64::NEG_INFINITY), Some(DriftStatus::Critical));
        assert_eq!(check(Configuration, 0.0), Some(DriftStatus::Ok));
        assert_eq!(check(Configuration, 1e-9), Some(DriftStatus::Critical));
        assert_eq!(check(Configuration, f64::NAN), None);
    }

    #[test]
    fn a_tighter_category_warns_before_the_general_limit() {
        let limits = DriftLimits { threshold: 2.0, warning: 5.0, critical: 10.0 };
        assert_eq!(drift_status(DriftCategory::Behavior, 3.0, limits).unwrap(), Some(DriftStatus::Warning));
    }

    #[test]
    fn a_limit_that_can_never_be_crossed_is_an_error() {
        let limits = DriftLimits { threshold: 2.0, warning: f64::NAN, critical: 10.0 };
        let error = drift_status(DriftCategory::Behavior, 3.0, limits).unwrap_err().to_string();
        assert_eq!(
            error,
            "drift_status: argument warning_percent must be a percentage of 0 or more, got NaN"
        );
    }
}
