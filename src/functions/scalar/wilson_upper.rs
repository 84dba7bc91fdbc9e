//! `wilson_upper(hits, total, z)`: the largest share that is in keeping with so many hits.
//!
//! | hits | total | z | result |
//! |---|---|---|---|
//! | NULL or NaN in any argument | | | NULL |
//! | any | 0 or less | any | NULL: nothing was tried |
//! | below 0, or more than total | any | any | NULL: no share |
//! | n | n | any | 1 |
//! | 0 | n | 0 | 0 |
//! | any | any | below 0 | NULL |

use crate::functions::interval::{Bound, evaluate, signature};
use crate::functions::reference::{INTERVALS, example};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use std::sync::LazyLock;

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct WilsonUpper {
    signature: Signature,
}

impl Default for WilsonUpper {
    fn default() -> Self {
        WilsonUpper { signature: signature() }
    }
}

impl ScalarUDFImpl for WilsonUpper {
    fn name(&self) -> &str {
        "wilson_upper"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        evaluate(&args, Bound::Upper)
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                INTERVALS,
                "Returns the upper end of the interval in which the true share lies when `hits` of `total` were observed. With \
                 z = 1.96 it is in the interval 95 times of 100. Sound for few events and for shares near 0 and 1, where the usual \
                 mean ± z deviations is not. NULL when an argument is NULL, total is not above 0, hits lie outside 0 to total, or z \
                 is negative.\n\n\
                 Source: Wilson, \"Probable inference, the law of succession, and statistical inference\", JASA 1927.",
                "wilson_upper(hits, total, z) -> double",
            )
            .with_argument("hits", "double; how many were counted")
            .with_argument("total", "double; out of how many")
            .with_argument("z", "double; standard deviations of confidence, 0 or more; 1.96 for 95 %")
            .with_sql_example(example(
                "select round(wilson_lower(2, 20, 1.96), 4) as at_least, round(wilson_upper(2, 20, 1.96), 4) as at_most;",
                "
+----------+---------+
| at_least | at_most |
+----------+---------+
| 0.0279   | 0.301   |
+----------+---------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
