//! `ks_statistic(baseline, candidate)`: the largest gap between two distribution functions.
//!
//! | sketches | result |
//! |---|---|
//! | either NULL or without a value | NULL |
//! | equal | 0 |
//! | without overlap | 1 |
//! | other bytes | error |

use crate::functions::reference::{CHANGE, example};
use crate::functions::scalar::sketch_pair::{SketchPair, SketchPairFunction};
use crate::functions::statistics::distribution::Distribution;
use crate::functions::statistics::kolmogorov::ks_statistic;
use datafusion::logical_expr::{Documentation, ScalarUDF};
use std::sync::LazyLock;

static FUNCTION: SketchPair = SketchPair {
    name: "ks_statistic",
    atoms: Distribution::of_buckets,
    compare: ks_statistic,
    documentation,
};

/// The SQL function.
pub fn function() -> ScalarUDF {
    SketchPairFunction::new(&FUNCTION).into()
}

fn documentation() -> &'static Documentation {
    static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
        Documentation::builder(
            CHANGE,
            "Returns the two-sample Kolmogorov-Smirnov statistic of two sketches: the largest difference between the shares at or below the end of a bucket, 0 to 1. Exact at those ends; values within 2 % of each other may share a bucket, which can hide a gap between them and never shows one that is not there. Symmetric. `ks_statistic_of` is the same of values.\n\nNULL when either sketch is NULL or holds no value. An error when bytes are not a sketch.\n\nSource: Smirnov 1939.",
            "ks_statistic(baseline, candidate) -> double",
        )
        .with_argument("baseline", "binary; a sketch made by `quantile_sketch` or `sketch_merge`")
        .with_argument("candidate", "binary; another")
        .with_sql_example(example(
            "with sides as (\n  select quantile_sketch(ms) filter (where day = 1) as before, quantile_sketch(ms) filter (where day = 2) as after\n  from (values (1, 80.0), (1, 95.0), (1, 99.0), (1, 102.0), (2, 99.0), (2, 131.0), (2, 138.0), (2, 140.0)) as t(day, ms)\n)\nselect round(ks_statistic(before, after), 4) as gap from sides;",
            "
+------+
| gap  |
+------+
| 0.75 |
+------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
