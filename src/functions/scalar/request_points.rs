//! `request_points(series)`: the slots of counted requests, to be unnested.
//!
//! | series | result |
//! |---|---|
//! | NULL | NULL |
//! | any | one element for each slot, in the order of time |
//! | other bytes | error |

use crate::functions::Error;
use crate::functions::argument::{arrays, large_binaries};
use crate::functions::reference::{SERIES, example};
use crate::functions::series::{Counts, each_count};
use arrow::array::{Array, ArrayRef, BinaryBuilder, Int64Array, ListArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

const NAME: &str = "request_points";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct RequestPoints {
    signature: Signature,
}

impl Default for RequestPoints {
    fn default() -> Self {
        RequestPoints { signature: Signature::exact(vec![DataType::LargeBinary], Volatility::Immutable) }
    }
}

fn fields() -> Fields {
    let count = |name| Field::new(name, DataType::Int64, false);
    let latency = Field::new("latency", DataType::Binary, true);
    Fields::from(vec![count("slot"), count("requests"), count("errors"), count("durations"), latency])
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Struct(fields()), true))
}

impl ScalarUDFImpl for RequestPoints {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(item()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = arrays(&args.args, args.number_rows)?;
        let series = large_binaries(&arguments[0])?;
        let mut counts: [Vec<i64>; 4] = Default::default();
        let mut sketches = BinaryBuilder::new();
        let mut lengths = Vec::with_capacity(series.len());
        for bytes in series.iter() {
            let before = counts[0].len();
            let take = |point: Counts<'_>| {
                let numbers = [i64::from(point.slot), point.requests, point.errors, point.durations];
                counts.iter_mut().zip(numbers).for_each(|(column, number)| column.push(number));
                sketches.append_option(point.latency);
            };
            let read = bytes.map_or(Ok(()), |bytes| each_count(bytes, take));
            read.map_err(|source| Error::Series { function: NAME, source })?;
            lengths.push(counts[0].len() - before);
        }
        let counts = counts.into_iter().map(|column| Arc::new(Int64Array::from(column)) as ArrayRef);
        let columns = counts.chain([Arc::new(sketches.finish()) as ArrayRef]).collect();
        let points = StructArray::try_new(fields(), columns, None)?;
        let nulls = series.nulls().map(|nulls| NullBuffer::new(nulls.inner().clone()));
        let lists = ListArray::try_new(item(), OffsetBuffer::from_lengths(lengths), Arc::new(points), nulls)?;
        Ok(ColumnarValue::Array(Arc::new(lists)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SERIES,
                "Returns the slots of counted requests as a list of `slot`, its number, `requests`, `errors`, `durations`, and \
                 `latency`, the sketch of their latencies or NULL, in the order of time. Unnest it to have a row for each.\n\n\
                 NULL for NULL; an error when bytes are not what `request_series` made.",
                "request_points(series) -> list of struct(slot bigint, requests bigint, errors bigint, durations bigint, latency binary)",
            )
            .with_argument("series", "large binary; made by `request_series`")
            .with_sql_example(example(
                "with packed as (\n  select request_series(slot, 1, 0, 1, latency) as series\n  from (select 3 as slot, quantile_sketch(ms) as latency from (values (80.0), (95.0)) as t(ms))\n)\nselect point['slot'] as slot, sketch_quantile(point['latency'], 1) as largest\nfrom (select unnest(request_points(series)) as point from packed);",
                "
+------+---------+
| slot | largest |
+------+---------+
| 3    | 95.0    |
+------+---------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
