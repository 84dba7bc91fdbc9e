//! `trailing_sums(value, at, lengths)`: what the rows of the last so many seconds add up to, for several lengths
//! at once.
//!
//! | value | at | result of each length |
//! |---|---|---|
//! | NULL | any | as 0 |
//! | any | NULL | the sum is NULL, and the row counts for no other |
//! | any | t | the sum over rows of the partition with t − length < at ≤ t, this row included |
//! | the sum leaves bigint | | an error |

use crate::functions::Error;
use crate::functions::reference::{TRAILING, example};
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, TimeUnit};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{Documentation, PartitionEvaluator, Signature, Volatility, WindowUDFImpl};
use std::sync::{Arc, LazyLock};

const NAME: &str = "trailing_sums";
const MICROS: i64 = 1_000_000;

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct TrailingSums {
    signature: Signature,
}

impl Default for TrailingSums {
    fn default() -> Self {
        TrailingSums { signature: Signature::any(3, Volatility::Immutable) }
    }
}

/// Sums over `(at − length, at]` for each row; rows are in the order of `at`, and equal ones count for each other.
fn trailing(values: &Int64Array, at: &Int64Array, length: i64) -> Option<Vec<Option<i64>>> {
    let mut sums = Vec::with_capacity(values.len());
    let (mut sum, mut oldest, mut next) = (0i64, 0, 0);
    let value = |i: usize| if values.is_null(i) || at.is_null(i) { 0 } else { values.value(i) };
    for row in 0..values.len() {
        if at.is_null(row) {
            sums.push(None);
            continue;
        }
        let now = at.value(row);
        while next < values.len() && (at.is_null(next) || at.value(next) <= now) {
            sum = sum.checked_add(value(next))?;
            next += 1;
        }
        while oldest < next && (at.is_null(oldest) || at.value(oldest) <= now.saturating_sub(length)) {
            sum = sum.checked_sub(value(oldest))?;
            oldest += 1;
        }
        sums.push(Some(sum));
    }
    Some(sums)
}

/// The lengths of the first row; they have to be the same in every row.
fn lengths(array: &ArrayRef) -> Result<Vec<i64>> {
    let refused = |got: String| Error::Argument {
        function: NAME,
        argument: "lengths",
        expected: "a list of whole seconds above 0, the same in every row",
        got,
    };
    let lists = array.as_list_opt::<i32>().ok_or_else(|| refused(array.data_type().to_string()))?;
    if lists.is_empty() || lists.is_null(0) {
        return Ok(Vec::new());
    }
    let first = lists.value(0);
    let seconds = cast(&first, &DataType::Int64)?;
    let seconds = seconds.as_primitive::<Int64Type>();
    if let Some(wrong) = seconds.iter().find(|s| !s.is_some_and(|s| s > 0 && s < i64::MAX / MICROS)) {
        return Err(refused(wrong.map_or("NULL".into(), |s| s.to_string())).into());
    }
    let is_constant = lists.value_offsets().windows(2).all(|w| (w[1] - w[0]) as usize == first.len())
        && (1..lists.len()).all(|row| lists.value(row).to_data() == first.to_data());
    if !is_constant {
        return Err(refused("lists that differ".into()).into());
    }
    Ok(seconds.values().iter().map(|s| s * MICROS).collect())
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Int64, true))
}

#[derive(Debug)]
struct Evaluator;

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, arguments: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let values = cast(&arguments[0], &DataType::Int64)?;
        let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
        let at = cast(&cast(&arguments[1], &micros)?, &DataType::Int64)?;
        let (values, at) = (values.as_primitive::<Int64Type>(), at.as_primitive::<Int64Type>());
        let lengths = lengths(&arguments[2])?;
        let sums = lengths.iter().map(|length| trailing(values, at, *length)).collect::<Option<Vec<_>>>();
        let sums = sums.ok_or_else(|| exec_datafusion_err!("{NAME}: a sum is too large for bigint"))?;
        let flat: Int64Array = (0..rows).flat_map(|row| sums.iter().map(move |sum| sum[row])).collect();
        let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(lengths.len(), rows));
        Ok(Arc::new(ListArray::try_new(item(), offsets, Arc::new(flat), None)?))
    }

    fn uses_window_frame(&self) -> bool {
        false
    }
}

impl WindowUDFImpl for TrailingSums {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::List(item()), true)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                TRAILING,
                "Returns the sums of `value` over the rows of the last so many seconds, one for each of `lengths` in their \
                 order: those with a time after `at` minus the length and up to `at`. Rows have to be ordered by `at`; rows \
                 without a value count as 0, and a frame clause has no effect.",
                "trailing_sums(value, at, lengths) over (partition by … order by at) -> bigint[]",
            )
            .with_argument("value", "bigint; what is added up")
            .with_argument("at", "timestamp; when it was")
            .with_argument("lengths", "bigint[]; seconds above 0; the same in every row of a partition")
            .with_sql_example(example(
                "select t, trailing_sums(n, t, [300, 3600]) over (order by t) as last\nfrom (values (timestamp '2025-01-15 10:00:00', 1), (timestamp '2025-01-15 10:04:00', 2), (timestamp '2025-01-15 10:30:00', 4)) as s(t, n)\norder by t;",
                "
+---------------------+--------+
| t                   | last   |
+---------------------+--------+
| 2025-01-15T10:00:00 | [1, 1] |
| 2025-01-15T10:04:00 | [3, 3] |
| 2025-01-15T10:30:00 | [4, 7] |
+---------------------+--------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
