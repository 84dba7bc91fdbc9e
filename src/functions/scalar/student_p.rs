//! `student_p(t, degrees)`: how probable a t as far from 0 is by chance.
//!
//! | t | degrees | result |
//! |---|---|---|
//! | NULL or NaN in any argument | | NULL |
//! | any | 0 or less | NULL |
//! | 0 | any | 1 |
//! | ±∞ | any | 0 |

use crate::functions::argument::{arrays, doubles};
use crate::functions::chance::student_p;
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
pub struct StudentP {
    signature: Signature,
}

impl Default for StudentP {
    fn default() -> Self {
        StudentP { signature: Signature::exact(vec![DataType::Float64; 2], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for StudentP {
    fn name(&self) -> &str {
        "student_p"
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
            let row: [f64; 2] = std::array::from_fn(|n| columns[n].value(i));
            student_p(row[0], row[1])
        });
        Ok(ColumnarValue::Array(Arc::new(p.collect::<Float64Array>())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DRIFT,
                "Returns the two-sided p-value of Student's t: the probability of a t as far from 0, either way, when nothing has \
                 changed. NULL when an argument is NULL or NaN, or degrees are not above 0.\n\n\
                 Source: Abramowitz and Stegun, \"Handbook of Mathematical Functions\", 26.7.1.",
                "student_p(t, degrees) -> double",
            )
            .with_argument("t", "double; a difference in its standard errors")
            .with_argument("degrees", "double; degrees of freedom of the standard error, above 0")
            .with_sql_example(example(
                "select round(student_p(2.0, 5), 6) as few, round(student_p(2.0, 500), 6) as many;",
                "
+----------+----------+
| few      | many     |
+----------+----------+
| 0.101939 | 0.046041 |
+----------+----------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
