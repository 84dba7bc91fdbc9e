//! Accumulators of series: one for a single group and one for many groups at once.
//!
//! Between the stages of a query a series passes as its bytes; a group without samples passes NULL and finishes as NULL.

use crate::functions::Error;
use crate::functions::argument::{doubles, large_binaries, primitive};
use crate::functions::series::{IntervalSums, NotASeries};
use arrow::array::{Array, ArrayRef, BooleanArray, LargeBinaryBuilder};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use std::sync::Arc;

/// What rows bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// The number of an interval and a sample.
    Samples,
    /// The number of an interval, events, and the trials that they are out of.
    Counts,
    /// Series.
    Series,
}

/// An aggregate function that gives a series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gathering {
    pub(super) function: &'static str,
    pub(super) rows: Rows,
}

impl Gathering {
    pub(super) fn accumulator(self, args: &AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.refuse_distinct(args)?;
        Ok(Box::new(Single { groups: Groups::new(self) }))
    }

    pub(super) fn groups_accumulator(self, args: &AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        self.refuse_distinct(args)?;
        Ok(Box::new(Groups::new(self)))
    }

    fn refuse_distinct(self, args: &AccumulatorArgs) -> Result<()> {
        if args.is_distinct {
            return plan_err!(
                "{0}: `distinct` is not supported; select distinct values in a subquery first",
                self.function
            );
        }
        Ok(())
    }
}

/// The column that carries series between the stages of a query.
pub(super) fn state_fields(args: &StateFieldsArgs) -> Vec<FieldRef> {
    vec![Arc::new(Field::new(format_state_name(args.name, "series"), DataType::LargeBinary, true))]
}

/// What every aggregate function that gives a series says of itself, but for its documentation.
macro_rules! gathers {
    ($gathering:expr) => {
        fn name(&self) -> &str {
            $gathering.function
        }

        fn signature(&self) -> &datafusion::logical_expr::Signature {
            &self.signature
        }

        fn return_type(
            &self,
            _: &[arrow::datatypes::DataType],
        ) -> datafusion::common::Result<arrow::datatypes::DataType> {
            Ok(arrow::datatypes::DataType::LargeBinary)
        }

        fn state_fields(
            &self,
            args: datafusion::logical_expr::function::StateFieldsArgs,
        ) -> datafusion::common::Result<Vec<arrow::datatypes::FieldRef>> {
            Ok(crate::functions::aggregate::intervals::state_fields(&args))
        }

        fn accumulator(
            &self,
            args: datafusion::logical_expr::function::AccumulatorArgs,
        ) -> datafusion::common::Result<Box<dyn datafusion::logical_expr::Accumulator>> {
            $gathering.accumulator(&args)
        }

        fn groups_accumulator_supported(
            &self,
            _: datafusion::logical_expr::function::AccumulatorArgs,
        ) -> bool {
            true
        }

        fn create_groups_accumulator(
            &self,
            args: datafusion::logical_expr::function::AccumulatorArgs,
        ) -> datafusion::common::Result<Box<dyn datafusion::logical_expr::GroupsAccumulator>> {
            $gathering.groups_accumulator(&args)
        }

        fn order_sensitivity(&self) -> datafusion::logical_expr::utils::AggregateOrderSensitivity {
            datafusion::logical_expr::utils::AggregateOrderSensitivity::Insensitive
        }
    };
}
pub(super) use gathers;

#[derive(Debug)]
struct Groups {
    gathering: Gathering,
    sums: Vec<IntervalSums>,
    /// Heap of all sums, kept up to date because asking each one would take too long.
    heap: usize,
}

/// A row counts when there is no filter, or the filter is true for it (not NULL).
#[inline]
fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

impl Groups {
    fn new(gathering: Gathering) -> Groups {
        Groups { gathering, sums: Vec::new(), heap: 0 }
    }

    #[inline]
    fn change(
        &mut self,
        group: usize,
        change: impl FnOnce(&mut IntervalSums) -> Result<(), NotASeries>,
    ) -> Result<()> {
        let sums = &mut self.sums[group];
        let before = sums.heap_size();
        let outcome = change(sums);
        self.heap = self.heap + sums.heap_size() - before;
        let function = self.gathering.function;
        Ok(outcome.map_err(|source| Error::Series { function, source })?)
    }

