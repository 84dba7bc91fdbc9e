//! `ks_p_value(baseline, candidate)`: how likely a gap as large is by chance.
//!
//! | sketches | result |
//! |---|---|
//! | either NULL or without a value | NULL |
//! | equal | 1 |
//! | m·n up to 1,000,000 | exact without ties; with ties not too small |
//! | larger | Kolmogorov's limit |
//! | other bytes | error |

use crate::functions::reference::{CHANGE, example};
use crate::functions::scalar::sketch_pair::{SketchPair, SketchPairFunction};
use crate::functions::statistics::distribution::Distribution;
use crate::functions::statistics::kolmogorov::ks_p_value;
use datafusion::logical_expr::{Documentation, ScalarUDF};
use std::sync::LazyLock;

static FUNCTION: SketchPair =
    SketchPair { name: "ks_p_value", atoms: Distribution::of_buckets, compare: ks_p_value, documentation };

/// The SQL function.
pub fn function() -> ScalarUDF {
    SketchPairFunction::new(&FUNCTION).into()
}

fn documentation() -> &'static Documentation {
    static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
        Documentation::builder(
            CHANGE,
            "Returns the two-sided p of the Kolmogorov-Smirnov test of two sketches: exact by counting paths up to m·n = 1,000,000, beyond that by Kolmogorov's limit; values that share a bucket make p rather too large. With millions of requests any difference is significant: look at the statistic, `psi` or `wasserstein` first. `ks_p_value_of` is the same of values.\n\nNULL when either sketch is NULL or holds no value. An error when bytes are not a sketch.\n\nSource: Smirnov 1939; Kolmogorov 1933.",
            "ks_p_value(baseline, candidate) -> double",
        )
        .with_argument("baseline", "binary; a sketch made by `quantile_sketch` or `sketch_merge`")
        .with_argument("candidate", "binary; another")
        .with_sql_example(example(
            "with sides as (\n  select quantile_sketch(ms) filter (where day = 1) as before, quantile_sketch(ms) filter (where day = 2) as after\n  from (values (1, 80.0), (1, 95.0), (1, 99.0), (1, 102.0), (2, 99.0), (2, 131.0), (2, 138.0), (2, 140.0)) as t(day, ms)\n)\nselect round(ks_p_value(before, after), 4) as p from sides;",
            "
+--------+
| p      |
+--------+
| 0.2286 |
+--------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
