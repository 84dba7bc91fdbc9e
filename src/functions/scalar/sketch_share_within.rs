//! `sketch_share_within(sketch, x)`: the share of values that are at most a number.
//!
//! | sketch | x | result |
//! |---|---|---|
//! | NULL | any | NULL |
//! | any | NULL or NaN | NULL |
//! | of no values | any | NULL |
//! | of a constant | below it; from it on | 0; 1 |
//! | any | −∞ | the share of −∞ |
//! | any | +∞ | 1 |
//! | other bytes | any | error |

use crate::functions::Error;
use crate::functions::argument::{arrays, binaries, doubles, read_sketch, sketch_signature};
use crate::functions::reference::{SKETCHES, example};
use arrow::array::Float64Array;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use std::sync::{Arc, LazyLock};

const NAME: &str = "sketch_share_within";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SketchShareWithin {
    signature: Signature,
}

impl Default for SketchShareWithin {
    fn default() -> Self {
        SketchShareWithin { signature: sketch_signature(&[DataType::Float64]) }
    }
}

/// The share of the values in the bytes of a sketch that are at most `x`.
pub fn sketch_share_within(bytes: &[u8], x: f64) -> Result<Option<f64>, Error> {
    Ok(read_sketch(NAME, bytes)?.share_within(x))
}

impl ScalarUDFImpl for SketchShareWithin {
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
        let (sketches, xs) = (binaries(&arguments[0])?, doubles(&arguments[1])?);
        let judge = |(sketch, x): (Option<&[u8]>, Option<f64>)| match (sketch, x) {
            (Some(sketch), Some(x)) => sketch_share_within(sketch, x),
            _ => Ok(None),
        };
        let shares = sketches.iter().zip(xs).map(judge).collect::<Result<Float64Array, Error>>()?;
        Ok(ColumnarValue::Array(Arc::new(shares)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SKETCHES,
                "Returns the share (0 to 1) of the values of a sketch that are at most `x`: what is within a limit. Values more \
                 than 2 % away from `x` count exactly, and so do the smallest and the largest value; those nearer, in the same \
                 bucket as `x`, in proportion to how far `x` lies into the bucket. Below the smallest value the result is \
                 exactly 0, from the largest on exactly 1.\n\n\
                 NULL when an argument is NULL, `x` is NaN or the sketch holds no value. An error when the bytes are not a \
                 sketch.",
                "sketch_share_within(sketch, x) -> double",
            )
            .with_argument("sketch", "binary; made by `quantile_sketch` or `sketch_merge`")
            .with_argument("x", "double; in the unit of the values")
            .with_sql_example(example(
                "select sketch_share_within(quantile_sketch(ms), 150) as within_target\nfrom (values (80), (95), (99), (150), (150)) as t(ms);",
                "
+---------------+
| within_target |
+---------------+
| 1.0           |
+---------------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
