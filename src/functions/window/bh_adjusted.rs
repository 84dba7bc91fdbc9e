//! `bh_adjusted(p)`: p-values of many tests, corrected for their number.
//!
//! | p | result |
//! |---|---|
//! | NULL, NaN, below 0 or above 1 | NULL; the row is no test |
//! | one test | p |
//! | any | at least p, at most 1 |

use crate::functions::argument::doubles;
use crate::functions::reference::{CHANGE, example};
use crate::functions::statistics::false_alarms::benjamini_hochberg;
use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::FieldRef;
use datafusion::common::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{Documentation, PartitionEvaluator, Signature, WindowUDFImpl};
use std::sync::{Arc, LazyLock};

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct BhAdjusted {
    signature: Signature,
}

impl Default for BhAdjusted {
    fn default() -> Self {
        BhAdjusted { signature: super::series::signature(&[]) }
    }
}

/// Unlike the functions that judge a row by its past, this one looks at the whole partition.
#[derive(Debug)]
struct Tests;

impl PartitionEvaluator for Tests {
    fn evaluate_all(&mut self, arguments: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        let ps: Vec<Option<f64>> = doubles(&arguments[0])?.iter().collect();
        Ok(Arc::new(benjamini_hochberg(&ps).into_iter().collect::<Float64Array>()))
    }

    fn uses_window_frame(&self) -> bool {
        false
    }
}

impl WindowUDFImpl for BhAdjusted {
    fn name(&self) -> &str {
        "bh_adjusted"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Tests))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(super::series::field(&args))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                CHANGE,
                "Returns Benjamini and Hochberg's adjusted p over all rows of the partition, whatever their order or a frame: \
                 calling every row at or below q a discovery keeps the expected share of false ones at q. Use `over ()` for all \
                 tests of a run.\n\n\
                 NULL where p is NULL, NaN, below 0 or above 1; such rows do not count as tests.\n\n\
                 Source: Benjamini and Hochberg, \"Controlling the false discovery rate\", J. R. Statist. Soc. B 1995.",
                "bh_adjusted(p) over (partition by …) -> double",
            )
            .with_argument("p", "double; the p-value of a test")
            .with_sql_example(example(
                "select test, p, round(bh_adjusted(p) over (), 6) as adjusted\nfrom (values (1, 0.01), (2, 0.04), (3, 0.03), (4, 0.005)) as t(test, p)\norder by test;",
                "
+------+-------+----------+
| test | p     | adjusted |
+------+-------+----------+
| 1    | 0.01  | 0.02     |
| 2    | 0.04  | 0.04     |
| 3    | 0.03  | 0.04     |
| 4    | 0.005 | 0.02     |
+------+-------+----------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
