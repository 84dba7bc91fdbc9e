//! `brown_forsythe_p(value, is_candidate)`: do both samples spread equally far?
//!
//! | samples | result |
//! |---|---|
//! | either sample without a value | NULL |
//! | NULL in either argument; NaN or infinite value | the row is left out |
//! | under 3 values | NULL |
//! | both constant | 1 |

use super::collect::{Collected, Collecting, Key, double};
use crate::functions::reference::{CHANGE, example};
use crate::functions::statistics::spread::brown_forsythe;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Documentation};
use std::sync::LazyLock;

static FUNCTION: Collecting = Collecting {
    name: "brown_forsythe_p",
    key: Key::Sample,
    parameters: &[],
    returns: || DataType::Float64,
    finish: |collection| {
        let (baseline, candidate) = collection.samples();
        double(brown_forsythe(&baseline, &candidate).map(|spread| spread.p))
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
            "Returns the p of the Brown-Forsythe test (Levene's with medians) that both samples spread equally far around their medians. It sees what the Mann-Whitney test is blind to: the same median with wilder values.\n\nNULL when a sample has fewer than three values. Rows in which either argument is NULL, or the value NaN or infinite, are left out. 1 when both are constant.\n\nSource: Brown and Forsythe, \"Robust tests for the equality of variances\", JASA 1974.",
            "brown_forsythe_p(value, is_candidate) -> double",
        )
        .with_argument("value", "double; what is measured")
        .with_argument("is_candidate", "boolean; true for the candidate, false for the baseline")
        .with_sql_example(example(
            "select round(brown_forsythe_p(ms, is_candidate), 6) as p\nfrom (values\n  (80.0, false), (95.0, false), (99.0, false), (102.0, false),\n  (120.0, true), (131.0, true), (138.0, true), (140.0, true)\n) as t(ms, is_candidate);",
            "
+----------+
| p        |
+----------+
| 0.956852 |
+----------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
