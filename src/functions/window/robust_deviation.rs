//! `robust_deviation(value, periods)`: the standard deviation of the earlier rows, as their middle half tells it.
//!
//! | history | this row | result |
//! |---|---|---|
//! | fewer than 5 values | any | NULL |
//! | NULL, NaN, ±∞ in it | any | as if those rows were absent |
//! | constant | any | 0 |
//! | any | any, also NULL | 1.4826 times the median absolute deviation, see below |

use super::series::{Judge, evaluator, field, periods, signature};
use crate::functions::reference::{HISTORY, example};
use crate::functions::robust::RobustWindow;
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{Documentation, PartitionEvaluator, Signature, WindowUDFImpl};
use std::sync::LazyLock;

const NAME: &str = "robust_deviation";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct RobustDeviation {
    signature: Signature,
}

impl Default for RobustDeviation {
    fn default() -> Self {
        RobustDeviation { signature: signature(&[DataType::Int64]) }
    }
}

/// Begins the deviations of a partition, with `periods` checked.
fn begin(parameters: &[ArrayRef]) -> Result<Judge> {
    let mut window = RobustWindow::new(periods(NAME, &parameters[0])?);
    Ok(Box::new(move |value| window.next(value).map(|r| r.deviation).filter(|v| v.is_finite())))
}

impl WindowUDFImpl for RobustDeviation {
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
                "Returns 1.4826 times the median absolute deviation of the last `periods` earlier values from their median, which for normal values is their standard deviation; with fewer values so far, of all of them. Where that is 0, because more than half of the values are equal, 1.2533 times their mean absolute deviation from the median; 0 for a constant history. NULL in the first five rows with a value.\n\nSource: Iglewicz and Hoaglin, \"How to Detect and Handle Outliers\", 1993, section 3.3.",
                "robust_deviation(value, periods) over (partition by … order by …) -> double",
            )
            .with_argument("value", "double; the series")
            .with_argument("periods", "bigint; how many values to look back, 2 to 100000; the same in every row of a partition")
            .with_sql_example(example(
                "select t, x, round(robust_deviation(x, 20) over (order by t), 3) as deviation\nfrom (values (1, 9.0), (2, 11.0), (3, 9.0), (4, 11.0), (5, 10.0), (6, 10.0), (7, 90.0), (8, 10.0)) as s(t, x)\norder by t desc\nlimit 1;",
                "
+---+------+-----------+
| t | x    | deviation |
+---+------+-----------+
| 8 | 10.0 | 1.483     |
+---+------+-----------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
