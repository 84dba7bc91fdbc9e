//! `exact_sum(value)`: the true sum of the values, rounded once.
//!
//! | values | result |
//! |---|---|
//! | none, or only NULL | NULL |
//! | NULL among others | ignored |
//! | a constant c, n times | n·c, rounded once |
//! | a NaN, or both +∞ and −∞ | NaN |
//! | +∞ or −∞ | that infinity |
//! | finite, true sum beyond 1.8e308 | ±∞ |
//! | only −0 | 0 |

use super::accumulate::{Aggregate, Input, state_fields};
use crate::functions::ExactSum;
use crate::functions::reference::{SUMS, example};
use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

const AGGREGATE: Aggregate<ExactSum> =
    Aggregate { function: "exact_sum", input: Input::Doubles, finish: sums };

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ExactSumOf {
    signature: Signature,
}

impl Default for ExactSumOf {
    fn default() -> Self {
        ExactSumOf { signature: Signature::exact(vec![DataType::Float64], Volatility::Immutable) }
    }
}

/// The sums, NULL where nothing was added.
fn sums(sums: &[ExactSum]) -> ArrayRef {
    Arc::new(sums.iter().map(ExactSum::sum).collect::<Float64Array>())
}

impl AggregateUDFImpl for ExactSumOf {
    fn name(&self) -> &str {
        AGGREGATE.function
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(state_fields(&args))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        AGGREGATE.accumulator(&args)
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        AGGREGATE.groups_accumulator(&args)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                SUMS,
                "Returns the sum of the values as if computed without any rounding, and then rounded once to the nearest double. \
                 The result does not depend on the order of rows, on the number of threads or on how partial sums were merged.\n\n\
                 NULL when there is no value; NULLs are ignored. NaN when a value is NaN or when both infinities occur; else \
                 infinite when a value is infinite or the true sum is beyond the largest double. Whole numbers beyond 2^53 are \
                 rounded when they become doubles.\n\n\
                 Source: Kulisch, \"Computer Arithmetic and Validity\", 2008 (the long accumulator); Neal, \"Fast exact summation \
                 using small and large superaccumulators\", 2015.",
                "exact_sum(value) -> double",
            )
            .with_argument("value", "double; what is added")
            .with_sql_example(example(
                "select exact_sum(x) as exact, exact_sum(x) = 1 as is_one\nfrom (values (1e100), (1.0), (-1e100)) as t(x);",
                "
+-------+--------+
| exact | is_one |
+-------+--------+
| 1.0   | true   |
+-------+--------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
