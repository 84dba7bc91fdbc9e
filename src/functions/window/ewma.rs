//! `ewma(value, alpha)`: what the earlier rows of a series lead one to expect of this one.
//!
//! | history | this row | result |
//! |---|---|---|
//! | fewer than 5 values | any | NULL |
//! | NULL, NaN, ±∞ in it | any | as if those rows were absent |
//! | constant | any | the constant |
//! | any | any, also NULL | the average of the history |

use super::series::{Judge, alpha, evaluator, field, signature};
use crate::functions::history::Average;
use crate::functions::reference::{HISTORY, example};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{Documentation, PartitionEvaluator, Signature, WindowUDFImpl};
use std::sync::LazyLock;

const NAME: &str = "ewma";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Ewma {
    signature: Signature,
}

impl Default for Ewma {
    fn default() -> Self {
        Ewma { signature: signature(&[DataType::Float64]) }
    }
}

/// Begins the average of a partition, with `alpha` checked.
fn begin(parameters: &[ArrayRef]) -> Result<Judge> {
    let mut average = Average::new(alpha(NAME, &parameters[0])?);
    Ok(Box::new(move |value| average.next(value)))
}

impl WindowUDFImpl for Ewma {
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
                "Returns the exponentially weighted moving average of the earlier values: the first value, then for each next one \
                 `average + alpha · (value − average)`. NULL in the first five rows with a value.\n\n\
                 Source: Roberts, \"Control chart tests based on geometric moving averages\", Technometrics 1959 (as `adjust=False` in pandas).",
                "ewma(value, alpha) over (partition by … order by …) -> double",
            )
            .with_argument("value", "double; the series")
            .with_argument("alpha", "double; weight of the newest value, above 0 and at most 1; the same in every row of a partition")
            .with_sql_example(example(
                "select t, x, ewma(x, 0.5) over (order by t) as expected\nfrom (values (1, 10.0), (2, 10.0), (3, 10.0), (4, 10.0), (5, 10.0), (6, 20.0), (7, 10.0)) as s(t, x)\norder by t;",
                "
+---+------+----------+
| t | x    | expected |
+---+------+----------+
| 1 | 10.0 |          |
| 2 | 10.0 |          |
| 3 | 10.0 |          |
| 4 | 10.0 |          |
| 5 | 10.0 |          |
| 6 | 20.0 | 10.0     |
| 7 | 10.0 | 15.0     |
+---+------+----------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
