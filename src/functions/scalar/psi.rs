//! `psi(baseline, candidate)`: how much of two distributions lies in different places.
//!
//! | sketches | result |
//! |---|---|
//! | either NULL or without a value | NULL |
//! | equal | 0 |
//! | without overlap | several units; an empty bin counts half a value |
//! | other bytes | error |

use crate::functions::reference::{CHANGE, example};
use crate::functions::scalar::sketch_pair::{SketchPair, SketchPairFunction};
use crate::functions::statistics::distance::psi;
use crate::functions::statistics::distribution::Distribution;
use datafusion::logical_expr::{Documentation, ScalarUDF};
use std::sync::LazyLock;

static FUNCTION: SketchPair =
    SketchPair { name: "psi", atoms: Distribution::of_buckets, compare: psi, documentation };

/// The SQL function.
pub fn function() -> ScalarUDF {
    SketchPairFunction::new(&FUNCTION).into()
}

fn documentation() -> &'static Documentation {
    static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
        Documentation::builder(
            CHANGE,
            "Returns the population stability index of two sketches, Σ (p − q)·ln(p / q) over the deciles of both taken together, cut at the ends of buckets: 0 when equal; below 0.1 is usually read as stable, above 0.25 as shifted. Symmetric. `psi_of` is the same of values.\n\nNULL when either sketch is NULL or holds no value. An error when bytes are not a sketch.\n\nSource: Siddiqi, \"Credit risk scorecards\", 2006, with deciles of both sides instead of the baseline's.",
            "psi(baseline, candidate) -> double",
        )
        .with_argument("baseline", "binary; a sketch made by `quantile_sketch` or `sketch_merge`")
        .with_argument("candidate", "binary; another")
        .with_sql_example(example(
            "with sides as (\n  select quantile_sketch(ms) filter (where day = 1) as before, quantile_sketch(ms) filter (where day = 2) as after\n  from (values (1, 80.0), (1, 95.0), (1, 99.0), (1, 102.0), (2, 99.0), (2, 131.0), (2, 138.0), (2, 140.0)) as t(day, ms)\n)\nselect round(psi(before, after), 4) as psi from sides;",
            "
+--------+
| psi    |
+--------+
| 0.5199 |
+--------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
