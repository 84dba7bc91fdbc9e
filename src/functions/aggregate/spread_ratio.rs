//! `spread_ratio(value, is_candidate)`: how many times as far the candidate spreads.
//!
//! | samples | result |
//! |---|---|
//! | either sample without a value | NULL |
//! | NULL in either argument; NaN or infinite value | the row is left out |
//! | under 3 values | NULL |
//! | both constant | 1 |
//! | only the baseline constant | infinite |

use super::collect::{Collected, Collecting, Key, double};
use crate::functions::reference::{CHANGE, example};
use crate::functions::statistics::spread::brown_forsythe;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Documentation};
use std::sync::LazyLock;

static FUNCTION: Collecting = Collecting {
    name: "spread_ratio",
    key: Key::Sample,
    parameters: &[],
    returns: || DataType::Float64,
    finish: |collection| {
        let (baseline, candidate) = collection.samples();
        double(brown_forsythe(&baseline, &candidate).map(|spread| spread.ratio))
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
            "Returns the mean distance of the candidate's values from their median, divided by that of the baseline's: the effect that `brown_forsythe_p` tests. 1 is equal, 2 twice as far.\n\nNULL when a sample has fewer than three values. Rows in which either argument is NULL, or the value NaN or infinite, are left out. 1 when both are constant, infinite when only the baseline is.\n\nSource: Brown and Forsythe, JASA 1974.",
            "spread_ratio(value, is_candidate) -> double",
        )
        .with_argument("value", "double; what is measured")
        .with_argument("is_candidate", "boolean; true for the candidate, false for the baseline")
        .with_sql_example(example(
            "select round(spread_ratio(ms, is_candidate), 6) as times\nfrom (values\n  (80.0, false), (95.0, false), (99.0, false), (102.0, false),\n  (120.0, true), (131.0, true), (138.0, true), (140.0, true)\n) as t(ms, is_candidate);",
            "
+----------+
| times    |
+----------+
| 1.038462 |
+----------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
