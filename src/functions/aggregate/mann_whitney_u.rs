//! `mann_whitney_u(value, is_candidate)`: in how many pairs of values the candidate has the larger.
//!
//! | samples | result |
//! |---|---|
//! | either sample without a value | NULL |
//! | NULL in either argument; NaN or infinite value | the row is left out |
//! | all values equal | half of the pairs |

use super::collect::{Collected, Collecting, Key, double};
use crate::functions::reference::{CHANGE, example};
use crate::functions::statistics::mann_whitney::mann_whitney;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Documentation};
use std::sync::LazyLock;

static FUNCTION: Collecting = Collecting {
    name: "mann_whitney_u",
    key: Key::Sample,
    parameters: &[],
    returns: || DataType::Float64,
    finish: |collection| {
        let (baseline, candidate) = collection.samples();
        double(mann_whitney(&baseline, &candidate).map(|test| test.u))
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
            "Returns Mann and Whitney's U of the candidate: the number of pairs of a candidate's and a baseline's value in which the candidate's is larger; equal ones count half. Divided by the number of pairs it is the probability that a candidate's value is the larger one.\n\nNULL when a sample has no value. Rows in which either argument is NULL, or the value NaN or infinite, are left out.\n\nSource: Mann and Whitney, Ann. Math. Statist. 1947.",
            "mann_whitney_u(value, is_candidate) -> double",
        )
        .with_argument("value", "double; what is measured")
        .with_argument("is_candidate", "boolean; true for the candidate, false for the baseline")
        .with_sql_example(example(
            "select mann_whitney_u(ms, is_candidate) as u\nfrom (values\n  (80.0, false), (95.0, false), (99.0, false), (102.0, false),\n  (120.0, true), (131.0, true), (138.0, true), (140.0, true)\n) as t(ms, is_candidate);",
            "
+------+
| u    |
+------+
| 16.0 |
+------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
