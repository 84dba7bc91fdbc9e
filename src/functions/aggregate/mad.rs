//! `mad(value)`: how far values typically are from their median.
//!
//! | values | result |
//! |---|---|
//! | none | NULL |
//! | NULL, NaN, ±∞ | ignored |
//! | one, or a constant | 0 |
//! | more than half of them equal | 0 |

use super::collect::{Collected, Collecting, Key, double};
use crate::functions::reference::{CHANGE, example};
use crate::functions::statistics::sample::{mad, sorted};
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Documentation};
use std::sync::LazyLock;

static FUNCTION: Collecting = Collecting {
    name: "mad",
    key: Key::Absent,
    parameters: &[],
    returns: || DataType::Float64,
    finish: |collection| double(mad(&sorted(collection.pairs.iter().map(|p| p.value)))),
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
            "Returns the median absolute deviation from the median. Half of the values may be anything without moving it beyond the \
             others. Times 1.4826 it estimates the standard deviation of normal values.\n\n\
             NULL when there is no value; NULL, NaN and infinite values are ignored.\n\n\
             Source: Hampel, \"The influence curve and its role in robust estimation\", JASA 1974.",
            "mad(value) -> double",
        )
        .with_argument("value", "double; what is measured")
        .with_sql_example(example(
            "select mad(ms) as typical_distance from (values (80.0), (95.0), (99.0), (102.0), (870.0)) as t(ms);",
            "
+------------------+
| typical_distance |
+------------------+
| 4.0              |
+------------------+",
        ))
        .build()
    });
    &DOCUMENTATION
}
