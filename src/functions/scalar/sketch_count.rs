//! `sketch_count(sketch)`: how many values went into a sketch.
//!
//! | sketch | result |
//! |---|---|
//! | NULL | NULL |
//! | of no values | 0 |
//! | of a constant, n times | n |
//! | NaN among the values | not counted |
//! | ±∞ among the values | counted |
//! | other bytes | error |

use crate::functions::Error;
use crate::functions::argument::{arrays, binaries, read_sketch, sketch_signature};
use crate::functions::reference::{SKETCHES, example};
use arrow::array::Int64Array;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use std::sync::{Arc, LazyLock};

const NAME: &str = "sketch_count";

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SketchCount {
    signature: Signature,
}

impl Default for SketchCount {
    fn default() -> Self {
        SketchCount { signature: sketch_signature(&[]) }
    }
}

/// The count of the values in the bytes of a sketch.
pub fn sketch_count(bytes: &[u8]) -> Result<i64, Error> {
    Ok(i64::try_from(read_sketch(NAME, bytes)?.count()).unwrap_or(i64::MAX))
}

impl ScalarUDFImpl for SketchCount {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = arrays(&args.args, args.number_rows)?;
        let counts = binaries(&arguments[0])?
            .iter()
            .map(|bytes| bytes.map(sketch_count).transpose())
            .collect::<Result<Int64Array, Error>>()?;
        Ok(ColumnarValue::Array(Arc::new(counts)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SKETCHES,
                "Returns how many values a sketch holds; exact.\n\nNULL for NULL. An error when the bytes are not a sketch.",
                "sketch_count(sketch) -> bigint",
            )
            .with_argument("sketch", "binary; made by `quantile_sketch` or `sketch_merge`")
            .with_sql_example(example(
                "select sketch_count(quantile_sketch(ms)) as n\nfrom (values (80.0), (95.0), (null)) as t(ms);",
                "
+---+
| n |
+---+
| 2 |
+---+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
