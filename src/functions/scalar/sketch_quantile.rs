//! `sketch_quantile(sketch, q)`: a quantile of the values that went into a sketch.
//!
//! | sketch | q | result |
//! |---|---|---|
//! | NULL | any | NULL |
//! | any | NULL | NULL |
//! | of no values | 0 to 1 | NULL |
//! | of a constant | 0 to 1 | the constant |
//! | with ±∞ | 0 to 1 | ±∞ where the rank falls on one |
//! | any | NaN, below 0, above 1, ±∞ | error |
//! | other bytes | any | error |

use crate::functions::argument::{arrays, binaries, doubles, read_sketch, sketch_signature};
use crate::functions::reference::{SKETCHES, example};
use crate::functions::{Error, QuantileSketch};
use arrow::array::Float64Array;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use std::sync::{Arc, LazyLock};

const NAME: &str = "sketch_quantile";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SketchQuantile {
    signature: Signature,
}

impl Default for SketchQuantile {
    fn default() -> Self {
        SketchQuantile { signature: sketch_signature(&[DataType::Float64]) }
    }
}

/// The quantile, with `q` checked; `None` when the sketch holds nothing.
pub fn sketch_quantile(sketch: &QuantileSketch, q: f64) -> Result<Option<f64>, Error> {
    if !(0.0..=1.0).contains(&q) {
        return Err(Error::Argument {
            function: NAME,
            argument: "q",
            expected: "a share from 0 to 1, such as 0.95 for the 95th percentile",
            got: q.to_string(),
        });
    }
    Ok(sketch.quantile(q))
}

impl ScalarUDFImpl for SketchQuantile {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = arrays(&args.args, args.number_rows)?;
        let (sketches, qs) = (binaries(&arguments[0])?, doubles(&arguments[1])?);
        let judge = |(sketch, q): (Option<&[u8]>, Option<f64>)| match (sketch, q) {
            (Some(sketch), Some(q)) => sketch_quantile(&read_sketch(NAME, sketch)?, q),
            _ => Ok(None),
        };
        let values = sketches.iter().zip(qs).map(judge).collect::<Result<Float64Array, Error>>()?;
        debug_assert_eq!(values.len(), args.number_rows);
        Ok(ColumnarValue::Array(Arc::new(values)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SKETCHES,
                "Returns the smallest value such that at least the share `q` of all values is not above it, within 1 %: \
                 the value of rank `⌈q·n⌉` in ascending order. `q` 0 and 1 give the exact smallest and largest value.\n\n\
                 NULL when the sketch or `q` is NULL, or when the sketch holds no value. An error when `q` is outside \
                 0 to 1 or the bytes are not a sketch.\n\n\
                 Source: Masson, Rim, Lee, \"DDSketch: a fast and fully-mergeable quantile sketch with relative-error \
                 guarantees\", VLDB 2019, with γ = 2^(1/35).",
                "sketch_quantile(sketch, q) -> double",
            )
            .with_argument("sketch", "binary; made by `quantile_sketch` or `sketch_merge`")
            .with_argument("q", "double; the share, 0 to 1")
            .with_sql_example(example(
                "select round(sketch_quantile(quantile_sketch(ms), 0.5), 2) as p50, sketch_quantile(quantile_sketch(ms), 1) as largest\nfrom (values (80), (95), (99), (102), (870)) as t(ms);",
                "
+-------+---------+
| p50   | largest |
+-------+---------+
| 99.93 | 870.0   |
+-------+---------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
