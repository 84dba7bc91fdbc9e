//! `zscore(value, periods)`: how far this row is from what the earlier rows lead one to expect.
//!
//! | history | this row | result |
//! |---|---|---|
//! | fewer than 5 values | any | NULL |
//! | NULL, NaN, ±∞ in it | any | as if those rows were absent |
//! | any | NULL, NaN, ±∞ | NULL: not measured |
//! | constant | the constant | 0 |
//! | constant | anything else | 100 or −100 |
//! | deviations beyond 1e154 | any | NULL |
//! | any | v | (v − mean) / deviation, within ±100 |

use super::series::{Judge, evaluator, field, periods, signature};
use crate::functions::history::Window;
use crate::functions::reference::{HISTORY, example};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{Documentation, PartitionEvaluator, Signature, WindowUDFImpl};
use std::sync::LazyLock;

const NAME: &str = "zscore";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Zscore {
    signature: Signature,
}

impl Default for Zscore {
    fn default() -> Self {
        Zscore { signature: signature(&[DataType::Int64]) }
    }
}

/// Begins the scores of a partition, with `periods` checked.
fn begin(parameters: &[ArrayRef]) -> Result<Judge> {
    let mut window = Window::new(periods(NAME, &parameters[0])?);
    Ok(Box::new(move |value| window.next(value)?.zscore(value?)))
}

impl WindowUDFImpl for Zscore {
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
                "Returns `(value − mean) / deviation` with the mean and the population standard deviation of the last `periods` earlier \
                 values; with fewer values so far, of all of them. Scores end at ±100. After a constant history, whose deviation is \
                 0, the constant scores 0 and anything else ±100. NULL in the first five rows with a value, and where the value is \
                 NULL, NaN or infinite.\n\n\
                 Source: the standard score, with the row itself left out of its own mean.",
                "zscore(value, periods) over (partition by … order by …) -> double",
            )
            .with_argument("value", "double; the series")
            .with_argument("periods", "bigint; how many values to look back, 2 to 100000; the same in every row of a partition")
            .with_sql_example(example(
                "select t, x, zscore(x, 20) over (order by t) as z\nfrom (values (1, 9.0), (2, 11.0), (3, 9.0), (4, 11.0), (5, 10.0), (6, 10.0), (7, 14.0)) as s(t, x)\norder by t desc\nlimit 1;",
                "
+---+------+-------------------+
| t | x    | z                 |
+---+------+-------------------+
| 7 | 14.0 | 4.898979485566356 |
+---+------+-------------------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
