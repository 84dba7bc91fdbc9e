//! `sketch_merge(sketch)`: one sketch of everything that many sketches hold.
//!
//! | sketches | result |
//! |---|---|
//! | none, or only NULL | NULL |
//! | NULL among others | ignored |
//! | of no values | as if absent |
//! | any | the bytes of one sketch over all their values, in any order and grouping |
//! | other bytes | error |

use super::accumulate::{Aggregate, Input, Merged, bytes_column, state_fields};
use crate::functions::argument::sketch_signature;
use crate::functions::reference::{SKETCHES, example};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature};
use std::sync::LazyLock;

const AGGREGATE: Aggregate<Merged> =
    Aggregate { function: "sketch_merge", input: Input::Bytes, finish: bytes_column };

/// The SQL function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SketchMerge {
    signature: Signature,
}

impl Default for SketchMerge {
    fn default() -> Self {
        SketchMerge { signature: sketch_signature(&[]) }
    }
}

impl AggregateUDFImpl for SketchMerge {
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
                "Returns the sketch of all values that the sketches hold: the same bytes as `quantile_sketch` over those values, in \
                 any order and grouping.\n\n\
                 NULL when there is no sketch; NULLs are ignored. An error when bytes are not a sketch. Not available as a \
                 window function with a moving frame.",
                "sketch_merge(sketch) -> binary",
            )
            .with_argument("sketch", "binary; made by `quantile_sketch` or `sketch_merge`")
            .with_sql_example(example(
                "with minutes as (\n  select minute, quantile_sketch(ms) as latency\n  from (values (1, 80.0), (1, 95.0), (2, 99.0), (2, 102.0), (2, 870.0)) as t(minute, ms)\n  group by minute\n)\nselect sketch_count(sketch_merge(latency)) as n, sketch_quantile(sketch_merge(latency), 1) as largest\nfrom minutes;",
                "
+---+---------+
| n | largest |
+---+---------+
| 5 | 870.0   |
+---+---------+",
            ))
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
