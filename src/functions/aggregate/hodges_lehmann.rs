//! `hodges_lehmann(value, is_candidate)`: by how much the candidate is larger.
//!
//! | samples | result |
//! |---|---|
//! | either sample without a value | NULL |
//! | NULL in either argument; NaN or infinite value | the row is left out |
//! | equal | 0 |
//! | shifted by c | c |

use super::collect::{Collected, Collecting, Key, double};
use crate::functions::reference::{CHANGE, example};
use crate::functions::statistics::shift::hodges_lehmann;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Documentation};
use std::sync::LazyLock;

static FUNCTION: Collecting = Collecting {
    name: "hodges_lehmann",
    key: Key::Sample,
    parameters: &[],
    returns: || DataType::Float64,
    finish: |collection| {
        let (baseline, candidate) = collection.samples();
        double(hodges_lehmann(&baseline, &candidate))
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
            "Returns the Hodges-Lehmann shift: the median of all differences candidate − baseline, in the unit of the values. Up to 29 % of the values may be anything without moving it far. Exact; the differences are counted, not listed.\n\nNULL when a sample has no value. Rows in which either argument is NULL, or the value NaN or infinite, are left out.\n\nSource: Hodges and Lehmann, \"Estimates of location based on rank tests\", Ann. Math. Statist. 1963.",
            "hodges_lehmann(value, is_candidate) -> double",
        )
        .with_argument("value", "double; what is measured")
        .with_argument("is_candidate", "boolean; true for the candidate, false for the baseline")
        .with_sql_example(example(
            "select hodges_lehmann(ms, is_candidate) as shift_ms\nfrom (values\n  (80.0, false), (95.0, false), (99.0, false), (102.0, false),\n  (120.0, true), (131.0, true), (138.0, true), (140.0, true)\n) as t(ms, is_candidate);",
            "
+----------+
| shift_ms |
+----------+
| 38.5     |
+----------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
