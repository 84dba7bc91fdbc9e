//! `exact_avg(value)`: the true mean of the values, rounded once.
//!
//! | values | result |
//! |---|---|
//! | none, or only NULL | NULL |
//! | NULL among others | neither added nor counted |
//! | a constant | the constant |
//! | a NaN, or both +∞ and −∞ | NaN |
//! | +∞ or −∞ | that infinity |
//! | finite, true sum beyond 1.8e308 | the finite mean |

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
    Aggregate { function: "exact_avg", input: Input::Doubles, finish: means };

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ExactAvg {
    signature: Signature,
}

impl Default for ExactAvg {
    fn default() -> Self {
        ExactAvg { signature: Signature::exact(vec![DataType::Float64], Volatility::Immutable) }
    }
}

/// The means, NULL where nothing was added.
fn means(sums: &[ExactSum]) -> ArrayRef {
    Arc::new(sums.iter().map(ExactSum::mean).collect::<Float64Array>())
}

impl AggregateUDFImpl for ExactAvg {
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
                "Returns the mean of the values as if computed without any rounding, and then rounded once to the nearest double: \
                 the exact sum is divided, not its rounding. The result does not depend on the order of rows, on the number of \
                 threads or on how partial sums were merged.\n\n\
                 NULL when there is no value; NULLs are neither added nor counted. NaN when a value is NaN or when both infinities \
                 occur; else infinite when a value is infinite.\n\n\
                 Source: as for `exact_sum`.",
                "exact_avg(value) -> double",
            )
            .with_argument("value", "double; what is averaged")
            .with_sql_example(example(
                "select exact_avg(x) as exact\nfrom (values (0.1), (0.1), (0.1), (null)) as t(x);",
                "
+-------+
| exact |
+-------+
| 0.1   |
+-------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
