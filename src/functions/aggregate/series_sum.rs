//! `series_sum(series)`: many series as one, interval by interval.
//!
//! | series | result |
//! |---|---|
//! | none, or only NULL | NULL |
//! | NULL among others | ignored |
//! | an interval that one lacks | what the others have of it |
//! | other bytes | error |

use super::intervals::{Gathering, Rows, gathers};
use crate::functions::reference::{SERIES, example};
use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDFImpl, Documentation, Signature, Volatility};
use std::sync::LazyLock;

const GATHERING: Gathering = Gathering { function: "series_sum", rows: Rows::Series };

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SeriesSum {
    signature: Signature,
}

impl Default for SeriesSum {
    fn default() -> Self {
        SeriesSum { signature: Signature::exact(vec![DataType::LargeBinary], Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for SeriesSum {
    gathers!(GATHERING);

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SERIES,
                "Returns the series of all samples behind the series: totals and numbers of samples are added up interval by interval, exactly \
                 and rounded once, in any order and grouping. So the mean of an interval is that of its samples, not of means.\n\n\
                 NULL when there is no series; NULLs are ignored. An error when bytes are not a series.",
                "series_sum(series) -> large binary",
            )
            .with_argument("series", "large binary; made by `interval_series` or another series function")
            .with_sql_example(example(
                "with hosts as (\n  select host, interval_series(slot, cpu) as series\n  from (values ('a', 0, 40.0), ('a', 1, 50.0), ('b', 0, 60.0)) as t(host, slot, cpu)\n  group by host\n)\nselect point['slot'] as slot, point['value'] as mean\nfrom (select unnest(series_points(series)) as point from (select series_sum(series) as series from hosts));",
                "
+------+------+
| slot | mean |
+------+------+
| 0    | 50.0 |
| 1    | 50.0 |
+------+------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
