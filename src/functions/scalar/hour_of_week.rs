//! `hour_of_week(timestamp, time_zone)`: which of the 168 hours of a week a time lies in, where people live by it.
//!
//! | timestamp | time zone | result |
//! |---|---|---|
//! | NULL | any | NULL |
//! | any | NULL | NULL |
//! | any | a name of the IANA database | 0 (Mondays from midnight) to 167, by the clocks of the zone |
//! | any | other words | error that names them |
//! | an hour that comes twice when clocks are put back | any | the same number both times |

use crate::functions::calendar;
use crate::functions::reference::{PERIODS, example};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use std::sync::LazyLock;

const NAME: &str = "hour_of_week";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct HourOfWeek {
    signature: Signature,
}

impl Default for HourOfWeek {
    fn default() -> Self {
        HourOfWeek { signature: calendar::zoned_signature() }
    }
}

impl ScalarUDFImpl for HourOfWeek {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        calendar::hours_of_week(NAME, &args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                PERIODS,
                "Returns the hour of the week by the clocks of a time zone: 0 for Monday from midnight to one o'clock, 167 for the last \
                 hour of Sunday. Values of one hour of the week are alike where a season is expected. NULL when an argument is NULL.",
                "hour_of_week(timestamp, time_zone) -> bigint",
            )
            .with_argument("timestamp", "timestamp; the time")
            .with_argument("time_zone", "text; a name of the IANA time zone database, such as UTC or Europe/Berlin")
            .with_sql_example(example(
                "select hour_of_week(timestamp '2025-07-14T07:30:00Z', 'Europe/Berlin') as hour;",
                "
+------+
| hour |
+------+
| 9    |
+------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
