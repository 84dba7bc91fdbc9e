//! `js_divergence_of(value, is_candidate)`: how much telling two samples apart is helped by a value, in bits.
//!
//! | samples | result |
//! |---|---|
//! | either sample without a value | NULL |
//! | NULL in either argument; NaN or infinite value | the row is left out |
//! | equal | 0 |
//! | without overlap | 1 |

use super::collect::{Collected, Collecting, Key, double};
use crate::functions::reference::{CHANGE, example};
use crate::functions::statistics::distance::js_divergence;
use crate::functions::statistics::distribution::Distribution;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Documentation};
use std::sync::LazyLock;

static FUNCTION: Collecting = Collecting {
    name: "js_divergence_of",
    key: Key::Sample,
    parameters: &[],
    returns: || DataType::Float64,
    finish: |collection| {
        let (baseline, candidate) = collection.samples();
        let both = Distribution::of_sample(&baseline).zip(Distribution::of_sample(&candidate));
        double(both.map(|(baseline, candidate)| js_divergence(&baseline, &candidate)))
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
            "Returns the Jensen-Shannon divergence of two samples over the deciles of both taken together, in bits: 0 when equal, 1 without overlap. Symmetric; its square root is a distance. `js_divergence` is the same of two sketches.\n\nNULL when a sample has no value. Rows in which either argument is NULL, or the value NaN or infinite, are left out.\n\nSource: Lin, \"Divergence measures based on the Shannon entropy\", IEEE Trans. Inf. Theory 1991.",
            "js_divergence_of(value, is_candidate) -> double",
        )
        .with_argument("value", "double; what is measured")
        .with_argument("is_candidate", "boolean; true for the candidate, false for the baseline")
        .with_sql_example(example(
            "select js_divergence_of(ms, is_candidate) as bits\nfrom (values\n  (80.0, false), (95.0, false), (99.0, false), (102.0, false),\n  (120.0, true), (131.0, true), (138.0, true), (140.0, true)\n) as t(ms, is_candidate);",
            "
+------+
| bits |
+------+
| 1.0  |
+------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
