//! `robust_center(value, periods)`: the median of the earlier rows.
//!
//! | history | this row | result |
//! |---|---|---|
//! | fewer than 5 values | any | NULL |
//! | NULL, NaN, ±∞ in it | any | as if those rows were absent |
//! | constant | any | the constant |
//! | any | any, also NULL | the median |

use super::series::{Judge, evaluator, field, periods, signature};
use crate::functions::reference::{HISTORY, example};
use crate::functions::robust::RobustWindow;
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{Documentation, PartitionEvaluator, Signature, WindowUDFImpl};
use std::sync::LazyLock;

const NAME: &str = "robust_center";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct RobustCenter {
    signature: Signature,
}

impl Default for RobustCenter {
    fn default() -> Self {
        RobustCenter { signature: signature(&[DataType::Int64]) }
    }
}

/// Begins the medians of a partition, with `periods` checked.
fn begin(parameters: &[ArrayRef]) -> Result<Judge> {
    let mut window = RobustWindow::new(periods(NAME, &parameters[0])?);
    Ok(Box::new(move |value| window.next(value).map(|r| r.center).filter(|v| v.is_finite())))
}

impl WindowUDFImpl for RobustCenter {
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
                "Returns the median of the last `periods` earlier values; with fewer values so far, of all of them. NULL in the first five rows with a value. Up to half of the values may be outliers without moving it out of the others.",
                "robust_center(value, periods) over (partition by … order by …) -> double",
            )
            .with_argument("value", "double; the series")
            .with_argument("periods", "bigint; how many values to look back, 2 to 100000; the same in every row of a partition")
            .with_sql_example(example(
                "select t, x, round(robust_center(x, 20) over (order by t), 3) as center\nfrom (values (1, 9.0), (2, 11.0), (3, 9.0), (4, 11.0), (5, 10.0), (6, 10.0), (7, 90.0), (8, 10.0)) as s(t, x)\norder by t desc\nlimit 1;",
                "
+---+------+--------+
| t | x    | center |
+---+------+--------+
| 8 | 10.0 | 10.0   |
+---+------+--------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
