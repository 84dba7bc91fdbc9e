//! `count_ratio_p(events, trials, other_events, other_trials)`: how probable two counts are when their rates are equal.
//!
//! | events | trials | result |
//! |---|---|---|
//! | NULL, NaN or infinite in any argument | | NULL |
//! | below 0 on either side | any | NULL |
//! | any | 0 on either side | NULL: nothing was tried |
//! | 0 on both sides | any | 1 |

use crate::functions::argument::{arrays, doubles};
use crate::functions::chance::count_ratio_p;
use crate::functions::reference::{DRIFT, example};
use arrow::array::{Array, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct CountRatioP {
    signature: Signature,
}

impl Default for CountRatioP {
    fn default() -> Self {
        CountRatioP { signature: Signature::exact(vec![DataType::Float64; 4], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for CountRatioP {
    fn name(&self) -> &str {
        "count_ratio_p"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = arrays(&args.args, args.number_rows)?;
        let columns = arguments.iter().map(doubles).collect::<Result<Vec<_>>>()?;
        let p = (0..args.number_rows).map(|i| {
            if columns.iter().any(|column| column.is_null(i)) {
                return None;
            }
            let row: [f64; 4] = std::array::from_fn(|n| columns[n].value(i));
            count_ratio_p(row[0], row[1], row[2], row[3])
        });
        Ok(ColumnarValue::Array(Arc::new(p.collect::<Float64Array>())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DRIFT,
                "Returns the two-sided p-value of the conditional test of two Poisson counts: the probability that `events` in `trials` \
                 and `other_events` in `other_trials` differ as much, either way, when both have the same rate. Exact for few events; \
                 cautious for events that are a large share of the trials. NULL when an argument is NULL, not finite or \
                 negative, or nothing was tried.\n\n\
                 Source: Przyborowski and Wilenski, \"Homogeneity of results in testing samples from Poisson series\", Biometrika 1940.",
                "count_ratio_p(events, trials, other_events, other_trials) -> double",
            )
            .with_argument("events", "double; how many were counted, such as failed requests")
            .with_argument("trials", "double; out of how many, or over how long")
            .with_argument("other_events", "double; the count to compare with")
            .with_argument("other_trials", "double; its trials")
            .with_sql_example(example(
                "select round(count_ratio_p(3, 30, 1, 20), 6) as alike, round(count_ratio_p(1, 58, 8, 40000), 6) as one_error;",
                "
+--------+-----------+
| alike  | one_error |
+--------+-----------+
| 0.9504 | 0.025912  |
+--------+-----------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
