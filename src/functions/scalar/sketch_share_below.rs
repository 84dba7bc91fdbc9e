//! `sketch_share_below(sketch, x)`: the share of values below a number.
//!
//! | sketch | x | result |
//! |---|---|---|
//! | NULL | any | NULL |
//! | any | NULL or NaN | NULL |
//! | of no values | any | NULL |
//! | of a constant | up to it; above it | 0; 1 |
//! | any | −∞ | 0 |
//! | any | +∞ | 1 less the share of +∞ |
//! | other bytes | any | error |

use crate::functions::Error;
use crate::functions::argument::{arrays, binaries, doubles, read_sketch, sketch_signature};
use crate::functions::reference::{SKETCHES, example};
use arrow::array::Float64Array;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use std::sync::{Arc, LazyLock};

const NAME: &str = "sketch_share_below";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SketchShareBelow {
    signature: Signature,
}

impl Default for SketchShareBelow {
    fn default() -> Self {
        SketchShareBelow { signature: sketch_signature(&[DataType::Float64]) }
    }
}

/// The share of the values in the bytes of a sketch that lie below `x`.
pub fn sketch_share_below(bytes: &[u8], x: f64) -> Result<Option<f64>, Error> {
    Ok(read_sketch(NAME, bytes)?.share_below(x))
}

impl ScalarUDFImpl for SketchShareBelow {
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
            (Some(sketch), Some(x)) => sketch_share_below(sketch, x),
            _ => Ok(None),
        };
        let shares = sketches.iter().zip(xs).map(judge).collect::<Result<Float64Array, Error>>()?;
        Ok(ColumnarValue::Array(Arc::new(shares)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SKETCHES,
                "Returns the share (0 to 1) of the values of a sketch that are below `x`. Values more than 2 % away from `x` \
                 count exactly; those nearer, in the same bucket as `x`, in proportion to how far `x` lies into the bucket. \
                 Up to the smallest value the result is exactly 0, above the largest exactly 1.\n\n\
                 NULL when an argument is NULL, `x` is NaN or the sketch holds no value. An error when the bytes are not a \
                 sketch.",
                "sketch_share_below(sketch, x) -> double",
            )
            .with_argument("sketch", "binary; made by `quantile_sketch` or `sketch_merge`")
            .with_argument("x", "double; in the unit of the values")
            .with_sql_example(example(
                "select sketch_share_below(quantile_sketch(ms), 150) as within_target\nfrom (values (80), (95), (99), (102), (870)) as t(ms);",
                "
+---------------+
| within_target |
+---------------+
| 0.8           |
+---------------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
