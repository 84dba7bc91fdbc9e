//! `series_except(series, other)`: the intervals of a series that another lacks.
//!
//! | series | other | result |
//! |---|---|---|
//! | NULL | any | NULL |
//! | any | NULL | the series |
//! | any | any | the intervals of the series whose slots the other has not |
//! | other bytes | | error |

use crate::functions::Error;
use crate::functions::argument::{arrays, large_binaries, read_series, select_intervals, series_column};
use crate::functions::reference::{SERIES, example};
use crate::functions::series::Interval;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

const NAME: &str = "series_except";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SeriesExcept {
    signature: Signature,
}

impl Default for SeriesExcept {
    fn default() -> Self {
        SeriesExcept {
            signature: Signature::exact(
                vec![DataType::LargeBinary, DataType::LargeBinary],
                Volatility::Immutable,
            ),
        }
    }
}

/// What is left of a series; both ascend by slot.
fn except(series: &[u8], other: &[Interval]) -> Result<Vec<u8>, Error> {
    let mut next = 0;
    select_intervals(NAME, series, |interval| {
        while other.get(next).is_some_and(|o| o.slot < interval.slot) {
            next += 1;
        }
        other.get(next).is_none_or(|o| o.slot != interval.slot).then_some(interval)
    })
}

impl ScalarUDFImpl for SeriesExcept {
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
        let (series, others) = (large_binaries(&arguments[0])?, large_binaries(&arguments[1])?);
        let rest = series.iter().zip(others.iter()).map(|(series, other)| {
            let Some(series) = series else { return Ok(None) };
            let other = other.map(|bytes| read_series(NAME, bytes)).transpose()?.unwrap_or_default();
            except(series, &other).map(Some)
        });
        Ok(ColumnarValue::Array(Arc::new(series_column(rest)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SERIES,
                "Returns the intervals of a series that another series lacks: its gaps, when the first holds every interval that was looked at.\n\n\
                 NULL when the series is NULL; a NULL as the other lacks them all. An error when bytes are not a series.",
                "series_except(series, other) -> large binary",
            )
            .with_argument("series", "large binary; made by `interval_series` or another series function")
            .with_argument("other", "large binary; the series whose intervals are left out")
            .with_sql_example(example(
                "with packed as (\n  select interval_series(slot, 1) as looked_at, interval_series(slot, ms) as series\n  from (values (0, 80.0), (1, null), (2, 95.0)) as t(slot, ms)\n)\nselect point['slot'] as gap\nfrom (select unnest(series_points(series_except(looked_at, series))) as point from packed);",
                "
+-----+
| gap |
+-----+
| 1   |
+-----+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
