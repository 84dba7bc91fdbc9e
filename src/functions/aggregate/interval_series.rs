//! `interval_series(slot, value)`: samples as a series, by the number of their interval.
//!
//! | samples | result |
//! |---|---|
//! | none, or only NULL | NULL |
//! | NULL in either argument, NaN, ±∞ | ignored |
//! | several of one interval | one interval with their number and their exact sum, rounded once |
//! | a slot below 0 or above 4294967295 | error |

use super::intervals::{Gathering, Rows, gathers};
use crate::functions::reference::{SERIES, example};
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDFImpl, Documentation, Signature, Volatility};
use std::sync::LazyLock;

const GATHERING: Gathering = Gathering { function: "interval_series", rows: Rows::Samples };

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct IntervalSeries {
    signature: Signature,
}

impl Default for IntervalSeries {
    fn default() -> Self {
        IntervalSeries {
            signature: Signature::exact(vec![DataType::Int64, DataType::Float64], Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for IntervalSeries {
    gathers!(GATHERING);

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SERIES,
                "Returns the samples of a group as a series: for each interval that has any, its number, how many samples it has and their \
                 exact sum, in about ten bytes. The same bytes in any order of rows and at any number of threads.\n\n\
                 NULL when there is no sample; NULL, NaN and infinite values are none. An error for a slot outside 0 to 4294967295.",
                "interval_series(slot, value) -> large binary",
            )
            .with_argument("slot", "bigint; the number of the interval, such as whole minutes since the start of a window")
            .with_argument("value", "double; the sample")
            .with_sql_example(example(
                "with packed as (\n  select interval_series(slot, ms) as series\n  from (values (0, 80.0), (2, 95.0), (0, 90.0)) as t(slot, ms)\n)\nselect point['slot'] as slot, point['value'] as mean\nfrom (select unnest(series_points(series)) as point from packed);",
                "
+------+------+
| slot | mean |
+------+------+
| 0    | 85.0 |
| 2    | 95.0 |
+------+------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
