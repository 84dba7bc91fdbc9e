//! `trailing_sketch(sketch, at, length)`: the sketch of the rows of the last stretch, in one pass and with no more than that
//! stretch in memory.
//!
//! | sketch | at | length | result |
//! |---|---|---|---|
//! | NULL, or of no values | a | l | that of the other rows; NULL when none has values |
//! | any | NULL | any | NULL, and the row counts for no other |
//! | any | any | NULL | NULL, and the row counts for no other |
//! | any | a | l | as `sketch_merge` over this row and the rows before it with a − l < at |
//! | any | any | below 1, or another than in the first row | an error |
//! | other bytes | any | any | an error |

use super::last_rows::LastRows;
use crate::functions::reference::{TRAILING, example};
use crate::functions::{Error, QuantileSketch};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{Documentation, PartitionEvaluator, Signature, WindowUDFImpl};
use std::ops::Range;
use std::sync::{Arc, LazyLock};

const NAME: &str = "trailing_sketch";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct TrailingSketch {
    signature: Signature,
}

impl Default for TrailingSketch {
    fn default() -> Self {
        let places = [DataType::Int64, DataType::Int64];
        TrailingSketch { signature: crate::functions::argument::sketch_signature(&places) }
    }
}

/// The bytes of one row: casting the column would cast all of it for each row.
fn bytes(column: &ArrayRef, row: usize) -> Option<&[u8]> {
    if column.is_null(row) {
        return None;
    }
    let binary = column.as_binary_opt::<i32>().map(|column| column.value(row));
    let large = || column.as_binary_opt::<i64>().map(|column| column.value(row));
    let view = || column.as_binary_view_opt().map(|column| column.value(row));
    binary.or_else(view).or_else(large)
}

#[derive(Debug, Default)]
struct Evaluator {
    last: LastRows<Box<[u8]>>,
}

impl PartitionEvaluator for Evaluator {
    fn evaluate(&mut self, arguments: &[ArrayRef], frame: &Range<usize>) -> Result<ScalarValue> {
        let refuse = |source| Error::Sketch { function: NAME, source };
        let row = frame.start;
        let own = match bytes(&arguments[0], row) {
            Some(bytes) if QuantileSketch::holds_values(bytes).map_err(refuse)? => Some(Box::from(bytes)),
            _ => None,
        };
        let Some(mut sketches) = self.last.take_in(NAME, arguments, row, own)? else {
            return Ok(ScalarValue::Binary(None));
        };
        let several = sketches.len() > 1;
        let Some(first) = sketches.next() else { return Ok(ScalarValue::Binary(None)) };
        if !several {
            return Ok(ScalarValue::Binary(Some(first.to_vec())));
        }
        let mut merged = QuantileSketch::from_bytes(first).map_err(refuse)?;
        sketches.try_for_each(|bytes| merged.merge_bytes(bytes)).map_err(refuse)?;
        Ok(ScalarValue::Binary(Some(merged.to_bytes())))
    }

    fn is_causal(&self) -> bool {
        true
    }

    fn supports_bounded_execution(&self) -> bool {
        true
    }
}

impl WindowUDFImpl for TrailingSketch {
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
        Ok(Arc::new(Field::new(args.name(), DataType::Binary, true)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                TRAILING,
                "Returns the sketch of all values of this row and of the rows before it that lie less than `length` back: those with a \
                 place after `at` minus `length`. Each partition may have a length of its own. Rows have to be ordered by `at`, and a \
                 frame clause has no effect.\n\n\
                 NULL where none of these rows has values, or where `at` or `length` is NULL. An error for a length below 1, or one \
                 that changes within a partition, and when bytes are not a sketch.",
                "trailing_sketch(sketch, at, length) over (partition by … order by at) -> binary",
            )
            .with_argument("sketch", "binary; made by `quantile_sketch` or `sketch_merge`")
            .with_argument("at", "bigint; the place of the row, such as the number of an interval")
            .with_argument("length", "bigint; how far back; 1 or more, the same in every row of a partition")
            .with_sql_example(example(
                "with slots as (\n  select slot, quantile_sketch(ms) as latency\n  from (values (0, 80.0), (1, 95.0), (1, 99.0), (3, 70.0)) as t(slot, ms)\n  group by slot\n)\nselect slot, sketch_count(trailing_sketch(latency, slot, 2) over (order by slot)) as n\nfrom slots\norder by slot;",
                "
+------+---+
| slot | n |
+------+---+
| 0    | 1 |
| 1    | 3 |
| 3    | 1 |
+------+---+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
