//! `wasserstein(baseline, candidate)`: how far values have to move to turn one distribution into another.
//!
//! | sketches | result |
//! |---|---|
//! | either NULL or without a value | NULL |
//! | equal | 0 |
//! | infinite values in different shares | ∞ |
//! | other bytes | error |

use crate::functions::reference::{CHANGE, example};
use crate::functions::scalar::sketch_pair::{SketchPair, SketchPairFunction};
use crate::functions::statistics::distance::wasserstein;
use crate::functions::statistics::distribution::Distribution;
use datafusion::logical_expr::{Documentation, ScalarUDF};
use std::sync::LazyLock;

static FUNCTION: SketchPair =
    SketchPair { name: "wasserstein", atoms: Distribution::of_values, compare: wasserstein, documentation };

/// The SQL function.
pub fn function() -> ScalarUDF {
    SketchPairFunction::new(&FUNCTION).into()
}

fn documentation() -> &'static Documentation {
    static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
        Documentation::builder(
            CHANGE,
            "Returns the 1-Wasserstein (earth mover's) distance of two sketches, in the unit of the values: the mean distance that a value has to move. Each value is known within 1 %. Symmetric. `wasserstein_of` is the same of values.\n\nNULL when either sketch is NULL or holds no value. An error when bytes are not a sketch. Infinite when infinite values make up different shares.\n\nSource: Vallender, \"Calculation of the Wasserstein distance between probability distributions on the line\", 1973.",
            "wasserstein(baseline, candidate) -> double",
        )
        .with_argument("baseline", "binary; a sketch made by `quantile_sketch` or `sketch_merge`")
        .with_argument("candidate", "binary; another")
        .with_sql_example(example(
            "with sides as (\n  select quantile_sketch(ms) filter (where day = 1) as before, quantile_sketch(ms) filter (where day = 2) as after\n  from (values (1, 80.0), (1, 95.0), (1, 99.0), (1, 102.0), (2, 99.0), (2, 131.0), (2, 138.0), (2, 140.0)) as t(day, ms)\n)\nselect round(wasserstein(before, after), 4) as ms from sides;",
            "
+---------+
| ms      |
+---------+
| 33.1264 |
+---------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
