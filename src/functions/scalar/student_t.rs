//! `student_t(p, degrees)`: how far from 0 a t has to be for a two-sided p-value.
//!
//! | p | degrees | result |
//! |---|---|---|
//! | NULL or NaN in any argument | | NULL |
//! | 0 or less, above 1 | any | NULL |
//! | any | 0 or less | NULL |
//! | 1 | any | 0 |

use crate::functions::argument::{arrays, doubles};
use crate::functions::chance::student_t;
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
pub struct StudentT {
    signature: Signature,
}

impl Default for StudentT {
    fn default() -> Self {
        StudentT { signature: Signature::exact(vec![DataType::Float64; 2], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for StudentT {
    fn name(&self) -> &str {
        "student_t"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = arrays(&args.args, args.number_rows)?;
        let (ps, degrees) = (doubles(&arguments[0])?, doubles(&arguments[1])?);
        // Rows mostly ask for the same, and each answer takes a search.
        let (mut asked, mut answer) = ((f64::NAN, f64::NAN), None);
        let ts = (0..args.number_rows).map(|i| {
            if ps.is_null(i) || degrees.is_null(i) {
                return None;
            }
            if asked != (ps.value(i), degrees.value(i)) {
                asked = (ps.value(i), degrees.value(i));
                answer = student_t(asked.0, asked.1);
            }
            answer
        });
        Ok(ColumnarValue::Array(Arc::new(ts.collect::<Float64Array>())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DRIFT,
                "Returns the t whose two-sided p-value by Student's distribution is p: the inverse of `student_p`. A difference of more \
                 standard errors than that is less probable than p when nothing has changed. NULL when an argument is NULL or NaN, p is \
                 not above 0 and at most 1, or degrees are not above 0.\n\n\
                 Source: Abramowitz and Stegun, \"Handbook of Mathematical Functions\", 26.7.1; found by halving.",
                "student_t(p, degrees) -> double",
            )
            .with_argument("p", "double; a probability, above 0 and at most 1")
            .with_argument("degrees", "double; degrees of freedom of the standard error, above 0")
            .with_sql_example(example(
                "select round(student_t(0.05, 5), 6) as few, round(student_t(0.05, 500), 6) as many;",
                "
+----------+---------+
| few      | many    |
+----------+---------+
| 2.570582 | 1.96472 |
+----------+---------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
