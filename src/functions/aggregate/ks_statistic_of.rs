//! `ks_statistic_of(value, is_candidate)`: the largest gap between two distribution functions.
//!
//! | samples | result |
//! |---|---|
//! | either sample without a value | NULL |
//! | NULL in either argument; NaN or infinite value | the row is left out |
//! | equal | 0 |
//! | without overlap | 1 |

use super::collect::{Collected, Collecting, Key, double};
use crate::functions::reference::{CHANGE, example};
use crate::functions::statistics::distribution::Distribution;
use crate::functions::statistics::kolmogorov::ks_statistic;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Documentation};
use std::sync::LazyLock;

static FUNCTION: Collecting = Collecting {
    name: "ks_statistic_of",
    key: Key::Sample,
    parameters: &[],
    returns: || DataType::Float64,
    finish: |collection| {
        let (baseline, candidate) = collection.samples();
        let both = Distribution::of_sample(&baseline).zip(Distribution::of_sample(&candidate));
        double(both.map(|(baseline, candidate)| ks_statistic(&baseline, &candidate)))
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
            "Returns the two-sample Kolmogorov-Smirnov statistic: the largest difference between the shares of both samples that lie at or below one value, 0 to 1. Symmetric and exact. `ks_statistic` is the same of two sketches.\n\nNULL when a sample has no value. Rows in which either argument is NULL, or the value NaN or infinite, are left out.\n\nSource: Smirnov 1939.",
            "ks_statistic_of(value, is_candidate) -> double",
        )
        .with_argument("value", "double; what is measured")
        .with_argument("is_candidate", "boolean; true for the candidate, false for the baseline")
        .with_sql_example(example(
            "select ks_statistic_of(ms, is_candidate) as gap\nfrom (values\n  (80.0, false), (95.0, false), (99.0, false), (102.0, false),\n  (120.0, true), (131.0, true), (138.0, true), (140.0, true)\n) as t(ms, is_candidate);",
            "
+-----+
| gap |
+-----+
| 1.0 |
+-----+",
        ))
        .build()
    });
    &DOCUMENTATION
}
