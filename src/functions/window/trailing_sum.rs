//! `trailing_sum(value, at, length)`: what the rows of the last stretch add up to, in one pass and with no more than that stretch
//! in memory.
//!
//! | value | at | length | result |
//! |---|---|---|---|
//! | NULL | a | l | as 0 |
//! | any | NULL | any | NULL, and the row counts for no other |
//! | any | any | NULL | NULL, and the row counts for no other |
//! | any | a | l | the sum over this row and the rows before it with a − l < at |
//! | any | any | below 1, or another than in the first row | an error |
//! | the sum leaves bigint | | | an error |

use super::last_rows::LastRows;
use crate::functions::argument::primitive;
use crate::functions::reference::{TRAILING, example};
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{Documentation, PartitionEvaluator, Signature, Volatility, WindowUDFImpl};
use std::ops::Range;
use std::sync::{Arc, LazyLock};

const NAME: &str = "trailing_sum";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct TrailingSum {
    signature: Signature,
}

impl Default for TrailingSum {
    fn default() -> Self {
        TrailingSum { signature: Signature::exact(vec![DataType::Int64; 3], Volatility::Immutable) }
    }
}

#[derive(Debug, Default)]
struct Evaluator {
    last: LastRows<i64>,
}

impl PartitionEvaluator for Evaluator {
    fn evaluate(&mut self, arguments: &[ArrayRef], frame: &Range<usize>) -> Result<ScalarValue> {
        let (row, values) = (frame.start, primitive::<Int64Type>(&arguments[0])?);
        let value = if values.is_valid(row) { values.value(row) } else { 0 };
        let sum = match self.last.take_in(NAME, arguments, row, Some(value))? {
            None => None,
            Some(mut values) => {
                let sum = values.try_fold(0i64, |sum, value| sum.checked_add(*value));
                Some(sum.ok_or_else(|| exec_datafusion_err!("{NAME}: a sum is too large for bigint"))?)
            }
        };
        Ok(ScalarValue::Int64(sum))
    }

    fn is_causal(&self) -> bool {
        true
    }

    fn supports_bounded_execution(&self) -> bool {
        true
    }
}

impl WindowUDFImpl for TrailingSum {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::<Evaluator>::default())
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Int64, true)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                TRAILING,
                "Returns the sum of `value` over this row and the rows before it that lie less than `length` back: those with a place \
                 after `at` minus `length`. Unlike with a frame, each partition may have a length of its own. Rows have to be \
                 ordered by `at`; rows without a value count as 0, and a frame clause has no effect.\n\n\
                 NULL where `at` or `length` is NULL. An error for a length below 1, or one that changes within a partition.",
                "trailing_sum(value, at, length) over (partition by … order by at) -> bigint",
            )
            .with_argument("value", "bigint; what is added up")
            .with_argument("at", "bigint; the place of the row, such as the number of an interval")
            .with_argument("length", "bigint; how far back; 1 or more, the same in every row of a partition")
            .with_sql_example(example(
                "select slot, trailing_sum(requests, slot, 3) over (order by slot) as last_three\nfrom (values (0, 5), (1, 2), (2, 4), (4, 1)) as t(slot, requests)\norder by slot;",
                "
+------+------------+
| slot | last_three |
+------+------------+
| 0    | 5          |
| 1    | 7          |
| 2    | 11         |
| 4    | 5          |
+------+------------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
