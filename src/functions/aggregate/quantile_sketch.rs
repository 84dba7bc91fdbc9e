//! `quantile_sketch(value)`: a sketch of values, to be stored, merged and asked for quantiles.
//!
//! | values | result |
//! |---|---|
//! | none, or only NULL and NaN | NULL |
//! | NULL or NaN among others | ignored |
//! | a constant, n times | a sketch of few bytes; every quantile is the constant |
//! | ±∞ | values like any other, at the ends |
//! | −0, and magnitudes below 2.2e-308 | zero |

use super::accumulate::{Aggregate, Input, bytes_column, state_fields};
use crate::functions::QuantileSketch;
use crate::functions::reference::{SKETCHES, example};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use std::sync::LazyLock;

const AGGREGATE: Aggregate<QuantileSketch> =
    Aggregate { function: "quantile_sketch", input: Input::Doubles, finish: bytes_column };

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct QuantileSketchOf {
    signature: Signature,
}

impl Default for QuantileSketchOf {
    fn default() -> Self {
        QuantileSketchOf { signature: Signature::exact(vec![DataType::Float64], Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for QuantileSketchOf {
    fn name(&self) -> &str {
        AGGREGATE.function
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
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
                SKETCHES,
                "Returns a quantile sketch of the values: bytes to be stored, merged with `sketch_merge` and asked with \
                 `sketch_quantile`, `sketch_count` and `sketch_share_within`. One value takes 6 to 14 bytes, a hundred \
                 latencies about 120, a million about 1,300. The same values give the same bytes in any order.\n\n\
                 NULL when there is no value; NULL and NaN are ignored; infinite values count and lie at the ends. Not \
                 available as a window function with a moving frame.\n\n\
                 Source: Masson, Rim, Lee, \"DDSketch: a fast and fully-mergeable quantile sketch with relative-error \
                 guarantees\", VLDB 2019, with γ = 2^(1/35) and without a limit on buckets.",
                "quantile_sketch(value) -> binary",
            )
            .with_argument("value", "double; what is measured")
            .with_sql_example(example(
                "select sketch_count(quantile_sketch(ms)) as n, round(sketch_quantile(quantile_sketch(ms), 0.9), 1) as p90\nfrom generate_series(1, 1000) as t(ms);",
                "
+------+-------+
| n    | p90   |
+------+-------+
| 1000 | 900.3 |
+------+-------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
