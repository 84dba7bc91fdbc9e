//! `series_marks(series)`: a series that is 1 wherever another has an interval.
//!
//! | series | result |
//! |---|---|
//! | NULL | NULL |
//! | any | the same slots, each with one sample, 1 |
//! | other bytes | error |

use crate::functions::argument::{arrays, large_binaries, select_intervals, series_column};
use crate::functions::reference::{SERIES, example};
use crate::functions::series::Interval;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

const NAME: &str = "series_marks";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SeriesMarks {
    signature: Signature,
}

impl Default for SeriesMarks {
    fn default() -> Self {
        SeriesMarks { signature: Signature::exact(vec![DataType::LargeBinary], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for SeriesMarks {
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
        let marks = series.iter().map(|bytes| {
            let mark = |interval: Interval| Some(Interval { samples: 1, total: 1.0, ..interval });
            bytes.map(|bytes| select_intervals(NAME, bytes, mark)).transpose()
        });
        Ok(ColumnarValue::Array(Arc::new(series_column(marks)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SERIES,
                "Returns a series with the same intervals, each with one sample of 1. In the `series_sum` of marks \
                 the samples of an interval count how many series have it.\n\n\
                 NULL for NULL; an error when bytes are not a series.",
                "series_marks(series) -> large binary",
            )
            .with_argument("series", "large binary; made by `interval_series` or another series function")
            .with_sql_example(example(
                "with hosts as (\n  select host, interval_series(slot, cpu) as series\n  from (values ('a', 0, 40.0), ('a', 1, 50.0), ('a', 1, 52.0), ('b', 0, 60.0)) as t(host, slot, cpu)\n  group by host\n)\nselect point['slot'] as slot, point['samples'] as hosts\nfrom (select unnest(series_points(marked)) as point from (select series_sum(series_marks(series)) as marked from hosts));",
                "
+------+-------+
| slot | hosts |
+------+-------+
| 0    | 2     |
| 1    | 1     |
+------+-------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
