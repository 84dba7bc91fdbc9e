//! `bollinger_upper(value, periods, width)`: the upper end of what the earlier rows lead one to expect.
//!
//! | history | this row | result |
//! |---|---|---|
//! | fewer than 5 values | any | NULL |
//! | NULL, NaN, ±∞ in it | any | as if those rows were absent |
//! | constant | any | the constant |
//! | deviations beyond 1e154 | any | NULL: the band is not finite |
//! | any | any, also NULL | mean + width · deviation |

use super::series::{Judge, evaluator, field, periods, signature, width};
use crate::functions::history::Window;
use crate::functions::reference::{HISTORY, example};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{Documentation, PartitionEvaluator, Signature, WindowUDFImpl};
use std::sync::LazyLock;

const NAME: &str = "bollinger_upper";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct BollingerUpper {
    signature: Signature,
}

impl Default for BollingerUpper {
    fn default() -> Self {
        BollingerUpper { signature: signature(&[DataType::Int64, DataType::Float64]) }
    }
}

/// Begins the band of a partition, with `periods` and `width` checked.
fn begin(parameters: &[ArrayRef]) -> Result<Judge> {
    let (mut window, width) = (Window::new(periods(NAME, &parameters[0])?), width(NAME, &parameters[1])?);
    Ok(Box::new(move |value| window.next(value).and_then(|moments| moments.band(width))))
}

impl WindowUDFImpl for BollingerUpper {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        evaluator(NAME, begin, &args)
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(field(&args))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                HISTORY,
                "Returns the mean of the last `periods` earlier values plus `width` times their population standard deviation; \
                 with fewer values so far, of all of them. NULL in the first five rows with a value. After a constant history the \
                 band is the constant itself.\n\n\
                 Source: Bollinger, \"Bollinger on Bollinger Bands\", 2001.",
                "bollinger_upper(value, periods, width) over (partition by … order by …) -> double",
            )
            .with_argument("value", "double; the series")
            .with_argument("periods", "bigint; how many values to look back, 2 to 100000; the same in every row of a partition")
            .with_argument("width", "double; standard deviations, 0 or more; the same in every row of a partition")
            .with_sql_example(example(
                "select t, x, round(bollinger_upper(x, 20, 2) over (order by t), 3) as upper\nfrom (values (1, 9.0), (2, 11.0), (3, 9.0), (4, 11.0), (5, 10.0), (6, 10.0), (7, 14.0)) as s(t, x)\norder by t desc\nlimit 1;",
                "
+---+------+--------+
| t | x    | upper  |
+---+------+--------+
| 7 | 14.0 | 11.633 |
+---+------+--------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
