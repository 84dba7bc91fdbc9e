//! `wasserstein_of(value, is_candidate)`: how far values have to move to turn one sample into another.
//!
//! | samples | result |
//! |---|---|
//! | either sample without a value | NULL |
//! | NULL in either argument; NaN or infinite value | the row is left out |
//! | equal | 0 |
//! | shifted by c | the magnitude of c |

use super::collect::{Collected, Collecting, Key, double};
use crate::functions::reference::{CHANGE, example};
use crate::functions::statistics::distance::wasserstein;
use crate::functions::statistics::distribution::Distribution;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Documentation};
use std::sync::LazyLock;

static FUNCTION: Collecting = Collecting {
    name: "wasserstein_of",
    key: Key::Sample,
    parameters: &[],
    returns: || DataType::Float64,
    finish: |collection| {
        let (baseline, candidate) = collection.samples();
        let both = Distribution::of_sample(&baseline).zip(Distribution::of_sample(&candidate));
        double(both.map(|(baseline, candidate)| wasserstein(&baseline, &candidate)))
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
            "Returns the 1-Wasserstein (earth mover's) distance of two samples, in the unit of the values: the mean distance that a value has to move. Symmetric and exact. `wasserstein` is the same of two sketches.\n\nNULL when a sample has no value. Rows in which either argument is NULL, or the value NaN or infinite, are left out.\n\nSource: Vallender, \"Calculation of the Wasserstein distance between probability distributions on the line\", 1973.",
            "wasserstein_of(value, is_candidate) -> double",
        )
        .with_argument("value", "double; what is measured")
        .with_argument("is_candidate", "boolean; true for the candidate, false for the baseline")
        .with_sql_example(example(
            "select wasserstein_of(ms, is_candidate) as ms\nfrom (values\n  (80.0, false), (95.0, false), (99.0, false), (102.0, false),\n  (120.0, true), (131.0, true), (138.0, true), (140.0, true)\n) as t(ms, is_candidate);",
            "
+-------+
| ms    |
+-------+
| 38.25 |
+-------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
