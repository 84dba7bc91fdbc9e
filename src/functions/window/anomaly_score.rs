//! `anomaly_score(value) over (order by timestamp)`: whether this row is worth a report, judged by the rows
//! before it.
//!
//! | history | this row | result |
//! |---|---|---|
//! | fewer than 24 values | any value | 0 |
//! | NULL, NaN, ±∞ in it | any | as if those rows were absent |
//! | any | NULL, NaN, ±∞ | NULL: not measured |
//! | constant | the constant | 0 |
//! | constant, 60 values or more | anything else | 0.5 or more |
//! | any | as always | near 0 |
//! | any | as rare as once in the history | 0.5 |
//!
//! When the rows are ordered by a timestamp, the day and the week are known as seasons; ordered by anything
//! else, or by nothing, they are not.

use super::series::field;
use crate::functions::anomaly::anomaly_scores;
use crate::functions::argument::doubles;
use crate::functions::reference::{HISTORY, example};
use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{Documentation, PartitionEvaluator, Signature, Volatility, WindowUDFImpl};
use std::ops::Range;
use std::sync::LazyLock;

const NAME: &str = "anomaly_score";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct AnomalyScore {
    signature: Signature,
}

impl Default for AnomalyScore {
    fn default() -> Self {
        AnomalyScore { signature: Signature::exact(vec![DataType::Float64], Volatility::Immutable) }
    }
}

/// Scores a partition when its first row is asked for, and hands out row by row. A window function sees what
/// its rows are ordered by only when it says that it reads the frame; the frame itself is ignored.
#[derive(Debug, Default)]
struct Scores {
    scores: Option<std::vec::IntoIter<Option<f64>>>,
}

impl PartitionEvaluator for Scores {
    fn evaluate(&mut self, arguments: &[ArrayRef], _frame: &Range<usize>) -> Result<ScalarValue> {
        let scores = match &mut self.scores {
            Some(scores) => scores,
            none => none.insert(score(arguments)?.into_iter()),
        };
        Ok(ScalarValue::Float64(scores.next().flatten()))
    }

    fn uses_window_frame(&self) -> bool {
        true
    }
}

/// The scores of a partition: its values, then what it is ordered by.
fn score(arguments: &[ArrayRef]) -> Result<Vec<Option<f64>>> {
    let values: Vec<Option<f64>> = doubles(&arguments[0])?.iter().collect();
    let seconds = match arguments.get(1) {
        Some(order)
            if matches!(order.data_type(), DataType::Timestamp(..) | DataType::Date32 | DataType::Date64) =>
        {
            let micros = cast(order, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            micros
                .as_primitive::<TimestampMicrosecondType>()
                .iter()
                .map(|t| t.map(|t| t as f64 / 1e6))
                .collect()
        }
        _ => vec![],
    };
    Ok(anomaly_scores(&values, &seconds))
}

impl WindowUDFImpl for AnomalyScore {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::<Scores>::default())
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(field(&args))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                HISTORY,
                "Returns how unusual a row is, from 0 to 1, judged by the rows before it; from 0.5 on it is worth a report. Needs no \
                 tuning: level, jumps, restlessness and (where the rows are ordered by a timestamp) the time of the day and of the week \
                 are compared with their own history, and 0.5 means as rare as once in that history. One incident is reported when \
                 it starts, not at each of its rows. 0 for the first 24 rows with a value, NULL where the value is NULL, NaN or \
                 infinite. The frame of the window is ignored.\n\n\
                 Source: tail probabilities by Hill's estimator, \"A simple general approach to inference about the tail of a \
                 distribution\", Annals of Statistics 1975, on a stream as in Siffer et al., \"Anomaly detection in streams with \
                 extreme value theory\", KDD 2017.",
                "anomaly_score(value) over (partition by … order by timestamp) -> double",
            )
            .with_argument("value", "double; the series")
            .with_sql_example(example(
                "select t, anomaly_score(case when t = 90 then 500.0 else cast(t % 7 as double) end) over (order by t) >= 0.5 as reported\nfrom (select unnest(range(0, 100)) as t)\norder by reported desc, t\nlimit 2;",
                "
+----+----------+
| t  | reported |
+----+----------+
| 90 | true     |
| 0  | false    |
+----+----------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
