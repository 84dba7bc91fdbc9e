//! `series_points(series)`: the intervals of a series, to be unnested.
//!
//! | series | result |
//! |---|---|
//! | NULL | NULL |
//! | of no interval | an empty list |
//! | any | one element for each interval that has samples, in the order of slots |
//! | other bytes | error |

use crate::functions::argument::{arrays, large_binaries, read_series};
use crate::functions::reference::{SERIES, example};
use crate::functions::series::Interval;
use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, ListArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

const NAME: &str = "series_points";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SeriesPoints {
    signature: Signature,
}

impl Default for SeriesPoints {
    fn default() -> Self {
        SeriesPoints { signature: Signature::exact(vec![DataType::LargeBinary], Volatility::Immutable) }
    }
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("slot", DataType::Int64, false),
        Field::new("samples", DataType::Int64, false),
        Field::new("value", DataType::Float64, false),
    ])
}

impl ScalarUDFImpl for SeriesPoints {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(Arc::new(Field::new_list_field(DataType::Struct(fields()), true))))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = arrays(&args.args, args.number_rows)?;
        let series = large_binaries(&arguments[0])?;
        let (mut slots, mut samples, mut means) = (Vec::new(), Vec::new(), Vec::new());
        let mut lengths = Vec::with_capacity(series.len());
        for bytes in series.iter() {
            let intervals = bytes.map(|bytes| read_series(NAME, bytes)).transpose()?.unwrap_or_default();
            lengths.push(intervals.len());
            slots.extend(intervals.iter().map(|interval| i64::from(interval.slot)));
            samples.extend(intervals.iter().map(|i| i64::try_from(i.samples).unwrap_or(i64::MAX)));
            means.extend(intervals.iter().map(Interval::mean));
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(slots)),
            Arc::new(Int64Array::from(samples)),
            Arc::new(Float64Array::from(means)),
        ];
        let points = StructArray::try_new(fields(), columns, None)?;
        let item = Arc::new(Field::new_list_field(DataType::Struct(fields()), true));
        let nulls = series.nulls().map(|nulls| NullBuffer::new(nulls.inner().clone()));
        let lists = ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), Arc::new(points), nulls)?;
        Ok(ColumnarValue::Array(Arc::new(lists)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SERIES,
                "Returns the intervals of a series as a list of `slot`, the number of the interval, how many `samples` it \
                 has, and `value`, their mean, in the order of time. Unnest it to have a row for each.\n\n\
                 NULL for NULL; an error when bytes are not a series.",
                "series_points(series) -> list of struct(slot bigint, samples bigint, value double)",
            )
            .with_argument("series", "large binary; made by `interval_series` or another series function")
            .with_sql_example(example(
                "with packed as (\n  select interval_series(slot, ms) as series from (values (3, 80.0), (7, 95.0)) as t(slot, ms)\n)\nselect point['slot'] as slot, point['value'] as value\nfrom (select unnest(series_points(series)) as point from packed);",
                "
+------+-------+
| slot | value |
+------+-------+
| 3    | 80.0  |
| 7    | 95.0  |
+------+-------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
