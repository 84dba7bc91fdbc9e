//! `psi_of(value, is_candidate)`: how much of two samples lies in different places.
//!
//! | samples | result |
//! |---|---|
//! | either sample without a value | NULL |
//! | NULL in either argument; NaN or infinite value | the row is left out |
//! | equal | 0 |
//! | without overlap | several units; an empty bin counts half a value |

use super::collect::{Collected, Collecting, Key, double};
use crate::functions::reference::{CHANGE, example};
use crate::functions::statistics::distance::psi;
use crate::functions::statistics::distribution::Distribution;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Documentation};
use std::sync::LazyLock;

static FUNCTION: Collecting = Collecting {
    name: "psi_of",
    key: Key::Sample,
    parameters: &[],
    returns: || DataType::Float64,
    finish: |collection| {
        let (baseline, candidate) = collection.samples();
        let both = Distribution::of_sample(&baseline).zip(Distribution::of_sample(&candidate));
        double(both.map(|(baseline, candidate)| psi(&baseline, &candidate)))
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
            "Returns the population stability index of two samples, Σ (p − q)·ln(p / q) over the deciles of both taken together: 0 when equal; below 0.1 is usually read as stable, above 0.25 as shifted. Symmetric. An empty bin counts half a value. `psi` is the same of two sketches.\n\nNULL when a sample has no value. Rows in which either argument is NULL, or the value NaN or infinite, are left out.\n\nSource: Siddiqi, \"Credit risk scorecards\", 2006, with deciles of both samples instead of the baseline's.",
            "psi_of(value, is_candidate) -> double",
        )
        .with_argument("value", "double; what is measured")
        .with_argument("is_candidate", "boolean; true for the candidate, false for the baseline")
        .with_sql_example(example(
            "select round(psi_of(ms, is_candidate), 6) as psi\nfrom (values\n  (80.0, false), (95.0, false), (99.0, false), (102.0, false),\n  (120.0, true), (131.0, true), (138.0, true), (140.0, true)\n) as t(ms, is_candidate);",
            "
+----------+
| psi      |
+----------+
| 0.693147 |
+----------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
