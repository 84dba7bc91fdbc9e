//! `series_beyond(series, from, distance, center, center_distance[, before, after, start, seconds])`: the intervals of a
//! series that lie far from where they should.
//!
//! | arguments | result |
//! |---|---|
//! | series or `from` or `distance` NULL | NULL |
//! | `center` or `center_distance` NULL | only `from` counts |
//! | any | the intervals whose mean is farther than each distance from its place |
//! | NaN in any number | none |
//! | `before` or `after` NULL | as 1: the level of that side is the same |
//! | `start` or `seconds` NULL | NULL |
//! | `seconds` below 1 | error |
//! | other bytes | error |

use crate::functions::Error;
use crate::functions::argument::{
    arrays, doubles, large_binaries, primitive, select_intervals, series_column,
};
use crate::functions::reference::{SERIES, example};
use crate::functions::series::{Interval, Line};
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use std::sync::{Arc, LazyLock};

const NAME: &str = "series_beyond";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SeriesBeyond {
    signature: Signature,
}

impl Default for SeriesBeyond {
    fn default() -> Self {
        let mut constant = vec![DataType::Float64; 5];
        constant[0] = DataType::LargeBinary;
        let line = [DataType::Float64, DataType::Float64, DataType::Int64, DataType::Int64];
        let with_line = [&constant[..], &line].concat();
        let signatures = vec![TypeSignature::Exact(constant), TypeSignature::Exact(with_line)];
        SeriesBeyond { signature: Signature::one_of(signatures, Volatility::Immutable) }
    }
}

fn at<T: ArrowPrimitiveType>(column: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    column.is_valid(row).then(|| column.value(row))
}

/// How the level of each row runs through its hour; `None` where it is not known when that is.
fn line(arguments: &[ArrayRef], row: usize) -> Result<Option<Line>> {
    let [before, after, start, seconds] = arguments else {
        return Ok(Some(Line { before: 1.0, after: 1.0, start: 0, seconds: 1 }));
    };
    let start = at(primitive::<Int64Type>(start)?, row);
    let Some((start, seconds)) = start.zip(at(primitive::<Int64Type>(seconds)?, row)) else {
        return Ok(None);
    };
    if seconds < 1 {
        let (expected, got) = ("1 or more", seconds.to_string());
        return Err(Error::Argument { function: NAME, argument: "seconds", expected, got }.into());
    }
    let share = |column| Ok::<_, DataFusionError>(at(doubles(column)?, row).unwrap_or(1.0));
    Ok(Some(Line { before: share(before)?, after: share(after)?, start, seconds }))
}

impl ScalarUDFImpl for SeriesBeyond {
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
        let series = large_binaries(&arguments[0])?;
        let [from, distance, center, center_distance] = [
            doubles(&arguments[1])?,
            doubles(&arguments[2])?,
            doubles(&arguments[3])?,
            doubles(&arguments[4])?,
        ];
        let lines = (0..series.len()).map(|row| line(&arguments[5..], row)).collect::<Result<Vec<_>>>()?;
        let far = series.iter().enumerate().map(|(row, series)| {
            let (Some(series), Some(from), Some(distance), Some(line)) =
                (series, at(from, row), at(distance, row), lines[row])
            else {
                return Ok(None);
            };
            let other = at(center, row).zip(at(center_distance, row));
            let is_level = line.before == 1.0 && line.after == 1.0;
            select_intervals(NAME, series, |interval: Interval| {
                let mean = interval.mean();
                let level = if is_level { 1.0 } else { line.at(interval.slot) };
                let is_far = (mean - from * level).abs() > distance * level
                    && other.is_none_or(|(center, far)| (mean - center * level).abs() > far * level);
                is_far.then_some(interval)
            })
            .map(Some)
        });
        Ok(ColumnarValue::Array(Arc::new(series_column(far)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SERIES,
                "Returns the intervals of a series whose mean is farther than `distance` from `from`, and farther than \
                 `center_distance` from `center` where both are given: those worth a closer look. With `before` and `after` all four \
                 hold in the middle of an hour, and grow or shrink on straight lines towards the hours beside it.\n\n\
                 NULL when series, `from`, `distance`, `start` or `seconds` is NULL. An error when bytes are not a series.",
                "series_beyond(series, from, distance, center, center_distance[, before, after, start, seconds]) -> large binary",
            )
            .with_argument("series", "large binary; made by `interval_series` or another series function")
            .with_argument("from", "double; where the mean should be")
            .with_argument("distance", "double; how far from it is far")
            .with_argument("center", "double; another place where it may be; may be NULL")
            .with_argument("center_distance", "double; how far from that is far; may be NULL")
            .with_argument("before", "double; what the level of the hour before is, as a share of this one's; NULL as 1")
            .with_argument("after", "double; what the level of the hour after is, as a share of this one's; NULL as 1")
            .with_argument("start", "bigint; when interval 0 began, in seconds since 1970, UTC")
            .with_argument("seconds", "bigint; how long intervals last; from an hour on there are no lines")
            .with_sql_example(example(
                "with packed as (\n  select interval_series(slot, cpu) as series\n  from (values (0, 40.0), (1, 44.0), (2, 61.0)) as t(slot, cpu)\n)\nselect point['slot'] as slot, point['value'] as value\nfrom (select unnest(series_points(series_beyond(series, 40.0, 2.0, 41.0, 5.0))) as point from packed);",
                "
+------+-------+
| slot | value |
+------+-------+
| 2    | 61.0  |
+------+-------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
