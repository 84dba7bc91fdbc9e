//! `interval_counts(slot, events, trials)`: counts as a series, by the number of their interval.
//!
//! | counts | result |
//! |---|---|
//! | none, or only NULL | NULL |
//! | NULL in any argument, events that are NaN or ±∞, trials below 1 | ignored |
//! | several of one interval | one interval with all trials and the exact sum of events, rounded once |
//! | a slot below 0 or above 4294967295 | error |

use super::intervals::{Gathering, Rows, gathers};
use crate::functions::reference::{SERIES, example};
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDFImpl, Documentation, Signature, Volatility};
use std::sync::LazyLock;

const GATHERING: Gathering = Gathering { function: "interval_counts", rows: Rows::Counts };

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct IntervalCounts {
    signature: Signature,
}

impl Default for IntervalCounts {
    fn default() -> Self {
        let arguments = vec![DataType::Int64, DataType::Float64, DataType::Int64];
        IntervalCounts { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for IntervalCounts {
    gathers!(GATHERING);

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SERIES,
                "Returns counts as a series: for each interval with any trial, its number, its `trials` as the number of samples, and \
                 the exact sum of its `events`, so that the mean of the interval is the share of trials that were events. The same \
                 bytes in any order of rows and at any number of threads.\n\n\
                 NULL when there is no trial; rows with NULL, events that are not finite or fewer than one trial are none. An error for a \
                 slot outside 0 to 4294967295.",
                "interval_counts(slot, events, trials) -> large binary",
            )
            .with_argument("slot", "bigint; the number of the interval, such as whole minutes since the start of a window")
            .with_argument("events", "double; how many were counted, such as slow requests")
            .with_argument("trials", "bigint; out of how many")
            .with_sql_example(example(
                "with packed as (\n  select interval_counts(slot, slow, requests) as series\n  from (values (0, 1.0, 4), (2, 0.0, 3), (0, 1.0, 6)) as t(slot, slow, requests)\n)\nselect point['slot'] as slot, point['samples'] as requests, point['value'] as share\nfrom (select unnest(series_points(series)) as point from packed);",
                "
+------+----------+-------+
| slot | requests | share |
+------+----------+-------+
| 0    | 10       | 0.2   |
| 2    | 3        | 0.0   |
+------+----------+-------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
