//! `ks_p_value_of(value, is_candidate)`: how likely a gap as large is by chance.
//!
//! | samples | result |
//! |---|---|
//! | either sample without a value | NULL |
//! | NULL in either argument; NaN or infinite value | the row is left out |
//! | equal | 1 |
//! | m·n up to 1,000,000 | exact without ties; with ties not too small |
//! | larger | Kolmogorov's limit |

use super::collect::{Collected, Collecting, Key, double};
use crate::functions::reference::{CHANGE, example};
use crate::functions::statistics::distribution::Distribution;
use crate::functions::statistics::kolmogorov::ks_p_value;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Documentation};
use std::sync::LazyLock;

static FUNCTION: Collecting = Collecting {
    name: "ks_p_value_of",
    key: Key::Sample,
    parameters: &[],
    returns: || DataType::Float64,
    finish: |collection| {
        let (baseline, candidate) = collection.samples();
        let both = Distribution::of_sample(&baseline).zip(Distribution::of_sample(&candidate));
        double(both.map(|(baseline, candidate)| ks_p_value(&baseline, &candidate)))
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
            "Returns the two-sided p of the two-sample Kolmogorov-Smirnov test: exact by counting paths up to m·n = 1,000,000 (values without ties; with ties p is rather too large), beyond that by Kolmogorov's limit.\n\nNULL when a sample has no value. Rows in which either argument is NULL, or the value NaN or infinite, are left out.\n\nSource: Smirnov 1939; Kolmogorov 1933.",
            "ks_p_value_of(value, is_candidate) -> double",
        )
        .with_argument("value", "double; what is measured")
        .with_argument("is_candidate", "boolean; true for the candidate, false for the baseline")
        .with_sql_example(example(
            "select round(ks_p_value_of(ms, is_candidate), 6) as p\nfrom (values\n  (80.0, false), (95.0, false), (99.0, false), (102.0, false),\n  (120.0, true), (131.0, true), (138.0, true), (140.0, true)\n) as t(ms, is_candidate);",
            "
+----------+
| p        |
+----------+
| 0.028571 |
+----------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
