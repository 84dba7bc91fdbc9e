//! `period_start(timestamp, period, time_zone)`: when the calendar period of a time began.
//!
//! | timestamp | period, time zone | result |
//! |---|---|---|
//! | NULL | any | NULL |
//! | any | NULL | NULL |
//! | any | day, week, month, quarter; a name of the IANA database | local midnight, as a UTC timestamp |
//! | any | other words | error that names them |
//! | a day whose midnight the clocks skip | any | the first moment of that day |
//! | a day whose midnight comes twice | any | the first of the two |

use crate::functions::calendar::{self, Edge};
use crate::functions::reference::{PERIODS, example};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use std::sync::LazyLock;

const NAME: &str = "period_start";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct PeriodStart {
    signature: Signature,
}

impl Default for PeriodStart {
    fn default() -> Self {
        PeriodStart { signature: calendar::signature() }
    }
}

impl ScalarUDFImpl for PeriodStart {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        calendar::evaluate(NAME, &args, Edge::Start)
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                PERIODS,
                "Returns when the day, week (from Monday, ISO 8601), month or quarter of a time began in a time zone. NULL when an \
                 argument is NULL.",
                "period_start(timestamp, period, time_zone) -> timestamp",
            )
            .with_argument("timestamp", "timestamp; the time")
            .with_argument("period", "text; day, week, month or quarter")
            .with_argument("time_zone", "text; a name of the IANA time zone database, such as UTC or Europe/Berlin")
            .with_sql_example(example(
                "select period_start(timestamp '2025-01-15T13:00:00Z', 'month', 'Europe/Berlin') as began;",
                "
+----------------------+
| began                |
+----------------------+
| 2024-12-31T23:00:00Z |
+----------------------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
