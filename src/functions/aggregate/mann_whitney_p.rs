//! `mann_whitney_p(value, is_candidate)`: do values of the candidate tend to be larger or smaller?
//!
//! | samples | result |
//! |---|---|
//! | either sample without a value | NULL |
//! | NULL in either argument; NaN or infinite value | the row is left out |
//! | all values equal | 1 |
//! | both under 50 values without ties | exact |
//! | otherwise | normal, corrected for ties and continuity |

use super::collect::{Collected, Collecting, Key, double};
use crate::functions::reference::{CHANGE, example};
use crate::functions::statistics::mann_whitney::mann_whitney;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Documentation};
use std::sync::LazyLock;

static FUNCTION: Collecting = Collecting {
    name: "mann_whitney_p",
    key: Key::Sample,
    parameters: &[],
    returns: || DataType::Float64,
    finish: |collection| {
        let (baseline, candidate) = collection.samples();
        double(mann_whitney(&baseline, &candidate).map(|test| test.p))
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
            "Returns the two-sided p of the Mann-Whitney (Wilcoxon rank-sum) test that neither sample tends to larger values. Ranks only: outliers count no more than other values. Exact when both samples have fewer than 50 values and no two are equal, else by the normal distribution, corrected for ties and continuity. Blind to a change of spread around one median: see `brown_forsythe_p`.\n\nNULL when a sample has no value. Rows in which either argument is NULL, or the value NaN or infinite, are left out. 1 when all values are equal.\n\nSource: Mann and Whitney, Ann. Math. Statist. 1947; Lehmann, \"Nonparametrics\", 1975.",
            "mann_whitney_p(value, is_candidate) -> double",
        )
        .with_argument("value", "double; what is measured")
        .with_argument("is_candidate", "boolean; true for the candidate, false for the baseline")
        .with_sql_example(example(
            "select round(mann_whitney_p(ms, is_candidate), 6) as p\nfrom (values\n  (80.0, false), (95.0, false), (99.0, false), (102.0, false),\n  (120.0, true), (131.0, true), (138.0, true), (140.0, true)\n) as t(ms, is_candidate);",
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
