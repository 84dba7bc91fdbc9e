//! `js_divergence(baseline, candidate)`: how much telling two distributions apart is helped by a value, in bits.
//!
//! | sketches | result |
//! |---|---|
//! | either NULL or without a value | NULL |
//! | equal | 0 |
//! | without overlap | 1 |
//! | other bytes | error |

use crate::functions::reference::{CHANGE, example};
use crate::functions::scalar::sketch_pair::{SketchPair, SketchPairFunction};
use crate::functions::statistics::distance::js_divergence;
use crate::functions::statistics::distribution::Distribution;
use datafusion::logical_expr::{Documentation, ScalarUDF};
use std::sync::LazyLock;

static FUNCTION: SketchPair = SketchPair {
    name: "js_divergence",
    atoms: Distribution::of_buckets,
    compare: js_divergence,
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
            "Returns the Jensen-Shannon divergence of two sketches over the deciles of both taken together, in bits: 0 when equal, 1 without overlap. Symmetric; its square root is a distance. `js_divergence_of` is the same of values.\n\nNULL when either sketch is NULL or holds no value. An error when bytes are not a sketch.\n\nSource: Lin, \"Divergence measures based on the Shannon entropy\", IEEE Trans. Inf. Theory 1991.",
            "js_divergence(baseline, candidate) -> double",
        )
        .with_argument("baseline", "binary; a sketch made by `quantile_sketch` or `sketch_merge`")
        .with_argument("candidate", "binary; another")
        .with_sql_example(example(
            "with sides as (\n  select quantile_sketch(ms) filter (where day = 1) as before, quantile_sketch(ms) filter (where day = 2) as after\n  from (values (1, 80.0), (1, 95.0), (1, 99.0), (1, 102.0), (2, 99.0), (2, 131.0), (2, 138.0), (2, 140.0)) as t(day, ms)\n)\nselect round(js_divergence(before, after), 4) as bits from sides;",
            "
+------+
| bits |
+------+
| 0.75 |
+------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
