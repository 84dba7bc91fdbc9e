//! `series_beyond(series, from, distance, center, center_distance)`: the intervals of a series that lie far from where they should.
//!
//! | arguments | result |
//! |---|---|
//! | series or `from` or `distance` NULL | NULL |
//! | `center` or `center_distance` NULL | only `from` counts |
//! | any | the intervals whose mean is farther than each distance from its place |
//! | NaN in any number | none |
//! | other bytes | error |

use crate::functions::argument::{arrays, doubles, large_binaries, read_series, series_column};
use crate::functions::reference::{SERIES, example};
use crate::functions::series::{Interval, pack};
use arrow::array::{Array, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
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
        let mut arguments = vec![DataType::Float64; 5];
        arguments[0] = DataType::LargeBinary;
        SeriesBeyond { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

fn at(column: &Float64Array, row: usize) -> Option<f64> {
    column.is_valid(row).then(|| column.value(row))
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
        let far = series.iter().enumerate().map(|(row, series)| {
            let (Some(series), Some(from), Some(distance)) = (series, at(from, row), at(distance, row))
            else {
                return Ok(None);
            };
            let other = at(center, row).zip(at(center_distance, row));
            let is_far = |interval: &Interval| {
                let mean = interval.mean();
                (mean - from).abs() > distance
                    && other.is_none_or(|(center, far)| (mean - center).abs() > far)
            };
            Ok(Some(pack(read_series(NAME, series)?.into_iter().filter(is_far))))
        });
        Ok(ColumnarValue::Array(Arc::new(series_column(far)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SERIES,
                "Returns the intervals of a series whose mean is farther than `distance` from `from`, and farther than \
                 `center_distance` from `center` where both are given: those worth a closer look.\n\n\
                 NULL when series, `from` or `distance` is NULL. An error when bytes are not a series.",
                "series_beyond(series, from, distance, center, center_distance) -> large binary",
            )
            .with_argument("series", "large binary; made by `interval_series` or another series function")
            .with_argument("from", "double; where the mean should be")
            .with_argument("distance", "double; how far from it is far")
            .with_argument("center", "double; another place where it may be; may be NULL")
            .with_argument("center_distance", "double; how far from that is far; may be NULL")
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
