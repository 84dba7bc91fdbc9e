//! `hodges_lehmann_upper(value, is_candidate, confidence)`: the largest shift that is in keeping with the values.
//!
//! | samples | result |
//! |---|---|
//! | either sample without a value | NULL |
//! | NULL in either argument; NaN or infinite value | the row is left out |
//! | too few for this confidence | NULL |
//! | confidence outside 0 to 1 | error |

use super::collect::{Collected, Collecting, Key, double};
use crate::functions::Error;
use crate::functions::reference::{CHANGE, example};
use crate::functions::statistics::shift::shift_interval;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Documentation};
use std::sync::LazyLock;

static FUNCTION: Collecting = Collecting {
    name: "hodges_lehmann_upper",
    key: Key::Sample,
    parameters: &["confidence"],
    returns: || DataType::Float64,
    finish: |collection| {
        let (baseline, candidate) = collection.samples();
        let confidence = collection.parameters[0];
        if !(confidence > 0.0 && confidence < 1.0) {
            let expected = "above 0 and below 1 (0.95 is usual)";
            return Err(Error::Argument {
                function: FUNCTION.name,
                argument: "confidence",
                expected,
                got: confidence.to_string(),
            }
            .into());
        }
        double(shift_interval(&baseline, &candidate, confidence).map(|interval| interval.1))
    },
    documentation,
};

/// The SQL function.
pub fn function() -> AggregateUDF {
    Collected::new(&FUNCTION).into()
}

fn documentation() -> &'static Documentation {
    static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
        Documentation::builder(
            CHANGE,
            "Returns the upper end of the confidence interval of the Hodges-Lehmann shift, candidate − baseline: the interval of the Mann-Whitney test. By the exact distribution when both samples have fewer than 50 values and no two are equal, else by the normal one.\n\nNULL when a sample has no value, or there are too few for an interval of this confidence (0.95 takes 4 and 4). Rows in which either argument is NULL, or the value NaN or infinite, are left out. An error when `confidence` is not above 0 and below 1.\n\nSource: Moses 1953; Hollander, Wolfe, Chicken, \"Nonparametric statistical methods\", 2014, section 4.3.",
            "hodges_lehmann_upper(value, is_candidate, confidence) -> double",
        )
        .with_argument("value", "double; what is measured")
        .with_argument("is_candidate", "boolean; true for the candidate, false for the baseline")
        .with_argument("confidence", "double; the probability that the interval holds the shift; a constant")
        .with_sql_example(example(
            "select hodges_lehmann_upper(ms, is_candidate, 0.95) as largest_ms\nfrom (values\n  (80.0, false), (95.0, false), (99.0, false), (102.0, false),\n  (120.0, true), (131.0, true), (138.0, true), (140.0, true)\n) as t(ms, is_candidate);",
            "
+------------+
| largest_ms |
+------------+
| 60.0       |
+------------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
