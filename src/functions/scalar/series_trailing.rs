//! `series_trailing(series, width)`: each interval of a series together with those before it.
//!
//! | series | width | result |
//! |---|---|---|
//! | NULL | any | NULL |
//! | any | NULL | NULL |
//! | any | 1 | the same |
//! | any | w | for each interval: the samples, and their total, of it and of the w − 1 slots before it |
//! | any | below 1 | error |
//! | other bytes | any | error |

use crate::functions::Error;
use crate::functions::argument::{arrays, large_binaries, primitive, read_series, series_column};
use crate::functions::reference::{SERIES, example};
use crate::functions::series::{Interval, pack};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

const NAME: &str = "series_trailing";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SeriesTrailing {
    signature: Signature,
}

impl Default for SeriesTrailing {
    fn default() -> Self {
        let arguments = vec![DataType::LargeBinary, DataType::Int64];
        SeriesTrailing { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

/// Every interval with the sum of itself and of those less than `width` slots before it, added from the oldest on: nothing is
/// taken off again, so that no rounding error lives on.
fn trailing(intervals: &[Interval], width: u64) -> impl Iterator<Item = Interval> + '_ {
    let mut oldest = 0;
    intervals.iter().enumerate().map(move |(at, interval)| {
        while u64::from(interval.slot - intervals[oldest].slot) >= width {
            oldest += 1;
        }
        let none = Interval { slot: interval.slot, samples: 0, total: 0.0 };
        intervals[oldest..=at].iter().fold(none, |sum, i| Interval {
            samples: sum.samples.saturating_add(i.samples),
            total: sum.total + i.total,
            ..sum
        })
    })
}

impl ScalarUDFImpl for SeriesTrailing {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::LargeBinary)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = arrays(&args.args, args.number_rows)?;
        let (series, widths) = (large_binaries(&arguments[0])?, primitive::<Int64Type>(&arguments[1])?);
        let rows = series.iter().zip(widths).map(|row| {
            let (Some(bytes), Some(width)) = row else { return Ok(None) };
            let width = u64::try_from(width).ok().filter(|w| *w > 0).ok_or_else(|| Error::Argument {
                function: NAME,
                argument: "width",
                expected: "1 or more",
                got: width.to_string(),
            })?;
            if width == 1 {
                return Ok(Some(bytes.to_vec()));
            }
            Ok(Some(pack(trailing(&read_series(NAME, bytes)?, width))))
        });
        Ok(ColumnarValue::Array(Arc::new(series_column(rows)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SERIES,
                "Returns a series with the same intervals, each with the samples of the last `width` slots, itself included: what is \
                 rarely sampled, judged over a longer time. An interval without samples stays without.\n\n\
                 NULL when an argument is NULL. An error for a width below 1 or when bytes are not a series.",
                "series_trailing(series, width) -> large binary",
            )
            .with_argument("series", "large binary; made by `interval_series` or another series function")
            .with_argument("width", "bigint; how many slots, the interval's own included")
            .with_sql_example(example(
                "with packed as (\n  select interval_counts(slot, slow, requests) as series\n  from (values (0, 1.0, 4), (1, 0.0, 4), (9, 3.0, 3)) as t(slot, slow, requests)\n)\nselect point['slot'] as slot, point['samples'] as requests, point['value'] as share\nfrom (select unnest(series_points(series_trailing(series, 3))) as point from packed);",
                "
+------+----------+-------+
| slot | requests | share |
+------+----------+-------+
| 0    | 4        | 0.25  |
| 1    | 8        | 0.125 |
| 9    | 3        | 1.0   |
+------+----------+-------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_interval_adds_up_what_lies_in_its_width(
            gaps in prop::collection::vec((1u32..6, 1u64..50, 0u32..100), 0..80), width in 1u64..20
        ) {
            let mut slot = 0;
            let series: Vec<_> = gaps
                .into_iter()
                .map(|(gap, samples, total)| {
                    slot += gap;
                    Interval { slot, samples, total: f64::from(total) }
                })
                .collect();
            let got: Vec<_> = trailing(&series, width).collect();
            prop_assert_eq!(got.len(), series.len());
            for sum in got {
                let within = |i: &&Interval| i.slot <= sum.slot && u64::from(sum.slot - i.slot) < width;
                let samples: u64 = series.iter().filter(within).map(|i| i.samples).sum();
                let total: f64 = series.iter().filter(within).map(|i| i.total).sum();
                prop_assert_eq!((sum.samples, sum.total), (samples, total));
            }
        }
    }
}