    fn add_samples(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let (slots, samples) = (primitive::<Int64Type>(&values[0])?, doubles(&values[1])?);
        for (row, group) in groups.iter().enumerate() {
            if slots.is_valid(row) && samples.is_valid(row) && passes(filter, row) {
                let slot = self.slot(slots.value(row))?;
                self.change(*group, |sums| sums.add(slot, samples.value(row)))?;
            }
        }
        Ok(())
    }

    fn add_counts(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let (slots, events) = (primitive::<Int64Type>(&values[0])?, doubles(&values[1])?);
        let trials = primitive::<Int64Type>(&values[2])?;
        for (row, group) in groups.iter().enumerate() {
            let is_known = slots.is_valid(row) && events.is_valid(row) && trials.is_valid(row);
            if is_known && passes(filter, row) {
                let slot = self.slot(slots.value(row))?;
                let count = u64::try_from(trials.value(row)).unwrap_or(0);
                self.change(*group, |sums| sums.add_counts(slot, events.value(row), count))?;
            }
        }
        Ok(())
    }

    fn slot(&self, number: i64) -> Result<u32> {
        u32::try_from(number).map_err(|_| {
            let refused = Error::Argument {
                function: self.gathering.function,
                argument: "slot",
                expected: "the number of an interval, 0 to 4294967295",
                got: number.to_string(),
            };
            refused.into()
        })
    }

    fn add_series(
        &mut self,
        series: &ArrayRef,
        groups: &[usize],
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let series = large_binaries(series)?;
        for (row, group) in groups.iter().enumerate() {
            if series.is_valid(row) && passes(filter, row) {
                self.change(*group, |sums| sums.merge(series.value(row)))?;
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        emit_to: EmitTo,
        bytes: fn(IntervalSums) -> Result<Option<Vec<u8>>, NotASeries>,
    ) -> Result<ArrayRef> {
        let function = self.gathering.function;
        let mut taken = Vec::new();
        for sums in emit_to.take_needed(&mut self.sums) {
            self.heap -= sums.heap_size();
            taken.push(bytes(sums).map_err(|source| Error::Series { function, source })?);
        }
        // Growing by doubling would leave half of a large column empty.
        let size = taken.iter().flatten().map(Vec::len).sum();
        let mut column = LargeBinaryBuilder::with_capacity(taken.len(), size);
        taken.into_iter().for_each(|series| column.append_option(series));
        Ok(Arc::new(column.finish()))
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.sums.resize_with(total, IntervalSums::default);
        match self.gathering.rows {
            Rows::Samples => self.add_samples(values, groups, filter),
            Rows::Counts => self.add_counts(values, groups, filter),
            Rows::Series => self.add_series(&values[0], groups, filter),
        }
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.sums.resize_with(total, IntervalSums::default);
        self.add_series(&values[0], groups, None)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.take(emit_to, IntervalSums::finish)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.take(emit_to, IntervalSums::to_bytes)?])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values[0].len();
        let mut groups = Groups::new(self.gathering);
        groups.update_batch(values, &(0..rows).collect::<Vec<_>>(), filter, rows)?;
        GroupsAccumulator::state(&mut groups, EmitTo::All)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sums.capacity() * size_of::<IntervalSums>() + self.heap
    }
}

/// One group.
#[derive(Debug)]
struct Single {
    groups: Groups,
}

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let zeros = vec![0; values[0].len()];
        self.groups.update_batch(values, &zeros, None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let zeros = vec![0; states[0].len()];
        GroupsAccumulator::merge_batch(&mut self.groups, states, &zeros, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.groups.sums.resize_with(1, IntervalSums::default);
        ScalarValue::try_from_array(&GroupsAccumulator::evaluate(&mut self.groups, EmitTo::All)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.groups.sums.resize_with(1, IntervalSums::default);
        let columns = GroupsAccumulator::state(&mut self.groups, EmitTo::All)?;
        columns.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(&self.groups)
    }
}
