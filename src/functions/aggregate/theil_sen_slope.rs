//! `theil_sen_slope(value order by key)`: the slope of a series, unmoved by outliers.
//!
//! | rows | result |
//! |---|---|
//! | none, one, or all at one time | NULL |
//! | NULL, NaN or infinite in value or key | ignored |
//! | several at one time | pairs among them have no slope; each forms pairs with all others |
//! | a constant | 0 |
//! | value spread times length beyond 1.8e308 | NULL |

use super::collect::{Collected, Collecting, Key, double};
use crate::functions::reference::{CHANGE, example};
use crate::functions::statistics::slope::{Point, theil_sen};
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Documentation};
use std::sync::LazyLock;

/// Keys of time are microseconds; the slope is by second.
const MICROS_PER_SECOND: f64 = 1e6;

static FUNCTION: Collecting = Collecting {
    name: "theil_sen_slope",
    key: Key::Order,
    parameters: &[],
    returns: || DataType::Float64,
    finish: |collection| {
        let first = collection.pairs.first().map_or(0.0, |p| p.key);
        let unit = if collection.is_timed { MICROS_PER_SECOND } else { 1.0 };
        let points = collection.pairs.iter().map(|p| Point { at: (p.key - first) / unit, value: p.value });
        double(theil_sen(&points.collect::<Vec<_>>()))
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
            "Returns the median of the slopes of all pairs of points: up to 29 % of the points may be anything without moving it \
             far. By second where the key is a time (`* 3600` for an hour), else by 1 of the key. The same to the last bit as sorting \
             all slopes, but in O(n log n) steps and about 200 bytes a row.\n\n\
             NULL when fewer than two different keys have a value. NULL, NaN and infinite values and keys are ignored. An error \
             without `order by`. Not available with `distinct`.\n\n\
             Source: Sen, \"Estimates of the regression coefficient based on Kendall's tau\", JASA 1968.",
            "theil_sen_slope(value order by key) -> double",
        )
        .with_argument("value", "double; the series")
        .with_argument("key", "timestamp, date or number; when it was measured")
        .with_sql_example(example(
            "select theil_sen_slope(mb order by at) * 3600 as mb_per_hour\nfrom (values\n  (timestamp '2025-01-15 00:00:00', 500.0), (timestamp '2025-01-15 01:00:00', 512.0),\n  (timestamp '2025-01-15 02:00:00', 4000.0), (timestamp '2025-01-15 03:00:00', 536.0)\n) as t(at, mb);",
            "
+-------------+
| mb_per_hour |
+-------------+
| 12.0        |
+-------------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
